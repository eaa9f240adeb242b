"""The broker of the live tests: the one given on purpose, or one that is started."""

import pytest

from arrears.cli.stack import checkout_root, ensure_stack
from arrears.shared.kafka.settings import KafkaSettings


@pytest.fixture(scope="session")
def settings() -> KafkaSettings:
    return KafkaSettings(servers=ensure_stack(checkout_root(), say=print).kafka_bootstrap)
