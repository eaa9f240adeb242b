"""The broker of the live tests."""

import pytest

from arrears.cli.stack import Stack
from arrears.shared.kafka.settings import KafkaSettings


@pytest.fixture(scope="session")
def settings(stack: Stack) -> KafkaSettings:
    return KafkaSettings(servers=stack.kafka_bootstrap)
