"""What a worker does beside its main work: tidying up now and then, and folding lists."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

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


class Lists:
    """Folds until it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.let_go = asyncio.Event()
        self.error: Exception | None = None

    async def step(self, _last_seqs: Any) -> bool:
        self.begun += 1
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return False


class TestLists:
    @pytest.fixture
    def lists(self) -> Lists:
        return Lists()

    @pytest.fixture
    def worker(self, lists: Lists) -> Worker:
        owner = cast("Any", SimpleNamespace(clock="live", bench=SimpleNamespace(shelves={})))
        clock = iter(range(0, 1000, 10))
        return Worker(
            owner, cast("Any", None), cast("Any", lists), lease_seconds=9, clock=lambda: next(clock)
        )

    async def test_nobody_waits_for_a_list_and_one_fold_runs_at_a_time(
        self, worker: Worker, lists: Lists
    ) -> None:
        for _ in range(3):
            worker._fold_lists()
            await asyncio.sleep(0)
        assert lists.begun == 1
        lists.let_go.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        worker._fold_lists()
        await asyncio.sleep(0)
        assert lists.begun == 2

    async def test_what_broke_a_fold_comes_out_in_the_next_round(
        self, worker: Worker, lists: Lists
    ) -> None:
        lists.error = ConnectionError("gone")
        lists.let_go.set()
        worker._fold_lists()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            worker._fold_lists()

    async def test_a_worker_that_starts_over_gives_its_fold_up(
        self, worker: Worker, lists: Lists
    ) -> None:
        worker._fold_lists()
        await asyncio.sleep(0)
        await worker._give_up_folding()
        assert lists.cancelled == 1
        await worker._give_up_folding()
