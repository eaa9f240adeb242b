"""Events to CloudEvents bytes and back. The bytes stored are the bytes published.

Wire names are constants; a stored type keeps its meaning for ever. A new version comes with a
pure upcaster (old JSON in, new JSON out) from the old wire name to the new one.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, convert
from msgspec.json import Decoder, Encoder

NO_HASH: Final = ""
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]


class UnknownType(Exception):
    """A stored event has a wire name that this service does not know."""


class Envelope(Struct, frozen=True, kw_only=True):
    """CloudEvents 1.0 attributes with our extensions (architecture 2).

    `time` is business time, `recordedtime` the wall clock, `businessday` the bank's day on which
    we learnt it. `actor` marks a person's command; `inputposition` is where the cause was heard.
    """

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str = "application/json"
    partitionkey: str
    tenant: str
    stream: str
    streamversion: int
    prevhash: str
    businessday: date
    recordedtime: datetime
    correlationid: str
    causationid: str
    actor: str | UnsetType = UNSET
    inputposition: str | UnsetType = UNSET
    factdigest: str | UnsetType = UNSET
    data: object


class StoredEnvelope(Struct, frozen=True, kw_only=True):
    """What a reader of stored bytes looks at; `data` stays undecoded."""

    id: str
    type: str
    subject: str
    time: Annotated[datetime, Meta(tz=True)]
    partitionkey: str
    stream: str
    streamversion: int
    prevhash: str
    businessday: date
    causationid: str
    data: Raw
    actor: str | UnsetType = UNSET
    inputposition: str | UnsetType = UNSET
    factdigest: str | UnsetType = UNSET


class Columns(Struct, frozen=True, gc=False):
    """The attributes that have columns of their own in the store."""

    id: str
    type: str
    partitionkey: str
    stream: str
    streamversion: int
    businessday: date


_ENVELOPE: Final = Decoder(StoredEnvelope)
_COLUMNS: Final = Decoder(Columns)


def read_envelope(value: bytes) -> StoredEnvelope:
    return _ENVELOPE.decode(value)


def read_columns(value: bytes) -> Columns:
    return _COLUMNS.decode(value)


def hash_of(value: bytes) -> str:
    """The link of a stream's chain: SHA-256 of the stored bytes, hex (protocol 4.1)."""
    return sha256(value).hexdigest()


DATA: Final = ',"data":'
"""What first stands before the event in its stored bytes: `data` is the last attribute, and in the
texts of those before it a quotation mark is escaped.
"""


def data_of(value: bytes) -> bytes:
    """The event alone, cut out of its stored bytes."""
    return value[value.index(DATA.encode()) + len(DATA) : -1]


Reader = Callable[[bytes], Any]


class Codec:
    """One service's events by wire name.

    `upcasters` maps an old wire name to (the next wire name, how its data changes); they chain.
    """

    def __init__(
        self,
        wire_names: Mapping[type, str],
        *,
        upcasters: Mapping[str, tuple[str, Upcaster]] | None = None,
    ) -> None:
        if len(set(wire_names.values())) != len(wire_names):
            raise ValueError("two events share a wire name")
        self.wire_names = dict(wire_names)
        self._classes = {name: cls for cls, name in wire_names.items()}
        self._decoders: dict[str, Decoder[object]] = {
            name: Decoder(cls) for cls, name in wire_names.items()
        }
        self._upcasters = dict(upcasters or {})
        self.encode = Encoder().encode

    def readers(self, wire_names: Iterable[str]) -> Mapping[str, Reader]:
        """How to read data stored under each name that these events have or have had."""
        found: dict[str, Reader] = {name: self._decoders[name].decode for name in wire_names}
        for name in self._upcasters:
            if self._newest(name) in found:
                found[name] = partial(self.decode, name)
        return found

    def _newest(self, wire_name: str) -> str:
        while wire_name in self._upcasters:
            wire_name, _ = self._upcasters[wire_name]
        return wire_name

    def decode(self, wire_name: str, data: bytes | Raw) -> object:
        """Raises UnknownType, or msgspec.ValidationError where stored data are not the type's."""
        decoder = self._decoders.get(wire_name)
        if decoder is not None:
            return decoder.decode(data)
        if wire_name not in self._upcasters:
            raise UnknownType(wire_name)
        fields: dict[str, Any] = Decoder(dict[str, Any]).decode(data)
        while wire_name in self._upcasters:
            wire_name, upcast = self._upcasters[wire_name]
            fields = upcast(fields)
        return convert(fields, self._classes[wire_name], strict=False)
