"""The digest: one hash over what happened to every case (protocol 3.8).

Events of one case stand together, sorted by service, stream and version; each is one line of
JSON with its place among the case's lines of that stream, id, type, time, business day, causation
and data. Recorded times, shards, hashes, closings of days, what was parked and people's commands
are outside, and so is every case of a borrower whose input staff skipped. The version sorts but is
not written: a person's command moves it, and so would change every line after it. Encrypted fields
are a constant, for a key is made by chance. Same feed, same digest.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from typing import Final

from msgspec import Raw, Struct
from msgspec.json import Decoder, Encoder

from arrears.history.domain.told import (
    DAY_CLOSED,
    INPUT_PARKED,
    INPUT_RELEASED,
    INPUT_SKIPPED,
    SERVICES,
    noun_of,
)

SEALED_FIELDS: Final = ("sealed",)
OUTSIDE: Final = frozenset({DAY_CLOSED, INPUT_PARKED, INPUT_RELEASED, INPUT_SKIPPED})
_SEALED_MARKS: Final = tuple(f'"{name}"'.encode() for name in SEALED_FIELDS)
_SEALED: Final = re.compile(
    rb'"(%s)":"(?:[^"\\\\]|\\\\.)*"' % b"|".join(name.encode() for name in SEALED_FIELDS)
)
_BLANKED: Final = rb'"\1":"sealed"'
_FLUSH_BYTES: Final = 1 << 18


class Digest(Struct, frozen=True, kw_only=True):
    """`up_to` is the last business day covered; None where no day is closed everywhere."""

    sha256: str
    case_count: int
    event_count: int
    up_to: date | None


class _Read(Struct, frozen=True, gc=False):
    id: str
    time: str
    businessday: str
    causationid: str
    partitionkey: str
    data: Raw
    actor: str | None = None


class _Line(Struct, frozen=True, gc=False):
    subject: str
    service: str
    stream: str
    place: int
    id: str
    type: str
    time: str
    business_day: str
    causation_id: str
    data: Raw


_READ: Final = Decoder(_Read)
_LINE: Final = Encoder()

Row = tuple[str, int, str, int, str, bytes]
"""subject, service rank, stream, version, type, value: sorted by the first four."""


class Canonical:
    """Writes the canonical file chunk by chunk, and knows its hash when all rows went through.

    `skipped` are borrowers: an input is parked and skipped for the person, whatever case it was of.
    """

    def __init__(self, *, skipped: frozenset[str] = frozenset(), up_to: date | None) -> None:
        self._skipped = skipped
        self.up_to = up_to
        self._hash = sha256()
        self._event_count = 0
        self._case_count = 0
        self._subject: str | None = None
        self._stream: str | None = None
        self._place = 0
        self._is_case = False

    def chunks(self, rows: Iterable[Row]) -> Iterator[bytes]:
        """Lines for these rows; may be called again with the rows that follow."""
        chunk = bytearray()
        for row in rows:
            line = self._line(row)
            if line is None:
                continue
            chunk += line
            chunk += b"\n"
            if len(chunk) > _FLUSH_BYTES:
                yield self._sealed(chunk)
                chunk = bytearray()
        if chunk:
            yield self._sealed(chunk)

    def result(self) -> Digest:
        return Digest(
            sha256=self._hash.hexdigest(),
            case_count=self._case_count,
            event_count=self._event_count,
            up_to=self.up_to,
        )

    def _sealed(self, chunk: bytearray) -> bytes:
        self._hash.update(chunk)
        return bytes(chunk)

    def _line(self, row: Row) -> bytes | None:
        subject, service, stream, _, wire_name, value = row
        noun = noun_of(wire_name)
        if noun in OUTSIDE:
            return None
        seen = _READ.decode(value)
        if seen.actor is not None or seen.partitionkey in self._skipped:
            return None
        if subject != self._subject:
            self._subject, self._stream, self._is_case = subject, None, False
        if stream != self._stream:
            self._stream, self._place = stream, 0
        self._place += 1
        if noun == "case_opened" and not self._is_case:
            self._is_case = True
            self._case_count += 1
        self._event_count += 1
        return _LINE.encode(
            _Line(
                subject,
                SERVICES[service],
                stream,
                self._place,
                seen.id,
                wire_name,
                seen.time,
                seen.businessday,
                seen.causationid,
                without_sealed(seen.data),
            )
        )


def without_sealed(data: Raw) -> Raw:
    """The data with every encrypted value replaced by a constant.

    On the bytes, for speed: within a JSON string a quote is escaped, so the pattern meets names
    and never a text that somebody wrote.
    """
    encoded = bytes(data)
    if not any(mark in encoded for mark in _SEALED_MARKS):
        return data
    return Raw(_SEALED.sub(_BLANKED, encoded))
