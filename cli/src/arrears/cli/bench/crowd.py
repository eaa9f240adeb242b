"""A history of a million cases, made in the database out of the events of a few real ones.

The few come from intake itself, so every event is one that a service wrote; only case, loan and
ids are changed, in the text of the event, by PostgreSQL.
"""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import md5
from itertools import groupby
from typing import Any, Final

import asyncpg
from msgspec import Struct

from arrears.cli.bench.ground import BenchGround, watch
from arrears.cli.bench.lines import SOURCE, case_of, count_of, loan_id, new_loans
from arrears.shared.kernel.ids import SHARD_COUNT, loan_key
from arrears.shared.service.clock import wall_clock

CASES_AT_ONCE: Final = 50_000
INTAKE_RANK: Final = 0
_CASE: Final = "@case@"
_LOAN: Final = "@loan@"
_TAIL: Final = "@tail@"
_TAIL_LENGTH: Final = 12
_EVENTS: Final = """
    SELECT stream, version, event_id, type, value FROM events
    WHERE stream = ANY($1::text[]) ORDER BY stream, version
"""
_INDEXES: Final = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename = 'history_events' AND indexname <> 'history_events_pkey'
"""
_COPY: Final = f"""
    INSERT INTO history_events
        (service, shard, seq, stream, version, event_id, type, subject, business_day, time, value)
    SELECT {INTAKE_RANK}, n % {SHARD_COUNT}, n * $3 + version, replace(stream, '{_LOAN}', loan),
        version, replace(event_id, '{_TAIL}', tail), type, name, current_date, now(),
        convert_to(replace(replace(replace(
            value, '{_CASE}', name), '{_LOAN}', loan), '{_TAIL}', tail), 'UTF8')
    FROM (
        SELECT n, md5('case' || n)::uuid::text AS name, 'many-' || n AS loan,
            lpad(to_hex(n), {_TAIL_LENGTH}, '0') AS tail
        FROM generate_series($1::bigint, $2::bigint) AS n) AS cases
    JOIN unnest($4::int[], $5::text[], $6::int[], $7::text[], $8::text[], $9::text[])
        AS story (number, stream, version, event_id, type, value)
        ON story.number = n % $10
    ORDER BY n, version
"""


Row = Mapping[str, Any] | asyncpg.Record


class Template(Struct, frozen=True):
    """One event of a story, with marks where case, loan and ids stood."""

    stream: str
    version: int
    event_id: str
    type: str
    value: str


def many_case(number: int) -> str:
    """The id of the case with this number, as PostgreSQL makes it."""
    digest = md5(f"case{number}".encode(), usedforsecurity=False).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


async def templates(ground: BenchGround, loans: int) -> list[list[Template]]:
    """Let intake hear of new loans, and make a template of each one's story."""
    batches = list(new_loans(range(loans), wall_clock()))
    await ground.fill_feed(batches)
    pool = await ground.pool("intake")
    try:
        ground.start("intake", "worker", "intake-1")
        await watch(pool, records=sum(count_of(batch) for batch in batches))
        streams = {f"intake.loan-{loan_key(SOURCE, loan_id(n))}": n for n in range(loans)}
        rows = await pool.fetch(_EVENTS, list(streams))
    finally:
        await pool.close()
        await asyncio.to_thread(ground.stop)
    return [
        marked(list(story), loan_id(streams[stream]), case_of(streams[stream]))
        for stream, story in groupby(rows, key=lambda row: str(row["stream"]))
    ]


def marked(story: Sequence[Row], loan: str, case: str) -> list[Template]:
    """The same ids keep being the same: causes still lead to their events."""
    ids = [str(row["event_id"]) for row in story]

    def mark(text: str) -> str:
        for name in ids:
            text = text.replace(name, name[:-_TAIL_LENGTH] + _TAIL)
        return text.replace(case, _CASE).replace(loan, _LOAN)

    return [
        Template(
            mark(row["stream"]),
            row["version"],
            mark(row["event_id"]),
            row["type"],
            mark(bytes(row["value"]).decode()),
        )
        for row in story
    ]


async def fill_history(
    pool: asyncpg.Pool, stories: Sequence[Sequence[Template]], cases: int
) -> int:
    """How many events were written. Indexes are built at the end, which is several times faster."""
    indexes = await pool.fetch(_INDEXES)
    for index in indexes:
        await pool.execute(f'DROP INDEX "{index["indexname"]}"')
    flat = [(number, one) for number, story in enumerate(stories) for one in story]
    columns: tuple[list[object], ...] = (
        [number for number, _ in flat],
        [one.stream for _, one in flat],
        [one.version for _, one in flat],
        [one.event_id for _, one in flat],
        [one.type for _, one in flat],
        [one.value for _, one in flat],
    )
    longest = max(len(story) for story in stories) + 1
    for first in range(0, cases, CASES_AT_ONCE):
        last = min(first + CASES_AT_ONCE, cases) - 1
        await pool.execute(_COPY, first, last, longest, *columns, len(stories))
    for index in indexes:
        await pool.execute(index["indexdef"])
    await pool.execute("VACUUM ANALYZE history_events")
    return int(await pool.fetchval("SELECT count(*) FROM history_events"))
