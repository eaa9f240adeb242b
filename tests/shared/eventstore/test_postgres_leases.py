"""The leases in PostgreSQL pass the suite of all leases."""

from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from arrears.shared.eventstore.leases import Leases, make_rows
from arrears.shared.eventstore.tables import metadata
from arrears.shared.testing.lease_suite import LeaseSuite

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def dsn(service_database: Callable[[str], str]) -> str:
    return service_database("intake")


class TestPostgresLeases(LeaseSuite):
    pool: asyncpg.Pool

    @pytest.fixture
    async def make(self, dsn: str) -> AsyncIterator[Callable[[str], Leases]]:
        self.pool = await asyncpg.create_pool(dsn, min_size=1, max_size=2)
        await self.pool.execute(f"TRUNCATE {', '.join(sorted(metadata.tables))} RESTART IDENTITY")
        await make_rows(self.pool, 5)
        yield lambda worker: Leases(self.pool, worker, seconds=10.0, feed_partitions=5)
        await self.pool.close()

    async def let_end(self, worker: str) -> None:
        for table, column in (("shards", "lease_until"), ("feed_leases", "lease_until")):
            await self.pool.execute(
                f"UPDATE {table} SET {column} = now() - interval '1 s' WHERE owner = $1", worker
            )
        await self.pool.execute(
            "UPDATE workers SET alive_until = now() - interval '1 s' WHERE worker = $1", worker
        )
