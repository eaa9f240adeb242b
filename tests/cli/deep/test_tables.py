"""What is read of a service that goes on working meanwhile."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import asyncpg
import pytest

from arrears.cli.deep.reading import FEED_TOPIC
from arrears.cli.deep.tables import snapshot

pytestmark = pytest.mark.live

_HEARD = """
    INSERT INTO history_events
        (service, shard, seq, stream, version, event_id, type, subject, business_day, time, value)
    VALUES (0, 0, $1, 's', $1::bigint, $2, 't', 'c', $3, $4, '{}')
"""

WAITING = [
    (-1, f"{FEED_TOPIC}/0/1"),
    (3, "effect/k/0"),
    (16, f"{FEED_TOPIC}/0/2"),
    (15, f"{FEED_TOPIC}/0/3"),
]
"""Shard and origin; the last one is not ours to look at."""


@pytest.fixture
def dsn(service_database: Callable[[str], str]) -> str:
    return service_database("history")


@pytest.fixture
def stage(service_database: Callable[[str], str]) -> str:
    return service_database("intake")


async def test_a_snapshot_is_of_the_moment_when_it_was_taken(dsn: str) -> None:
    """What history hears after the ends of the topics were asked for must not be seen."""
    connection = await asyncpg.connect(dsn)
    try:
        for seq in (1, 2):
            async with snapshot(dsn) as tables:
                event_id = f"00000000-0000-0000-0000-{seq:012}"
                at = datetime(2026, 3, 2, tzinfo=UTC)
                await connection.execute(_HEARD, seq, event_id, date(2026, 3, 2), at)
                rows = [row async for page in tables.copies(0, 0) for row in page]
                assert [row.seq for row in rows] == list(range(1, seq))
                assert {(row.borrower_id, row.subject, row.time) for row in rows} <= {
                    (None, "c", at)
                }
    finally:
        await connection.close()


async def test_how_far_the_history_says_that_it_has_heard(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "INSERT INTO positions (topic, partition, position, last_seq, last_record_hash)"
            " VALUES ('arrears.legal.v1', 3, 8, 7, '')"
        )
        async with snapshot(dsn) as tables:
            assert await tables.heard() == {("arrears.legal.v1", 3): 7}
    finally:
        await connection.close()


async def test_what_waits_in_a_shard_that_there_is_not(
    stage: str,
) -> None:
    connection = await asyncpg.connect(stage)
    try:
        for row_id, (shard, origin) in enumerate(WAITING):
            await connection.execute(
                "INSERT INTO agenda"
                " (shard, day, row_id, at, rank, borrower_id, order_key, origin, value)"
                " VALUES ($1, '2026-03-02', $2, now(), 0, 'b', '', $3, '')",
                shard,
                row_id,
                origin,
            )
        async with snapshot(stage) as tables:
            assert sorted(await tables.waiting_answers()) == WAITING[:-1]
    finally:
        await connection.close()
