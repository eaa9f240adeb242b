"""Addresses of PostgreSQL with options, such as those of TLS: every place keeps them whole."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from arrears.cli.stack import Stack
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kernel.bad_setting import BadSetting
from arrears.shared.service import process
from arrears.shared.service.migrating import drop_database, make_database, migrate
from arrears.shared.service.opening import Service
from arrears.shared.service.settings import Settings, database_url

TLS = f"?sslmode=verify-full&sslrootcert={__file__}"
"""Any file that is there: nobody connects by it."""
MIGRATIONS = Path(__file__).parents[3] / "services/intake/migrations"


def _settings(server: str, keystore: str | None = None) -> Settings:
    env = {"ARREARS_POSTGRES": server, **({"ARREARS_KEYSTORE": keystore} if keystore else {})}
    return Settings.from_env("intake", env)


@pytest.mark.parametrize(
    ("server", "database", "keystore"),
    [
        (
            f"postgresql://u:p@db:5432/postgres{TLS}",
            f"postgresql://u:p@db:5432/arrears_intake{TLS}",
            f"postgresql://u:p@db:5432/arrears_keys{TLS}",
        ),
        (
            f"postgres://u@a:1,b:2/postgres{TLS}",
            f"postgres://u@a:1,b:2/arrears_intake{TLS}",
            f"postgres://u@a:1,b:2/arrears_keys{TLS}",
        ),
        (
            "postgresql:///postgres?host=/run/pg",
            "postgresql:///arrears_intake?host=/run/pg",
            "postgresql:///arrears_keys?host=/run/pg",
        ),
        (
            f"postgresql://u@db{TLS}",
            f"postgresql://u@db/arrears_intake{TLS}",
            f"postgresql://u@db/arrears_keys{TLS}",
        ),
    ],
)
def test_databases_on_the_server_are_reached_as_it_is(
    server: str, database: str, keystore: str
) -> None:
    settings = _settings(server)
    assert (settings.dsn, settings.keystore) == (database, keystore)


class Asked:
    """What was asked of the key store's server, instead of asking."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.migrated: list[str] = []

    async def make_database(self, server: str, name: str) -> bool:
        self.made.append((server, name))
        return True

    async def migrate(self, dsn: str) -> int:
        self.migrated.append(dsn)
        return 1


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    async def nothing(*_args: Any, **_more: Any) -> Any:
        return SimpleNamespace(close=nothing)

    found = Asked()
    bus = SimpleNamespace(ensure_topic=nothing, close=nothing)
    monkeypatch.setattr(process, "open_pool", nothing)
    monkeypatch.setattr(process, "make_rows", nothing)
    monkeypatch.setattr(process, "KafkaBus", lambda _settings: bus)
    monkeypatch.setattr(process, "make_database", found.make_database)
    monkeypatch.setattr(process, "migrate_keystore", found.migrate)
    return found


@pytest.mark.parametrize(
    ("keystore", "server", "name"),
    [
        (None, f"postgresql://u@db:5432/postgres{TLS}", "arrears_keys"),
        (f"postgresql://k@safe/keys{TLS}", f"postgresql://k@safe/postgres{TLS}", "keys"),
        (f"postgres://k@safe:1/keys{TLS}", f"postgres://k@safe:1/postgres{TLS}", "keys"),
        ("postgresql://k@safe/the%20keys", "postgresql://k@safe/postgres", "the keys"),
        ("postgresql:///keys?host=/run/pg", "postgresql:///postgres?host=/run/pg", "keys"),
    ],
)
async def test_the_key_store_is_made_on_its_own_server(
    asked: Asked, keystore: str | None, server: str, name: str
) -> None:
    settings = _settings(f"postgresql://u@db:5432/postgres{TLS}", keystore)
    service = Service(name="intake", migrations=MIGRATIONS, make_stage=_no_stage, projections=())
    await process._prepare(service, settings, KafkaSettings.from_env({"ARREARS_KAFKA": "k:9092"}))
    assert asked.made == [(server, name)]
    assert asked.migrated == [settings.keystore]


def _no_stage(*_args: Any) -> Any:
    raise AssertionError("nobody decides here")


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ("sslmode=bogus", "sslmode must be one of"),
        ("sslrootcert=/no/such/file", "the file of sslrootcert cannot be read: No such file"),
        ("sslcert=/", "the file of sslcert cannot be read"),
        ("sslkey=a%00b", "the file of sslkey cannot be read"),
    ],
)
@pytest.mark.parametrize("is_keystore", [False, True])
def test_an_option_that_no_connection_could_be_made_with_is_a_wrong_setting(
    options: str, rule: str, *, is_keystore: bool
) -> None:
    good, bad = "postgresql://u@db/postgres", f"postgresql://u:secret@db/x?{options}"
    with pytest.raises(BadSetting, match=rule) as refusal:
        _settings(*((good, bad) if is_keystore else (bad, good)))
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("address", ["postgresql://k@safe", "postgresql://k@safe/?sslmode=require"])
def test_a_key_store_without_a_database_is_a_wrong_setting(address: str) -> None:
    with pytest.raises(BadSetting, match=r"^ARREARS_KEYSTORE"):
        _settings("postgresql://u@db/postgres", address)


@pytest.mark.live
class TestMigrate:
    @pytest.fixture
    def server(self, stack: Stack) -> Iterator[str]:
        asyncio.run(make_database(stack.postgres_admin_dsn, "addressed"))
        yield stack.postgres_admin_dsn
        asyncio.run(drop_database(stack.postgres_admin_dsn, "addressed"))

    @pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
    def test_tables_are_made_under_the_options_of_the_address(
        self, server: str, scheme: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An option of the server is the witness: it reaches the session as TLS reaches the way."""
        used: list[asyncpg.Connection] = []
        connect = asyncpg.connect

        async def watched(*args: Any, **options: Any) -> asyncpg.Connection:
            used.append(await connect(*args, **options))
            return used[-1]

        monkeypatch.setattr(asyncpg, "connect", watched)
        address = database_url(server, "addressed").replace("postgresql", scheme, 1)
        joined = "&" if "?" in address else "?"
        migrate(MIGRATIONS, f"{address}{joined}application_name=50%25")
        assert [one.get_settings().application_name for one in used] == ["50%"]
        asyncio.run(_has_tables(address))


async def _has_tables(address: str) -> None:
    connection = await asyncpg.connect(address)
    assert await connection.fetchval("SELECT count(*) FROM shards") == 0
    await connection.close()
