"""Folding events into rows. Pure: rows as JSON in, rows as JSON out.

A projection is a module with NAME (never changed), VERSION (raised when `evolve` changes meaning:
the rows are then built again), HEARS (the types of its events), Row, `key_of(event)` (None: no row)
and `evolve(row, event)`. The events of one key are all in one shard. A projection never sends
anything.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from msgspec.json import Decoder, Encoder

from arrears.shared.eventstore.codec import Codec
from arrears.shared.eventstore.port import EventData


class Projection(Protocol):
    """The shape of a projection module."""

    NAME: str
    VERSION: int
    Row: Any

    @property
    def HEARS(self) -> AbstractSet[type]: ...  # noqa: N802 - the constant of a module

    @property
    def key_of(self) -> Callable[[Any], str | None]: ...

    @property
    def evolve(self) -> Callable[[Any, Any], Any]: ...


class Folding:
    """A projection with its decoder."""

    def __init__(self, projection: Projection, codec: Codec) -> None:
        self.projection = projection
        self._readers = codec.readers(codec.wire_names[heard] for heard in projection.HEARS)
        self._decode = Decoder(projection.Row).decode
        self._encode = Encoder().encode

    def events(self, written: Sequence[EventData]) -> Iterator[tuple[str, Any]]:
        """The events that touch a row, with its key."""
        readers, key_of = self._readers, self.projection.key_of
        for _, wire_name, data in written:
            read = readers.get(wire_name)
            if read is not None:
                event = read(data)
                key = key_of(event)
                if key is not None:
                    yield key, event

    def decided(self, events: Sequence[object]) -> Iterator[tuple[str, Any]]:
        """The same of events that were not written out yet."""
        heard, key_of = self.projection.HEARS, self.projection.key_of
        keyed = ((key_of(event), event) for event in events if type(event) in heard)
        return ((key, event) for key, event in keyed if key is not None)

    def read(self, rows: Mapping[str, bytes]) -> dict[str, Any]:
        return {key: self._decode(row) for key, row in rows.items()}

    def evolve(self, rows: dict[str, Any], events: Iterable[tuple[str, Any]]) -> None:
        """Fold events into the rows of their keys; None where a row is gone."""
        evolve, row_of = self.projection.evolve, rows.get
        for key, event in events:
            rows[key] = evolve(row_of(key), event)

    def written(self, rows: Mapping[str, Any]) -> dict[str, bytes | None]:
        return {key: None if row is None else self._encode(row) for key, row in rows.items()}
