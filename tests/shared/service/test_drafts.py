"""A rebuild replaces what an earlier one left unfinished, and no database that somebody has."""

import asyncio
import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from arrears.cli.stack import Stack
from arrears.shared.eventstore.leases import make_rows
from arrears.shared.keyring.schema import migrate as migrate_keystore
from arrears.shared.service.drafts import MARK, NoDraft
from arrears.shared.service.migrating import drop_database, make_database, migrate_async
from arrears.shared.service.opening import Service
from arrears.shared.service.rebuilding import rebuild_service
from arrears.shared.service.settings import database_url
from arrears.shared.service.turning import keep_clock
from arrears.shared.testing.toy import toy_stages

pytestmark = pytest.mark.live
MIGRATIONS = Path(__file__).parents[3] / "services/intake/migrations"
SERVICE = Service(
    name="intake",
    migrations=MIGRATIONS,
    make_stage=lambda _ground, _keyring: toy_stages()[0],
    projections=(),
)


@pytest.fixture
def server(
    stack: Stack, service_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Of an intake that was started once; what its rebuilds made is gone afterwards."""
    found, keys = stack.postgres_admin_dsn, f"t{os.getpid()}_test_drafts_keys"
    dsn = service_database("intake")
    monkeypatch.setenv("ARREARS_POSTGRES", found)
    monkeypatch.setenv("ARREARS_KAFKA", stack.kafka_bootstrap)
    monkeypatch.setenv("ARREARS_INTAKE_DATABASE", urlsplit(dsn).path[1:])
    monkeypatch.setenv("ARREARS_KEYSTORE", database_url(found, keys))
    monkeypatch.setenv("ARREARS_MASTER_KEY", b64encode(bytes(32)).decode())
    asyncio.run(make_database(found, keys))
    asyncio.run(migrate_keystore(database_url(found, keys)))
    asyncio.run(_start(dsn))
    yield found
    for name in (_draft(), keys):
        asyncio.run(drop_database(found, name))


def _draft() -> str:
    return f"{os.environ['ARREARS_INTAKE_DATABASE']}_rebuild"


async def _start(dsn: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        await make_rows(pool, 0)
        await keep_clock(pool, "live")


async def _rebuild(*, keep: bool = False) -> int:
    return await rebuild_service(SERVICE, "store", keep=keep, as_json=True)


async def _is_there(server: str, name: str) -> bool:
    connection = await asyncpg.connect(server)
    try:
        return bool(
            await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name)
        )
    finally:
        await connection.close()


async def test_a_draft_is_gone_where_nobody_keeps_it(server: str) -> None:
    assert await _rebuild() == 0
    assert not await _is_there(server, _draft())


async def test_what_was_kept_is_not_replaced(server: str) -> None:
    assert await _rebuild(keep=True) == 0
    with pytest.raises(NoDraft, match=rf"^{_draft()} was kept .* ARREARS_INTAKE_DATABASE.* drop"):
        await _rebuild()
    assert await _is_there(server, _draft())


async def test_a_database_that_a_service_was_started_on_is_not_replaced(server: str) -> None:
    """As an earlier version has kept it, which said nothing of what it makes."""
    await make_database(server, _draft())
    await migrate_async(MIGRATIONS, database_url(server, _draft()))
    await _start(database_url(server, _draft()))
    with pytest.raises(NoDraft, match="was kept"):
        await _rebuild()
    assert await _is_there(server, _draft())


async def test_a_database_of_somebody_else_is_not_replaced(server: str) -> None:
    await make_database(server, _draft())
    connection = await asyncpg.connect(database_url(server, _draft()))
    await connection.execute("CREATE TABLE ours (n int)")
    await connection.close()
    with pytest.raises(NoDraft, match="was kept"):
        await _rebuild()
    assert await _is_there(server, _draft())


async def test_a_database_that_is_in_use_is_not_replaced(server: str) -> None:
    await make_database(server, _draft())
    connection = await asyncpg.connect(database_url(server, _draft()))
    with pytest.raises(NoDraft, match=rf"^{_draft()} is in use"):
        await _rebuild()
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


@pytest.mark.parametrize("migrated", [False, True])
async def test_what_a_killed_rebuild_left_is_replaced(server: str, migrated: bool) -> None:
    await make_database(server, _draft())
    if migrated:
        connection = await asyncpg.connect(server)
        await connection.execute(f"COMMENT ON DATABASE \"{_draft()}\" IS '{MARK}'")
        await connection.close()
        await migrate_async(MIGRATIONS, database_url(server, _draft()))
    assert await _rebuild() == 0


async def test_two_rebuilds_of_one_service_do_not_meet(server: str) -> None:
    found = await asyncio.gather(_rebuild(), _rebuild(), return_exceptions=True)
    assert [one for one in found if not isinstance(one, NoDraft)] == [0]
    assert [str(one) for one in found if isinstance(one, NoDraft)] == [
        f"another rebuild is making {_draft()}: begin when it has ended"
    ]


async def test_a_name_that_would_be_cut_to_another_ones_is_refused(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL cuts names at 63 bytes: of a name that long the draft would be the service."""
    name = "n" * 63
    await make_database(server, name)
    monkeypatch.setenv("ARREARS_INTAKE_DATABASE", name)
    try:
        with pytest.raises(NoDraft, match="longer than"):
            await _rebuild()
        assert await _is_there(server, name)
    finally:
        await drop_database(server, name)
