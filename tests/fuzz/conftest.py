"""How much is tried: a short form in `make test`, as much as is asked for in `make fuzz`.

`make fuzz RECORDS=n REQUESTS=n SEED=n`. A failure names the seed of its batch, which alone makes
the same batch again.
"""

import os
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs


@pytest.fixture
def records() -> int:
    """How many bad records of the feed."""
    return int(os.environ.get("RECORDS") or 2_000)


@pytest.fixture
def requests() -> int:
    """How many bad requests."""
    return int(os.environ.get("REQUESTS") or 1_500)


@pytest.fixture
def first_seed() -> int:
    return int(os.environ.get("SEED") or 1)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield
