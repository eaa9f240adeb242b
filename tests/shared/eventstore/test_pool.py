"""A pool of a running process waits for nobody for ever."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from arrears.cli.chaos.proxy import Proxy
from arrears.cli.stack import Stack
from arrears.shared.eventstore import pool as pools

pytestmark = pytest.mark.live
SOON = 3.0
_COPYING = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY %'"


@pytest.fixture
async def proxy(stack: Stack) -> AsyncIterator[Proxy]:
    found = Proxy()
    found.target = urlsplit(stack.postgres_admin_dsn).port or 5432
    await found.start()
    yield found
    await found.close()


@pytest.fixture
async def pool(
    stack: Stack, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncpg.Pool]:
    monkeypatch.setattr(pools, "ANSWER_SECONDS", 1.0)
    parts = urlsplit(stack.postgres_admin_dsn)
    who = parts.netloc.rpartition("@")[0]
    dsn = urlunsplit(parts._replace(netloc=f"{who}@127.0.0.1:{proxy.port}"))
    found = await pools.open_pool(dsn, max_size=3, **pools.bounded("test"))
    yield found
    await pools.close_pool(found)


async def test_a_statement_on_a_lost_connection_ends_and_the_next_gets_another(
    pool: asyncpg.Pool, proxy: Proxy
) -> None:
    before = await pool.fetchval("SELECT pg_backend_pid()")
    proxy.lose("from")
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await pool.fetchval("SELECT 1")
    async with asyncio.timeout(SOON):
        assert await pool.fetchval("SELECT pg_backend_pid()") != before
    assert time.monotonic() - began < SOON


async def test_a_transaction_on_a_lost_connection_neither_hangs_nor_keeps_its_locks(
    pool: asyncpg.Pool, proxy: Proxy, stack: Stack
) -> None:
    async def take_the_lock_and_lose_the_connection() -> None:
        async with asyncio.timeout(SOON), pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(7351)")
            proxy.lose("to")
            await connection.execute("SELECT 1")

    with pytest.raises((TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError)):
        await take_the_lock_and_lose_the_connection()
    waited = await asyncpg.connect(stack.postgres_admin_dsn)
    try:
        async with asyncio.timeout(SOON):
            await waited.execute("SELECT pg_advisory_lock(7351)")
    finally:
        await waited.close()


async def test_after_a_renewal_no_connection_of_before_is_used(
    pool: asyncpg.Pool, proxy: Proxy
) -> None:
    await asyncio.gather(*(pool.fetchval("SELECT pg_sleep(0.05)") for _ in range(3)))
    proxy.lose("to")
    await pool.expire_connections()
    began = time.monotonic()
    assert await asyncio.gather(*(pool.fetchval("SELECT 1") for _ in range(3))) == [1, 1, 1]
    assert time.monotonic() - began < 1.0


async def test_a_pool_whose_server_is_silent_is_closed_all_the_same(
    pool: asyncpg.Pool, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "GOODBYE_SECONDS", 0.3)
    stuck = asyncio.create_task(pool.fetchval("SELECT pg_sleep(60)"))
    await asyncio.sleep(0)
    proxy.lose("from")
    async with asyncio.timeout(SOON):
        await pools.close_pool(pool)
        await asyncio.wait([stuck])


async def test_a_transaction_that_slept_too_long_is_no_reason_to_end(pool: asyncpg.Pool) -> None:
    """A frozen worker that wakes finds its session ended: it has to begin again, not to die."""

    async def sleep_and_go_on() -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT 1")
            pid = connection.get_server_pid()
            async with asyncio.timeout(SOON):
                while await pool.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid
                ):
                    await pool.execute("SELECT pg_sleep(0.05)")
            await connection.execute("SELECT 1")

    with pytest.raises(pools.PASSING):
        await sleep_and_go_on()
    assert await pool.fetchval("SELECT 1") == 1


async def test_a_copy_that_lost_its_client_is_ended_with_its_locks(
    pool: asyncpg.Pool, proxy: Proxy, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL waits for the rest of the rows for ever: none of its time limits counts there."""

    async def rows_that_stop() -> AsyncIterator[bytes]:
        yield b"1\n"
        while not await waited.fetchval(_COPYING):
            await waited.execute("SELECT pg_sleep(0.01)")
        proxy.lose("to")
        yield b"2\n"

    async def copy_and_lose_the_connection() -> None:
        async with asyncio.timeout(SOON), pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(7352)")
            await connection.copy_to_table("copied", source=rows_that_stop())

    waited = await asyncpg.connect(stack.postgres_admin_dsn)
    try:
        await waited.execute("CREATE TABLE copied (number integer)")
        with pytest.raises((TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError)):
            await copy_and_lose_the_connection()
        assert await waited.fetchval(_COPYING)
        monkeypatch.setattr(pools, "ANSWER_SECONDS", 600.0)
        assert await pools.end_lost(waited) == 0
        monkeypatch.setattr(pools, "ANSWER_SECONDS", 0.5)
        async with asyncio.timeout(SOON):
            while not await waited.fetchval("SELECT pg_try_advisory_lock(7352)"):
                await pools.end_lost(waited)
                await waited.execute("SELECT pg_sleep(0.05)")
    finally:
        await waited.execute("DROP TABLE IF EXISTS copied")
        await waited.close()
