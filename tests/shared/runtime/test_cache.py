"""Protocol 1.3 and 1.4: caches are hints, and every change names what it expects."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from arrears.shared.eventstore.port import Fenced
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, StreamName
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.shelves import Draft
from arrears.shared.runtime.transact import transact
from arrears.shared.runtime.workbench import Cause, Workbench
from arrears.shared.testing.toy_desk import Note, SendNow
from arrears.shared.testing.toy_intake import CALENDAR
from arrears.shared.testing.toy_world import ToyWorld, day, drain


class TestProtocol24:
    """The same cause, stream, type and ordinal, the same id."""

    async def test_two_commands_of_one_cause_for_one_stream_are_two_events(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stage = world.stages["legal"]
        react = stage.react

        def twice(said: object, heard: object, at: datetime) -> object:
            return [*react(said, heard, at), *react(said, heard, at)]  # type: ignore[arg-type]

        object.__setattr__(stage, "react", twice)
        world.fact(1, "anna", 1)
        await world.run_days(1, 4)
        first, second = world.read("legal", "noted", "anna")
        assert first["causationid"] == second["causationid"]
        assert first["id"] != second["id"]
        again = ToyWorld()
        object.__setattr__(again.stages["legal"], "react", twice)
        await again.start()
        again.fact(1, "anna", 1)
        await again.run_days(1, 4)
        assert [one["id"] for one in again.read("legal", "noted")] == [first["id"], second["id"]]

    async def test_the_second_of_two_on_a_day_that_was_read_back_is_not_taken_for_a_repeat(
        self, world: ToyWorld
    ) -> None:
        """Ids of the open day are known from the store: part and ordinal tell them apart."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        bench = world.contact.bench
        shelf = bench.shelves[world.shard("anna")]
        stream = StreamName("contact.borrower-anna")
        await bench.load({shelf.shard: [(stream, "contact.borrower", BorrowerId("anna"))]})
        cause = Cause(id="heard")
        at = CALENDAR.start_of(day(2))
        ids = []
        for part in (0, 1):
            draft = Draft(world.now())
            command = Note(subject="s", what="w")
            bench.decide(draft, shelf, stream, command, replace(cause, part=part), at)
            [event] = draft.change.shards[shelf.shard].events
            ids.append(event.event_id)
            draft.undo()
        assert len(set(ids)) == 2


class TestProtocol14:
    """Cached state of a shard is valid only while `last_seq` read under the lock equals it."""

    async def test_also_what_leads_to_no_event_is_decided_on_what_is_there(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Contact notes a repayment where something was promised; a person notes the promise while
        the state without it is cached."""
        stage = world.stages["contact"]
        borrower = stage.deciders["contact.borrower"]

        def decide(command: object, state: Any) -> Sequence[object]:
            hears_money = isinstance(command, Note) and command.what == "repayment_recorded"
            if hears_money and not state.notes:
                return ()
            return borrower.decide(command, state)

        changed = dataclasses.replace(borrower, decide=decide)
        monkeypatch.setitem(world.contact.bench.deciders, "contact.borrower", changed)
        world.fact(1, "anna", 1)
        world.fact(2, "ben", 1)
        world.fact(3, "ben", 3)
        await world.run_days(1, 3)
        await transact(
            stage,
            world.stores["contact"],
            Issue("contact.borrower", "anna", Note(subject="promise", what="promise")),
            BorrowerId("anna"),
            cause=Cause(id="p", actor="staff"),
            at=CALENDAR.start_of(day(4)),
            recorded_at=world.now(),
        )
        world.fact(4, "anna", 4, what="repayment", hour=1)
        await world.run_days(4, 5)
        said = [one["data"]["what"] for one in world.read("contact", "noted", "anna")]
        assert said == ["promise", "repayment_recorded"]

    async def test_a_decision_on_a_stale_cache_is_made_again(self, world: ToyWorld) -> None:
        """Cached v5, the API appends v6, the repayment decided on v5 is decided again."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        cached = world.intake.bench.shelves[world.shard("anna")].last_seq
        assert await world.hold("anna", 2) == 1
        assert world.intake.bench.shelves[world.shard("anna")].last_seq == cached
        world.fact(2, "anna", 2, what="repayment", amount=70)
        await world.run_days(2, 2)
        assert world.nouns("intake", "anna")[-2:] == ["case_held", "repayment_recorded"]
        versions = [event.version for event in world.stored("intake", "anna")]
        assert versions == list(range(1, len(versions) + 1))
        world.check_laws()

    async def test_what_yields_nothing_on_a_stale_cache_is_decided_again(
        self, world: ToyWorld
    ) -> None:
        """Nothing appended conflicts with nothing, yet the shard moved."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        shelf = world.intake.bench.shelves[world.shard("anna")]
        await world.hold("anna", 2)
        before = shelf.last_seq
        world.close(day(2))
        await world.settle()
        assert shelf.last_seq == before + 2  # The hold and the closing of the day.
        world.check_laws()

    async def test_a_command_between_any_two_steps_is_neither_lost_nor_loses(self) -> None:
        quiet = ToyWorld()
        await quiet.start()
        quiet.fact(1, "anna", 1)
        quiet.fact(2, "anna", 2, what="repayment")
        await quiet.run_days(1, 4)
        expected = quiet.nouns("intake", "anna")
        for turn in range(14):
            world = ToyWorld()
            await world.start()
            world.fact(1, "anna", 1)
            await world.run_days(1, 1)
            world.fact(2, "anna", 2, what="repayment")
            world.close(day(2))
            steps = 0
            for owner in world.owners.values():
                for step in (owner.hear, owner.handle, owner.act, owner.publish):
                    if steps == turn:
                        await world.hold("anna", 2)
                    await step()
                    steps += 1
            await world.settle()
            await world.run_days(3, 4)
            nouns = world.nouns("intake", "anna")
            assert nouns.count("case_held") == 1
            assert [noun for noun in nouns if noun != "case_held"] == expected
            world.check_laws()

    async def test_a_command_on_a_stream_that_is_decided_at_once_is_repeated(
        self, world: ToyWorld
    ) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        assert await world.hold("anna", 2, "first") == 1
        assert await world.hold("anna", 2, "second") == 1
        assert [e["data"]["reason"] for e in world.read("intake", "case_held")] == [
            "first",
            "second",
        ]

    async def test_commands_before_the_first_business_day_are_refused(
        self, world: ToyWorld
    ) -> None:
        with pytest.raises(Refused, match="before_the_first_business_day"):
            await world.hold("anna", 1)

    async def test_a_command_writes_the_timers_of_its_stream_whatever_it_found(
        self, world: ToyWorld
    ) -> None:
        """A fresh desk cannot know which of them have fired without leaving an event."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        [planned] = world.read("contact", "notice_planned")
        store = world.stores["contact"]
        [before] = store.timer_rows.values()
        store.timer_rows.clear()
        await transact(
            world.stages["contact"],
            store,
            Issue("contact.borrower", "anna", Note(subject="a visit", what="noted")),
            BorrowerId("anna"),
            cause=Cause(id="note", actor="staff"),
            at=CALENDAR.start_of(day(2)),
            recorded_at=world.now(),
        )
        assert planned["data"]["send_at"] == "2024-03-02T02:00:00Z"
        assert list(store.timer_rows.values()) == [before]

    async def test_what_was_loaded_with_news_is_not_folded_again_with_them(
        self, world: ToyWorld
    ) -> None:
        """The number of the shard was read before the stream, and a command came in between."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        stage, store = world.stages["contact"], world.stores["contact"]
        place, shard = StreamName("contact.borrower-anna"), world.shard("anna")
        bench = Workbench(stage, store)
        shelf = bench.open_shelf(replace(store.shards[shard]))
        await transact(
            stage,
            store,
            Issue("contact.borrower", "anna", Note(subject="a visit", what="noted")),
            BorrowerId("anna"),
            cause=Cause(id="note", actor="staff"),
            at=CALENDAR.start_of(day(2)),
            recorded_at=world.now(),
        )
        folded: list[object] = []
        decider = bench.deciders["contact.borrower"]

        def evolve(state: object, event: object) -> object:
            folded.append(event)
            return decider.evolve(state, event)

        bench.deciders["contact.borrower"] = dataclasses.replace(decider, evolve=evolve)
        await bench.load({shard: [(place, "contact.borrower", BorrowerId("anna"))]})
        known = [*folded]
        await bench.refresh(store.shards[shard])
        assert shelf.last_seq == store.shards[shard].last_seq
        assert folded == known

    async def test_a_command_that_asks_for_an_effect_blocks_its_borrower(
        self, world: ToyWorld
    ) -> None:
        """The letter goes out though no timer fell due, and once."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        [planned] = world.read("contact", "notice_planned")
        await transact(
            world.stages["contact"],
            world.stores["contact"],
            Issue("contact.borrower", "anna", SendNow(case_id=planned["data"]["case_id"])),
            BorrowerId("anna"),
            cause=Cause(id="now", actor="staff"),
            at=CALENDAR.start_of(day(2)),
            recorded_at=world.now(),
        )
        world.fact(2, "anna", 2, what="repayment")
        await world.contact.refresh()
        await world.run_days(2, 3)
        assert len(world.gateway.asked) == 1
        assert world.nouns("contact", "anna").count("treatment_completed") == 1
        world.check_laws()

    async def test_nothing_is_decided_for_a_borrower_whom_a_command_has_just_blocked(
        self, world: ToyWorld
    ) -> None:
        """The owner finds the command's effect only when its own commit has failed."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        [planned] = world.read("contact", "notice_planned")
        world.fact(2, "anna", 2, what="repayment", hour=1)
        world.close(day(2))
        await drain(world.intake.hear)
        await drain(world.intake.handle)
        await drain(world.intake.publish)
        await drain(world.contact.hear)
        await transact(
            world.stages["contact"],
            world.stores["contact"],
            Issue("contact.borrower", "anna", SendNow(case_id=planned["data"]["case_id"])),
            BorrowerId("anna"),
            cause=Cause(id="now", actor="staff"),
            at=CALENDAR.start_of(day(2)),
            recorded_at=world.now(),
        )
        await world.contact.handle()
        assert world.nouns("contact", "anna") == ["notice_planned", "notice_sent"]
        await world.settle()
        assert "noted" in world.nouns("contact", "anna")
        world.check_laws()


class TestProtocol13:
    """What makes a zombie harmless is that every transaction moves something exactly once."""

    async def test_an_owner_whose_epoch_is_over_decides_nothing_more(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        world.close(day(1))
        zombie = world.intake
        await drain(zombie.hear)
        store = world.stores["intake"]
        for shard, state in store.shards.items():
            store.shards[shard] = replace(state, epoch=state.epoch + 1)
        heir = await world.restart("intake")
        with pytest.raises(Fenced):
            await zombie.handle()
        await heir.handle()
        assert world.nouns("intake", "anna")[0] == "fact_recorded"

    async def test_agenda_rows_are_handled_by_one_even_without_an_epoch(
        self, world: ToyWorld
    ) -> None:
        """Two owners prepared the same rows: fewer rows deleted than prepared is the end of one."""
        world.fact(1, "anna", 1)
        world.close(day(1))
        zombie = world.intake
        await drain(zombie.hear)
        await zombie.books.open(zombie.bench.shelves, [])
        heir = await world.restart("intake")
        await heir.handle()
        with pytest.raises(Fenced):
            await drain(zombie.handle)
        facts = world.nouns("intake", "anna").count("fact_recorded")
        assert facts == 1

    async def test_a_position_moves_once(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        world.close(day(1))
        zombie = world.intake
        heir = await world.restart("intake")
        await drain(heir.hear)
        with pytest.raises(Fenced):
            await drain(zombie.hear)
        assert len(world.stores["intake"].agenda_rows) == 1

    async def test_a_cursor_moves_once(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        world.close(day(1))
        zombie = world.intake
        await drain(zombie.hear)
        await zombie.handle()
        heir = await world.restart("intake")
        await drain(heir.publish)
        with pytest.raises(Fenced):
            await zombie.publish()
        await world.settle()
        world.check_laws()
