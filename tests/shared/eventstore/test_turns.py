"""A person's command is carried out by whoever has its key, and by nobody who lost it."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import asyncpg
import pytest
from msgspec.structs import replace
from tenacity import AsyncRetrying, stop_after_delay, wait_fixed

from arrears.shared.eventstore.port import Change, CommandTurn, Fenced, ShardMoved
from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.eventstore.postgres_commit import FEW_EVENTS
from arrears.shared.eventstore.sql import EVENT_COLUMNS
from arrears.shared.http.idempotency import Fresh, Given, PostgresAnswers
from arrears.shared.kernel.ids import StaffId
from arrears.shared.testing.store_material import ONE, append, event

pytestmark = pytest.mark.live
LI = StaffId("li")
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


async def began(pool: asyncpg.Pool, key: str = "k") -> CommandTurn:
    """Whoever had it before is taken over at once."""
    verdict = await PostgresAnswers(pool, timedelta(0)).begin(key, LI, b"input")
    assert isinstance(verdict, Fresh)
    return CommandTurn(key, LI, verdict.turn)


def carried_out(*turns: CommandTurn, count: int = 1) -> Change:
    change = append(*(event(n) for n in range(1, count + 1)), expected=0, day=None)
    change.turns = list(turns)
    return change


@pytest.mark.parametrize("count", [1, FEW_EVENTS + 1])
class TestTurns:
    async def test_who_has_the_turn_may_append(self, pool: asyncpg.Pool, count: int) -> None:
        turns = [await began(pool, key) for key in ("k", "l")]
        await PostgresStore(pool).commit(carried_out(*turns, count=count))
        assert len(await PostgresStore(pool).after(ONE, 0, limit=1000)) == count

    async def test_who_was_taken_over_appends_nothing(self, pool: asyncpg.Pool, count: int) -> None:
        lost, other = await began(pool), await began(pool, "l")
        heir = await began(pool)
        store = PostgresStore(pool)
        with pytest.raises(Fenced, match="taken over"):
            await store.commit(carried_out(lost, other, count=count))
        assert not await store.after(ONE, 0, limit=1)
        await store.commit(carried_out(heir, count=count))

    async def test_who_has_given_an_answer_appends_nothing_more(
        self, pool: asyncpg.Pool, count: int
    ) -> None:
        held = await began(pool)
        assert await PostgresAnswers(pool).finish("k", LI, held.turn, 409, b"no")
        with pytest.raises(Fenced, match="taken over"):
            await PostgresStore(pool).commit(carried_out(held, count=count))

    async def test_the_commit_keeps_what_is_told_of_it(
        self, pool: asyncpg.Pool, count: int
    ) -> None:
        told, untold = await began(pool), await began(pool, "l")
        change = carried_out(replace(told, answer=b"done"), untold, count=count)
        await PostgresStore(pool).commit(change)
        answers = PostgresAnswers(pool, timedelta(0))
        assert await answers.begin("k", LI, b"input") == Given(200, b"done")
        assert not await answers.finish("k", LI, told.turn, 409, b"no")
        assert await answers.finish("l", LI, untold.turn, 409, b"no")

    async def test_what_was_not_carried_out_is_not_told(
        self, pool: asyncpg.Pool, count: int
    ) -> None:
        held = await began(pool)
        change = carried_out(replace(held, answer=b"done"), count=count)
        change.shards[ONE].expected_seq = 7
        with pytest.raises(ShardMoved):
            await PostgresStore(pool).commit(change)
        assert await began(pool) != held


@pytest.mark.parametrize("count", [1, FEW_EVENTS + 1])
class TestLocks:
    """Positions, then shards, then keys: so no two commits wait for each other."""

    async def test_whoever_waits_for_a_shard_holds_no_key(
        self, pool: asyncpg.Pool, count: int
    ) -> None:
        held = await began(pool)
        async with pool.acquire() as other, other.transaction():
            await other.execute("SELECT FROM shards WHERE shard = $1 FOR UPDATE", ONE)
            committing = asyncio.create_task(
                PostgresStore(pool).commit(carried_out(held, count=count))
            )
            await _waiting(pool, 1)
            await other.execute("SELECT FROM idempotency FOR UPDATE NOWAIT")
        await committing

    async def test_whoever_takes_over_waits_for_a_commit_under_way(
        self, pool: asyncpg.Pool, count: int
    ) -> None:
        """So that it finds the events of it."""
        held = await began(pool)
        change = carried_out(held, count=count)
        async with pool.acquire() as other:
            end = other.transaction()
            await end.start()
            await other.copy_records_to_table(
                "events", records=[_in_the_way(change)], columns=EVENT_COLUMNS
            )
            committing = asyncio.create_task(PostgresStore(pool).commit(change))
            await _waiting(pool, 1)
            heir = asyncio.create_task(began(pool))
            await _waiting(pool, 2)
            assert not heir.done()
            await end.rollback()
        await committing
        await heir
        assert len(await PostgresStore(pool).after(ONE, 0, limit=1000)) == count


async def test_keys_wanted_in_a_circle_are_begun_after_all(pool: asyncpg.Pool) -> None:
    """Commands that come while one is begun are begun together, in order of their keys. PostgreSQL
    ends the one who waits longest, so on a machine that stands still it may be the other."""
    answers = PostgresAnswers(pool)
    begin = "INSERT INTO idempotency VALUES ($1, $2, 'input', 0, '', now())"
    async with pool.acquire() as other:
        end = other.transaction()
        await end.start()
        await other.execute(begin, "l", LI)
        beginning = asyncio.gather(*(answers.begin(key, LI, b"input") for key in "jkl"))
        await _waiting(pool, 1)
        with suppress(asyncpg.DeadlockDetectedError):
            await other.execute(begin, "k", LI)
        await end.rollback()
    assert [type(verdict) for verdict in await beginning] == [Fresh] * 3


def _in_the_way(change: Change) -> tuple[object, ...]:
    """The first event under a number that is never reached: who appends it waits to learn whether
    it is there."""
    first = replace(change.shards[ONE].events[0], seq=99_999)
    return tuple(getattr(first, column) for column in EVENT_COLUMNS)


async def _waiting(pool: asyncpg.Pool, count: int) -> None:
    async for attempt in AsyncRetrying(stop=stop_after_delay(20), wait=wait_fixed(0.01)):
        with attempt:
            assert await pool.fetchval(_WAITING) == count
