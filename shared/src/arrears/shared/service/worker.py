"""The loop of a worker: leases, then the owner's steps for as long as there is something to do.

Decisions and publishing run side by side; whatever breaks is dropped, claimed anew and read again
from the store. What must stop (a broken source, a repeated id, too much poison) ends the process
with one clear line.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import structlog
from aiokafka.errors import KafkaError

from arrears.shared.eventstore import pool
from arrears.shared.eventstore.leases import Turnover
from arrears.shared.eventstore.port import EventRepeated, Fenced
from arrears.shared.kernel.ids import Shard
from arrears.shared.runtime.bus import OutOfRetention
from arrears.shared.runtime.inbox import SourceBroken
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.poison import TooMuchPoison
from arrears.shared.runtime.relay import RelayStopped
from arrears.shared.runtime.workbench import StoreLostEvents
from arrears.shared.service.housekeeping import AGAIN_SECONDS, EVERY_SECONDS

log = structlog.get_logger(__name__)

IDLE_SECONDS: Final = 0.25
REFRESH_SECONDS: Final = 0.25
PROJECT_SECONDS: Final = {"live": 0.5, "feed": 5.0}
"""How old a list may be: people look at one in `live`; a feed that plays a year wants the time."""
COMMIT_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 0.5
MUST_STOP: Final = (
    SourceBroken,
    RelayStopped,
    TooMuchPoison,
    EventRepeated,
    OutOfRetention,
    StoreLostEvents,
)
PASSING: Final = (
    ConnectionError,
    OSError,
    TimeoutError,
    KafkaError,
    Fenced,
    *pool.PASSING,
)


class Leasing(Protocol):
    """What a worker asks of its leases (eventstore.leases)."""

    async def step(self) -> Turnover: ...

    async def keep(self) -> None: ...

    def forget(self) -> Sequence[Shard]: ...

    async def release(self) -> None: ...


class Projecting(Protocol):
    """What a worker asks of its projections (eventstore.projector)."""

    async def take(self, shards: Sequence[Shard]) -> None: ...

    def drop(self, shards: Sequence[Shard]) -> None: ...

    async def step(self, last_seqs: Mapping[Shard, int]) -> bool: ...


class Tidying(Protocol):
    """What a worker asks of its housekeeping (service.housekeeping)."""

    async def step(self) -> bool: ...


class Worker:
    """One worker of a stage service. `clock` counts the seconds between its rounds."""

    def __init__(
        self,
        owner: Owner,
        leases: Leasing,
        projector: Projecting,
        *,
        lease_seconds: float,
        housekeeping: Tidying | None = None,
        clock: Callable[[], float] = time.monotonic,
        renew: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.owner = owner
        self.progressed_at = clock()
        self.trouble: str | None = None
        self.stopped: str | None = None
        self._clock = clock
        self._leases = leases
        self._projector = projector
        self._housekeeping = housekeeping
        self._lease_every = lease_seconds / 3
        self._renew = renew
        self._next: dict[str, float] = {}
        self._stopping = asyncio.Event()
        self._committed = asyncio.Event()
        self._publishing = asyncio.Lock()
        self._relay_trouble: BaseException | None = None
        self._unpublished: str | None = None
        self._folding: asyncio.Task[bool] | None = None
        self._busy = False

    def stop(self) -> None:
        self._stopping.set()
        self._committed.set()

    async def run(self) -> None:
        """Work until told to stop. Raises one of MUST_STOP where going on would hide a loss."""
        self.owner.woken = self._committed.set
        relay = asyncio.create_task(self._relay())
        try:
            while not self._stopping.is_set():
                try:
                    await self._round(relay)
                except MUST_STOP as error:
                    self.stopped = str(error)
                    raise
                except PASSING as error:
                    await self._start_over(error)
        finally:
            self.stop()
            relay.cancel()
            await asyncio.wait({relay})
            try:
                await self._give_up_folding()
            finally:
                with suppress(*PASSING):
                    await self._leases.release()
                with suppress(*PASSING):
                    await self.owner.ears.close()
        # What stopped the relay while we were told to stop is told all the same.
        with suppress(asyncio.CancelledError, *PASSING):
            relay.result()

    async def _round(self, relay: "asyncio.Task[None]") -> None:
        if relay.done():
            relay.result()
        if self._relay_trouble is not None:
            trouble, self._relay_trouble = self._relay_trouble, None
            raise trouble
        if self._is_due("lease", self._lease_every):
            await self._turn_over(await self._leases.step())
        if not self.owner.relay.backlog():
            self._unpublished = None
        busy = await self.owner.hear(wait_seconds=0.0 if self._busy else IDLE_SECONDS)
        busy |= await self.owner.handle()
        busy |= await self.owner.act()
        if self.owner.relay.backlog():
            self._committed.set()
        if not busy and self._is_due("refresh", REFRESH_SECONDS):
            busy = await self.owner.refresh()
        self._fold_lists()
        if self._is_due("offsets", COMMIT_SECONDS):
            await self.owner.ears.commit_offsets()
        await self._tidy()
        self._busy = busy
        # Who hears and decides on while nothing can be published does not get on.
        if busy and self._unpublished is None:
            self.progressed_at = self._clock()
        self.trouble = self._unpublished

    def _is_due(self, name: str, every: float) -> bool:
        now = self._clock()
        if now < self._next.get(name, 0.0):
            return False
        self._next[name] = now + every
        return True

    def _fold_lists(self) -> None:
        """Lists are folded beside the decisions, which wait for no list. Raises what broke it."""
        if self._folding is not None:
            if not self._folding.done():
                return
            folding, self._folding = self._folding, None
            folding.result()
        if self._is_due("project", PROJECT_SECONDS[self.owner.clock]):
            seqs = {shard: shelf.last_seq for shard, shelf in self.owner.bench.shelves.items()}
            self._folding = asyncio.ensure_future(self._projector.step(seqs))

    async def _give_up_folding(self) -> None:
        """What was not committed is folded again by whoever has the shards then."""
        folding, self._folding = self._folding, None
        if folding is not None:
            folding.cancel()
            with suppress(asyncio.CancelledError, *PASSING):
                await folding

    async def _tidy(self) -> None:
        if self._housekeeping is None or not self._is_due("housekeeping", EVERY_SECONDS):
            return
        if await self._housekeeping.step():
            self._next["housekeeping"] = self._clock() + AGAIN_SECONDS

    async def _turn_over(self, turnover: Turnover) -> None:
        if not turnover:
            return
        if self._folding is not None:
            await asyncio.wait({self._folding})  # It must not touch shards that are being dropped.
        async with self._publishing:
            lost: Sequence[Any] = turnover.lost
            if lost or turnover.feed_lost:
                await self.owner.drop(lost, turnover.feed_lost)
                self._projector.drop(lost)
            if turnover.gained or turnover.feed_gained:
                await self._leased(self.owner.take(turnover.gained, turnover.feed_gained))
                await self._projector.take([state.shard for state in turnover.gained])
        log.info(
            "shards_turned_over",
            service=self.owner.stage.name,
            holds=list(self.owner.shards),
            feed_partitions=sorted(place.partition for place in self.owner.ears.feed),
        )

    async def _leased(self, taking: Coroutine[Any, Any, None]) -> None:
        """A take-over that lasts longer than a lease goes on under it.

        Otherwise another worker would take the shards before we begin, and we take them back
        before it begins, for ever.
        """
        task = asyncio.ensure_future(taking)
        try:
            while not (await asyncio.wait({task}, timeout=self._lease_every))[0]:
                await self._leases.keep()
            task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _start_over(self, error: BaseException) -> None:
        """Drop everything prepared; the next round claims under a new epoch and reads again."""
        self.trouble = f"{type(error).__name__}"
        log.warning("starting_over", service=self.owner.stage.name, error=type(error).__name__)
        await self._give_up_folding()
        async with self._publishing:
            feed = [place.partition for place in self.owner.ears.feed]
            with suppress(*PASSING):
                await self.owner.drop(self.owner.shards, feed)
            self._projector.drop(self._leases.forget())
            if self._renew is not None and not isinstance(error, Fenced):
                with suppress(*PASSING):
                    await self._renew()
        self._next["lease"] = 0.0
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), RETRY_SECONDS)

    async def _relay(self) -> None:
        """Publish what was committed, woken by the commit."""
        while not self._stopping.is_set():
            try:
                async with self._publishing:
                    moved = await self.owner.publish()
            except PASSING as error:
                # The cursor in memory may be wrong for good, so the main loop starts over.
                self._relay_trouble = error
                self._unpublished = type(error).__name__
                log.warning("publishing_failed", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not moved:
                self._committed.clear()
                if not self.owner.relay.backlog():
                    await self._committed.wait()
            else:
                self.progressed_at = self._clock()
                self._unpublished = None
