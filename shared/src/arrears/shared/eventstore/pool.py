"""Connection pools of our own databases."""

from typing import Any

import asyncpg


async def open_pool(dsn: str, *, min_size: int = 1, max_size: int, **settings: Any) -> asyncpg.Pool:
    """A pool whose connections are handed back without a statement.

    Nothing here changes a session, and a transaction that was left open is rolled back all the
    same; asyncpg's own reset would be one more round trip after every statement.
    """
    return await asyncpg.create_pool(
        dsn, min_size=min_size, max_size=max_size, reset=_as_it_is, **settings
    )


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    return None
