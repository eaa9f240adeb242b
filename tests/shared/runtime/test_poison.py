"""Protocol 2.5: refused input is set aside alone; poison parks its case while others go on."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from arrears.shared.contracts.intake import RepaymentRecorded
from arrears.shared.kernel.decider import NotNow
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime import books
from arrears.shared.runtime.parking import retry_parked
from arrears.shared.runtime.poison import POISON_MAX, TooMuchPoison
from arrears.shared.runtime.stage import BadRecord, DayClosing, FeedFact
from arrears.shared.testing.live_world import LiveWorld
from arrears.shared.testing.toy_intake import Line, ToyReader
from arrears.shared.testing.toy_world import ToyWorld, day, drain


class TestRefusedInput:
    async def test_it_is_set_aside_alone_with_bytes_and_reason(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1, what="refuse")
        world.fact(2, "anna", 1, hour=10)
        world.put(1, b'{"id": 1')
        await world.run_days(1, 1)
        found = {(one.reason, one.field, one.value[:8]) for one in world.stores["intake"].refused}
        assert found == {
            ("contradictory", "amount", b'{"id":"1'),
            ("not_readable", None, b'{"id": 1'),
        }
        assert world.nouns("intake", "anna")[-1] == "case_referred"
        assert not world.intake.parked
        world.check_laws()

    async def test_what_a_newer_reader_does_not_take_any_more_is_set_aside_alone_too(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It was read when it was heard, and waited for its day while the service was upgraded."""
        world.fact(1, "anna", 1)
        world.fact(2, "anna", 2, amount=7)
        world.fact(3, "ben", 2)
        await world.run_days(1, 1)
        read = ToyReader.read

        def stricter(self: ToyReader, value: bytes) -> FeedFact | DayClosing:
            if b'"amount":7' in value:
                raise BadRecord("too_much", "amount")
            return read(self, value)

        monkeypatch.setattr(ToyReader, "read", stricter)
        await world.restart("intake")
        await world.run_days(2, 2)
        [refused] = world.stores["intake"].refused
        assert (refused.reason, refused.field, refused.borrower_id) == (
            "too_much",
            "amount",
            "anna",
        )
        assert world.nouns("intake", "ben")[0] == "fact_recorded"
        assert not world.intake.parked
        world.check_laws()


class TestPoison:
    async def test_it_parks_its_borrower_while_others_go_on_and_the_day_closes(
        self, world: ToyWorld
    ) -> None:
        world.fact(1, "anna", 1)
        world.fact(2, "anna", 1, what="poison", hour=10)
        world.fact(3, "anna", 1, what="repayment", hour=11)
        world.fact(4, "ben", 1)
        await world.run_days(1, 1)
        assert world.nouns("intake", "ben")[-1] == "case_referred"
        parked = world.stores["intake"].parked
        assert [one.first for one in parked] == [True, False]
        assert parked[0].error.startswith("ZeroDivisionError at ")
        assert {s.open_day for s in world.stores["intake"].shards.values()} == {day(2)}
        world.check_laws()

    async def test_what_came_before_it_is_kept_and_what_would_follow_waits(
        self, world: ToyWorld
    ) -> None:
        """The review at the end of the day comes after the bad fact, so it waits too."""
        world.fact(1, "anna", 1)
        world.fact(2, "anna", 1, what="poison", hour=10)
        await world.run_days(1, 1)
        assert world.nouns("intake", "anna") == ["fact_recorded", "case_opened", "review_planned"]

    async def test_a_timer_before_it_still_fires(self, world: ToyWorld) -> None:
        """In contact: the notice of ten o'clock goes out, the bad hearing of noon is parked."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        world.fact(2, "anna", 2, what="repayment", hour=12)
        world.fact(3, "anna", 2, what="repayment", hour=13)
        stage = world.stages["contact"]
        react = stage.react

        def fail(said: object, heard: object, at: object) -> object:
            if isinstance(said, RepaymentRecorded):
                raise ZeroDivisionError
            return react(said, heard, at)  # type: ignore[arg-type]

        object.__setattr__(stage, "react", fail)
        await world.run_days(2, 2)
        nouns = world.nouns("contact", "anna")
        assert nouns == ["notice_planned", "notice_sent"]
        # The answer of noon, asked for before the failure, waits behind it.
        assert [one.first for one in world.stores["contact"].parked] == [True, False, False]
        world.check_laws()

    async def test_later_input_and_timers_wait_behind_it_also_after_a_restart(
        self, world: ToyWorld
    ) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        world.fact(2, "anna", 2, what="poison")
        await world.run_days(2, 2)
        await world.restart("intake")
        world.fact(3, "anna", 3)
        await world.run_days(3, 4)
        origins = [one.row.origin for one in world.stores["intake"].parked]
        assert len(origins) == 3  # The poison, contact's report, the fact.
        assert world.nouns("intake", "anna")[-1] == "case_referred"
        world.check_laws()

    async def test_a_timer_that_fails_parks_and_is_seen(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1, what="poison_timer")
        world.fact(2, "ben", 1)
        await world.run_days(1, 1)
        store = world.stores["intake"]
        assert list(await store.parked_borrowers([world.shard("anna")])) == ["anna"]
        [parked] = store.parked
        assert parked.row.origin == "timer/anna/2024-03-01T15:59:00+00:00"
        assert world.nouns("intake", "anna")[0] == "fact_recorded"
        await world.restart("intake")
        await world.run_days(2, 3)
        assert len(store.parked) == 1
        assert world.nouns("intake", "ben")[-1] == "stage_reported"
        world.check_laws()

    async def test_commands_of_a_parked_borrower_are_refused(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        world.fact(2, "anna", 1, what="poison", hour=10)
        await world.run_days(1, 1)
        with pytest.raises(NotNow, match="case_is_parked"):
            await world.hold("anna", 2)

    async def test_a_command_while_a_borrower_is_being_parked_loses_no_line(
        self, world: ToyWorld
    ) -> None:
        """The commit of the parking itself finds that the shard has moved."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        world.fact(2, "anna", 2, what="repayment", hour=8)
        world.fact(3, "anna", 2, what="poison", hour=10)
        world.close(day(2))
        await drain(world.intake.hear)
        await world.intake.books.open(world.intake.bench.shelves, [])
        world.intake._alone.add(world.intake.books.works(10, ())[0].borrower_id)
        await world.hold("anna", 2)
        await world.settle()
        assert world.nouns("intake", "anna")[-2:] == ["case_held", "repayment_recorded"]
        assert len(world.stores["intake"].parked) == 1
        world.check_laws()

    async def test_too_much_of_it_is_a_bug_and_stops_the_service(self, world: ToyWorld) -> None:
        for number in range(POISON_MAX + 1):
            world.fact(number, f"b{number}", 1, what="poison")
        world.close(day(1))
        with pytest.raises(TooMuchPoison, match=r"20 borrowers .* Zero\w+ at _record:\d+"):
            await world.settle()

    async def test_whoever_starts_a_stopped_service_again_parks_nobody_more(
        self, world: ToyWorld
    ) -> None:
        for number in range(3 * POISON_MAX):
            world.fact(number, f"b{number}", 1, what="poison")
        world.close(day(1))
        for _ in range(5):
            with pytest.raises(TooMuchPoison):
                await world.settle()
            assert len(world.stores["intake"].parked) == POISON_MAX
            await world.restart("intake")

    async def test_the_one_too_many_is_handled_once_it_is_no_poison(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(POISON_MAX + 1):
            world.fact(number, f"b{number}", 1, what="poison")
        world.close(day(1))
        with pytest.raises(TooMuchPoison):
            await world.settle()
        issue = ToyReader.issue

        def mended(self: ToyReader, fact: FeedFact, **how: Any) -> Issue:
            assert isinstance(fact.body, Line)
            fact = replace(fact, body=replace(fact.body, what="overdue"))
            return issue(self, fact, **how)

        monkeypatch.setattr(ToyReader, "issue", mended)
        await world.restart("intake")
        await world.settle()
        assert world.nouns("intake").count("fact_recorded") == 1
        world.check_laws()

    async def test_a_borrower_that_is_tried_again_counts_once(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1, what="poison")
        await world.run_days(1, 1)
        stage, store = world.stages["intake"], world.stores["intake"]
        for number in range(POISON_MAX + 1):
            turn = world.turn("intake")
            await retry_parked(stage, store, BorrowerId("anna"), turn=turn, recorded_at=world.now())
            await world.run_days(2 + number, 2 + number)
        assert world.intake.parked == {"anna"}

    async def test_bad_luck_may_come_again_and_again(self) -> None:
        """By the wall clock: what was parked more than an hour ago does not count."""
        world = LiveWorld()
        await world.start()
        for number in range(2 * POISON_MAX):
            world.fact(number, f"b{number}", 1, what="poison", hour=8)
            world.wall.at += timedelta(hours=2 * (number % POISON_MAX == 0))
            await world.settle()
        assert len(world.intake.parked) == 2 * POISON_MAX
        world.fact("one more", "b", 1, what="poison", hour=8)
        with pytest.raises(TooMuchPoison):
            await world.settle()


class TestManyRows:
    async def test_a_shard_opens_its_day_with_all_of_its_rows_or_not_yet(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """More rows than memory should hold at once: shards take turns, none goes without."""
        monkeypatch.setattr(books, "ROWS_MAX", 4)
        for number in range(30):
            world.fact(number, f"b{number % 10}", 1, loan=f"loan-{number}")
        await world.run_days(1, 1)
        assert world.nouns("intake").count("fact_recorded") == 30
        days = {one["businessday"] for one in world.read("intake", "fact_recorded")}
        assert days == {"2024-03-01"}
        world.check_laws()
