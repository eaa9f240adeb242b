"""The PostgreSQL store passes the suite of all event stores, and is migrated as services are."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest
from msgspec.structs import replace
from tenacity import AsyncRetrying, stop_after_delay, wait_fixed

from arrears.shared.eventstore.port import (
    Change,
    EventRepeated,
    ShardMoved,
    Store,
    StreamMoved,
    Timer,
)
from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.eventstore.postgres_commit import FEW_EVENTS
from arrears.shared.kernel.ids import BorrowerId, Shard, StreamName
from arrears.shared.testing.store_material import (
    ANNA,
    AT,
    LATER,
    LOAN,
    ONE,
    OTHER,
    TWO,
    append,
    event,
    row,
)
from arrears.shared.testing.store_suite import StoreSuite

pytestmark = pytest.mark.live
_LOCK = "SELECT FROM shards WHERE shard = $1 FOR UPDATE"
_SOMEBODY_WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"


@pytest.fixture
def store(pool: asyncpg.Pool) -> PostgresStore:
    return PostgresStore(pool)


class TestPostgresStore(StoreSuite):
    async def raise_epoch(self, store: Store, shard: Shard) -> None:
        assert isinstance(store, PostgresStore)
        await store.pool.execute("UPDATE shards SET epoch = epoch + 1 WHERE shard = $1", shard)

    async def set_aside(self, store: Store) -> dict[str, list[str]]:
        assert isinstance(store, PostgresStore)
        return {
            table: [
                found["origin"]
                for found in await store.pool.fetch(f"SELECT origin FROM {table} ORDER BY {order}")
            ]
            for table, order in (
                ("refused", "number"),
                ("duplicates", "origin"),
                ("parked", "number"),
            )
        }

    @pytest.mark.parametrize("each", [FEW_EVENTS // 2, FEW_EVENTS])
    async def test_few_and_many_events_are_numbered_alike(self, store: Store, each: int) -> None:
        """Few are appended by the statement that claims, many are copied after it."""
        one, two = StreamName("one"), StreamName("two")
        await store.commit(append(event(1, one), expected=0))
        change = append(*(event(n, one) for n in range(2, each + 2)), expected=1)
        more = append(*(event(n, two, shard=TWO) for n in range(1, each + 1)), expected=0)
        change.shards.update(more.shards)
        await store.commit(change)
        states = {state.shard: state.last_seq for state in await store.shard_states()}
        assert (states[ONE], states[TWO]) == (each + 1, each)
        for shard, stream in ((ONE, one), (TWO, two)):
            stored = await store.after(shard, 0, limit=1000)
            assert list(stored) == [
                replace(event(n, stream, shard=shard), seq=n) for n in range(1, states[shard] + 1)
            ]

    async def test_timers_are_set_with_few_events_or_not_at_all(self, store: Store) -> None:
        kept = Timer(shard=ONE, stream=LOAN, borrower_id=ANNA, due_at=AT)
        gone = replace(kept, stream=OTHER)
        await store.commit(Change(timers=[gone]))
        change = append(event(1), expected=0)
        change.timers = [kept, replace(gone, due_at=None)]
        await store.commit(change)
        assert list(await store.timers([ONE], LATER)) == [kept]
        late = append(event(2), expected=0), ShardMoved
        lost = append(event(1, name="another"), expected=1), StreamMoved
        for refused, error in (late, lost):
            refused.timers = [replace(kept, due_at=None), gone]
            with pytest.raises(error):
                await store.commit(refused)
            assert list(await store.timers([ONE], LATER)) == [kept]

    async def test_of_two_who_settle_a_home_at_once_both_learn_the_same(self, store: Store) -> None:
        """One waits for the other's commit, and has read before it."""
        assert isinstance(store, PostgresStore)
        async with store.pool.acquire() as other, other.transaction():
            await other.execute("INSERT INTO loan_homes VALUES ('l1', 'anna')")
            settling = asyncio.ensure_future(
                store.settle_homes({"l1": BorrowerId("ben"), "l2": BorrowerId("ben")})
            )
            async for attempt in AsyncRetrying(wait=wait_fixed(0.01), stop=stop_after_delay(10)):
                with attempt:
                    assert await store.pool.fetchval(_SOMEBODY_WAITS)
        assert await settling == {"l1": "anna", "l2": "ben"}

    async def test_a_failing_change_wastes_no_number(self, store: Store) -> None:
        """Numbers come from the shard row, not from a sequence (protocol 1.2)."""
        shard = Shard(1)
        await store.commit(append(event(1), expected=0))
        with pytest.raises(EventRepeated):
            await store.commit(append(event(2), event(3, name=event(1).event_id), expected=1))
        await store.commit(append(event(2), expected=1))
        assert [one.seq for one in await store.after(shard, 0, limit=9)] == [1, 2]

    async def test_who_is_ended_in_a_circle_of_waits_commits_after_all(self, store: Store) -> None:
        """The other here takes shards the wrong way. PostgreSQL ends the one who waits longest, so
        on a machine that stands still it may be the other."""
        assert isinstance(store, PostgresStore)
        change = append(event(1), expected=0)
        change.shards.update(append(event(1, shard=TWO), expected=0).shards)
        async with store.pool.acquire() as other:
            end = other.transaction()
            await end.start()
            await other.execute(_LOCK, TWO)
            committing = asyncio.create_task(store.commit(change))
            async for attempt in AsyncRetrying(wait=wait_fixed(0.01), stop=stop_after_delay(10)):
                with attempt:
                    assert await store.pool.fetchval(_SOMEBODY_WAITS)
            with suppress(asyncpg.DeadlockDetectedError):
                await other.execute(_LOCK, ONE)
            await end.rollback()
        await committing
        assert [len(await store.after(shard, 0, limit=9)) for shard in (ONE, TWO)] == [1, 1]

    async def test_order_keys_hold_any_byte(self, store: Store) -> None:
        """A text column would refuse the NUL between loan and position."""
        await store.commit(Change(agenda_added=[row(1)]))
        found = await store.agenda([Shard(1)], row(1).day, row(2).at.replace(hour=23), limit=9)
        assert list(found) == [row(1)]
