"""Reading the bank's feed: one reader per feed partition, in the partition's order.

A reader judges what can be judged on reading - undecodable, too far ahead, of a loan for which
nobody was named so far - and gives every other fact its effective day (protocol 3.1). It locks no
shard and decides nothing.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from arrears.shared.contracts.corebanking import BUSINESS_DAY_CLOSED
from arrears.shared.eventstore.port import AgendaRow, Position, PositionMove, RefusedInput
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar
from arrears.shared.kernel.ids import BorrowerId, shard_of
from arrears.shared.runtime.bus import Record, TopicPartition
from arrears.shared.runtime.inbox import SourceBroken, record_hash
from arrears.shared.runtime.stage import (
    FEED_RANK,
    BadRecord,
    DayClosing,
    FeedFact,
    FeedReader,
)


class _Typed(Struct, gc=False):
    type: str


_TYPED = Decoder(_Typed)
AHEAD_MAX = timedelta(days=7)
REFUSED_BYTES_MAX = 4096
FACTS_MAX = 100_000


class ReadFacts:
    """Facts that were read when they were heard and wait to be handled: a bounded copy.

    What is not in it, after a restart or on another worker's shard, is read again from its bytes.
    """

    def __init__(self, reader: FeedReader | None) -> None:
        self._reader = reader
        self._kept: dict[int, FeedFact] = {}

    def put(self, row: AgendaRow, fact: FeedFact) -> None:
        if len(self._kept) < FACTS_MAX:
            self._kept[row.row_id] = fact

    def get(self, row: AgendaRow) -> FeedFact:
        """The fact of a row. Raises BadRecord where its bytes do not read as one any more."""
        found = self._kept.get(row.row_id)
        if found is None:
            assert self._reader is not None
            read = self._reader.read(row.value)
            assert isinstance(read, FeedFact)
            self.put(row, read)
            found = read
        return found

    def clear(self) -> None:
        self._kept.clear()

    def forget(self, rows: Sequence[AgendaRow]) -> None:
        for row in rows:
            self._kept.pop(row.row_id, None)


class Read(Struct):
    """What a reader made of some records: where it moves, what it hands on, what it set aside.

    `partitions`: how many of them the closings name at most.
    """

    move: PositionMove
    placed: list[tuple[Record, FeedFact, date]]
    refused: list[RefusedInput]
    partitions: int = 0


class FeedPartition:
    """One partition of the feed topic: its position and its open day between closings."""

    def __init__(
        self,
        reader: FeedReader,
        calendar: BankCalendar,
        place: TopicPartition,
        position: Position | None,
        now: Callable[[], datetime],
        *,
        live: bool,
    ) -> None:
        self.place = place
        self.position = position.position if position else 0
        self.last_hash = position.last_hash if position else b""
        self.closed_day: date | None = position.closed_day if position else None
        self.first_day: date | None = position.first_day if position else None
        self._reader = reader
        self._calendar = calendar
        self._now = now
        self._live = live
        self._row_base = place.partition << 48
        self._order = f"\x00{place.partition:04d}"
        self._origin = f"{place.topic}/{place.partition}/"

    def open_day(self, closed: date | None, first: date | None) -> date | None:
        if self._live:
            return self._calendar.day_of(self._now())
        return closed + ONE_DAY if closed is not None else first

    def judges(self) -> bool:
        """Whether the day is known. Before the first closing a partition's records wait."""
        return self._live or self.first_day is not None

    def look_for_first_day(self, records: Sequence[Record]) -> bool:
        """Search for the first closing. When it is found, read again from the stored position."""
        for record in records:
            try:
                # All of this is read again once the day is known; until then the type is enough.
                if _TYPED.decode(record.value).type != BUSINESS_DAY_CLOSED:
                    continue
                said = self._reader.read(record.value)
            except (BadRecord, DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if isinstance(said, DayClosing):
                self.first_day = said.first_day
                return True
        return False

    def read(self, records: Sequence[Record]) -> Read:
        """Judge the records; the day must be known."""
        closed, first = self.closed_day, self.first_day
        read = Read(
            move=PositionMove(
                topic=self.place.topic,
                partition=self.place.partition,
                expected=self.position,
                position=records[-1].offset + 1,
                last_hash=record_hash(records[-1]),
            ),
            placed=[],
            refused=[],
        )
        day = self.open_day(closed, first)
        for record in records:
            try:
                said = self._reader.read(record.value)
            except BadRecord as bad:
                read.refused.append(self._refusal(record, bad, day))
                continue
            if isinstance(said, DayClosing):
                read.partitions = max(read.partitions, said.partition_count)
                closed, first = self._close(said, closed, first)
                day = self.open_day(closed, first)
            else:
                self._place_fact(read, record, said, day)
        read.move = PositionMove(
            topic=read.move.topic,
            partition=read.move.partition,
            expected=read.move.expected,
            position=read.move.position,
            last_hash=read.move.last_hash,
            closed_day=closed,
            first_day=first,
        )
        return read

    def _close(
        self, closing: DayClosing, closed: date | None, first: date | None
    ) -> tuple[date | None, date | None]:
        if self._live:
            return closed, first
        if first is not None and closing.first_day != first:
            raise SourceBroken(
                f"{self.place.topic}[{self.place.partition}]: a closing names {closing.first_day} "
                f"as the first day, earlier ones {first}"
            )
        return max(closing.day, closed or closing.day), closing.first_day

    def _place_fact(
        self, read: Read, record: Record, fact: FeedFact, open_day: date | None
    ) -> None:
        assert open_day is not None
        own_day = self._calendar.day_of(fact.time)
        if own_day - open_day > AHEAD_MAX:
            bad = BadRecord("more_than_7_days_ahead", "time", fact.borrower_id)
            read.refused.append(self._refusal(record, bad, open_day))
            return
        read.placed.append((record, fact, max(own_day, open_day)))

    def row(
        self, record: Record, fact: FeedFact, day: date, borrower_id: BorrowerId, now: datetime
    ) -> AgendaRow:
        """The agenda row of a fact whose borrower is settled."""
        return AgendaRow(
            shard=shard_of(borrower_id),
            day=day,
            at=max(fact.time, now) if self._live else fact.time,
            rank=FEED_RANK,
            borrower_id=borrower_id,
            order=f"{fact.loan}{self._order}{record.offset:015d}",
            origin=f"{self._origin}{record.offset}",
            value=record.value,
            row_id=self._row_base | record.offset,
        )

    def of_nobody(self, record: Record, day: date) -> RefusedInput:
        """What is set aside of a loan for which nobody was named so far."""
        return self._refusal(record, BadRecord("borrower_unknown", "data.borrower_id"), day)

    def _refusal(self, record: Record, bad: BadRecord, open_day: date | None) -> RefusedInput:
        return RefusedInput(
            origin=f"{self._origin}{record.offset}",
            reason=bad.reason,
            field=bad.field,
            fact_id=None,
            borrower_id=bad.borrower_id,
            day=open_day,
            value=record.value[:REFUSED_BYTES_MAX],
            refused_at=self._now(),
        )

    def moved(self, move: PositionMove) -> None:
        self.position, self.last_hash = move.position, move.last_hash
        self.closed_day, self.first_day = move.closed_day, move.first_day
