"""A world of toy stages, started."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from arrears.shared.testing.toy_world import ToyWorld


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


@pytest.fixture
async def world() -> ToyWorld:
    made = ToyWorld()
    await made.start()
    return made
