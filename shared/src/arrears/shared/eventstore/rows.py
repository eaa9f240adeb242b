"""The rows of read models: what one transaction folds of them, and what is written of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg
from msgspec import Struct, field

from arrears.shared.eventstore.folding import Folding
from arrears.shared.kernel.ids import Shard

Connection = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection
_Written = tuple[str, str, Shard, bytes]
_ROWS: Final = "SELECT key, row FROM projections WHERE name = $1 AND key = ANY($2::text[])"
_UPSERT: Final = """
    INSERT INTO projections (name, key, shard, row)
    SELECT $1, key, shard, row
    FROM unnest($2::text[], $3::smallint[], $4::bytea[]) AS r (key, shard, row)
    ON CONFLICT (name, key) DO UPDATE SET row = excluded.row
"""
_COLUMNS: Final = ("name", "key", "shard", "row")
_DELETE: Final = "DELETE FROM projections WHERE name = $1 AND key = ANY($2::text[])"
_PAGE: Final = """
    SELECT key, row FROM projections WHERE name = $1 AND key > $2 ORDER BY key LIMIT $3
"""


class Part(Struct):
    """What one transaction folds of a shard: the cursor before and after it, and rows by key.

    `waiting` are the events of a shard that has rows, with their keys, until those are read.
    """

    before: int
    after: int
    rows: dict[str, Any] = field(default_factory=dict)
    waiting: list[tuple[str, Any]] = field(default_factory=list)


class Page:
    """What one transaction folds, by shard."""

    def __init__(self, folding: Folding) -> None:
        self.parts: dict[Shard, Part] = {}
        self._folding = folding

    def add(self, shard: Shard, before: int, after: int, events: Iterable[tuple[str, Any]]) -> None:
        """A shard that begins has no rows to be read, so an event is folded as soon as it is
        decoded: while the processor has it at hand, and never many at once in memory."""
        part = self.parts.setdefault(shard, Part(before, after))
        part.after = after
        if part.before:
            part.waiting.extend(events)
        else:
            self._folding.evolve(part.rows, events)

    def keys(self) -> list[str]:
        """Of the rows to be read."""
        return sorted({key for part in self.parts.values() for key, _ in part.waiting})

    def fold_onto(self, known: Mapping[str, bytes]) -> None:
        for part in self.parts.values():
            keys = {key for key, _ in part.waiting} & known.keys()
            part.rows.update(self._folding.read({key: known[key] for key in keys}))
            self._folding.evolve(part.rows, part.waiting)


async def write_rows(connection: Connection, folding: Folding, page: Page) -> None:
    name = folding.projection.NAME
    keys = page.keys()
    if keys:
        page.fold_onto(await find_rows(connection, name, keys))
    new: list[_Written] = []
    kept: list[_Written] = []
    gone: list[str] = []
    for shard, part in page.parts.items():
        known = kept if part.before else new
        for key, row in folding.written(part.rows).items():
            if row is not None:
                known.append((name, key, shard, row))
            elif part.before:
                gone.append(key)
    if new:
        await connection.copy_records_to_table("projections", records=new, columns=_COLUMNS)
    if kept:
        _, *columns = map(list, zip(*kept, strict=True))
        await connection.execute(_UPSERT, name, *columns)
    if gone:
        await connection.execute(_DELETE, name, gone)


async def find_rows(
    reader: asyncpg.Pool | Connection, name: str, keys: Sequence[str]
) -> Mapping[str, bytes]:
    """The rows of these keys, where there are any."""
    return {row["key"]: row["row"] for row in await reader.fetch(_ROWS, name, keys)}


async def projected_rows(
    pool: asyncpg.Pool, name: str, after: str | None, limit: int
) -> Sequence[tuple[str, bytes]]:
    """Rows in order of key, from the first one after `after`."""
    return [(row["key"], row["row"]) for row in await pool.fetch(_PAGE, name, after or "", limit)]
