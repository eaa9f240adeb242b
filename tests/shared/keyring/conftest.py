"""A database of its own for every live test of the key store."""

import itertools
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from arrears.cli.stack import checkout_root, ensure_stack

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> str:
    return ensure_stack(checkout_root(), say=print).postgres_admin_dsn


@pytest.fixture
async def dsn(postgres: str) -> AsyncIterator[str]:
    name = f"keyring_{os.getpid()}_{next(_NUMBERS)}"
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"CREATE DATABASE {name}")
    head, _, tail = postgres.rpartition("/")
    _, mark, options = tail.partition("?")
    yield f"{head}/{name}{mark}{options}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
