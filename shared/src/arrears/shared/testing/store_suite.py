"""What an event store must do, whichever it is. Subclasses give an empty store and look inside."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from arrears.shared.eventstore.port import (
    Change,
    Duplicate,
    EventRepeated,
    Fenced,
    ParkedInput,
    ShardMoved,
    Store,
    StreamMoved,
)
from arrears.shared.kernel.ids import SHARD_COUNT, BorrowerId, EventId, Shard, StreamName
from arrears.shared.testing.doubt_suite import DoubtSuite
from arrears.shared.testing.due_suite import DueSuite
from arrears.shared.testing.store_material import (
    ANNA,
    AT,
    DAY,
    LATER,
    LOAN,
    NEXT_DAY,
    ONE,
    OTHER,
    TOPIC,
    TWO,
    append,
    effect,
    event,
    failing_changes,
    full_change,
    move,
    refused,
    row,
)


class StoreSuite(DoubtSuite, DueSuite):
    """Needs a fixture `store`: empty, with a row for every shard and cursor."""

    async def raise_epoch(self, store: Store, shard: Shard) -> None:
        """As a claim of the shard's lease does."""
        raise NotImplementedError

    async def set_aside(self, store: Store) -> dict[str, list[str]]:
        """Origins of what was refused, of duplicates, and of what was parked, in order."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    async def _first_days(self, store: Store) -> None:
        for shard in (ONE, TWO):
            await store.open_first_day(shard, DAY)
        await store.prepare_positions([(TOPIC, 0), (TOPIC, 1)])

    async def last_seq(self, store: Store, shard: Shard = ONE) -> int:
        return next(s.last_seq for s in await store.shard_states() if s.shard == shard)

    async def everything(self, store: Store) -> object:
        """All that a change could have moved, to compare before and after."""
        shards = [ONE, TWO]
        return (
            list(await store.shard_states()),
            [await store.after(shard, 0, limit=1000) for shard in shards],
            sorted(await store.agenda(shards, NEXT_DAY, LATER, limit=1000), key=lambda r: r.row_id),
            sorted(await store.timers(shards, LATER), key=lambda t: t.stream),
            sorted(await store.effects(shards), key=lambda e: e.event_id),
            sorted(await store.positions(), key=lambda p: (p.topic, p.partition)),
            dict(await store.cursors(shards)),
            await self.set_aside(store),
        )

    # --- Numbers and versions

    async def test_there_is_a_state_for_every_shard(self, store: Store) -> None:
        states = await store.shard_states()
        assert [state.shard for state in states] == list(range(SHARD_COUNT))
        assert {(state.last_seq, state.epoch, state.owner) for state in states} == {(0, 0, None)}

    async def test_events_are_numbered_from_one_without_holes(self, store: Store) -> None:
        await store.commit(append(event(1), event(1, OTHER), expected=0))
        await store.commit(append(event(2), expected=2))
        await store.commit(append(event(1, StreamName("s"), shard=TWO), expected=0))
        assert [found.seq for found in await store.after(ONE, 0, limit=10)] == [1, 2, 3]
        assert [found.seq for found in await store.after(TWO, 0, limit=10)] == [1]
        assert await self.last_seq(store) == 3

    async def test_an_event_comes_back_as_it_was_given(self, store: Store) -> None:
        await store.commit(append(event(1), event(2), event(3), expected=0))
        assert list(await store.after(ONE, 1, limit=1)) == [replace(event(2), seq=2)]

    async def test_of_an_event_its_data_may_be_read_alone(self, store: Store) -> None:
        await store.commit(append(event(1), event(2), event(3), expected=0))
        found = await store.data_after(ONE, 1, limit=1)
        assert [tuple(one) for one in found] == [(2, event(2).type, b'{"number":2}')]

    async def test_an_event_is_found_by_its_id_in_whichever_shard(self, store: Store) -> None:
        await store.commit(append(event(1), event(2), expected=0))
        await store.commit(append(event(1, StreamName("z"), shard=TWO, name="far"), expected=0))
        assert await store.event(event(2).event_id) == replace(event(2), seq=2)
        found = await store.event(EventId("far"))
        assert found is not None
        assert (found.shard, found.seq) == (TWO, 1)
        assert await store.event(EventId("nobody")) is None

    async def test_events_after_a_number_come_in_pages(self, store: Store) -> None:
        await store.commit(append(*(event(n) for n in range(1, 8)), expected=0))
        assert [found.seq for found in await store.after(ONE, 2, limit=3)] == [3, 4, 5]
        assert list(await store.after(ONE, 7, limit=3)) == []

    async def test_a_scan_brings_all_events_of_a_shard(self, store: Store) -> None:
        await store.commit(append(*(event(n) for n in range(1, 4501)), expected=0))
        seqs = [found.seq async for page in store.scan(ONE) for found in page]
        assert seqs == list(range(1, 4501))

    async def test_streams_are_loaded_in_order(self, store: Store) -> None:
        await store.commit(append(event(1), event(1, OTHER), event(2), expected=0))
        await store.commit(append(event(1, StreamName("z"), shard=TWO), expected=0))
        unknown = StreamName("nobody")
        found = await store.load({TWO: [StreamName("z")], ONE: [OTHER, LOAN, LOAN, unknown]})
        places = [(one.shard, one.stream, one.version, one.seq) for one in found]
        assert places == [(1, LOAN, 1, 1), (1, LOAN, 2, 3), (1, OTHER, 1, 2), (2, "z", 1, 1)]

    async def test_a_stream_is_of_its_shard(self, store: Store) -> None:
        await store.commit(append(event(1), expected=0))
        assert not await store.load({TWO: [LOAN]})

    async def test_a_version_that_is_there_moves_the_stream(self, store: Store) -> None:
        await store.commit(append(event(1), expected=0))
        with pytest.raises(StreamMoved):
            await store.commit(append(event(1, name="another"), expected=None, epoch=None))

    async def test_an_id_that_is_there_is_a_repetition(self, store: Store) -> None:
        await store.commit(append(event(1, name="same"), expected=0))
        with pytest.raises(EventRepeated):
            await store.commit(append(event(2, name="same"), expected=1))
        with pytest.raises(EventRepeated):
            await store.commit(append(event(2, name="x"), event(3, name="x"), expected=1))

    async def test_the_same_id_in_another_shard_is_another_event(self, store: Store) -> None:
        await store.commit(append(event(1, name="same"), expected=0))
        await store.commit(append(event(1, shard=TWO, name="same"), expected=0))

    # --- What a change expects

    async def test_a_shard_that_moved_is_named(self, store: Store) -> None:
        await store.commit(append(event(1), expected=0))
        both = append(event(2), expected=0)
        both.shards.update(append(event(1, OTHER, shard=TWO), expected=0).shards)
        with pytest.raises(ShardMoved) as moved:
            await store.commit(both)
        assert moved.value.shards == (ONE,)
        assert await self.last_seq(store, TWO) == 0

    async def test_nothing_to_append_still_notices_that_the_shard_moved(self, store: Store) -> None:
        """A repayment decided on v5 yields nothing, but v6 is there (protocol 1.4)."""
        await store.commit(append(event(1), expected=0))
        with pytest.raises(ShardMoved):
            await store.commit(append(expected=0))

    async def test_another_business_day_has_moved_the_shard(self, store: Store) -> None:
        with pytest.raises(ShardMoved):
            await store.commit(append(event(1), expected=0, day=NEXT_DAY))
        with pytest.raises(ShardMoved):
            await store.commit(append(event(1), expected=None, epoch=None, day=None))

    async def test_a_command_needs_no_number_but_the_version(self, store: Store) -> None:
        await store.commit(append(event(1), expected=0))
        await store.commit(append(event(1, OTHER), expected=None, epoch=None))
        assert [found.seq for found in await store.after(ONE, 0, limit=9)] == [1, 2]

    async def test_another_epoch_is_another_owner(self, store: Store) -> None:
        await self.raise_epoch(store, ONE)
        with pytest.raises(Fenced):
            await store.commit(append(event(1), expected=0, epoch=0))
        await store.commit(append(event(1), expected=0, epoch=1))

    async def test_a_command_holds_no_lease(self, store: Store) -> None:
        await self.raise_epoch(store, ONE)
        await store.commit(append(event(1), expected=None, epoch=None))

    async def test_a_position_moves_only_from_where_it_is(self, store: Store) -> None:
        await store.commit(Change(positions=[move(0, 5), move(0, 7, 1)]))
        with pytest.raises(Fenced):
            await store.commit(Change(positions=[move(0, 6)]))
        with pytest.raises(Fenced):
            await store.commit(Change(positions=[move(5, 6), move(0, 8, 1)]))
        await store.commit(Change(positions=[move(5, 6)]))
        found = {p.partition: p for p in await store.positions()}
        assert (found[0].position, found[1].position) == (6, 7)
        assert (found[0].last_seq, found[0].last_hash) == (6, b"\x01\xff")
        assert (found[0].closed_day, found[0].first_day) == (DAY, DAY)

    async def test_a_position_that_nobody_prepared_is_fenced(self, store: Store) -> None:
        with pytest.raises(Fenced):
            await store.commit(Change(positions=[move(0, 1, 9)]))

    async def test_preparing_positions_again_moves_none(self, store: Store) -> None:
        await store.commit(Change(positions=[move(0, 5)]))
        await store.prepare_positions([(TOPIC, 0), (TOPIC, 2)])
        found = {p.partition: p.position for p in await store.positions()}
        assert found == {0: 5, 1: 0, 2: 0}

    async def test_agenda_rows_are_handled_once(self, store: Store) -> None:
        await store.commit(Change(agenda_added=[row(1), row(2)]))
        await store.commit(Change(agenda_deleted=[row(1)]))
        with pytest.raises(Fenced):
            await store.commit(Change(agenda_deleted=[row(1), row(2)]))
        with pytest.raises(Fenced):
            await store.commit(Change(agenda_deleted=[row(2), row(2)]))
        left = await store.agenda([ONE], DAY, LATER, limit=9)
        assert [found.row_id for found in left] == [2]

    async def test_an_agenda_row_is_heard_once(self, store: Store) -> None:
        await store.commit(Change(agenda_added=[row(1)]))
        with pytest.raises(Fenced):
            await store.commit(Change(agenda_added=[row(1)]))

    async def test_effects_are_answered_once(self, store: Store) -> None:
        await store.commit(Change(effects_added=[effect(1), effect(2)]))
        await store.commit(Change(effects_answered=[effect(1)]))
        with pytest.raises(Fenced):
            await store.commit(Change(effects_answered=[effect(1), effect(2)]))
        assert list(await store.effects([ONE, TWO])) == [effect(2)]

    async def test_an_effect_is_asked_for_once(self, store: Store) -> None:
        await store.commit(Change(effects_added=[effect(1)]))
        with pytest.raises(Fenced):
            await store.commit(Change(effects_added=[effect(1)]))

    async def test_nothing_of_a_failing_change_remains(self, store: Store) -> None:
        await store.commit(append(event(1), expected=0))
        await store.commit(
            Change(agenda_added=[row(1)], effects_added=[effect(1)], positions=[move(0, 5)])
        )
        before = await self.everything(store)
        for spoilt in failing_changes():
            with pytest.raises((Fenced, ShardMoved, StreamMoved, EventRepeated)):
                await store.commit(spoilt)
            assert await self.everything(store) == before
        await store.commit(full_change())
        assert await self.everything(store) != before

    # --- Effects

    async def test_effects_wait_by_shard_and_remember_being_sent(self, store: Store) -> None:
        await store.commit(Change(effects_added=[effect(1), effect(2, shard=TWO)]))
        await store.mark_sent([effect(2, shard=TWO)], LATER)
        assert list(await store.effects([ONE])) == [effect(1)]
        sent = replace(effect(2, shard=TWO), sent_at=LATER)
        assert list(await store.effects([TWO])) == [sent]
        await store.mark_in_doubt([sent])
        assert list(await store.effects([TWO])) == [replace(sent, in_doubt=True)]

    async def test_an_effect_is_marked_by_one_of_two_who_would_send_it(self, store: Store) -> None:
        """Compare-and-set (protocol 1.3): who was frozen in between learns it before sending."""
        await store.commit(Change(effects_added=[effect(1), effect(2)]))
        await store.mark_sent([effect(1)], AT)
        with pytest.raises(Fenced):
            await store.mark_sent([effect(2), effect(1)], LATER)
        assert list(await store.effects([ONE])) == [replace(effect(1), sent_at=AT), effect(2)]
        await store.mark_sent([replace(effect(1), sent_at=AT)], LATER)
        await store.mark_in_doubt([effect(2)])
        with pytest.raises(Fenced):
            await store.mark_sent([effect(2)], LATER)

    async def test_homes_are_settled_once(self, store: Store) -> None:
        ben = BorrowerId("ben")
        assert await store.settle_homes({"l1": ANNA}) == {"l1": ANNA}
        assert await store.settle_homes({"l1": ben, "l2": ben}) == {"l1": ANNA, "l2": ben}

    async def test_a_home_that_is_only_asked_for_is_not_settled(self, store: Store) -> None:
        assert not await store.settle_homes({"l1": None})
        assert await store.settle_homes({"l1": ANNA, "l2": None}) == {"l1": ANNA}
        assert await store.settle_homes({"l1": None}) == {"l1": ANNA}

    async def test_of_many_who_settle_a_home_at_once_all_hear_the_same(self, store: Store) -> None:
        for number in range(30):
            said = await asyncio.gather(
                *(store.settle_homes({f"l{number}": BorrowerId(f"b{n}")}) for n in range(4))
            )
            assert len({one[f"l{number}"] for one in said}) == 1

    async def test_parked_borrowers_are_known_by_shard(self, store: Store) -> None:
        parked = [
            ParkedInput(row=row(n), error="", first=n == 1, parked_at=at)
            for n, at in ((1, AT), (2, LATER))
        ]
        await store.commit(Change(parked=parked))
        assert await store.parked_borrowers([ONE, TWO]) == {ANNA: AT}
        assert not await store.parked_borrowers([TWO])
        assert (await self.set_aside(store))["parked"] == [row(1).origin, row(2).origin]

    async def test_a_parked_input_is_taken_once_and_the_others_keep_their_numbers(
        self, store: Store
    ) -> None:
        parked = [ParkedInput(row=row(n), error="", first=n == 1, parked_at=AT) for n in (1, 2)]
        await store.commit(Change(parked=parked))
        (first, _), second = await store.parked_inputs(ANNA)
        await store.commit(Change(unparked=[first]))
        assert await store.parked_inputs(ANNA) == [second]
        with pytest.raises(Fenced):
            await store.commit(Change(unparked=[first]))
        assert await store.parked_inputs(ANNA) == [second]

    async def test_a_refusal_and_a_duplicate_count_once_by_origin(self, store: Store) -> None:
        one = Duplicate(origin="feed/0/1", event_id=EventId("e"))
        for _ in range(2):
            await store.commit(Change(refused=[refused(1)], duplicates=[one]))
        found = await self.set_aside(store)
        assert (found["refused"], found["duplicates"]) == (["feed/0/1"], ["feed/0/1"])

    # --- The relay's cursor

    async def test_cursors_move_only_from_where_they_are(self, store: Store) -> None:
        assert await store.cursors([ONE, TWO]) == {ONE: 0, TWO: 0}
        await store.move_cursors({ONE: (0, 3), TWO: (0, 1)})
        with pytest.raises(Fenced):
            await store.move_cursors({ONE: (3, 4), TWO: (0, 2)})
        assert await store.cursors([ONE, TWO]) == {ONE: 3, TWO: 1}

    # --- Together

    async def test_two_who_append_at_once_lose_nothing_and_leave_no_hole(
        self, store: Store
    ) -> None:
        async def write(stream: StreamName) -> None:
            for version in range(1, 21):
                while True:
                    expected = await self.last_seq(store)
                    try:
                        await store.commit(append(event(version, stream), expected=expected))
                        break
                    except ShardMoved:
                        await asyncio.sleep(0)

        names = [StreamName(f"s-{n}") for n in range(4)]
        await asyncio.gather(*map(write, names))
        found = await store.after(ONE, 0, limit=1000)
        assert [one.seq for one in found] == list(range(1, 81))
        for name in names:
            versions = [one.version for one in found if one.stream == name]
            assert versions == list(range(1, 21))

    async def test_of_two_commands_on_one_version_one_wins(self, store: Store) -> None:
        async def command(name: str) -> bool:
            try:
                await store.commit(append(event(1, name=name), expected=None, epoch=None))
            except StreamMoved:
                return False
            return True

        won = await asyncio.gather(*(command(f"c{n}") for n in range(6)))
        assert sum(won) == 1
        assert await self.last_seq(store) == 1

    async def test_of_two_who_handle_the_same_rows_one_wins(self, store: Store) -> None:
        rows = [row(n) for n in range(5)]
        await store.commit(Change(agenda_added=rows))

        async def handle() -> bool:
            try:
                await store.commit(Change(agenda_deleted=rows))
            except Fenced:
                return False
            return True

        assert sum(await asyncio.gather(*(handle() for _ in range(4)))) == 1

    async def test_changes_of_many_shards_do_not_wait_for_one_another_for_ever(
        self, store: Store
    ) -> None:
        """Shards are locked in one order, whatever the order in the change (protocol 1.3)."""

        async def write(shards: Sequence[Shard], name: str) -> None:
            parts = {
                shard: append(
                    event(1, StreamName(name), shard=shard), expected=None, epoch=None
                ).shards[shard]
                for shard in shards
            }
            await store.commit(Change(shards=parts))

        await asyncio.gather(
            *(write((ONE, TWO) if n % 2 else (TWO, ONE), f"s-{n}") for n in range(10))
        )
        for shard in (ONE, TWO):
            seqs = [one.seq for one in await store.after(shard, 0, limit=99)]
            assert seqs == list(range(1, 11))
