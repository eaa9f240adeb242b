"""The database that a rebuild makes: a draft until it is kept, and only a draft is replaced.

A service may have been pointed at one that was kept, and whoever rebuilds may not know it. So a
database counts as a draft while it has no tables, or has no mark in its settings: neither that it
was kept nor the clock that the first start on it fixes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from arrears.shared.service.migrating import make_database
from arrears.shared.service.settings import Settings, database_url

NAME_MAX: Final = 63
"""Bytes of a name; PostgreSQL cuts a longer one, which may then be another database's."""
_TABLES: Final = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
_SETTINGS: Final = "SELECT to_regclass('public.settings') IS NOT NULL"
_MARKS: Final = "SELECT count(*) FROM public.settings WHERE name IN ('kept', 'clock')"
_KEEP: Final = "INSERT INTO settings (name, value) VALUES ('kept', now()) ON CONFLICT DO NOTHING"


class NoDraft(Exception):
    """No draft may be made under this name; the text says why, and what to do."""


@asynccontextmanager
async def draft(settings: Settings, name: str) -> AsyncIterator[None]:
    """An empty database in place of an earlier draft, no other rebuild's while this is open.

    Raises NoDraft where the database of that name is kept, somebody else's, or in use.
    """
    if len(name.encode()) > NAME_MAX:
        raise NoDraft(f"{name} is longer than the {NAME_MAX} bytes of a name: rename the database")
    connection = await asyncpg.connect(settings.server)
    try:
        # Of the session: a rebuild that was killed holds it no longer.
        if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", name):
            raise NoDraft(f"another rebuild is making {name}: begin when it has ended")
        there = "SELECT count(*) FROM pg_database WHERE datname = $1"
        if await connection.fetchval(there, name):
            await _check(database_url(settings.server, name), settings.service, name)
            try:
                await connection.execute(f'DROP DATABASE "{name}"')
            except asyncpg.ObjectInUseError:
                raise NoDraft(
                    f"{name} is in use: end its sessions and begin again, or, if the service "
                    f"works on it, name it as {_variable(settings.service)}"
                ) from None
        await make_database(settings.server, name)
        yield
    finally:
        await connection.close()


async def keep(pool: asyncpg.Pool) -> None:
    """From now on it is no draft."""
    await pool.execute(_KEEP)


async def _check(url: str, service: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval(_TABLES):
            return
        if await connection.fetchval(_SETTINGS) and not await connection.fetchval(_MARKS):
            return
    finally:
        await connection.close()
    raise NoDraft(
        f"{name} was kept or has been started on: if the service works on it, name it as "
        f"{_variable(service)}, else rename it or drop it, and begin again"
    )


def _variable(service: str) -> str:
    return f"ARREARS_{service.upper()}_DATABASE"
