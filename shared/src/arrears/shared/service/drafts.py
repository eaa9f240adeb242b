"""The database that a rebuild makes: a draft until it is kept, and only a draft is replaced.

A service may have been pointed at one that was kept, and whoever rebuilds may not know it. So a
draft bears a comment that says what it is, and loses it when it is kept.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from arrears.shared.service.migrating import drop_database, make_database
from arrears.shared.service.settings import Settings, database_url

NAME_MAX: Final = 63
"""Bytes of a name; PostgreSQL cuts a longer one, which may then be another database's."""
MARK: Final = "A draft of a rebuild, that the next one replaces."
_COMMENT: Final = """
    SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = $1
"""
_TABLES: Final = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


class NoDraft(Exception):
    """No draft may be made under this name; the text says why, and what to do."""


@asynccontextmanager
async def draft(settings: Settings, name: str, *, keep: bool) -> AsyncIterator[str]:
    """The address of an empty database in place of an earlier draft; no other rebuild's while this
    is open. Afterwards it is kept or gone; where the rebuild failed it stays a draft.

    Raises NoDraft where the database of that name is kept, somebody else's, or in use.
    """
    if len(name.encode()) > NAME_MAX:
        raise NoDraft(f"{name} is longer than the {NAME_MAX} bytes of a name: rename the database")
    connection = await asyncpg.connect(settings.server)
    try:
        # Of the session: a rebuild that was killed holds it no longer.
        if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", name):
            raise NoDraft(f"another rebuild is making {name}: begin when it has ended")
        await _clear(connection, settings, name)
        await make_database(settings.server, name)
        await connection.execute(f"COMMENT ON DATABASE \"{name}\" IS '{MARK}'")
        yield database_url(settings.server, name)
        if keep:
            await connection.execute(f'COMMENT ON DATABASE "{name}" IS NULL')
        else:
            await drop_database(settings.server, name)
    finally:
        await connection.close()


async def _clear(connection: asyncpg.Connection, settings: Settings, name: str) -> None:
    comment = await connection.fetchval(_COMMENT, name)
    if comment is None:
        return
    variable = f"ARREARS_{settings.service.upper()}_DATABASE"
    if comment != MARK and not await _is_empty(database_url(settings.server, name)):
        raise NoDraft(
            f"{name} was kept or is somebody's: if the service works on it, name it as {variable}, "
            "else rename it or drop it, and begin again"
        )
    try:
        await connection.execute(f'DROP DATABASE "{name}"')
    except asyncpg.ObjectInUseError:
        raise NoDraft(
            f"{name} is in use: end its sessions and begin again, or, if the service works on it, "
            f"name it as {variable}"
        ) from None


async def _is_empty(url: str) -> bool:
    """As a rebuild leaves it that was killed before it could say what it makes."""
    connection = await asyncpg.connect(url)
    try:
        return not await connection.fetchval(_TABLES)
    finally:
        await connection.close()
