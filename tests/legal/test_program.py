"""`arrears-legal policies`: tried before a start, on a database that has decided."""

import asyncio
import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from arrears.cli.stack import Stack
from arrears.legal.adapters.policies import load_policies
from arrears.shared.eventstore.leases import make_rows
from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.kernel.ids import Shard
from arrears.shared.keyring.schema import migrate as migrate_keystore
from arrears.shared.service.migrating import drop_database, make_database
from arrears.shared.service.policy_record import keep_policies
from arrears.shared.service.settings import database_url

pytestmark = pytest.mark.live
SHIPPED = (files("arrears.legal") / "policies" / "cn-legal.yaml").read_text("utf-8")


@pytest.fixture
def env(stack: Stack, service_database: Callable[[str], str]) -> Iterator[Mapping[str, str]]:
    """Of a service that was started once with the policy that ships, and has opened a day."""
    dsn = service_database("legal")
    server, keys = stack.postgres_admin_dsn, f"t{os.getpid()}_test_program_keys"
    asyncio.run(make_database(server, keys))
    asyncio.run(migrate_keystore(database_url(server, keys)))
    asyncio.run(_start(dsn))
    known = {name: text for name, text in os.environ.items() if not name.startswith("ARREARS_")}
    yield {
        **known,
        "ARREARS_POSTGRES": server,
        "ARREARS_LEGAL_DATABASE": urlsplit(dsn).path[1:],
        "ARREARS_KEYSTORE": database_url(server, keys),
        "ARREARS_MASTER_KEY": b64encode(bytes(32)).decode(),
    }
    asyncio.run(drop_database(server, keys))


async def _start(dsn: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        await make_rows(pool, 0)
        await keep_policies(pool, load_policies().versions)
        await PostgresStore(pool).open_first_day(Shard(0), date(2026, 3, 2))


def policies(env: Mapping[str, str], *options: str) -> tuple[int, str, str]:
    program = Path(sys.executable).with_name("arrears-legal")
    done = subprocess.run(
        [program, "policies", *options], env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_what_a_start_would_take_and_what_not(env: Mapping[str, str], tmp_path: Path) -> None:
    assert policies(env) == (0, "cn-legal version 1: from 2000-01-01\n", "")
    own = tmp_path / "legal"
    own.mkdir()
    changed = {**env, "ARREARS_POLICIES": str(tmp_path)}
    first, second = own / "first.yaml", own / "second.yaml"
    first.write_text(SHIPPED, encoding="utf-8")
    second.write_text(
        SHIPPED.replace("version: 1", "version: 2").replace("2000-01-01", "2026-03-04"),
        encoding="utf-8",
    )
    code, told, _ = policies(changed, "--json")
    assert code == 0
    assert [(one["version"], one["valid_from"]) for one in json.loads(told)] == [
        (1, "2000-01-01"),
        (2, "2026-03-04"),
    ]
    first.write_text(SHIPPED.replace("months: 36", "months: 24"), encoding="utf-8")
    assert policies(changed) == (
        2,
        "",
        "arrears-legal: policy: cn-legal version 1: has decided here and is another now, or gone: "
        "give a change its own version\n",
    )
