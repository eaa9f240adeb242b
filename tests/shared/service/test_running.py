"""The loop of a worker as a whole: what it says of its progress, and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest

from arrears.shared.eventstore.leases import Turnover
from arrears.shared.eventstore.port import ShardState
from arrears.shared.kernel.ids import Shard
from arrears.shared.runtime.relay import RelayStopped
from arrears.shared.service import worker as working
from arrears.shared.service.worker import Worker

DENIED = PermissionError("Kafka denies publishing to arrears.intake.v1")
STATE = ShardState(Shard(0), 7, 1, "one", None)


class Owner:
    """Holds one shard, whose bank says something all the time; publishing may be in trouble."""

    def __init__(self) -> None:
        self.stage = SimpleNamespace(name="intake")
        self.clock = "live"
        self.shards: list[Shard] = []
        self.bench = SimpleNamespace(shelves={})
        self.woken: Callable[[], None] | None = None
        self.waits = 0
        self.relay = SimpleNamespace(backlog=lambda: self.waits if self.shards else 0)
        self.ears = SimpleNamespace(feed=(), close=self._close, commit_offsets=self._nothing)
        self.trouble: Exception | None = None
        self.tried = self.heard = 0
        self.closed = False

    async def hear(self, *, wait_seconds: float) -> bool:
        await asyncio.sleep(0.001)
        self.heard += 1
        return True

    async def publish(self) -> bool:
        if not self.shards or not self.waits:
            return False
        self.tried += 1
        if self.trouble is not None:
            raise self.trouble
        self.waits = 0
        return True

    async def take(self, states: Sequence[ShardState], _feed: Sequence[int]) -> None:
        self.shards = [state.shard for state in states]

    async def drop(self, _shards: Sequence[Shard], _feed: Sequence[int]) -> None:
        self.shards = []

    async def _nothing(self) -> bool:
        return False

    handle = act = refresh = _nothing

    async def _close(self) -> None:
        self.closed = True


class Leases:
    """Gives the shard whenever it is asked for, unless another worker has it."""

    def __init__(self) -> None:
        self.held = self.elsewhere = self.released = False

    async def step(self) -> Turnover:
        if self.held or self.elsewhere:
            return Turnover()
        self.held = True
        return Turnover(gained=[STATE])

    async def keep(self) -> None:
        return None

    def forget(self) -> Sequence[Shard]:
        self.held = False
        return [STATE.shard]

    async def release(self) -> None:
        self.released = True


class Lists:
    def __init__(self) -> None:
        self.error: Exception | None = None
        self.began = False

    async def take(self, shards: Sequence[Shard]) -> None:
        return None

    def drop(self, shards: Sequence[Shard]) -> None:
        return None

    async def step(self, _last_seqs: Mapping[Shard, int]) -> bool:
        self.began = True
        try:
            await asyncio.sleep(60 if self.error else 0)
        except asyncio.CancelledError:
            raise self.error or AssertionError from None
        return False


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "RETRY_SECONDS", 0.002)
    monkeypatch.setattr(working, "IDLE_SECONDS", 0.001)


class Room:
    """A worker with everything around it; its clock counts its looks."""

    def __init__(self) -> None:
        self.owner, self.leases, self.lists = Owner(), Leases(), Lists()
        self._looks = 0
        self.worker = Worker(
            cast("Any", self.owner), self.leases, self.lists, lease_seconds=1, clock=self._look
        )

    def _look(self) -> float:
        self._looks += 1
        return float(self._looks)

    def begin_to_publish(self, count: int = 1) -> None:
        self.owner.waits = count
        assert self.owner.woken is not None
        self.owner.woken()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.worker.run())
        await until(lambda: bool(self.owner.heard))
        try:
            async with asyncio.timeout(5):
                yield
        finally:
            self.worker.stop()
            with suppress(RelayStopped):
                await task


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - what we wait for says nothing
        await asyncio.sleep(0.001)


class TestProgress:
    async def test_input_alone_is_no_progress_while_publishing_fails(self) -> None:
        room = Room()
        room.owner.trouble = DENIED
        async with room.running():
            room.begin_to_publish()
            await until(lambda: room.owner.tried >= 1)
            stood, heard = room.worker.progressed_at, room.owner.heard
            seen = set()
            while room.owner.tried < 5 or room.owner.heard < heard + 5:
                await asyncio.sleep(0.001)
                seen.add(room.worker.trouble)
            assert seen == {"PermissionError"}
            assert room.worker.progressed_at == stood

    async def test_what_was_published_ends_the_trouble(self) -> None:
        room = Room()
        room.owner.trouble = DENIED
        async with room.running():
            room.begin_to_publish()
            await until(lambda: room.owner.tried >= 3)
            stood, room.owner.trouble = room.worker.progressed_at, None
            await until(lambda: room.worker.trouble is None)
            assert room.owner.waits == 0
            await until(lambda: room.worker.progressed_at > stood)

    async def test_a_shard_that_went_to_another_worker_takes_the_trouble_along(self) -> None:
        room = Room()
        room.owner.trouble = DENIED
        async with room.running():
            room.begin_to_publish()
            await until(lambda: room.owner.tried >= 3)
            room.leases.elsewhere = True
            await until(lambda: room.worker.trouble is None)
            assert room.owner.shards == []

    async def test_input_is_progress_where_nothing_waits_to_be_published(self) -> None:
        room = Room()
        async with room.running():
            stood = room.worker.progressed_at
            await until(lambda: room.worker.progressed_at > stood)
            assert room.worker.trouble is None


class TestEnd:
    async def test_a_relay_that_stopped_is_told_and_the_leases_are_given_up(self) -> None:
        room = Room()
        room.owner.trouble = RelayStopped("seq 7 is not the event that the store has")
        running = asyncio.create_task(room.worker.run())
        await until(lambda: bool(room.owner.heard))
        room.begin_to_publish()
        with pytest.raises(RelayStopped, match="seq 7"):
            await running
        assert room.worker.stopped == "seq 7 is not the event that the store has"
        assert (room.leases.released, room.owner.closed) == (True, True)

    async def test_a_relay_that_stopped_while_the_worker_was_told_to_stop_is_told(self) -> None:
        room = Room()

        async def told_to_stop_meanwhile() -> bool:
            room.worker.stop()
            raise RelayStopped("seq 7")

        room.owner.publish = told_to_stop_meanwhile  # type: ignore[method-assign]
        with pytest.raises(RelayStopped, match="seq 7"):
            await room.worker.run()
        assert (room.leases.released, room.owner.closed) == (True, True)

    @pytest.mark.parametrize("error", [ConnectionError("gone"), LookupError("a defect")])
    async def test_a_list_that_breaks_as_it_is_given_up_keeps_no_lease(
        self, error: Exception
    ) -> None:
        room = Room()
        room.lists.error = error
        running = asyncio.create_task(room.worker.run())
        await until(lambda: room.lists.began)
        room.worker.stop()
        with suppress(LookupError):
            await running
        assert (room.leases.released, room.owner.closed) == (True, True)

    async def test_whoever_cannot_give_its_leases_up_closes_its_ears(self) -> None:
        room = Room()

        async def away() -> None:
            raise ConnectionError("gone")

        room.leases.release = away  # type: ignore[method-assign]
        async with room.running():
            pass
        assert room.owner.closed
