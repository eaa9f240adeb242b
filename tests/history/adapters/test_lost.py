"""A process of history that is lost in the middle of a COPY holds up no other."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from arrears.history.adapters.postgres import PostgresHistory
from arrears.shared.eventstore import pool as pools

pytestmark = pytest.mark.live
SOON = 5.0
_COPYING = """
    select count(*) from pg_stat_activity
    where datname = current_database() and state = 'active' and query like 'COPY %'
"""


async def test_what_was_lost_gives_its_places_up_when_connections_are_renewed(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_more_rows() -> AsyncIterator[bytes]:
        yield b""
        await asyncio.Event().wait()

    async def lock_and_copy() -> None:
        async with lost.transaction():
            await lost.execute("select * from positions for update")
            await lost.copy_to_table("loans", source=no_more_rows())

    store = await PostgresHistory.connect(dsn)
    lost = await asyncpg.connect(dsn, server_settings={"application_name": "arrears-history"})
    waited = await asyncpg.connect(dsn)
    copying = asyncio.create_task(lock_and_copy())
    try:
        async with asyncio.timeout(SOON):
            while not await waited.fetchval(_COPYING):
                await waited.execute("select pg_sleep(0.01)")
        await store.renew()
        assert await waited.fetchval(_COPYING)
        monkeypatch.setattr(pools, "ANSWER_SECONDS", 0.01)
        async with asyncio.timeout(SOON):
            while await waited.fetchval(_COPYING):
                await store.renew()
                await waited.execute("select pg_sleep(0.01)")
            await waited.execute("select * from positions for update")
    finally:
        copying.cancel()
        await asyncio.wait({copying})
        lost.terminate()
        await waited.close()
        await store.close()
