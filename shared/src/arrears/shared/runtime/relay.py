"""The relay: committed events to the service's topic, in order of seq, shard by shard.

It sends again after a crash between sending and moving its cursor, so on the topic a number may
repeat, only with the same bytes (protocol 2.6).
"""

from collections.abc import Mapping, Sequence

from arrears.shared.eventstore.port import Store, StoredEvent
from arrears.shared.kernel.ids import Shard
from arrears.shared.runtime.bus import Bus, Outgoing, Publisher, Record, TopicPartition

BATCH_MAX = 4000
IN_FLIGHT_MAX = 20_000
"""More records than all workers together can have in flight: how far back a take-over looks."""


class RelayStopped(Exception):
    """Store and topic contradict one another. Publishing on would hide a loss."""


class Relay:
    """Publishes the shards that its owner holds."""

    def __init__(self, store: Store, bus: Bus, publisher: Publisher, topic: str) -> None:
        self._store = store
        self._bus = bus
        self._publisher = publisher
        self._topic = topic
        self._cursors: dict[Shard, int] = {}
        self._fresh: dict[Shard, list[StoredEvent]] = {}
        self._known_seq: dict[Shard, int] = {}

    async def take(self, shards: Sequence[Shard]) -> None:
        """Take over shards: compare the topic's highest number with the store (protocol 2.6)."""
        # Cursors first: whoever still publishes beside us moves them after the topic, never before.
        cursors = await self._store.cursors(shards)
        bounds = await self._bus.bounds(self._topic)
        for shard in shards:
            place = TopicPartition(self._topic, shard)
            first, end = bounds[place]
            start = max(first, end - IN_FLIGHT_MAX)
            highest: Record | None = None
            while start < end:
                records = await self._bus.read(place, offset=start, count=2000)
                if not records:
                    break
                highest = max((highest, *records) if highest else records, key=_number)
                start = records[-1].offset + 1
            await self._compare(shard, highest, cursors[shard])
            self._cursors[shard] = cursors[shard]
            self._known_seq[shard] = cursors[shard]
            self._fresh.pop(shard, None)

    async def _compare(self, shard: Shard, highest: Record | None, cursor: int) -> None:
        seq = _number(highest) if highest else 0
        if seq < cursor:
            raise RelayStopped(
                f"{self._topic}[{shard}] ends with seq {seq}, but seq {cursor} was published: "
                "the topic was replaced or truncated"
            )
        if highest is None or not seq:
            return
        stored = await self._store.after(shard, seq - 1, limit=1)
        if not stored:
            raise RelayStopped(
                f"{self._topic}[{shard}] has seq {seq}, the store has not: "
                "the database is older than the topic"
            )
        if stored[0].value != highest.value:
            raise RelayStopped(
                f"{self._topic}[{shard}] seq {seq} is not the event that the store has: "
                "the database was restored and went another way than the topic"
            )

    def drop(self, shards: Sequence[Shard]) -> None:
        for shard in shards:
            self._cursors.pop(shard, None)
            self._fresh.pop(shard, None)
            self._known_seq.pop(shard, None)

    def offer(self, events: Mapping[Shard, tuple[int, Sequence[StoredEvent]]]) -> None:
        """Hand over what was just committed (first seq, events), to spare reading it back."""
        for shard, (first_seq, batch) in events.items():
            if shard in self._cursors:
                queue = self._fresh.setdefault(shard, [])
                if first_seq == self._cursors[shard] + len(queue) + 1:
                    queue.extend(batch)
                self._known_seq[shard] = max(self._known_seq[shard], first_seq + len(batch) - 1)

    def notice(self, shard: Shard, last_seq: int) -> None:
        """Someone else appended up to `last_seq`: it will be read from the store."""
        if shard in self._known_seq:
            self._known_seq[shard] = max(self._known_seq[shard], last_seq)

    def backlog(self) -> int:
        """Events committed and not yet published, as far as known."""
        return sum(self._known_seq[shard] - self._cursors[shard] for shard in self._cursors)

    async def step(self) -> bool:
        """Publish one batch of every shard that has something. False: nothing was there."""
        batches = await self._batches()
        if not batches:
            return False
        await self._publisher.publish(
            {
                TopicPartition(self._topic, shard): self._numbered(shard, batch)
                for shard, batch in batches.items()
            }
        )
        await self._store.move_cursors(
            {
                shard: (self._cursors[shard], self._cursors[shard] + len(batch))
                for shard, batch in batches.items()
            }
        )
        for shard, batch in batches.items():
            self._cursors[shard] += len(batch)
            self.notice(shard, self._cursors[shard])
            queue = self._fresh.get(shard)
            if queue:
                del queue[: len(batch)]
        return True

    async def _batches(self) -> dict[Shard, Sequence[StoredEvent]]:
        """What follows each cursor: handed over by the commit, or read from the store."""
        batches: dict[Shard, Sequence[StoredEvent]] = {}
        for shard, cursor in self._cursors.items():
            if self._known_seq[shard] <= cursor:
                continue
            queue = self._fresh.get(shard)
            if queue:
                batches[shard] = queue[:BATCH_MAX]
            elif stored := await self._store.after(shard, cursor, limit=BATCH_MAX):
                batches[shard] = stored
        return batches

    def _numbered(self, shard: Shard, batch: Sequence[StoredEvent]) -> list[Outgoing]:
        """The records of a batch. Raises RelayStopped where the store does not continue."""
        records = []
        for seq, event in enumerate(batch, start=self._cursors[shard] + 1):
            if event.seq not in (0, seq):
                raise RelayStopped(f"shard {shard}: expected seq {seq}, stored {event.seq}")
            key = event.borrower_id.encode("utf-8", "replace")
            records.append(Outgoing(key=key, value=event.value, seq=seq))
        return records


def _number(record: Record) -> int:
    return record.seq or 0
