"""The memory twin of the leases: the same turns at the same rows, without a database.

`LeaseTable` is what all workers of a service share, and each of its methods is one transaction;
`MemoryLeases` is what one of them remembers of it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil
from typing import Generic, TypeVar

from msgspec.structs import replace

from arrears.shared.eventstore.leases import Turnover
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.ids import SHARD_COUNT, Shard

ALL_SHARDS = tuple(Shard(number) for number in range(SHARD_COUNT))
_Key = TypeVar("_Key", bound=int)


class _Rows(Generic[_Key]):
    """Leases of one kind of thing: who has each, and until when."""

    def __init__(self, keys: Sequence[_Key]) -> None:
        self._leases: dict[_Key, tuple[str, float] | None] = dict.fromkeys(sorted(keys))

    def turn(
        self, worker: str, held: Collection[_Key], workers: int, now: float, until: float
    ) -> tuple[list[_Key], list[_Key]]:
        """Renew what is held, give up what is beyond the share, claim: what was gained and lost."""
        share = ceil(len(self._leases) / workers)
        mine = [key for key in sorted(held) if self._owner(key) == worker]
        kept, surplus = mine[:share], mine[share:]
        for key in surplus:
            self._leases[key] = None
        gained = [key for key in self._leases if self._is_free(key, worker, now)]
        gained = [key for key in gained if key not in mine][: share - len(kept)]
        for key in (*kept, *gained):
            self._leases[key] = (worker, until)
        return gained, [key for key in sorted(held) if key not in kept]

    def keep(self, worker: str, held: Collection[_Key], until: float) -> None:
        for key in held:
            if self._owner(key) == worker:
                self._leases[key] = (worker, until)

    def release(self, worker: str) -> None:
        for key in self._leases:
            if self._owner(key) == worker:
                self._leases[key] = None

    def _owner(self, key: _Key) -> str | None:
        lease = self._leases[key]
        return None if lease is None else lease[0]

    def _is_free(self, key: _Key, worker: str, now: float) -> bool:
        lease = self._leases[key]
        return lease is None or lease[1] < now or lease[0] == worker


class LeaseTable:
    """The rows of `workers`, `shards` and `feed_leases`. `now` is the database's clock.

    Only `shards` are leased: a world may play some of them and leave the others empty.
    """

    def __init__(
        self,
        store: MemoryStore,
        now: Callable[[], float],
        *,
        shards: Sequence[Shard] = ALL_SHARDS,
        feed_partitions: int = 0,
    ) -> None:
        self._store = store
        self._now = now
        self._alive_until: dict[str, float] = {}
        self._shards = _Rows(shards)
        self._feed = _Rows(range(feed_partitions))

    async def turn(
        self, worker: str, seconds: float, held: Mapping[Shard, int], feed: Collection[int]
    ) -> Turnover:
        """Renew, give up the surplus, claim what is free."""
        now, states = self._now(), self._store.shards
        self._alive_until[worker] = now + seconds
        workers = sum(until > now for until in self._alive_until.values())
        current = [shard for shard, epoch in held.items() if states[shard].epoch == epoch]
        gained, lost = self._shards.turn(worker, current, workers, now, now + seconds)
        for shard in gained:
            states[shard] = replace(states[shard], owner=worker, epoch=states[shard].epoch + 1)
        feed_gained, feed_lost = self._feed.turn(worker, feed, workers, now, now + seconds)
        overtaken = [shard for shard in held if shard not in current]
        return Turnover(
            gained=[states[shard] for shard in gained],
            lost=sorted([*lost, *overtaken]),
            feed_gained=feed_gained,
            feed_lost=feed_lost,
        )

    async def keep(
        self, worker: str, seconds: float, held: Mapping[Shard, int], feed: Collection[int]
    ) -> None:
        """Prolong what is held."""
        until = self._now() + seconds
        self._alive_until[worker] = until
        states = self._store.shards
        current = [shard for shard, epoch in held.items() if states[shard].epoch == epoch]
        self._shards.keep(worker, current, until)
        self._feed.keep(worker, feed, until)

    async def release(self, worker: str) -> None:
        self._shards.release(worker)
        self._feed.release(worker)
        self._alive_until.pop(worker, None)


class MemoryLeases:
    """One worker's view of the leases. `worker` must be unique among running workers."""

    def __init__(self, table: LeaseTable, worker: str, *, seconds: float) -> None:
        self._table = table
        self._worker = worker
        self._seconds = seconds
        self._held: dict[Shard, int] = {}
        self._feed: set[int] = set()

    async def step(self) -> Turnover:
        turnover = await self._table.turn(self._worker, self._seconds, self._held, self._feed)
        for shard in turnover.lost:
            del self._held[shard]
        self._held.update({state.shard: state.epoch for state in turnover.gained})
        self._feed.difference_update(turnover.feed_lost)
        self._feed.update(turnover.feed_gained)
        return turnover

    async def keep(self) -> None:
        await self._table.keep(self._worker, self._seconds, self._held, self._feed)

    def forget(self) -> Sequence[Shard]:
        held = sorted(self._held)
        self._held.clear()
        self._feed.clear()
        return held

    async def release(self) -> None:
        await self._table.release(self._worker)
