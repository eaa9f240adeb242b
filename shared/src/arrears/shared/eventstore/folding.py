"""Folding events into rows. Pure: rows as JSON in, rows as JSON out.

A projection is a module with NAME (never changed), VERSION (raised when `evolve` changes meaning:
the rows are then built again), HEARS (the types of its events), Row, `key_of(event)` (None: no row)
and `evolve(row, event)`. The events of one key are all in one shard. A projection never sends
anything.
"""

from collections.abc import Callable, Mapping, Sequence
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

    def events(self, written: Sequence[EventData]) -> list[tuple[str, Any]]:
        """The events that touch a row, with its key."""
        readers, key_of = self._readers, self.projection.key_of
        found = []
        for _, wire_name, data in written:
            read = readers.get(wire_name)
            if read is not None:
                event = read(data)
                key = key_of(event)
                if key is not None:
                    found.append((key, event))
        return found

    def decided(self, events: Sequence[object]) -> list[tuple[str, Any]]:
        """The same of events that were not written out yet."""
        heard, key_of = self.projection.HEARS, self.projection.key_of
        keyed = [(key_of(event), event) for event in events if type(event) in heard]
        return [(key, event) for key, event in keyed if key is not None]

    def fold(
        self, rows: Mapping[str, bytes], events: Sequence[tuple[str, Any]]
    ) -> dict[str, bytes | None]:
        """The rows that the events leave, by key; None where the row is gone."""
        states: dict[str, Any] = {key: self._decode(row) for key, row in rows.items()}
        evolve = self.projection.evolve
        for key, event in events:
            states[key] = evolve(states.get(key), event)
        return {key: None if row is None else self._encode(row) for key, row in states.items()}
