"""Hearing: records become agenda rows in the transaction that moves the stored position.

Positions follow topic order. Topics of our own services are deduplicated by `seq`: lower than
expected is dropped (a relay sent again), higher stops loudly (protocol 2.2).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import MAXYEAR, date
from hashlib import sha256

import structlog
from msgspec import DecodeError
from msgspec.structs import replace

from arrears.shared.eventstore.codec import StoredEnvelope, read_envelope
from arrears.shared.eventstore.port import AgendaRow, Position, PositionMove
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import BorrowerId, Shard
from arrears.shared.runtime.bus import Bus, OutOfRetention, Record, TopicPartition
from arrears.shared.runtime.stage import STAGES, Stage, closing_type, topic_of

log = structlog.get_logger(__name__)


class SourceBroken(Exception):
    """A topic does not continue where we stopped: records are missing or changed. We stop."""


def record_hash(record: Record) -> bytes:
    return sha256(record.value).digest()[:16]


class StageSource:
    """Partition `shard` of another stage's topic, as one shard of ours hears it."""

    def __init__(self, stage: Stage, service: str, shard: Shard, position: Position | None) -> None:
        self.service = service
        self.shard = shard
        self.place = TopicPartition(topic_of(service), shard)
        self.position = position.position if position else 0
        self.last_seq = position.last_seq if position else 0
        self.last_hash = position.last_hash if position else b""
        self.closed_day: date | None = position.closed_day if position else None
        self.first_day: date | None = position.first_day if position else None
        self._hears = stage.hears
        self._closing = closing_type(service)
        self._days_later = stage.sources()[service]
        self._rank = STAGES.index(service) + 1
        self._row_base = (self._rank << 56) | (shard << 48)

    def read(self, records: Sequence[Record]) -> tuple[PositionMove, list[AgendaRow]]:
        """The move and the rows of these records. Raises SourceBroken on a gap."""
        rows: list[AgendaRow] = []
        last_seq, closed, first = self.last_seq, self.closed_day, self.first_day
        for record in records:
            if record.seq is None or record.seq > last_seq + 1:
                raise SourceBroken(
                    f"{self.place.topic}[{self.place.partition}] offset {record.offset}: "
                    f"expected seq {last_seq + 1}, found {record.seq}"
                )
            if record.seq <= last_seq:
                continue
            last_seq = record.seq
            envelope = self._envelope(record)
            first = first or envelope.businessday
            if envelope.type == self._closing:
                closed = envelope.businessday
            elif envelope.type in self._hears:
                rows.append(self._row(envelope, record))
        move = PositionMove(
            topic=self.place.topic,
            partition=self.place.partition,
            expected=self.position,
            position=records[-1].offset + 1,
            last_seq=last_seq,
            last_hash=record_hash(records[-1]),
            closed_day=closed,
            first_day=first,
        )
        return move, rows

    def _envelope(self, record: Record) -> StoredEnvelope:
        """What a stranger has put on the topic is no event: without it numbers would be missing."""
        try:
            envelope = read_envelope(record.value)
        except (DecodeError, UnicodeDecodeError, RecursionError) as error:
            why = str(error)
        else:
            if envelope.businessday.year < MAXYEAR:
                return envelope
            why = "businessday lies at the end of the calendar"
        raise SourceBroken(
            f"{self.place.topic}[{self.place.partition}] offset {record.offset}: is no event: {why}"
        )

    def _row(self, envelope: StoredEnvelope, record: Record) -> AgendaRow:
        return AgendaRow(
            shard=self.shard,
            day=envelope.businessday + self._days_later * ONE_DAY,
            at=envelope.time,
            rank=self._rank,
            borrower_id=BorrowerId(envelope.partitionkey),
            order=f"{record.seq:015d}",
            origin=f"{self.place.topic}/{self.place.partition}/{record.offset}",
            value=record.value,
            row_id=self._row_base | record.offset,
        )

    def moved(self, move: PositionMove) -> None:
        self.position, self.last_seq = move.position, move.last_seq
        self.last_hash = move.last_hash
        self.closed_day, self.first_day = move.closed_day, move.first_day


class UnwrittenMoves:
    """Moves that brought closings and nothing else, until the next commit takes them along.

    A closing leaves no row, so after a crash it is only read again. On an empty day this spares
    every service a transaction.
    """

    def __init__(self) -> None:
        self._moves: dict[TopicPartition, PositionMove] = {}

    def __bool__(self) -> bool:
        return bool(self._moves)

    def add(self, moves: Sequence[PositionMove]) -> None:
        """A later move of a place continues the one that waits."""
        for move in moves:
            place = TopicPartition(move.topic, move.partition)
            waiting = self._moves.get(place)
            expected = move.expected if waiting is None else waiting.expected
            self._moves[place] = replace(move, expected=expected)

    def moves(self) -> list[PositionMove]:
        return list(self._moves.values())

    def keep(self, places: Collection[TopicPartition]) -> None:
        """Forget the places that are no longer ours."""
        self._moves = {place: move for place, move in self._moves.items() if place in places}

    def clear(self) -> None:
        self._moves.clear()


async def check_place(bus: Bus, place: TopicPartition, position: int, last_hash: bytes) -> None:
    """A wiped broker under a kept database would skip records in silence: compare the last one.

    Where that one is gone for its age nothing can be compared; see `last_read`. Raises SourceBroken
    where the topic is another one, OutOfRetention where records that were not read are gone.
    """
    if position == 0 or not last_hash:
        return
    record = await last_read(bus, place, position)
    if record is not None and record_hash(record) != last_hash:
        raise _replaced(place, position)


async def last_read(bus: Bus, place: TopicPartition, position: int) -> Record | None:
    """The record before `position`. None where the topic begins there: it is gone for its age.

    Kafka deletes by age what was read as well, so a partition that was silent for its retention
    begins and ends at the position. Nothing is lost by that, but that it is the same topic then
    cannot be seen. Raises as `check_place`: a new topic begins at 0 and ends before the position.
    """
    try:
        records = await bus.read(place, offset=position - 1, count=1)
    except OutOfRetention:
        first, _ = (await bus.bounds(place.topic))[place]
        if first > position:
            raise
        return None
    if not records or records[0].offset != position - 1:
        raise _replaced(place, position)
    return records[0]


def _replaced(place: TopicPartition, position: int) -> SourceBroken:
    return SourceBroken(
        f"{place.topic}[{place.partition}]: the record before offset {position} is not the one "
        "that was read; the topic was replaced or truncated"
    )


def sources_of(
    stage: Stage, shard: Shard, positions: Mapping[TopicPartition, Position]
) -> list[StageSource]:
    return [
        StageSource(stage, service, shard, positions.get(TopicPartition(topic_of(service), shard)))
        for service in stage.sources()
    ]
