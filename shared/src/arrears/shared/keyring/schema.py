"""The key store's own database: numbered steps, each run once, under a lock.

Tables   keys(borrower_id, category, wrapped_key, created_at, destroyed_at), grants(service, ...)
A destroyed key keeps its row without the key, so that no new one is made in its place.
"""

from collections.abc import Mapping
from typing import Final

import asyncpg

from arrears.shared.keyring.port import CATEGORIES, DEFAULT_GRANTS, Category

_LOCK: Final = 7_305_001
_STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE keys (
            borrower_id text NOT NULL,
            category text NOT NULL,
            wrapped_key bytea,
            created_at timestamptz NOT NULL DEFAULT now(),
            destroyed_at timestamptz,
            PRIMARY KEY (borrower_id, category),
            CHECK ((wrapped_key IS NULL) = (destroyed_at IS NOT NULL))
        )""",
        """CREATE TABLE grants (
            service text PRIMARY KEY,
            categories text[] NOT NULL
        )""",
    ),
)


class NewerSchema(Exception):
    """The key store was made by a newer version than this one."""


async def migrate(dsn: str, grants: Mapping[str, tuple[Category, ...]] = DEFAULT_GRANTS) -> int:
    """Brings the database to this version and adds grants of services that have none yet.

    Grants that are there already are kept: staff may have narrowed them. Returns the version.
    """
    for service, categories in grants.items():
        for category in categories:
            if category not in CATEGORIES:
                raise ValueError(f"grants: {service} names an unknown category {category!r}")
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS keyring_version (version int NOT NULL)"
            )
            version = await connection.fetchval("SELECT max(version) FROM keyring_version") or 0
            if version > len(_STEPS):
                raise NewerSchema(f"the key store has version {version}, known is {len(_STEPS)}")
            for number, statements in enumerate(_STEPS[version:], start=version + 1):
                for statement in statements:
                    await connection.execute(statement)
                await connection.execute("INSERT INTO keyring_version VALUES ($1)", number)
            await connection.executemany(
                "INSERT INTO grants (service, categories) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                [(service, list(categories)) for service, categories in grants.items()],
            )
    finally:
        await connection.close()
    return len(_STEPS)
