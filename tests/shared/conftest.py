"""A database of its own for every live test of the shared rooms that asks."""

import itertools
import os
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from arrears.cli.stack import Stack
from arrears.shared.eventstore.leases import make_rows
from arrears.shared.eventstore.tables import metadata
from arrears.shared.service.settings import database_url

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def intake_dsn(service_database: Callable[[str], str]) -> str:
    """A migrated database of intake, for the tests of one module."""
    return service_database("intake")


@pytest.fixture
async def pool(intake_dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """Of that database, with empty tables and the rows of all shards."""
    made = await asyncpg.create_pool(intake_dsn, min_size=1, max_size=8)
    await made.execute(f"TRUNCATE {', '.join(sorted(metadata.tables))} RESTART IDENTITY")
    await make_rows(made, 0)
    yield made
    await made.close()


@pytest.fixture
async def dsn(stack: Stack) -> AsyncIterator[str]:
    """An empty database of its own for every test that asks."""
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    admin = await asyncpg.connect(stack.postgres_admin_dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    yield database_url(stack.postgres_admin_dsn, name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
