"""What to do with a batch of records of one topic partition: pure, so that it is tested as such.

Numbers decide: the next number is new, a lower one is a repetition that must carry the same
bytes, a higher one means that something was lost, and history stops rather than go on with a hole.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from msgspec import DecodeError, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from arrears.history.domain.told import (
    DAY_CLOSED,
    SERVICES,
    Kept,
    NotAnEvent,
    bytes_hash,
    keep,
    noun_of,
)
from arrears.shared.kernel.ids import SHARD_COUNT
from arrears.shared.runtime.bus import Record


class Stop(Exception):
    """What was heard contradicts what is kept. Going on would hide it: a person must look."""


class Lost(Stop):
    """A number is missing on a topic."""


class Changed(Stop):
    """A number came again with other bytes, or a topic is not the one that was read before."""


class Place(Struct, frozen=True, kw_only=True):
    """How far one partition of one service's topic was heard. `position` is the next offset."""

    service: str
    shard: int
    position: int = 0
    last_seq: int = 0
    last_hash: bytes = b""
    closed_day: date | None = None

    @property
    def topic(self) -> str:
        return topic_of(self.service)


class Heard(Struct, frozen=True, kw_only=True):
    """One batch of one place. `repeated` are records whose number was kept before the batch."""

    before: Place
    after: Place
    events: Sequence[Kept]
    repeated: Sequence[tuple[int, bytes]]


class _Closing(Struct, frozen=True):
    day: date


class _ClosingEvent(Struct, frozen=True):
    data: _Closing


_CLOSING: Final = Decoder(_ClosingEvent)


def topic_of(service: str) -> str:
    return f"arrears.{service}.v1"


def all_places() -> Sequence[Place]:
    """Every partition that history hears, none of them heard yet."""
    return [
        Place(service=service, shard=shard) for service in SERVICES for shard in range(SHARD_COUNT)
    ]


def hear(place: Place, records: Sequence[Record]) -> Heard:
    """Judge what a partition brought, repeated or new. A position never moves back. Raises Stop."""
    events: list[Kept] = []
    repeated: list[tuple[int, bytes]] = []
    first_seq = last_seq = place.last_seq
    closed_day = place.closed_day
    for record in records:
        if record.seq is None:
            raise Stop(f"{_where(place, record)}: the record carries no number")
        if record.seq > last_seq + 1:
            raise Lost(f"{_where(place, record)}: number {last_seq + 1} is missing")
        if record.seq <= first_seq:
            repeated.append((record.seq, record.value))
            continue
        if record.seq <= last_seq:
            if events[record.seq - first_seq - 1].value != record.value:
                raise Changed(f"{_where(place, record)}: came again with other bytes")
            continue
        kept = _keep(place, record)
        events.append(kept)
        last_seq = record.seq
        if noun_of(kept.type) == DAY_CLOSED:
            day = _day_closed(place, record)
            closed_day = day if closed_day is None else max(closed_day, day)
    after = replace(place, last_seq=last_seq, closed_day=closed_day)
    if records and records[-1].offset >= place.position:
        last = records[-1]
        after = replace(after, position=last.offset + 1, last_hash=bytes_hash(last.value))
    return Heard(before=place, after=after, events=events, repeated=repeated)


def check_repeated(heard: Heard, kept_values: dict[int, bytes]) -> None:
    """Raises Changed where a repeated number does not carry the bytes that are kept under it."""
    for seq, value in heard.repeated:
        if kept_values.get(seq) != value:
            place = heard.before
            raise Changed(f"{place.topic}/{place.shard} seq {seq}: came again with other bytes")


def check_place(place: Place, bounds: tuple[int, int], last: Record | None) -> None:
    """At start: is the topic the one that was read before? (protocol 2.2). Raises Changed.

    `last` is the record before the position, None where nothing was heard yet.
    """
    first, following = bounds
    if place.position > following:
        raise Changed(
            f"{place.topic}/{place.shard}: heard up to offset {place.position}, "
            f"but the topic ends at {following}: it is not the topic that was read before"
        )
    if place.position < first:
        raise Lost(
            f"{place.topic}/{place.shard}: the next record, {place.position}, fell out of "
            f"retention; the topic begins at {first}"
        )
    if place.position and (last is None or bytes_hash(last.value) != place.last_hash):
        raise Changed(
            f"{place.topic}/{place.shard} offset {place.position - 1}: not the record that was "
            "heard last: it is not the topic that was read before"
        )


def last_closed_day(places: Iterable[Place]) -> date | None:
    """The last business day that every shard of every service has closed; None if there is none."""
    days = {(place.service, place.shard): place.closed_day for place in places}
    closed = [days.get((place.service, place.shard)) for place in all_places()]
    known = [day for day in closed if day is not None]
    return min(known) if len(known) == len(closed) else None


def closed_days(places: Sequence[Place]) -> dict[str, date | None]:
    """The last day that all shards of a service have closed, by service."""
    found: dict[str, date | None] = {}
    for service in SERVICES:
        days = [place.closed_day for place in places if place.service == service]
        known = [day for day in days if day is not None]
        found[service] = min(known) if len(known) == SHARD_COUNT else None
    return found


def _keep(place: Place, record: Record) -> Kept:
    assert record.seq is not None
    try:
        return keep(place.service, place.shard, record.seq, record.value)
    except NotAnEvent as error:
        raise Stop(f"{_where(place, record)}: {error}") from None


def _day_closed(place: Place, record: Record) -> date:
    try:
        return _CLOSING.decode(record.value).data.day
    except DecodeError as error:
        raise Stop(f"{_where(place, record)}: {error}") from None


def _where(place: Place, record: Record) -> str:
    return f"{place.topic}/{place.shard} offset {record.offset} seq {record.seq}"
