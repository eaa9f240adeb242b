"""A database of its own for every live test of the shared rooms that asks."""

import itertools
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from arrears.cli.stack import Stack

_NUMBERS = itertools.count(1)


@pytest.fixture
async def dsn(stack: Stack) -> AsyncIterator[str]:
    """An empty database of its own for every test that asks."""
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    admin = await asyncpg.connect(stack.postgres_admin_dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    head, _, tail = stack.postgres_admin_dsn.rpartition("/")
    _, mark, options = tail.partition("?")
    yield f"{head}/{name}{mark}{options}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
