"""A service's database: made if missing, brought to the newest tables by alembic.

Alembic and SQLAlchemy are imported where they are used: they take half of a service's start.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from sqlalchemy import MetaData


async def make_database(server: str, name: str) -> bool:
    """Create the database on the server unless it is there; True where it was created."""
    connection = await asyncpg.connect(server)
    try:
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            return False
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        return False  # Another process made it at the same moment.
    finally:
        await connection.close()
    return True


async def drop_database(server: str, name: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


def migrate(migrations: Path, url: str) -> None:
    """Bring the tables to the newest revision. Runs an event loop: call it outside of one."""
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")


async def migrate_async(migrations: Path, url: str) -> None:
    """The same from inside an event loop."""
    await asyncio.to_thread(migrate, migrations, url)


def run_migrations(metadata: "MetaData") -> None:
    """What every service's `migrations/env.py` calls."""
    from alembic import context  # noqa: PLC0415
    from sqlalchemy import pool  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415

    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None

    async def connect() -> asyncpg.Connection:
        """By the driver: it reads options as libpq does, SQLAlchemy would hand them on unread."""
        return await asyncpg.connect(url)

    async def run() -> None:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=connect, poolclass=pool.NullPool
        )
        async with engine.begin() as connection:
            await connection.run_sync(_migrate(metadata))
        await engine.dispose()

    asyncio.run(run())


def _migrate(metadata: "MetaData") -> Callable[..., None]:
    from alembic import context  # noqa: PLC0415

    def upgrade(connection: object) -> None:
        context.configure(connection=connection, target_metadata=metadata)  # type: ignore[arg-type]
        with context.begin_transaction():
            context.run_migrations()

    return upgrade
