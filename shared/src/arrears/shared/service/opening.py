"""What makes a stage service of the common parts, and what each of its processes has open."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from fastapi import APIRouter

from arrears.shared.eventstore.folding import Folding, Projection
from arrears.shared.eventstore.pool import bounded, close_pool, open_pool
from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.http.edge import Edge
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.keyring.master import MasterKey
from arrears.shared.keyring.port import Keyring
from arrears.shared.keyring.postgres import PostgresKeyring
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.refusals import SealingStore
from arrears.shared.service.settings import Ground, Settings

POOL_MAX: Final = 6


@dataclass(frozen=True)
class Service:
    """What makes one stage service of the common parts."""

    name: str
    migrations: Path
    make_stage: Callable[[Ground, Keyring], Stage]
    projections: Sequence[Projection]
    make_gateway: Callable[[Ground, Keyring], Gateway | None] | None = None
    make_routes: Callable[[Edge], Iterable[APIRouter]] | None = None


@dataclass
class Running:
    """The open resources of a process."""

    settings: Settings
    pool: asyncpg.Pool
    store: PostgresStore
    keyring: PostgresKeyring
    stage: Stage


@asynccontextmanager
async def opened(service: Service, settings: Settings) -> AsyncIterator[Running]:
    """The database, the key store and the stage of a process."""
    pool = await open_pool(settings.dsn, max_size=POOL_MAX, **bounded(service.name))
    try:
        keyring = await _keyring(settings)
        try:
            yield Running(
                settings=settings,
                pool=pool,
                store=SealingStore(pool, keyring),
                keyring=keyring,
                stage=service.make_stage(settings.ground, keyring),
            )
        finally:
            await keyring.close()
    finally:
        await close_pool(pool)


async def _keyring(settings: Settings) -> PostgresKeyring:
    master = MasterKey.from_env(os.environ)
    return await PostgresKeyring.connect(settings.keystore, master, settings.service)


def foldings_of(service: Service, stage: Stage) -> list[Folding]:
    """The service's projections, ready to fold its events."""
    codec = stage.codec()
    return [Folding(projection, codec) for projection in service.projections]
