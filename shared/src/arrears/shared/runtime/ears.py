"""The ears of a worker: one listener over the partitions of every source of its shards.

Partition s of all sources is heard by the owner of shard s, so what must meet lands in one place
(protocol 1.5). Feed partitions are shared out on their own.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from msgspec import Struct, field

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.port import AgendaRow, Change, Position, PositionMove, Store
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import SHARD_COUNT, Shard
from arrears.shared.runtime.bus import Bus, Record, TopicPartition
from arrears.shared.runtime.feed import FeedPartition, Read, ReadFacts
from arrears.shared.runtime.homes import Homes
from arrears.shared.runtime.inbox import SourceBroken, StageSource, check_place, sources_of
from arrears.shared.runtime.stage import STAGES, Clock, Stage, topic_of

RECORDS_MAX: Final = 2000
FEW_RECORDS: Final = 100
SECOND_LOOK_SECONDS: Final = 0.004


class Hearing(Struct):
    """What one round of listening brought, before it is committed."""

    change: Change = field(default_factory=Change)
    rows: list[AgendaRow] = field(default_factory=list)
    first_days: dict[Shard, date] = field(default_factory=dict)


class Ears:
    """Positions and closings of everything that the owned shards listen to."""

    def __init__(
        self,
        stage: Stage,
        store: Store,
        bus: Bus,
        facts: ReadFacts,
        *,
        clock: Clock,
        now: Callable[[], datetime],
    ) -> None:
        self._facts = facts
        self._stage = stage
        self._store = store
        self._bus = bus
        self._clock = clock
        self._now = now
        self._listener = bus.listener(f"arrears.{stage.name}")
        self.sources: dict[TopicPartition, StageSource] = {}
        self.feed: dict[TopicPartition, FeedPartition] = {}
        self._homes = Homes(store)
        self._kept: dict[TopicPartition, Sequence[Record]] = {}
        """Records that were polled and are heard in the next round."""
        self._ends: dict[TopicPartition, int] = {}
        """How far sources went when they were taken, until that is heard: for effects that give
        way."""
        self._shards: set[Shard] = set()
        self._feed_closed: date | None = None
        self._feed_first: date | None = None
        self._feed_count = 0

    # --- Which partitions

    async def take(self, shards: Sequence[Shard], feed_partitions: Sequence[int]) -> None:
        """Listen to the shards' partitions, from the stored positions. Raises SourceBroken."""
        wanted: list[tuple[str, int]] = [(FEED_TOPIC, partition) for partition in feed_partitions]
        for service in self._stage.sources():
            wanted.extend((topic_of(service), shard) for shard in shards)
        await self._store.prepare_positions(sorted(wanted))
        if self._stage.feed is not None and not self._feed_count:
            self._feed_count = await self._bus.partition_count(FEED_TOPIC)
        self._shards.update(shards)
        stored = await self._positions()
        gained: dict[TopicPartition, StageSource | FeedPartition] = {}
        for shard in shards:
            for source in sources_of(self._stage, shard, stored):
                gained[source.place] = self.sources[source.place] = source
        reader = self._stage.feed
        for partition in feed_partitions if reader is not None else ():
            assert reader is not None
            place = TopicPartition(FEED_TOPIC, partition)
            gained[place] = self.feed[place] = FeedPartition(
                reader,
                self._stage.calendar,
                place,
                stored.get(place),
                self._now,
                live=self._clock == "live",
            )
        for place, held in gained.items():
            await check_place(self._bus, place, held.position, held.last_hash)
        if self._clock == "live" and self._stage.gives_way is not None:
            await self._note_ends({place: held.position for place, held in gained.items()})
        await self._assign()

    async def _note_ends(self, gained: Mapping[TopicPartition, int]) -> None:
        for topic in sorted({place.topic for place in gained}):
            for place, (_, end) in (await self._bus.bounds(topic)).items():
                if gained.get(place, end) < end:
                    self._ends[place] = end

    async def drop(self, shards: Sequence[Shard], feed_partitions: Sequence[int]) -> None:
        self._shards.difference_update(shards)
        self._facts.clear()
        self.sources = {
            place: source for place, source in self.sources.items() if source.shard not in shards
        }
        self.feed = {
            place: held
            for place, held in self.feed.items()
            if place.partition not in feed_partitions
        }
        self._ends = {place: end for place, end in self._ends.items() if place in self.sources}
        await self._assign()

    async def _assign(self) -> None:
        """The listener goes on where it is in what it had: what is kept will not come again."""
        self._kept = {place: kept for place, kept in self._kept.items() if place in self.feed}
        await self._listener.assign(self._next_offsets())

    def _next_offsets(self) -> dict[TopicPartition, int]:
        offsets = {place: source.position for place, source in self.sources.items()}
        offsets.update({place: held.position for place, held in self.feed.items()})
        return offsets

    async def _positions(self) -> Mapping[TopicPartition, Position]:
        return {
            TopicPartition(row.topic, row.partition): row for row in await self._store.positions()
        }

    async def close(self) -> None:
        await self._listener.close()

    # --- Listening

    async def listen(self, *, wait_seconds: float) -> Hearing | None:
        """Poll once. None: nothing that moves a position has arrived."""
        polled = await self._poll(wait_seconds)
        hearing = Hearing()
        heard: list[tuple[FeedPartition, Sequence[Record]]] = []
        reassign = False
        for place, records in polled.items():
            await asyncio.sleep(0)  # What is being committed and published goes on meanwhile.
            source = self.sources.get(place)
            if source is not None:
                self._hear_stage(
                    hearing, source, [r for r in records if r.offset >= source.position]
                )
                continue
            held = self.feed.get(place)
            if held is None:
                continue
            if held.judges():
                fresh = [record for record in records if record.offset >= held.position]
                if fresh:
                    heard.append((held, fresh))
            else:
                reassign |= held.look_for_first_day(records)
        if heard:
            await self._hear_feed(hearing, heard)
        self._move(hearing.change.positions)
        if reassign:
            await self._reread()
            return hearing
        return hearing if hearing.change.positions else None

    async def _poll(self, wait_seconds: float) -> Mapping[TopicPartition, Sequence[Record]]:
        """What has arrived; under the wall clock also what came after it while we were busy.

        A listener fetches on only when what it has brought is taken. What came since then would be
        heard a whole round later; it takes a moment to be here, less than a round.
        """
        if self._kept:
            kept, self._kept = self._kept, {}
            return kept
        polled = await self._listener.poll(records_max=RECORDS_MAX, wait_seconds=wait_seconds)
        few = 0 < sum(map(len, polled.values())) < min(FEW_RECORDS, RECORDS_MAX)
        if self._clock == "feed" or wait_seconds > 0 or not few:
            return polled
        later = await self._listener.poll(records_max=RECORDS_MAX, wait_seconds=SECOND_LOOK_SECONDS)
        return {
            place: _joined(polled.get(place, ()), later.get(place, ()))
            for place in sorted(polled.keys() | later.keys())
        }

    def _hear_stage(self, hearing: Hearing, source: StageSource, records: Sequence[Record]) -> None:
        if not records:
            return
        move, rows = source.read(records)
        hearing.change.positions.append(move)
        hearing.rows.extend(rows)
        if source.service == STAGES[0] and source.first_day is None and move.first_day is not None:
            hearing.first_days[source.shard] = move.first_day

    async def _hear_feed(
        self, hearing: Hearing, heard: Sequence[tuple[FeedPartition, Sequence[Record]]]
    ) -> None:
        """Homes are settled for all partitions at once: each time is a commit."""
        every = [held.read(records) for held, records in heard]
        of_nobody = await self._homes.settle([fact for read in every for _, fact, _ in read.placed])
        named = max(read.partitions for read in every)
        if named > self._feed_count:
            raise SourceBroken(
                f"{FEED_TOPIC}: a closing names {named} partitions, {self._feed_count} are heard"
            )
        now, ours = self._now(), []
        for (held, records), whole in zip(heard, every, strict=True):
            read = self._before_a_name(held, records, whole) if of_nobody else whole
            if read is None:
                continue
            hearing.change.positions.append(read.move)
            hearing.change.refused.extend(read.refused)
            for record, fact, day in read.placed:
                home = self._homes.of(fact)
                if home is None:
                    hearing.change.refused.append(held.of_nobody(record, day))
                    continue
                row = held.row(record, fact, day, home, now)
                hearing.rows.append(row)
                if row.shard in self._shards:
                    self._facts.put(row, fact)
                    ours.append(fact)
        first = self._fed_since()
        if first is not None:
            hearing.first_days = dict.fromkeys(map(Shard, range(SHARD_COUNT)), first)
        if self._clock == "live" and self._stage.feed is not None:
            # They are unlocked when they are handled: by then their keys are at hand.
            await self._stage.feed.unlock(ours)

    def _before_a_name(
        self, held: FeedPartition, records: Sequence[Record], read: Read
    ) -> Read | None:
        """What comes before the first name of a loan of which these records tell without one.

        That is refused. Were the name settled before the position has moved behind it, it would be
        taken after a crash. The name and what follows are heard in the next round.
        """
        for record, fact, _ in read.placed:
            if fact.borrower_id is not None and self._homes.of(fact) is None:
                before = [one for one in records if one.offset < record.offset]
                self._kept[held.place] = records[len(before) :]
                return held.read(before) if before else None
        return read

    async def _reread(self) -> None:
        """Seek back to the stored positions: what was only scanned must now be judged."""
        self._kept.clear()
        await self._listener.assign({place: held.position for place, held in self.sources.items()})
        await self._assign()

    def _move(self, moves: Sequence[PositionMove]) -> None:
        """What is heard next follows on this. Whoever fails to commit it takes all anew."""
        for move in moves:
            place = TopicPartition(move.topic, move.partition)
            if place in self.sources:
                self.sources[place].moved(move)
                if move.position >= self._ends.get(place, move.position):
                    self._ends.pop(place, None)
            elif place in self.feed:
                self.feed[place].moved(move)

    def may_wait(self, hearing: Hearing) -> bool:
        """Whether the moves brought only closings, and no other worker has to see them soon."""
        if hearing.rows or hearing.change.refused:
            return False
        reads_feed = any(move.topic == FEED_TOPIC for move in hearing.change.positions)
        return not reads_feed or len(self.feed) == self._feed_count

    def caught_up(self, shard: Shard) -> bool:
        """Whether all is heard that lay there when the shard was taken; known where effects give
        way to it, True elsewhere."""
        return not any(place.partition == shard for place in self._ends)

    def places(self) -> set[TopicPartition]:
        return {*self.sources, *self.feed}

    async def commit_offsets(self) -> None:
        """Let lag tools know where we are; nothing depends on it."""
        await self._listener.commit(self._next_offsets())

    # --- Is a day complete?

    def complete(self, shard: Shard, day: date) -> bool:
        """Whether every source of the shard has closed what belongs to `day` (protocol 3.2)."""
        if self._stage.feed is not None and (self._feed_closed is None or self._feed_closed < day):
            return False
        first = self.first_day(shard)
        for service, days_later in self._stage.sources().items():
            needed = day - days_later * ONE_DAY
            if days_later and first is not None and needed < first:
                continue
            source = self._source(service, shard)
            if source.closed_day is None or source.closed_day < needed:
                return False
        return True

    async def look_at_feed(self) -> None:
        """Up to which day have all feed partitions closed, ours and those of other workers?"""
        if self._stage.feed is None:
            return
        if len(self.feed) == self._feed_count:
            closed = [held.closed_day for held in self.feed.values()]
        else:
            rows = [row for row in await self._store.positions() if row.topic == FEED_TOPIC]
            closed = [row.closed_day for row in rows]
            self._feed_first = _one_day([row.first_day for row in rows])
        known = [day for day in closed if day is not None]
        if len(known) == self._feed_count:
            self._feed_closed = min(known)

    def first_day(self, shard: Shard) -> date | None:
        """Nobody waits for days before the first (protocol 3.2)."""
        if self._stage.feed is not None:
            return self._fed_since()
        return self._source(STAGES[0], shard).first_day

    def _fed_since(self) -> date | None:
        """The first day of the feed. Raises SourceBroken where its partitions name several."""
        return _one_day([self._feed_first, *(held.first_day for held in self.feed.values())])

    def _source(self, service: str, shard: Shard) -> StageSource:
        return self.sources[TopicPartition(f"arrears.{service}.v1", shard)]

    def waits_for(self, shard: Shard, day: date) -> list[str]:
        """The sources that have not closed what `day` needs, in words for `status`."""
        if not any(source.shard == shard for source in self.sources.values()):
            return ["the shard to be taken over"]
        found = []
        for service, days_later in self._stage.sources().items():
            needed = day - days_later * ONE_DAY
            first = self.first_day(shard)
            source = self._source(service, shard)
            if days_later and first is not None and needed < first:
                continue
            if source.closed_day is None or source.closed_day < needed:
                found.append(f"{service} to close {needed}")
        found.extend(
            f"feed partition {held.place.partition} to close {day}"
            for held in self.feed.values()
            if held.closed_day is None or held.closed_day < day
        )
        return found


def _one_day(named: Sequence[date | None]) -> date | None:
    days = {day for day in named if day is not None}
    if len(days) > 1:
        raise SourceBroken(
            f"{FEED_TOPIC}: closings name {min(days)} and {max(days)} as the first day"
        )
    return min(days, default=None)


def _joined(first: Sequence[Record], later: Sequence[Record]) -> Sequence[Record]:
    """One after the other; what was read again in between is left out."""
    reached = first[-1].offset if first else -1
    return [*first, *(record for record in later if record.offset > reached)]
