"""Read models: pure `evolve(row, event)`, rows and cursor in one transaction.

A projection is a module with NAME (never changed), VERSION (raised when `evolve` changes meaning:
the rows are then built again), Row, `key_of(event)` and `evolve(row, event)`. A projection never
sends anything.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import asyncpg
from msgspec.json import Decoder, Encoder

from arrears.shared.eventstore.codec import Codec, read_envelope
from arrears.shared.eventstore.port import Store, StoredEvent
from arrears.shared.kernel.ids import Shard

PAGE: Final = 2000

_CURSORS: Final = "SELECT shard, version, seq FROM projection_cursors WHERE name = $1"
_ROWS: Final = "SELECT key, row FROM projections WHERE name = $1 AND key = ANY($2::text[])"
_UPSERT: Final = """
    INSERT INTO projections (name, key, shard, row)
    SELECT $1, key, $2, row FROM unnest($3::text[], $4::bytea[]) AS r (key, row)
    ON CONFLICT (name, key) DO UPDATE SET row = excluded.row
"""
_DELETE: Final = "DELETE FROM projections WHERE name = $1 AND key = ANY($2::text[])"
_MOVE: Final = """
    INSERT INTO projection_cursors AS c (name, shard, version, seq) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name, shard) DO UPDATE SET seq = excluded.seq
    WHERE c.seq = $5 AND c.version = excluded.version
"""
_CLEAR: Final = (
    "DELETE FROM projections WHERE name = $1",
    "DELETE FROM projection_cursors WHERE name = $1",
)
_ROW: Final = "SELECT row FROM projections WHERE name = $1 AND key = $2"
_PAGE: Final = """
    SELECT key, row FROM projections WHERE name = $1 AND key > $2 ORDER BY key LIMIT $3
"""


class Projection(Protocol):
    """The shape of a projection module."""

    NAME: str
    VERSION: int
    Row: Any

    @property
    def key_of(self) -> Callable[[Any], str | None]: ...

    @property
    def evolve(self) -> Callable[[Any, Any], Any]: ...


class Folding:
    """A projection with its decoder: rows as JSON in, rows as JSON out. Pure.

    `wire_names` are the service's own; only events with a subject of their own touch a row.
    """

    def __init__(
        self,
        projection: Projection,
        codec: Codec,
        wire_names: Iterable[str],
        subject_of: Callable[[Any], str | None],
    ) -> None:
        self.projection = projection
        self._codec = codec
        self._own = frozenset(wire_names)
        self._subject_of = subject_of
        self._decode = Decoder(projection.Row).decode
        self._encode = Encoder().encode

    def events(self, stored: Sequence[StoredEvent]) -> list[tuple[str, Any]]:
        """The events that touch a row, with its key."""
        found = []
        for one in stored:
            if one.type in self._own:
                event = self._codec.decode(one.type, read_envelope(one.value).data)
                if self._subject_of(event) is None:
                    continue
                key = self.projection.key_of(event)
                if key is not None:
                    found.append((key, event))
        return found

    def fold(
        self, rows: Mapping[str, bytes], events: Sequence[tuple[str, Any]]
    ) -> dict[str, bytes | None]:
        """The rows that the events leave, by key; None where the row is gone."""
        states: dict[str, Any] = {key: self._decode(row) for key, row in rows.items()}
        for key, event in events:
            states[key] = self.projection.evolve(states.get(key), event)
        return {key: None if row is None else self._encode(row) for key, row in states.items()}


class Projector:
    """Keeps the projections of the owned shards up to date."""

    def __init__(self, pool: asyncpg.Pool, store: Store, foldings: Sequence[Folding]) -> None:
        self._pool = pool
        self._store = store
        self._foldings = foldings
        self._cursors: dict[tuple[str, Shard], int] = {}

    async def take(self, shards: Sequence[Shard]) -> None:
        """Read the cursors anew; rows of an older VERSION are dropped and built again."""
        for folding in self._foldings:
            name, version = folding.projection.NAME, folding.projection.VERSION
            rows = await self._pool.fetch(_CURSORS, name)
            if any(row["version"] != version for row in rows):
                async with self._pool.acquire() as connection, connection.transaction():
                    for statement in _CLEAR:
                        await connection.execute(statement, name)
                rows = []
            seqs = {Shard(row["shard"]): row["seq"] for row in rows}
            for shard in shards:
                self._cursors[(name, shard)] = seqs.get(shard, 0)

    def drop(self, shards: Sequence[Shard]) -> None:
        for key in [key for key in self._cursors if key[1] in shards]:
            del self._cursors[key]

    async def step(self, last_seqs: Mapping[Shard, int]) -> bool:
        """Fold one page of every shard that has moved. False: all rows are up to date."""
        moved = False
        for folding in self._foldings:
            for shard, last_seq in last_seqs.items():
                cursor = self._cursors.get((folding.projection.NAME, shard))
                if cursor is not None and cursor < last_seq:
                    moved |= await self._fold(folding, shard, cursor)
        return moved

    async def _fold(self, folding: Folding, shard: Shard, cursor: int) -> bool:
        page = await self._store.after(shard, cursor, limit=PAGE)
        if not page:
            return False
        name, version = folding.projection.NAME, folding.projection.VERSION
        events = folding.events(page)
        async with self._pool.acquire() as connection, connection.transaction():
            moved = await connection.execute(_MOVE, name, shard, version, page[-1].seq, cursor)
            if moved.endswith(" 0"):
                self._cursors.pop((name, shard), None)
                return False
            keys = sorted({key for key, _ in events})
            rows = {row["key"]: row["row"] for row in await connection.fetch(_ROWS, name, keys)}
            left = folding.fold(rows, events)
            kept = {key: row for key, row in left.items() if row is not None}
            if kept:
                await connection.execute(_UPSERT, name, shard, list(kept), list(kept.values()))
            gone = [key for key, row in left.items() if row is None]
            if gone:
                await connection.execute(_DELETE, name, gone)
        self._cursors[(name, shard)] = page[-1].seq
        return True


async def projected_row(pool: asyncpg.Pool, name: str, key: str) -> bytes | None:
    found = await pool.fetchval(_ROW, name, key)
    return None if found is None else bytes(found)


async def projected_rows(
    pool: asyncpg.Pool, name: str, after: str | None, limit: int
) -> Sequence[tuple[str, bytes]]:
    """Rows in order of key, from the first one after `after`."""
    return [(row["key"], row["row"]) for row in await pool.fetch(_PAGE, name, after or "", limit)]
