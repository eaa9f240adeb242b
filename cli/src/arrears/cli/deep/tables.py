"""Reading PostgreSQL for the checker: one snapshot of a service's database, page by page."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from arrears.cli.deep.effects import PendingRow
from arrears.cli.deep.feed import Heard
from arrears.cli.deep.reading import FEED_TOPIC, SHARD_COUNT, Row

PAGE_ROWS: Final = 2_000
_EVENTS: Final = """
    SELECT shard, seq, value, stream, version, event_id, type, business_day::text, borrower_id
    FROM events WHERE shard = $1 ORDER BY seq
"""
_COPIES: Final = """
    SELECT shard, seq, value, stream, version, event_id, type, business_day::text, NULL::text,
        subject, time
    FROM history_events WHERE service = $1 AND shard = $2 ORDER BY seq
"""
_TIMERS: Final = "SELECT shard, stream FROM timers"
_ORIGINS: Final = (
    "SELECT shard, origin FROM {table} WHERE origin LIKE $1 OR shard < 0 OR shard >= $2"
)
_CANONICAL: Final = """
    SELECT service, value FROM history_events WHERE business_day <= $1::text::date
    ORDER BY subject, service, stream, version
"""
_SKIPPED: Final = """
    SELECT DISTINCT subject FROM history_events
    WHERE type LIKE 'arrears.%.input_skipped.v1' AND business_day <= $1::text::date
"""
_HEARD: Final = "SELECT topic, partition, last_seq FROM positions"
_CLOSED: Final = """
    SELECT min(closed_day)::text AS day, count(closed_day) AS closed FROM positions
"""


class Tables:
    """One database, as it was at one instant."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    # --- A stage

    async def last_seqs(self) -> dict[int, int]:
        rows = await self._connection.fetch("SELECT shard, last_seq FROM shards")
        return {row["shard"]: row["last_seq"] for row in rows}

    def events(self, shard: int) -> AsyncIterator[Sequence[Row]]:
        return self._rows(_EVENTS, shard)

    async def pending_effects(self) -> list[PendingRow]:
        rows = await self._connection.fetch("SELECT event_id, shard, in_doubt FROM effects")
        return [PendingRow(*row) for row in rows]

    async def waiting_answers(self) -> list[tuple[int, str]]:
        """Shard and origin of the answers that wait in the agenda or behind a failure, and of all
        that waits in a shard that there is not."""
        found: list[tuple[int, str]] = []
        for table in ("agenda", "parked"):
            query = _ORIGINS.format(table=table)
            rows = await self._connection.fetch(query, "effect/%", SHARD_COUNT)
            found.extend((row["shard"], row["origin"]) for row in rows)
        return found

    async def timers(self) -> list[tuple[int, str]]:
        """Shard and stream of what falls due one day."""
        return [tuple(row) for row in await self._connection.fetch(_TIMERS)]

    # --- Intake

    async def feed_positions(self) -> list[Heard]:
        rows = await self._connection.fetch(
            "SELECT partition, position, last_hash FROM positions WHERE topic = $1", FEED_TOPIC
        )
        return [Heard(*row) for row in rows]

    async def feed_origins(self, table: str) -> AsyncIterator[tuple[str, str | None]]:
        """Origins of a table of set-aside or waiting input, and the event that it names."""
        names = "event_id" if table == "duplicates" else "NULL::text"
        query = f"SELECT origin, {names} FROM {table} WHERE origin LIKE $1"
        async for page in self._pages(query, f"{FEED_TOPIC}/%"):
            for row in page:
                yield row[0], row[1]

    # --- The history

    def copies(self, rank: int, shard: int) -> AsyncIterator[Sequence[Row]]:
        return self._rows(_COPIES, rank, shard)

    async def heard(self) -> dict[tuple[str, int], int]:
        """The last number that was kept, by topic and shard."""
        rows = await self._connection.fetch(_HEARD)
        return {(row["topic"], row["partition"]): row["last_seq"] for row in rows}

    async def closed_everywhere(self, shelf_count: int) -> str | None:
        """The last day that every shard of every service has closed."""
        row = await self._connection.fetchrow(_CLOSED)
        return row["day"] if row is not None and row["closed"] == shelf_count else None

    async def skipped(self, up_to: str) -> set[str]:
        """The borrowers of inputs that staff gave up: what the kernel says is about the person."""
        return {row["subject"] for row in await self._connection.fetch(_SKIPPED, up_to)}

    async def canonical(self, up_to: str) -> AsyncIterator[Sequence[tuple[int, bytes]]]:
        async for page in self._pages(_CANONICAL, up_to):
            yield [(row["service"], row["value"]) for row in page]

    # --- Pages

    async def _rows(self, query: str, *arguments: Any) -> AsyncIterator[Sequence[Row]]:
        async for page in self._pages(query, *arguments):
            yield [Row(*row) for row in page]

    async def _pages(self, query: str, *arguments: Any) -> AsyncIterator[Sequence[Any]]:
        cursor = await self._connection.cursor(query, *arguments)
        while page := await cursor.fetch(PAGE_ROWS):
            yield page


@asynccontextmanager
async def snapshot(dsn: str) -> AsyncIterator[Tables]:
    """Everything that is read inside is as it was on entering. Nothing is written."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute("SELECT")  # With the first statement, not with BEGIN.
            yield Tables(connection)
    finally:
        await connection.close()


async def published(dsn: str) -> dict[int, int]:
    """How far each shard's relay says that it has published."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT shard, published_seq FROM cursors")
    finally:
        await connection.close()
    return {row["shard"]: row["published_seq"] for row in rows}
