"""The proof over everything: each stage's store, its topic and the history hold the same bytes.

A place may be behind the one that it copies from, for copying takes a moment; it may never be
ahead of it, lack a number before its end, or hold other bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from arrears.history.domain.proof import Break, Difference, Shelf, Witness, differences

BREAKS_NAMED_MAX: Final = 200
Name = tuple[str, int]
"""The stream and version of a number, where another place still has it."""


class Copies(Struct, frozen=True, kw_only=True):
    """One service's events as its own store, its topic and the history hold them."""

    service: str
    store: Witness
    topic: Witness
    history: Witness

    def places(self) -> tuple[Witness, Witness, Witness]:
        return self.store, self.topic, self.history


class PlaceRead(Struct, frozen=True, kw_only=True):
    """`behind` counts the events of the store that have not arrived here yet."""

    service: str
    place: str
    events: int
    streams: int
    behind: int


class Verification(Struct, frozen=True, kw_only=True):
    """`holds` is the whole answer. `event_count` is of the stores; `break_count` of all breaks,
    of which at most 200 are named."""

    holds: bool
    event_count: int
    stream_count: int
    break_count: int
    places: Sequence[PlaceRead]
    breaks: Sequence[Break]


def breaks_of(copies: Copies) -> list[Break]:
    """What is wrong within each place, then between each place and the one it copies from."""
    found = [broken for witness in copies.places() for broken in witness.breaks]
    for source, copy in ((copies.store, copies.topic), (copies.topic, copies.history)):
        ends = {shelf: _last_seq(copy, shelf) for shelf in copy.shelves()}
        found += _compared(source, copy, ends)
    return found


def verification(every: Sequence[Copies], breaks: Sequence[Break]) -> Verification:
    return Verification(
        holds=not breaks,
        event_count=sum(copies.store.event_count for copies in every),
        stream_count=sum(copies.store.verdict().stream_count for copies in every),
        break_count=len(breaks),
        places=[
            PlaceRead(
                service=copies.service,
                place=witness.place,
                events=witness.event_count,
                streams=witness.verdict().stream_count,
                behind=max(0, copies.store.event_count - witness.event_count),
            )
            for copies in every
            for witness in copies.places()
        ],
        breaks=list(breaks[:BREAKS_NAMED_MAX]),
    )


def named(broken: Break, names: Mapping[tuple[str, int, int], Name]) -> Break:
    """The break with stream and version, where another place could tell them."""
    name = names.get((broken.service, broken.shard, broken.seq))
    if broken.stream is not None or name is None:
        return broken
    return Break(
        kind=broken.kind,
        place=broken.place,
        service=broken.service,
        shard=broken.shard,
        seq=broken.seq,
        stream=name[0],
        version=name[1],
        says=broken.says,
    )


def _compared(source: Witness, copy: Witness, ends: Mapping[Shelf, int]) -> Iterator[Break]:
    for found in differences(source, copy):
        behind = found.only_in == source.place
        if behind and found.seq > ends.get((found.service, found.shard), 0):
            continue
        yield _said(found, source, copy)


def _said(found: Difference, source: Witness, copy: Witness) -> Break:
    if found.only_in is None:
        kind, place = "differs", copy.place
        says = f"its bytes differ from those of {source.place}"
    else:
        missing = copy if found.only_in == source.place else source
        kind, place = "only_in", missing.place
        says = f"is not here, but {found.only_in} has it"
    return Break(
        kind=kind,
        place=place,
        service=found.service,
        shard=found.shard,
        seq=found.seq,
        stream=None,
        version=None,
        says=says,
    )


def _last_seq(witness: Witness, shelf: Shelf) -> int:
    return len(witness.hashes(shelf)) // 32
