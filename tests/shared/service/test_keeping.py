"""What is kept of refused input and of answers: sealed, for a while, and then forgotten."""

from datetime import UTC, date, datetime

import asyncpg
import pytest
from msgspec.structs import replace

from arrears.shared.eventstore.port import AgendaRow, Change, ParkedInput, RefusedInput
from arrears.shared.kernel.ids import BorrowerId, shard_of
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.keyring.sealing import ERASED, SealBroken
from arrears.shared.runtime.stage import FEED_RANK
from arrears.shared.service.housekeeping import Housekeeping
from arrears.shared.service.refusals import SealingStore, opened, sealed

ANNA, BEN = BorrowerId("anna"), BorrowerId("ben")
BYTES = b'{"data":{"borrower_id":"anna","phone":"+86 138 0000 0000"}}\xff\x00'
PARKED_AT = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)


def _refused(borrower: BorrowerId | None, origin: str = "feed/0/1") -> RefusedInput:
    return RefusedInput(
        origin=origin,
        reason="out_of_range",
        field="data.amount",
        fact_id=None,
        borrower_id=borrower,
        day=None,
        value=BYTES,
        refused_at=datetime(2026, 3, 2, tzinfo=UTC),
    )


class TestSealed:
    async def test_a_known_borrowers_bytes_open_under_its_key_alone(self) -> None:
        keyring = MemoryKeyStore().keyring("intake")
        [kept] = await sealed(keyring, [_refused(ANNA)])
        assert b"138" not in kept.value
        assert await opened(keyring, ANNA, kept.origin, kept.value) == BYTES
        await sealed(keyring, [_refused(BEN)])
        for borrower, origin in ((BEN, kept.origin), (ANNA, "feed/0/2")):
            with pytest.raises(SealBroken):
                await opened(keyring, borrower, origin, kept.value)

    async def test_where_nobody_is_known_they_stay_as_they_came(self) -> None:
        keyring = MemoryKeyStore().keyring("intake")
        assert await sealed(keyring, [_refused(None)]) == [_refused(None)]
        assert await opened(keyring, None, "feed/0/1", b"s1.junk") == b"s1.junk"

    async def test_sealing_again_gives_the_same(self) -> None:
        keyring = MemoryKeyStore().keyring("intake")
        once = await sealed(keyring, [_refused(ANNA)])
        assert await sealed(keyring, [_refused(ANNA)]) == once
        assert await sealed(keyring, once) == once

    async def test_an_erased_borrower_leaves_nothing_to_read(self) -> None:
        keyring = MemoryKeyStore().keyring("intake")
        [kept] = await sealed(keyring, [_refused(ANNA)])
        await keyring.erase(ANNA)
        assert await opened(keyring, ANNA, kept.origin, kept.value) is ERASED
        [later] = await sealed(keyring, [_refused(ANNA, "feed/0/9")])
        assert await opened(keyring, ANNA, later.origin, later.value) is ERASED
        assert b"138" not in later.value


@pytest.mark.live
class TestStore:
    async def test_no_known_borrowers_bytes_reach_the_table_in_the_clear(
        self, pool: asyncpg.Pool
    ) -> None:
        keyring = MemoryKeyStore().keyring("intake")
        store = SealingStore(pool, keyring)
        await store.commit(Change(refused=[_refused(ANNA), _refused(None, "feed/0/2")]))
        rows = await pool.fetch("SELECT origin, borrower_id, value FROM refused ORDER BY number")
        assert [b"138" in row["value"] for row in rows] == [False, True]
        for row in rows:
            assert await opened(keyring, row["borrower_id"], row["origin"], row["value"]) == BYTES

    async def test_parked_feed_records_are_sealed_and_come_back_as_they_were(
        self, pool: asyncpg.Pool
    ) -> None:
        keyring = MemoryKeyStore().keyring("intake")
        store = SealingStore(pool, keyring)
        rows = [_row(FEED_RANK, "feed/0/1", BYTES), _row(3, "arrears.contact.v1/3/7", b"{}")]
        await store.commit(
            Change(
                parked=[
                    ParkedInput(row=row, error="", first=False, parked_at=PARKED_AT) for row in rows
                ]
            )
        )
        kept = await pool.fetch("SELECT value, parked_at FROM parked ORDER BY number")
        assert [row["parked_at"] for row in kept] == [PARKED_AT] * 2
        assert b"138" not in kept[0]["value"]
        assert kept[1]["value"] == b"{}"
        assert [row for _, row in await store.parked_inputs(ANNA)] == rows

    async def test_what_was_parked_of_an_erased_borrower_cannot_be_read(
        self, pool: asyncpg.Pool
    ) -> None:
        keyring = MemoryKeyStore().keyring("intake")
        store = SealingStore(pool, keyring)
        row = _row(FEED_RANK, "feed/0/1", BYTES)
        parked = ParkedInput(row=row, error="", first=True, parked_at=PARKED_AT)
        await store.commit(Change(parked=[parked]))
        await keyring.erase(ANNA)
        [(_, found)] = await store.parked_inputs(ANNA)
        assert b"138" not in found.value

    async def test_what_was_parked_under_a_key_that_is_lost_can_still_be_given_up(
        self, pool: asyncpg.Pool
    ) -> None:
        """It stays sealed: the list is answered, for staff to skip it or try it again."""
        row = _row(FEED_RANK, "feed/0/1", BYTES)
        parked = ParkedInput(row=row, error="", first=True, parked_at=PARKED_AT)
        await SealingStore(pool, MemoryKeyStore().keyring("intake")).commit(Change(parked=[parked]))
        await pool.execute("UPDATE parked SET value = value || 'x'::bytea")
        store = SealingStore(pool, MemoryKeyStore().keyring("intake"))
        await store.commit(Change(refused=[_refused(ANNA)]))
        [(_, found)] = await store.parked_inputs(ANNA)
        assert found.value.startswith(b"s1.")


def _row(rank: int, origin: str, value: bytes) -> AgendaRow:
    return AgendaRow(
        shard=shard_of(ANNA),
        day=date(2026, 3, 2),
        at=datetime(2026, 3, 2, tzinfo=UTC),
        rank=rank,
        borrower_id=ANNA,
        order=origin,
        origin=origin,
        value=value,
        row_id=len(origin),
    )


@pytest.mark.live
class TestHousekeeping:
    async def test_expired_bytes_go_and_the_reason_stays(self, pool: asyncpg.Pool) -> None:
        store = SealingStore(pool, MemoryKeyStore().keyring("intake"))
        many = [replace(_refused(None), origin=f"feed/0/{number}") for number in range(5)]
        await store.commit(Change(refused=many))
        await pool.execute(
            "UPDATE refused SET bytes_expire_at = now() + (number - 4) * interval '1 hour'"
        )
        keeping = Housekeeping(pool, batch=2)
        assert await keeping.step()
        left = "SELECT count(*) FROM refused WHERE value IS NOT NULL"
        assert await pool.fetchval(left) == 3
        while await keeping.step():
            pass
        assert await pool.fetchval(left) == 1
        assert await pool.fetchval("SELECT count(*) FROM refused WHERE reason <> ''") == 5

    async def test_answers_go_after_a_week_in_batches(self, pool: asyncpg.Pool) -> None:
        await pool.execute(
            "INSERT INTO idempotency SELECT n::text, 'li', '', 200, '', now() - n * interval"
            " '1 day' FROM generate_series(1, 12) AS n"
        )
        keeping = Housekeeping(pool, batch=3)
        steps = 0
        while await keeping.step():
            steps += 1
        assert steps == 2
        kept = await pool.fetch("SELECT key FROM idempotency")
        assert sorted(int(row["key"]) for row in kept) == [1, 2, 3, 4, 5, 6]
