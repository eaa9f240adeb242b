"""The worker's own word on how it goes."""

from typing import cast

import pytest

from arrears.history import main
from arrears.history.application.ear import Ear


class AwayEar:
    """A server that is away, and says more of itself than a stranger may hear."""

    async def step(self) -> int:
        raise ConnectionError('password authentication failed for user "history" at 10.0.0.7')

    async def close(self) -> None: ...


async def test_health_tells_the_kind_of_the_trouble_and_not_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever asks for health gives no token."""
    monkeypatch.setattr(main, "STALLED_SECONDS", -1.0)
    monkeypatch.setattr(main, "RETRY_SECONDS", 0.0)
    worker = main.Worker(cast("Ear", AwayEar()))
    await worker._step()
    assert worker.health()["reason"] == "ConnectionError"
