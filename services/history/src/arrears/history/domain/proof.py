"""The proof that nothing is missing, doubled or changed, in a store, on a topic or here.

A `Witness` reads what one place holds, in order of seq within each shard, and names every break
with shard, seq, stream and version. Two witnesses that agree hold the same bytes. It shares no
code with the kernel that wrote them: it knows only bytes, SHA-256 and the names of the envelope's
attributes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Final

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

Shelf = tuple[str, int]
"""A service and one of its shards."""
_HASH_BYTES: Final = 32
_GAP: Final = bytes(_HASH_BYTES)


class Found(Struct, frozen=True, gc=False):
    """One record of a place. Where the place has columns beside the bytes, they are checked too."""

    service: str
    shard: int
    seq: int
    value: bytes
    stream: str | None = None
    version: int | None = None
    event_id: str | None = None
    type: str | None = None
    business_day: date | None = None


class Break(Struct, frozen=True, kw_only=True):
    """One thing that is wrong. `kind` is stable:

    missing, repeated_with_other_bytes, out_of_order, unreadable, column_differs, version_missing,
    version_repeated, bytes_changed, first_has_a_past, only_in, differs.
    """

    kind: str
    place: str
    service: str
    shard: int
    seq: int
    stream: str | None
    version: int | None
    says: str


class Verdict(Struct, frozen=True, kw_only=True):
    """`holds` is the whole answer; the rest says over what and, if not, where."""

    holds: bool
    event_count: int
    stream_count: int
    breaks: Sequence[Break]


class _Link(Struct, frozen=True, gc=False):
    id: str
    type: str
    stream: str
    streamversion: int
    prevhash: str
    businessday: date


class _Last(Struct, gc=False):
    version: int
    hash: bytes
    shard: int
    seq: int


_LINK: Final = Decoder(_Link)


class Witness:
    """What one place says: `intake's store`, `topic arrears.intake.v1`, `history`."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.breaks: list[Break] = []
        self.event_count = 0
        self._hashes: dict[Shelf, bytearray] = {}
        self._names: dict[Shelf, int] = {}
        self._streams: dict[tuple[str, str], _Last] = {}

    def reads(self, records: Iterable[Found]) -> None:
        """Check these records; call it again with the next ones of the same place."""
        for found in records:
            self._read(found)

    def expects(self, last_seqs: Mapping[Shelf, int]) -> None:
        """The highest number that each shard is known to have given out: finds a lost tail."""
        for (service, shard), last in sorted(last_seqs.items()):
            held = len(self._hashes.get((service, shard), b"")) // _HASH_BYTES
            if held < last:
                self._lacks(service, shard, held + 1, last)

    def verdict(self) -> Verdict:
        return Verdict(
            holds=not self.breaks,
            event_count=self.event_count,
            stream_count=len(self._streams),
            breaks=tuple(self.breaks),
        )

    def hashes(self, shelf: Shelf) -> bytearray:
        """32 bytes a seq, from seq 1; zeros where one is missing."""
        return self._hashes.get(shelf, bytearray())

    def shelves(self) -> frozenset[Shelf]:
        return frozenset(self._hashes)

    # --- One record

    def _read(self, found: Found) -> None:
        shelf = (found.service, found.shard)
        held = self._hashes.setdefault(shelf, bytearray())
        expected = len(held) // _HASH_BYTES + 1
        mark = sha256(found.value).digest()
        if found.seq < expected:
            self._repeats(found, mark, held)
            return
        if found.seq > expected:
            self._lacks(found.service, found.shard, expected, found.seq - 1)
            held += _GAP * (found.seq - expected)
        held += mark
        self.event_count += 1
        try:
            link = _LINK.decode(found.value)
        except (DecodeError, UnicodeDecodeError) as error:
            self._names_break("unreadable", found, None, f"not an event: {error}")
            return
        self._check_columns(found, link)
        self._check_chain(found, link, mark)

    def _repeats(self, found: Found, mark: bytes, held: bytearray) -> None:
        start = (found.seq - 1) * _HASH_BYTES
        if found.seq < 1:
            self._names_break("out_of_order", found, None, "numbers begin with 1")
        elif held[start : start + _HASH_BYTES] == _GAP:
            self._names_break("out_of_order", found, None, "stands after a higher number")
        elif held[start : start + _HASH_BYTES] != mark:
            says = "the same number stands here twice, with different bytes"
            self._names_break("repeated_with_other_bytes", found, None, says)

    def _lacks(self, service: str, shard: int, first: int, last: int) -> None:
        says = f"number {first} is missing"
        if last > first:
            says = f"numbers {first} to {last} are missing"
        self.breaks.append(
            Break(
                kind="missing",
                place=self.place,
                service=service,
                shard=shard,
                seq=first,
                stream=None,
                version=None,
                says=says,
            )
        )

    def _check_columns(self, found: Found, link: _Link) -> None:
        pairs: tuple[tuple[str, object, object], ...] = (
            ("stream", found.stream, link.stream),
            ("version", found.version, link.streamversion),
            ("event id", found.event_id, link.id),
            ("type", found.type, link.type),
            ("business day", found.business_day, link.businessday),
        )
        for name, column, said in pairs:
            if column is not None and column != said:
                says = f"the column {name} is {column}, the bytes say {said}"
                self._names_break("column_differs", found, link, says)

    def _check_chain(self, found: Found, link: _Link, mark: bytes) -> None:
        key = (found.service, link.stream)
        last = self._streams.get(key)
        version = link.streamversion
        if last is None:
            last = _Last(0, b"", found.shard, found.seq)
            self._streams[key] = last
        if version == last.version + 1:
            self._check_hash(found, link, last)
        elif version > last.version:
            says = f"version {last.version + 1} is missing"
            if version > last.version + 2:
                says = f"versions {last.version + 1} to {version - 1} are missing"
            self._names_break("version_missing", found, link, says)
        else:
            says = f"version {version} comes after version {last.version}"
            self._names_break("version_repeated", found, link, says)
        last.version, last.hash, last.shard, last.seq = version, mark, found.shard, found.seq

    def _check_hash(self, found: Found, link: _Link, last: _Last) -> None:
        if not last.version:
            if link.prevhash:
                says = "the first version names a hash before it"
                self._names_break("first_has_a_past", found, link, says)
            return
        if link.prevhash == last.hash.hex():
            return
        self.breaks.append(
            Break(
                kind="bytes_changed",
                place=self.place,
                service=found.service,
                shard=last.shard,
                seq=last.seq,
                stream=link.stream,
                version=last.version,
                says=f"its bytes are not those that version {link.streamversion} (shard "
                f"{found.shard}, seq {found.seq}) was written after, or that version was changed",
            )
        )

    def _names_break(self, kind: str, found: Found, link: _Link | None, says: str) -> None:
        self.breaks.append(
            Break(
                kind=kind,
                place=self.place,
                service=found.service,
                shard=found.shard,
                seq=found.seq,
                stream=found.stream if link is None else link.stream,
                version=found.version if link is None else link.streamversion,
                says=says,
            )
        )


class Difference(Struct, frozen=True, kw_only=True):
    """A number that two places do not hold alike. `only_in` is None where both have bytes."""

    service: str
    shard: int
    seq: int
    only_in: str | None


def differences(one: Witness, other: Witness) -> Iterator[Difference]:
    """Every number that one place has and the other lacks, or has with other bytes."""
    for shelf in sorted(one.shelves() | other.shelves()):
        mine, theirs = one.hashes(shelf), other.hashes(shelf)
        if mine == theirs:
            continue
        for start in range(0, max(len(mine), len(theirs)), _HASH_BYTES):
            here = mine[start : start + _HASH_BYTES]
            there = theirs[start : start + _HASH_BYTES]
            if here == there:
                continue
            only_in = None
            if not here.strip(b"\0"):
                only_in = other.place
            elif not there.strip(b"\0"):
                only_in = one.place
            yield Difference(
                service=shelf[0], shard=shelf[1], seq=start // _HASH_BYTES + 1, only_in=only_in
            )
