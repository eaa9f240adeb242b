"""The part of the store's suite about days: what is due on one, and when it may close."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from arrears.shared.eventstore.port import Change, ShardMoved, Store, Timer
from arrears.shared.kernel.ids import BorrowerId, Shard
from arrears.shared.testing.store_material import (
    ANNA,
    AT,
    DAY,
    LATER,
    LOAN,
    NEXT_DAY,
    ONE,
    TWO,
    append,
    effect,
    event,
    row,
)


class DueSuite:
    async def test_the_first_day_is_set_once(self, store: Store) -> None:
        assert await store.open_first_day(Shard(3), DAY) == DAY
        assert await store.open_first_day(Shard(3), NEXT_DAY) == DAY

    async def test_closing_a_day_opens_the_next(self, store: Store) -> None:
        await store.commit(append(event(1), expected=0, next_day=NEXT_DAY))
        states = {state.shard: state for state in await store.shard_states()}
        assert (states[ONE].open_day, states[TWO].open_day) == (NEXT_DAY, DAY)

    async def test_the_agenda_up_to_a_day_and_before_an_instant(self, store: Store) -> None:
        late = row(4, at=LATER)
        await store.commit(
            Change(agenda_added=[row(1), row(2, day=NEXT_DAY), row(3, shard=TWO), late])
        )
        found = await store.agenda([ONE], DAY, LATER, limit=9)
        assert list(found) == [row(1)]
        both = await store.agenda([ONE, TWO], NEXT_DAY, LATER + timedelta(microseconds=1), limit=9)
        assert sorted(one.row_id for one in both) == [1, 2, 3, 4]
        assert list(await store.due([ONE, TWO, Shard(3)], DAY, LATER)) == [ONE, TWO]
        assert not await store.due([ONE], DAY, AT)

    async def test_the_agenda_brings_whole_shards_only(self, store: Store) -> None:
        for number in range(3):
            await store.commit(Change(agenda_added=[row(number), row(10 + number, shard=TWO)]))
        found = await store.agenda([ONE, TWO], DAY, LATER, limit=4)
        assert {(one.shard, one.row_id) for one in found} == {(ONE, 0), (ONE, 1), (ONE, 2)}
        all_of_one = await store.agenda([ONE, TWO], DAY, LATER, limit=2)
        assert {(one.shard, one.row_id) for one in all_of_one} == {(ONE, 0), (ONE, 1), (ONE, 2)}

    async def test_the_agenda_of_those_who_wait_for_no_answer(self, store: Store) -> None:
        ben = BorrowerId("ben")
        of_ben = [replace(row(number), borrower_id=ben) for number in (2, 4)]
        await store.commit(Change(agenda_added=[row(1), row(3), row(5, shard=TWO), *of_ben]))
        asked = Change(effects_added=[effect(1), effect(2)])
        await store.commit(asked)

        async def free(limit: int = 9) -> list[int]:
            found = await store.agenda([ONE, TWO], DAY, LATER, limit=limit, free_only=True)
            return sorted(one.row_id for one in found)

        assert await free() == [2, 4, 5]
        assert await free(limit=2) == [2, 4]
        assert len(await store.agenda([ONE], DAY, LATER, limit=9)) == 4
        await store.commit(Change(effects_answered=asked.effects_added[:1]))
        assert await free() == [2, 4, 5]
        await store.commit(Change(effects_answered=asked.effects_added[1:]))
        assert await free() == [1, 2, 3, 4, 5]

    async def test_whose_rows_wait(self, store: Store) -> None:
        """By borrower and shard; what is of a later day or time does not wait yet."""
        await store.commit(Change(agenda_added=[row(1), row(2), row(3, day=NEXT_DAY)]))
        ben = BorrowerId("ben")
        asked = [(ONE, ANNA), (ONE, ben), (TWO, ANNA)]
        assert set(await store.waiting(asked, DAY, LATER)) == {ANNA}
        assert set(await store.waiting(asked[1:], DAY, LATER)) == set()
        assert set(await store.waiting(asked, DAY, AT)) == set()
        await store.commit(Change(agenda_deleted=[row(1), row(2)]))
        assert set(await store.waiting(asked, DAY, LATER)) == set()
        assert set(await store.waiting(asked, NEXT_DAY, LATER)) == {ANNA}

    async def test_a_timer_is_set_moved_and_taken_away(self, store: Store) -> None:
        first = Timer(shard=ONE, stream=LOAN, borrower_id=ANNA, due_at=AT)
        await store.commit(Change(timers=[first]))
        assert list(await store.timers([ONE, TWO], LATER)) == [first]
        assert list(await store.due([ONE, TWO], DAY, LATER)) == [ONE]
        assert not await store.timers([ONE], AT)
        assert not await store.due([ONE], DAY, AT)
        assert not await store.timers([TWO], LATER)
        await store.commit(Change(timers=[replace(first, due_at=LATER)]))
        assert not await store.timers([ONE], LATER)
        await store.commit(Change(timers=[replace(first, due_at=AT)]))
        await store.commit(Change(timers=[replace(first, due_at=None)]))
        await store.commit(Change(timers=[replace(first, due_at=None)]))
        assert not await store.timers([ONE], LATER + timedelta(days=9999))

    @pytest.mark.parametrize("few", [True, False], ids=["few events", "many"])
    async def test_an_empty_day_closes_only_where_nothing_is_due(
        self, store: Store, *, few: bool
    ) -> None:
        """A row of another shard, of a later day or instant hurts nobody."""
        count = 1 if few else 200
        await store.commit(
            Change(agenda_added=[row(1, day=NEXT_DAY), row(2, at=LATER), row(3, shard=TWO)])
        )
        due = Timer(shard=ONE, stream=LOAN, borrower_id=ANNA, due_at=AT)
        for busy in (Change(agenda_added=[row(4)]), Change(timers=[due])):
            await store.commit(busy)
            with pytest.raises(ShardMoved) as moved:
                await store.commit(closing(count))
            assert list(moved.value.shards) == [ONE]
            assert not await store.after(ONE, 0, limit=9)
            await store.commit(
                Change(agenda_deleted=busy.agenda_added, timers=[replace(due, due_at=None)])
            )
        await store.commit(Change(timers=[replace(due, due_at=LATER)]))
        await store.commit(closing(count))
        states = {state.shard: state for state in await store.shard_states()}
        assert (states[ONE].open_day, states[ONE].last_seq) == (NEXT_DAY, count)


def closing(count: int) -> Change:
    change = append(*map(event, range(1, count + 1)), expected=0, next_day=NEXT_DAY)
    change.shards[ONE].idle_until = LATER
    return change
