"""Protocol 3.1 to 3.4: the bank's closings move time, a day is one agenda, effects block."""

from datetime import timedelta

import pytest

from arrears.shared.runtime.inbox import SourceBroken
from arrears.shared.testing.feed_lines import closing, partition_of
from arrears.shared.testing.toy import ToyGateway
from arrears.shared.testing.toy_intake import CALENDAR, line
from arrears.shared.testing.toy_world import ToyWorld, day, drain
from arrears.shared.testing.world import FEED_PARTITIONS


def open_days(world: ToyWorld, service: str) -> set[int | None]:
    """Open days of all shards, counted from 1."""
    return {
        None if state.open_day is None else (state.open_day - day(1)).days + 1
        for state in world.stores[service].shards.values()
    }


class TestProtocol31:
    async def test_until_its_first_closing_what_a_partition_brings_waits_unjudged(
        self, world: ToyWorld
    ) -> None:
        world.fact(1, "anna", 1)
        world.put(0, b"not readable")
        await world.settle()
        store = world.stores["intake"]
        assert not store.agenda_rows
        assert not store.refused
        await world.restart("intake")
        await world.run_days(1, 1)
        assert len(store.refused) == 1
        assert world.nouns("intake", "anna")[0] == "fact_recorded"
        world.check_laws()

    @pytest.mark.parametrize("at_once", [True, False])
    async def test_refused_input_has_the_day_of_its_own_position(
        self, world: ToyWorld, *, at_once: bool
    ) -> None:
        """However many records a poll brings."""
        for number in (1, 2):
            world.close(day(number))
            if not at_once:
                await drain(world.intake.hear)
        world.put(0, b"not readable")
        world.fact(1, "anna", 30)
        await drain(world.intake.hear)
        found = [(one.reason, one.day) for one in world.stores["intake"].refused]
        expected = {("not_readable", day(3)), ("more_than_7_days_ahead", day(3))}
        assert sorted(found) == sorted(expected)

    async def test_nothing_is_decided_before_all_partitions_have_closed_the_day(
        self, world: ToyWorld
    ) -> None:
        world.fact(1, "anna", 1)
        for partition in range(FEED_PARTITIONS - 1):
            world.close_partition(partition, 1)
        await world.settle()
        assert not world.stored("intake")
        world.close_partition(FEED_PARTITIONS - 1, 1)
        await world.settle()
        assert world.stored("intake")

    async def test_another_first_day_stops_loudly(self, world: ToyWorld) -> None:
        await world.run_days(1, 1)
        world.close_partition(2, 2, first=2)
        with pytest.raises(SourceBroken, match=r"names 2024-03-02 as the first day"):
            await drain(world.intake.hear)

    @pytest.mark.parametrize("readers", [1, 2])
    async def test_partitions_that_name_different_first_days_stop_loudly_before_anything_is_decided(
        self, world: ToyWorld, readers: int
    ) -> None:
        others = world.intake
        if readers == 2:
            await world.intake.drop([], [0, 1])
            others = world.new_owner("intake")
            await others.take([], [0, 1])
        for partition in range(FEED_PARTITIONS):
            world.close_partition(partition, 2, first=2 if partition == 1 else 1)

        async def both() -> None:
            for owner in (others, world.intake):
                await drain(owner.hear)
                await drain(owner.handle)

        with pytest.raises(SourceBroken, match=r"name 2024-03-01 and 2024-03-02 as the first day"):
            await both()
        assert open_days(world, "intake") <= {None, 1, 2}
        assert not any(world.stores["intake"].events.values())

    async def test_partitions_that_nobody_hears_stop_loudly(self, world: ToyWorld) -> None:
        """The topic was given more of them since it was taken."""
        world.put(0, closing(day(1), day(1), FEED_PARTITIONS + 1))
        with pytest.raises(SourceBroken, match=r"a closing names 5 partitions, 4 are heard"):
            await drain(world.intake.hear)
        assert not world.stores["intake"].places["corebanking.loans.v1", 0].position

    async def test_a_closing_closes_every_day_up_to_its_own(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        world.first_day = day(1)
        world.close(day(5))
        await world.settle()
        assert {name: open_days(world, name) for name in world.stages} == {
            name: {6} for name in world.stages
        }
        assert "treatment_completed" in world.nouns("contact", "anna")
        world.check_laws()

    async def test_a_closing_that_was_read_before_moves_nothing_back(self, world: ToyWorld) -> None:
        await world.run_days(1, 3)
        for partition in range(FEED_PARTITIONS):
            world.close_partition(partition, 1)
        await world.settle()
        world.fact(1, "anna", 2)
        await world.run_days(4, 4)
        [recorded] = world.read("intake", "fact_recorded")
        assert (recorded["businessday"], recorded["data"]["late"]) == ("2024-03-04", True)

    async def test_a_fact_more_than_seven_days_ahead_is_refused_and_moves_no_day(
        self, world: ToyWorld
    ) -> None:
        world.fact(1, "anna", 9)
        world.put(0, line(2, "ben", day(1).replace(year=2205)))
        await world.run_days(1, 1)
        found = [(one.reason, one.field) for one in world.stores["intake"].refused]
        assert found == [("more_than_7_days_ahead", "time")] * 2
        assert open_days(world, "intake") == {2}

    async def test_a_fact_seven_days_ahead_waits_for_its_day(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 8)
        await world.run_days(1, 7)
        assert not world.stored("intake")
        await world.run_days(8, 8)
        [recorded] = world.read("intake", "fact_recorded")
        assert (recorded["businessday"], recorded["data"]["late"]) == ("2024-03-08", False)
        world.check_laws()

    async def test_a_partition_may_run_ahead_of_another(self, world: ToyWorld) -> None:
        ahead = partition_of("anna", FEED_PARTITIONS)
        for number in range(1, 5):
            world.put(ahead, line(number, "anna", day(number)))
            world.close_partition(ahead, number)
        await world.settle()
        for partition in range(FEED_PARTITIONS):
            if partition != ahead:
                world.close_partition(partition, 1)
        await world.settle()
        assert world.nouns("intake", "anna").count("fact_recorded") == 1
        assert open_days(world, "intake") == {2}
        world.check_laws()

    async def test_a_late_fact_is_handled_at_the_open_day_and_says_so(
        self, world: ToyWorld
    ) -> None:
        await world.run_days(1, 2)
        world.fact(1, "anna", 1)
        await world.run_days(3, 3)
        [recorded] = world.read("intake", "fact_recorded")
        assert recorded["time"] == CALENDAR.start_of(day(3)).isoformat().replace("+00:00", "Z")
        assert recorded["data"]["late"] is True
        world.check_laws()


class TestProtocol32:
    async def test_facts_flow_forward_within_the_day_and_come_back_the_next(
        self, world: ToyWorld
    ) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 4)
        days = {
            noun: world.read(service, noun)[0]["businessday"]
            for service, noun in (
                ("intake", "case_referred"),
                ("contact", "notice_planned"),
                ("contact", "treatment_completed"),
                ("legal", "noted"),
                ("intake", "stage_reported"),
            )
        }
        assert days == {
            "case_referred": "2024-03-01",
            "notice_planned": "2024-03-01",
            "treatment_completed": "2024-03-02",
            "noted": "2024-03-02",
            "stage_reported": "2024-03-03",
        }

    async def test_a_stage_waits_for_those_before_it_and_for_yesterday_of_those_after(
        self, world: ToyWorld
    ) -> None:
        """The day of contact needs intake's day, and of mediation and legal the day before."""
        await world.run_days(1, 1)
        world.close(day(2))
        for step in (world.intake.hear, world.intake.handle, world.intake.publish):
            await drain(step)
        assert open_days(world, "intake") == {3}
        legal = world.owners.pop("legal")
        for _ in range(3):
            await world.settle()
        assert (open_days(world, "contact"), open_days(world, "mediation")) == ({3}, {3})
        world.close(day(3))
        await world.settle()
        assert (open_days(world, "intake"), open_days(world, "contact")) == ({3}, {3})
        shard = world.shard("anna")
        intake, contact = world.intake.ears, world.contact.ears
        assert intake.waits_for(shard, day(3)) == ["legal to close 2024-03-02"]
        assert contact.waits_for(shard, day(3)) == [
            "intake to close 2024-03-03",
            "legal to close 2024-03-02",
        ]
        assert intake.waits_for(shard, day(1)) == []
        world.owners["legal"] = legal
        await world.settle()
        assert {name: open_days(world, name) for name in world.stages} == {
            name: {4} for name in world.stages
        }

    async def test_empty_days_close_one_after_another(self, world: ToyWorld) -> None:
        await world.run_days(1, 3)
        assert open_days(world, "legal") == {4}
        closings = [
            event.type
            for store in world.stores.values()
            for events in store.events.values()
            for event in events
        ]
        assert len(closings) == 3 * 16 * 4

    async def test_after_an_empty_day_nobody_asks_what_is_due(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await world.run_days(1, 2)
        store = world.stores["intake"]
        asked = []
        monkeypatch.setattr(store, "due", lambda *_: asked.append(1))
        await world.run_days(3, 4)
        assert open_days(world, "intake") == {5}
        assert not asked

    async def test_a_day_after_an_empty_one_is_not_closed_over_what_it_brings(
        self, world: ToyWorld
    ) -> None:
        """A shard that was taken for empty is looked at, and then its neighbours may be again."""
        await world.run_days(1, 2)
        world.fact(1, "anna", 3, hour=9)
        await world.run_days(3, 3)
        assert world.nouns("intake", "anna")[0] == "fact_recorded"
        assert {one["businessday"] for one in world.read("intake", "fact_recorded")} == {
            day(3).isoformat()
        }
        await world.run_days(4, 5)
        assert open_days(world, "legal") == {6}
        world.check_laws()


class TestProtocol33:
    async def test_within_a_day_time_decides_before_position(self, world: ToyWorld) -> None:
        """Of one loan its own order holds, and its time never runs backwards."""
        world.fact(1, "anna", 1, hour=15, loan="b")
        world.fact(2, "anna", 1, hour=9, loan="a", what="repayment")
        world.fact(3, "anna", 1, hour=8, loan="b", what="repayment")
        await world.run_days(1, 1)
        told = [
            (one["data"]["loan_key"], one["time"])
            for noun in ("fact_recorded", "repayment_recorded")
            for one in world.read("intake", noun)
        ]
        three, nine = "2024-03-01T07:00:00Z", "2024-03-01T01:00:00Z"
        assert sorted(told, key=lambda one: one[1]) == [("a", nine), ("b", three), ("b", three)]
        world.check_laws()

    async def test_the_order_of_lines_of_different_loans_makes_no_difference(self) -> None:
        seen = set()
        for order in ((1, 2, 3), (3, 2, 1), (2, 3, 1)):
            world = ToyWorld()
            await world.start()
            for number in order:
                world.fact(number, "anna", 1, loan=f"loan-{number}")
            await world.run_days(1, 3)
            seen.add(
                tuple(
                    (event.stream, event.version, event.event_id)
                    for service in world.stages
                    for event in world.stored(service, "anna")
                )
            )
            world.check_laws()
        assert len(seen) == 1

    async def test_own_timers_come_after_what_was_heard_at_the_same_time(
        self, world: ToyWorld
    ) -> None:
        """A cure at the last minute of the day: nothing is left to refer."""
        world.fact(1, "anna", 1)
        world.put(
            partition_of("anna", FEED_PARTITIONS),
            line(2, "anna", day(1), what="cured", hour=23).replace(b":00:00Z", b":59:00Z"),
        )
        await world.run_days(1, 1)
        assert world.nouns("intake", "anna")[-2:] == ["fact_recorded", "case_closed"]

    async def test_the_review_of_a_day_is_its_last_minute(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        [referred] = world.read("intake", "case_referred")
        assert referred["time"] == "2024-03-01T15:59:00Z"


class TestProtocol34:
    async def test_a_borrower_is_blocked_while_an_effect_is_unanswered_and_others_go_on(
        self, world: ToyWorld
    ) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        world.fact(2, "anna", 2, what="repayment", hour=12)
        world.fact(3, "ben", 2, what="repayment", hour=12)
        world.close(day(2))
        contact = world.owners.pop("contact")
        await world.settle()
        await drain(contact.hear)
        await drain(contact.handle)
        assert world.nouns("contact", "anna") == ["notice_planned", "notice_sent"]
        assert world.nouns("contact", "ben") == ["noted"]
        anna, ben = world.shard("anna"), world.shard("ben")
        states = world.stores["contact"].shards
        assert (states[anna].open_day, states[ben].open_day) == (day(2), day(3))
        world.owners["contact"] = contact
        await world.settle()
        nouns = world.nouns("contact", "anna")
        # The answer comes at its own time, noon, after the repayment of noon: its rank is later.
        assert nouns[2:] == ["noted", "treatment_completed"]
        world.check_laws()

    async def test_an_answer_is_handled_at_its_own_business_time(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 2)
        [sent] = world.read("contact", "notice_sent")
        [completed] = world.read("contact", "treatment_completed")
        assert (sent["time"], completed["time"]) == ("2024-03-02T02:00:00Z", "2024-03-02T04:00:00Z")

    async def test_an_answer_that_is_days_away_waits_in_the_agenda(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("arrears.shared.testing.toy.ANSWER_AFTER", timedelta(days=3))
        world.fact(1, "anna", 1)
        await world.run_days(1, 4)
        assert "treatment_completed" not in world.nouns("contact")
        await world.restart("contact")
        await world.run_days(5, 5)
        [completed] = world.read("contact", "treatment_completed")
        assert completed["businessday"] == "2024-03-05"
        world.check_laws()

    async def test_a_lost_answer_is_asked_for_again_with_the_same_key(
        self, world: ToyWorld
    ) -> None:
        await world.lose_the_answer_to("anna")
        assert len(world.gateway.asked) == 2
        assert len({request.id for request in world.gateway.asked}) == 1
        assert world.nouns("contact", "anna").count("treatment_completed") == 1
        world.check_laws()

    async def test_where_keys_are_not_honoured_a_lost_answer_leaves_doubt(self) -> None:
        """It is never sent again; staff decide."""
        world = ToyWorld(gateway=ToyGateway(honours_key=False))
        await world.start()
        await world.lose_the_answer_to("anna")
        assert len(world.gateway.asked) == 1
        [pending] = world.contact.effects.pending()
        assert pending.in_doubt
        [stored] = world.stores["contact"].effect_rows.values()
        assert stored.sent_at is not None
        assert stored.in_doubt
        assert world.nouns("contact", "anna") == ["notice_planned", "notice_sent"]
