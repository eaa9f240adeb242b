"""The key store on PostgreSQL passes the suite of all key stores, and keeps no key in the clear."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring import postgres
from arrears.shared.keyring.master import MasterKey, WrongMasterKey
from arrears.shared.keyring.port import KeyDenied, Keyring
from arrears.shared.keyring.postgres import PostgresKeyring
from arrears.shared.keyring.schema import NewerSchema, migrate
from arrears.shared.keyring.sealing import ERASED, seal
from arrears.shared.testing.keyring_suite import ANNA, BEN, KeyringSuite, Open

pytestmark = pytest.mark.live
MASTER = MasterKey(b"m" * 32)


@pytest.fixture
async def keyring_of(dsn: str) -> AsyncIterator[Open]:
    await migrate(dsn)
    opened: list[Keyring] = []

    async def open_keyring(service: str) -> Keyring:
        keyring = await PostgresKeyring.connect(dsn, MASTER, service)
        opened.append(keyring)
        return keyring

    yield open_keyring
    for keyring in opened:
        await keyring.close()


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    made = await asyncpg.connect(dsn)
    yield made
    await made.close()


class TestPostgresKeyring(KeyringSuite):
    async def test_another_master_key_opens_no_store(self, keyring_of: Open, dsn: str) -> None:
        await (await keyring_of("intake")).keys_for([ANNA], "contact")
        stranger = await PostgresKeyring.connect(dsn, MasterKey(b"x" * 32), "intake")
        with pytest.raises(WrongMasterKey):
            await stranger.keys_for([ANNA], "contact")
        await stranger.close()

    async def test_another_master_key_makes_no_keys_beside_those_of_the_right_one(
        self,
        keyring_of: Open,
        dsn: str,
        connection: "asyncpg.Connection[asyncpg.Record]",
    ) -> None:
        """The right one could never open them: all that was sealed under them would be lost."""
        await (await keyring_of("intake")).keys_for([ANNA], "contact")
        stranger = await PostgresKeyring.connect(dsn, MasterKey(b"x" * 32), "intake")
        with pytest.raises(WrongMasterKey, match="ARREARS_MASTER_KEY"):
            await stranger.keys_for([BEN], "contact")
        with pytest.raises(WrongMasterKey):
            await stranger.check_master_key()
        assert await connection.fetchval("SELECT count(*) FROM keys") == 1
        await stranger.close()

    async def test_any_master_key_begins_an_empty_store(self, dsn: str) -> None:
        await migrate(dsn)
        keyring = await PostgresKeyring.connect(dsn, MasterKey(b"x" * 32), "intake")
        await keyring.check_master_key()
        await keyring.keys_for([ANNA], "contact")
        await keyring.check_master_key()
        await keyring.close()

    async def test_an_erased_key_is_gone_from_its_row(
        self, keyring_of: Open, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        intake = await keyring_of("intake")
        await intake.keys_for([ANNA], "contact")
        await intake.erase(ANNA)
        rows = await connection.fetch("SELECT category, wrapped_key, destroyed_at FROM keys")
        assert {row["category"] for row in rows} == {"contact", "papers", "talks"}
        assert all(row["wrapped_key"] is None and row["destroyed_at"] for row in rows)

    async def test_an_erasure_waits_for_whoever_vacuums(
        self,
        keyring_of: Open,
        connection: "asyncpg.Connection[asyncpg.Record]",
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Longer than for any answer: a vacuum of a large store takes its time."""
        monkeypatch.setattr(postgres, "_ANSWER_SECONDS", 0.2)
        intake = await keyring_of("intake")
        await intake.keys_for([ANNA], "contact")
        async with connection.transaction():
            await connection.execute("LOCK TABLE keys IN SHARE UPDATE EXCLUSIVE MODE")
            erasing = asyncio.create_task(intake.erase(ANNA))
            await asyncio.wait({erasing}, timeout=0.5)
        await erasing

    async def test_an_erasure_elsewhere_binds_when_the_cache_has_aged(
        self, keyring_of: Open, dsn: str
    ) -> None:
        intake = await keyring_of("intake")
        contact = await PostgresKeyring.connect(dsn, MASTER, "contact", cache_seconds=0)
        await intake.keys_for([ANNA], "contact")
        assert (await contact.find_keys([ANNA], "contact"))[ANNA] is not ERASED
        await intake.erase(ANNA)
        assert (await contact.find_keys([ANNA], "contact"))[ANNA] is ERASED
        await contact.close()

    async def test_the_cache_is_bounded_and_right_beyond_its_bound(
        self, keyring_of: Open, dsn: str
    ) -> None:
        pool = await asyncpg.create_pool(dsn)
        small = PostgresKeyring(pool, MASTER, "intake", cached_max=10)
        names = [BorrowerId(f"b{n}") for n in range(50)]
        made = await small.keys_for(names, "contact")
        assert len(small._cache) == 10
        again = await small.keys_for(names, "contact")
        assert [seal(made[n], "e", "f", n) for n in names] == [
            seal(again[n], "e", "f", n) for n in names
        ]
        await small.close()

    async def test_a_withdrawn_grant_binds(
        self, keyring_of: Open, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        await keyring_of("legal")
        legal = await PostgresKeyring.connect(dsn, MASTER, "legal", cache_seconds=0)
        await legal.keys_for([ANNA], "papers")
        await connection.execute("UPDATE grants SET categories = '{}' WHERE service = 'legal'")
        with pytest.raises(KeyDenied):
            await legal.keys_for([ANNA], "papers")
        await legal.close()


class TestMigrate:
    async def test_it_runs_any_number_of_times_and_keeps_narrowed_grants(
        self, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        assert await migrate(dsn) == 1
        await connection.execute("UPDATE grants SET categories = '{}' WHERE service = 'legal'")
        assert await migrate(dsn) == 1
        assert (
            await connection.fetchval("SELECT categories FROM grants WHERE service = 'legal'") == []
        )

    async def test_a_store_of_a_newer_version_is_left_alone(
        self, dsn: str, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        await migrate(dsn)
        await connection.execute("INSERT INTO keyring_version VALUES (99)")
        with pytest.raises(NewerSchema, match="version 99, known is 1"):
            await migrate(dsn)

    async def test_an_unknown_category_is_refused(self, dsn: str) -> None:
        with pytest.raises(ValueError, match="legal names an unknown category 'gossip'"):
            await migrate(dsn, {"legal": ("gossip",)})  # type: ignore[dict-item]
