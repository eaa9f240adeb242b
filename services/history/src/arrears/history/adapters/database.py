"""The history's database: made if missing, migrated by alembic."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[4] / "migrations"


def database_url(server: str, name: str) -> str:
    """The server's address with this database instead of the one that it names."""
    parts = urlsplit(server)
    return urlunsplit(parts._replace(path=f"/{name}"))


async def make_database(server: str, name: str) -> bool:
    """Create the database on the server unless it is there; True where it was created."""
    connection = await asyncpg.connect(server)
    try:
        found = await connection.fetchval("select 1 from pg_database where datname = $1", name)
        if found is None:
            await connection.execute(f'create database "{name}" template template0')
    except asyncpg.DuplicateDatabaseError:
        return False
    finally:
        await connection.close()
    return found is None


async def drop_database(server: str, name: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'drop database if exists "{name}" with (force)')
    finally:
        await connection.close()


def migrate(url: str) -> None:
    """Bring the tables to the newest revision. Runs an event loop: call it outside of one."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")
