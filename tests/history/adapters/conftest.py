"""Both stores, empty: the one in memory, and one on a real PostgreSQL in a database of its own."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from arrears.cli.stack import checkout_root, ensure_stack
from arrears.history.adapters.memory import MemoryHistory
from arrears.history.adapters.postgres import PostgresHistory
from arrears.history.application.ports import HistoryStore
from arrears.history.main import MIGRATIONS
from arrears.shared.service import migrating
from arrears.shared.service.settings import database_url

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> str:
    """The PostgreSQL given on purpose, or one that is started."""
    given = os.environ.get("ARREARS_POSTGRES")
    return given or ensure_stack(checkout_root(), say=print).postgres_admin_dsn


@pytest.fixture
def dsn(server: str) -> Iterator[str]:
    name = f"history_{os.getpid()}_{next(_NUMBERS)}"
    asyncio.run(migrating.make_database(server, name))
    url = database_url(server, name)
    migrating.migrate(MIGRATIONS, url)
    yield url
    asyncio.run(migrating.drop_database(server, name))


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.live)])
def address(request: pytest.FixtureRequest) -> str | None:
    """Where the store is; None: in memory."""
    if request.param == "memory":
        return None
    found: str = request.getfixturevalue("dsn")
    return found


@pytest.fixture
async def store(address: str | None) -> AsyncIterator[HistoryStore]:
    found = MemoryHistory() if address is None else await PostgresHistory.connect(address)
    yield found
    await found.close()
