"""Laws 2, 3 and 4 on one shard: numbers, chains, and the same bytes in every place.

The topic is read first, then the store, then the history, each from its first number to its last;
of the topic 40 bytes an event are kept, so a shard of any size fits.
"""

from array import array
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from arrears.cli.deep.findings import Place, Report
from arrears.cli.deep.reading import (
    DAY_CLOSED,
    Event,
    Row,
    TopicRecord,
    Unreadable,
    id_bytes,
    mark_of,
    read_event,
    shard_of,
)

_MARK: Final = 32
_GAP: Final = bytes(_MARK)
_HOLE_MAX: Final = 10_000_000
"""A number further ahead than this is no hole but nonsense."""


@dataclass(slots=True)
class _Head:
    """The last event of a stream, as far as it was read."""

    version: int
    mark: bytes
    seq: int
    borrower_id: str


class Chains:
    """Versions and hashes of the streams of one shard in one place (law 3)."""

    def __init__(self, service: str, where: str, shard: int, report: Report) -> None:
        self._service = service
        self._where = where
        self._shard = shard
        self._report = report
        self._heads: dict[str, _Head] = {}
        self._ids: set[bytes] = set()

    @property
    def streams(self) -> Collection[str]:
        return self._heads.keys()

    def follow(self, seq: int, event: Event, mark: bytes, offset: int | None = None) -> None:
        """The next event of the shard, in order of number."""
        self._check_home(seq, event, offset)
        key = id_bytes(event.id)
        if key in self._ids:
            self._say(seq, event, offset, f"the id {event.id} stands here a second time")
        self._ids.add(key)
        head = self._heads.get(event.stream)
        if head is None:
            head = _Head(0, b"", seq, event.borrower_id)
            self._heads[event.stream] = head
        if event.version > head.version + 1:
            missing = f"versions {head.version + 1} to {event.version - 1} are missing before it"
            self._say(seq, event, offset, missing)
        elif event.version <= head.version:
            self._say(seq, event, offset, f"it comes after version {head.version}")
        elif event.prev_hash != head.mark.hex():
            self._chain_is_broken(seq, event, head, offset)
        if event.borrower_id != head.borrower_id:
            says = f"the stream is {head.borrower_id}'s, this event {event.borrower_id}'s"
            self._say(seq, event, offset, says)
        head.version, head.mark, head.seq = event.version, mark, seq

    def _check_home(self, seq: int, event: Event, offset: int | None) -> None:
        home = self._shard if event.noun == DAY_CLOSED else shard_of(event.borrower_id)
        if home != self._shard:
            self._say(seq, event, offset, f"its borrower belongs to shard {home}")

    def _chain_is_broken(self, seq: int, event: Event, head: _Head, offset: int | None) -> None:
        if not head.version:
            self._say(seq, event, offset, "the first version names a hash before it")
            return
        place = Place(self._service, self._where, self._shard, head.seq, event.stream, head.version)
        says = (
            f"its bytes are not those that v{event.version} (seq {seq}) was written after: it was "
            f"changed, or v{event.version} was"
        )
        self._report.say(3, place, says)

    def _say(self, seq: int, event: Event, offset: int | None, text: str) -> None:
        place = Place(
            self._service, self._where, self._shard, seq, event.stream, event.version, offset
        )
        self._report.say(3, place, text)


class ShardCopies:
    """One shard of one service in its topic, its store and the history."""

    def __init__(self, service: str, shard: int, report: Report) -> None:
        self._service = service
        self._shard = shard
        self._report = report
        self._marks = bytearray()
        self._offsets = array("q")
        self._on_topic = Chains(service, "topic", shard, report)
        self._in_store = Chains(service, "store", shard, report)
        self._stored = 0
        self._in_history = 0
        self._lost: set[int] = set()
        self._names: dict[int, tuple[str, int]] = {}

    @property
    def streams(self) -> Collection[str]:
        return self._in_store.streams

    # --- The topic

    def topic(self, records: Iterable[TopicRecord]) -> None:
        """Read these records of the partition; call it again with the next ones."""
        for record in records:
            self._report.count(2, "records")
            self._topic_record(record)

    def _topic_record(self, record: TopicRecord) -> None:
        seq, expected = record.seq, len(self._offsets) + 1
        if seq is None or seq < 1 or seq > expected + _HOLE_MAX:
            place = Place(self._service, "topic", self._shard, seq, offset=record.offset)
            self._report.say(2, place, "it has no number of ours")
            return
        mark = mark_of(record.value)
        if seq < expected:
            self._again(record, seq, mark)
            return
        if seq > expected:
            says = f"numbers {expected} to {seq - 1} are missing before it"
            self._say(2, "topic", seq, says, offset=record.offset)
            self._marks += _GAP * (seq - expected)
            self._offsets.extend([-1] * (seq - expected))
        self._marks += mark
        self._offsets.append(record.offset)
        try:
            event = read_event(record.value)
        except Unreadable as error:
            self._say(3, "topic", seq, f"no event: {error}", offset=record.offset)
            return
        self._on_topic.follow(seq, event, mark, record.offset)

    def _again(self, record: TopicRecord, seq: int, mark: bytes) -> None:
        first = self._mark(seq)
        if first == mark:
            self._report.count(2, "sent again with the same bytes")
            return
        if first == _GAP:
            says = "it stands after a higher number"
            self._marks[(seq - 1) * _MARK : seq * _MARK] = mark
            self._offsets[seq - 1] = record.offset
        else:
            says = f"the number stands at offset {self._offsets[seq - 1]} with other bytes"
        self._say(2, "topic", seq, says, offset=record.offset)

    # --- The store

    def store(self, rows: Iterable[Row]) -> list[tuple[Row, Event]]:
        """Read these rows, in order of number; gives back those that are events."""
        read = []
        for row in rows:
            self._report.count(2, "events")
            event = self._store_row(row)
            if event is not None:
                read.append((row, event))
        return read

    def _store_row(self, row: Row) -> Event | None:
        if row.seq != self._stored + 1:
            says = f"numbers {self._stored + 1} to {row.seq - 1} are missing before it"
            if row.seq <= self._stored:
                says = f"it stands after number {self._stored}"
            place = Place(self._service, "store", row.shard, row.seq, row.stream, row.version)
            self._report.say(2, place, says)
            self._missing_in_store(self._stored + 1, row.seq - 1)
        self._stored = max(self._stored, row.seq)
        mark = mark_of(row.value)
        self._compare("store", row, mark)
        try:
            event = read_event(row.value)
        except Unreadable as error:
            place = Place(self._service, "store", row.shard, row.seq, row.stream, row.version)
            self._report.say(3, place, f"no event: {error}")
            return None
        self._columns("store", row, event)
        self._in_store.follow(row.seq, event, mark)
        return event

    def _missing_in_store(self, first: int, last: int) -> None:
        """Remember numbers that the store lacks and the topic has."""
        last = min(last, len(self._offsets))
        self._lost.update(seq for seq in range(first, last + 1) if self._mark(seq) != _GAP)

    def ends(self, last_seq: int, published: int) -> None:
        """All rows are read. `last_seq`: the highest number given out; `published`: how far the
        relay's cursor stood before the topic was read."""
        if self._stored != last_seq:
            says = f"the shard has given out numbers up to {last_seq}, the last event is this"
            self._say(2, "store", self._stored, says)
        on_topic = len(self._offsets)
        if on_topic > last_seq:
            says = (
                f"the topic goes on to number {on_topic}, the store has given out {last_seq}: an "
                "older database under a newer topic"
            )
            self._say(2, "topic", last_seq + 1, says, offset=self._offsets[last_seq])
        self._missing_in_store(self._stored + 1, on_topic)
        if published > last_seq:
            says = (
                f"published up to {published} by the relay's cursor, the shard has given out "
                f"numbers up to {last_seq}"
            )
            self._say(4, "store", last_seq, says)
        if on_topic < min(published, last_seq):
            says = f"published up to {published} by the relay's cursor, but the topic ends before"
            self._say(4, "topic", on_topic + 1, says)
        self._report.count(3, "streams", len(self._in_store.streams))

    # --- The history

    def history(self, rows: Iterable[Row]) -> None:
        """Rows of the history's copy; it may be behind the topic and never beside it."""
        for row in rows:
            if row.seq in self._lost:
                self._names[row.seq] = (row.stream, row.version)
            if row.seq != self._in_history + 1:
                says = f"numbers {self._in_history + 1} to {row.seq - 1} are missing before it"
                self._say(4, "history", row.seq, says, row=row)
            self._in_history = row.seq
            self._compare("history", row, mark_of(row.value))
            try:
                self._columns("history", row, read_event(row.value))
            except Unreadable as error:
                self._say(4, "history", row.seq, f"no event: {error}", row=row)

    def history_ends(self, last_seq: int) -> None:
        """All rows of the history are read. `last_seq`: the last number that it says it has
        kept. It may be behind the topic, but not behind itself."""
        if self._in_history != last_seq:
            says = f"it has kept numbers up to {last_seq} by its position, the last event is this"
            self._say(4, "history", self._in_history, says)

    def finish(self) -> None:
        """All places are read: name what the store has lost, as the history still knows it."""
        for seq in sorted(self._lost):
            stream, version = self._names.get(seq, (None, None))
            place = Place(
                self._service,
                "topic",
                self._shard,
                seq,
                stream,
                version,
                self._offsets[seq - 1],
            )
            self._report.say(4, place, "the topic has it, the store does not")

    # --- Comparing

    def _compare(self, where: str, row: Row, mark: bytes) -> None:
        known = self._mark(row.seq)
        if known == mark:
            self._report.count(4, f"of the {where} equal to the topic")
        elif known != _GAP:
            says = f"its bytes are not those at offset {self._offsets[row.seq - 1]} of the topic"
            self._say(4, where, row.seq, says, offset=self._offsets[row.seq - 1], row=row)
        elif row.seq <= len(self._offsets):
            self._say(4, where, row.seq, f"the {where} has it, the topic does not", row=row)
        elif where == "history":
            self._say(4, where, row.seq, "the topic ends before it", row=row)
        else:
            self._report.count(4, "not published yet")

    def _columns(self, where: str, row: Row, event: Event) -> None:
        """Columns repeat what the bytes say, and what is looked for by column must be found."""
        pairs: tuple[tuple[str, object, object], ...] = (
            ("stream", row.stream, event.stream),
            ("version", row.version, event.version),
            ("event_id", row.event_id, event.id),
            ("type", row.type, event.type),
            ("business_day", row.business_day, event.business_day),
        )
        if where == "store":
            pairs += (("borrower_id", row.borrower_id, event.borrower_id),)
        else:
            pairs += (("subject", row.subject, event.subject), ("time", row.time, _instant(event)))
        for name, column, said in pairs:
            if column != said:
                says = f"the column {name} is {column}, the bytes say {said}"
                self._say(3 if where == "store" else 4, where, row.seq, says, row=row)

    def _mark(self, seq: int) -> bytes:
        return bytes(self._marks[(seq - 1) * _MARK : seq * _MARK]) or _GAP

    def _say(
        self,
        law: int,
        where: str,
        seq: int,
        text: str,
        *,
        offset: int | None = None,
        row: Row | None = None,
    ) -> None:
        stream, version = (None, None) if row is None else (row.stream, row.version)
        place = Place(self._service, where, self._shard, seq, stream, version, offset)
        self._report.say(law, place, text)


def _instant(event: Event) -> datetime | str:
    """When it happened; a text that is no instant stays as it is, and equals no column."""
    try:
        return datetime.fromisoformat(event.time)
    except ValueError:
        return event.time
