"""A worker tidies up once an hour, and goes on soon where a batch was full."""

from typing import Any, cast

from arrears.shared.service.housekeeping import AGAIN_SECONDS, EVERY_SECONDS
from arrears.shared.service.worker import Worker


class Tidying:
    def __init__(self) -> None:
        self.steps = 0
        self.full = False

    async def step(self) -> bool:
        self.steps += 1
        return self.full


class TestHousekeeping:
    async def test_once_an_hour_and_again_soon_after_a_full_batch(self) -> None:
        now, tidying = 0.0, Tidying()
        nobody = cast("Any", None)
        worker = Worker(
            nobody, nobody, nobody, lease_seconds=9, housekeeping=tidying, clock=lambda: now
        )
        seen = []
        for at, tidying.full in (
            (1.0, False),
            (EVERY_SECONDS, False),
            (1.0 + EVERY_SECONDS, True),
            (EVERY_SECONDS + AGAIN_SECONDS, False),
            (1.0 + EVERY_SECONDS + AGAIN_SECONDS, False),
            (2.0 + EVERY_SECONDS + AGAIN_SECONDS, False),
        ):
            now = at
            await worker._tidy()
            seen.append(tidying.steps)
        assert seen == [1, 1, 2, 2, 3, 3]
