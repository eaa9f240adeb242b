"""Protocol 2.1, 2.2 and 2.4: what is heard is heard once, in order, from the topic that we know."""

import pytest

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.port import Change
from arrears.shared.kernel.ids import Shard
from arrears.shared.runtime.bus import Outgoing, OutOfRetention, TopicPartition
from arrears.shared.runtime.inbox import SourceBroken
from arrears.shared.testing.feed_lines import partition_of
from arrears.shared.testing.toy_intake import line
from arrears.shared.testing.toy_world import ToyWorld, day, drain
from arrears.shared.testing.world import FEED_PARTITIONS


def intake_topic(world: ToyWorld, borrower: str = "anna") -> TopicPartition:
    return TopicPartition("arrears.intake.v1", world.shard(borrower))


class TestProtocol21:
    async def test_a_position_moves_with_its_agenda_rows_or_not_at_all(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.fact(1, "anna", 1)
        world.close(day(1))
        store = world.stores["intake"]
        seen = []
        commit = store.commit

        async def look(change: Change) -> None:
            moved = sum(place.position for place in store.places.values())
            seen.append((moved, len(store.agenda_rows)))
            await commit(change)

        monkeypatch.setattr(store, "commit", look)
        await drain(world.intake.hear)
        moved = sum(place.position for place in store.places.values())
        assert {*seen, (moved, len(store.agenda_rows))} == {(0, 0), (5, 1)}

    async def test_a_worker_that_dies_after_hearing_loses_nothing(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        world.close(day(1))
        await drain(world.intake.hear)
        await world.restart("intake")
        await world.settle()
        assert world.nouns("intake", "anna")[-1] == "case_referred"
        world.check_laws()

    @pytest.mark.parametrize("service", ["intake", "contact"])
    async def test_a_worker_that_dies_before_opening_the_first_day_leaves_it_to_the_next(
        self, world: ToyWorld, service: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Position and first day are known, the shard's open day is not set yet."""
        world.fact(1, "anna", 1)
        world.close(day(1))
        if service == "contact":
            for step in (world.intake.hear, world.intake.handle, world.intake.publish):
                await drain(step)

        async def die(_shard: object, _day: object) -> None:
            raise ConnectionError

        with monkeypatch.context() as patch:
            patch.setattr(world.stores[service], "open_first_day", die)
            with pytest.raises(ConnectionError):
                await drain(world.owners[service].hear)
        await world.restart(service)
        await world.settle()
        for store in world.stores.values():
            assert {state.open_day for state in store.shards.values()} == {day(2)}
        assert world.nouns("contact", "anna") == ["notice_planned"]

    async def test_a_partition_may_learn_its_first_day_while_another_is_heard(
        self, world: ToyWorld
    ) -> None:
        """Both in one poll: what was heard of the other is not heard again."""
        annas = partition_of("anna", FEED_PARTITIONS)
        others = [part for part in range(FEED_PARTITIONS) if part != annas]
        world.fact(1, "anna", 1)
        world.close_partition(annas, 1)
        await drain(world.intake.hear)
        world.fact(2, "anna", 2, what="repayment")
        for part in others:
            world.close_partition(part, 1)
        await drain(world.intake.hear)
        assert len(world.stores["intake"].agenda_rows) == 2
        world.first_day = day(1)
        await world.run_days(2, 3)
        assert world.nouns("intake", "anna").count("fact_recorded") == 1
        assert world.nouns("intake", "anna").count("repayment_recorded") == 1
        world.check_laws()


class TestProtocol22:
    async def test_a_lower_number_is_dropped(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        world.bus.duplicate(intake_topic(world), offset=0, count=5)
        await world.run_days(2, 3)
        assert world.nouns("contact", "anna").count("notice_planned") == 1
        world.check_laws()

    async def test_a_higher_number_stops_loudly(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        hole = Outgoing(key=b"anna", value=world.stored("intake", "anna")[0].value, seq=7)
        world.bus.append(intake_topic(world), hole)
        with pytest.raises(SourceBroken, match=r"expected seq 6, found 7"):
            await drain(world.contact.hear)

    async def test_a_record_without_a_number_stops_loudly(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        world.bus.append(intake_topic(world), Outgoing(key=b"anna", value=b"{}", seq=None))
        with pytest.raises(SourceBroken, match=r"expected seq 6, found None"):
            await drain(world.contact.hear)

    async def test_records_read_before_are_passed_over(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        feed = [TopicPartition(FEED_TOPIC, partition) for partition in range(FEED_PARTITIONS)]
        for place in (intake_topic(world), *feed):
            world.bus.redeliver(place, 0)
        await world.run_days(2, 3)
        assert world.nouns("contact", "anna").count("notice_planned") == 1
        assert not world.stores["intake"].duplicates
        world.check_laws()

    async def test_a_wiped_topic_is_noticed_at_start(self, world: ToyWorld) -> None:
        """New records under old offsets would be skipped in silence."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        records = list(world.bus.records(intake_topic(world)))
        world.bus.wipe("arrears.intake.v1")
        with pytest.raises(SourceBroken, match=r"topic was replaced or truncated"):
            await world.restart("contact")
        for record in records:
            other = Outgoing(key=b"", value=record.value + b" ", seq=record.seq)
            world.bus.append(intake_topic(world), other)
        with pytest.raises(SourceBroken, match=r"topic was replaced or truncated"):
            await world.restart("contact")

    async def test_a_wiped_feed_is_noticed_at_start(self, world: ToyWorld) -> None:
        await world.run_days(1, 1)
        world.bus.wipe(FEED_TOPIC)
        with pytest.raises(SourceBroken, match=r"corebanking.loans.v1"):
            await world.restart("intake")

    @pytest.mark.parametrize("unheard", [0, 2])
    async def test_what_was_read_may_fall_out_of_retention(
        self, world: ToyWorld, unheard: int
    ) -> None:
        """A bank that was silent for as long as its topic keeps: nothing is lost by that."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        for number in range(unheard):
            world.fact(2 + number, "anna", 2, what="repayment")
        _forget_what_was_read(world, "intake")
        await world.restart("intake")
        world.fact(9, "anna", 2, what="repayment")
        await world.run_days(2, 2)
        assert world.nouns("intake", "anna").count("repayment_recorded") == unheard + 1

    async def test_what_was_not_read_may_not(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        world.fact(2, "anna", 2)
        place, position = _feed_of(world, "anna")
        world.bus.truncate(place, position + 1)
        with pytest.raises(OutOfRetention, match=r"corebanking.loans.v1"):
            await world.restart("intake")

    async def test_a_topic_that_ends_before_our_position_is_not_taken_for_an_old_one(
        self, world: ToyWorld
    ) -> None:
        """Its first records are gone as well, but so are the last ones that we have read."""
        world.fact(1, "anna", 1)
        await world.run_days(1, 2)
        place, position = _feed_of(world, "anna")
        del world.bus.records(place)[-1:]
        world.bus.truncate(place, position - 1)
        with pytest.raises(SourceBroken, match=r"topic was replaced or truncated"):
            await world.restart("intake")


def _feed_of(world: ToyWorld, borrower: str) -> tuple[TopicPartition, int]:
    """The feed partition that has brought a fact of the borrower, and the position in it."""
    [place] = {
        TopicPartition(FEED_TOPIC, int(event["inputposition"].split("/")[1]))
        for event in world.read("intake", "fact_recorded", borrower)
    }
    return place, world.stores["intake"].places[place].position


def _forget_what_was_read(world: ToyWorld, service: str) -> None:
    for (topic, partition), held in world.stores[service].places.items():
        if topic == FEED_TOPIC:
            world.bus.truncate(TopicPartition(topic, partition), held.position)


class TestProtocol24:
    async def test_a_fact_delivered_again_is_a_duplicate_of_a_named_event(
        self, world: ToyWorld
    ) -> None:
        for _ in range(3):
            world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        world.fact(1, "anna", 1)
        await world.restart("intake")
        await world.run_days(2, 2)
        [recorded] = world.read("intake", "fact_recorded", "anna")
        found = world.stores["intake"].duplicates
        assert [one.event_id for one in found] == [recorded["id"]] * 3
        world.check_laws()

    async def test_a_cure_without_a_case_delivered_again_closes_no_later_case(
        self, world: ToyWorld
    ) -> None:
        """Every accepted fact leaves an event, even where nothing follows from it."""
        world.fact(1, "anna", 1, what="cured")
        await world.run_days(1, 1)
        world.fact(2, "anna", 2)
        await world.run_days(2, 2)
        await world.restart("intake")
        world.fact(1, "anna", 1, what="cured")
        await world.run_days(3, 3)
        assert "case_closed" not in world.nouns("intake", "anna")
        assert len(world.stores["intake"].duplicates) == 1
        world.check_laws()

    async def test_the_same_id_with_other_content_is_refused(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        world.fact(1, "anna", 1, hour=11)
        await world.run_days(1, 1)
        await world.restart("intake")
        world.fact(1, "anna", 1, amount=99)
        await world.run_days(2, 2)
        found = [(one.reason, one.field) for one in world.stores["intake"].refused]
        assert found == [("seen_with_other_content", "id")] * 2
        assert world.nouns("intake", "anna").count("fact_recorded") == 1
        world.check_laws()

    async def test_a_repayment_id_with_another_amount_is_refused(self, world: ToyWorld) -> None:
        world.fact("r1", "anna", 1, what="repayment", amount=5)
        world.fact("r1", "anna", 1, what="repayment", amount=6)
        await world.run_days(1, 1)
        assert [e["data"]["amount_minor"] for e in world.read("intake", "repayment_recorded")] == [
            5
        ]
        assert [one.field for one in world.stores["intake"].refused] == ["id"]
        world.check_laws()

    async def test_the_same_id_of_another_loan_is_another_fact(self, world: ToyWorld) -> None:
        world.fact("r1", "anna", 1, what="repayment", loan="one")
        world.fact("r1", "anna", 1, what="repayment", loan="two")
        await world.run_days(1, 1)
        assert world.nouns("intake", "anna") == ["repayment_recorded"] * 2
        assert not world.stores["intake"].duplicates

    async def test_two_facts_of_a_loan_in_two_partitions_meet_on_one_shard(
        self, world: ToyWorld
    ) -> None:
        """A loan's home is fixed when its borrower is first known, whoever it names later."""
        world.fact(1, "anna", 1, loan="shared")
        await world.settle()
        world.close(day(1))
        await world.settle()
        world.fact(2, "ben", 2, what="repayment", loan="shared")
        await world.run_days(2, 2)
        assert world.nouns("intake", "anna")[-1] == "repayment_recorded"
        assert not world.nouns("intake", "ben")
        world.check_laws()


SHARD = Shard(5)
"""Of nobody here."""


def pay(world: ToyWorld, number: int | str, name: str | None, loan: str = "bare") -> None:
    """A repayment of a loan, by its partition, that may name nobody."""
    world.say(line(number, name, day(1), what="repayment", loan=loan), "bare")


class TestALoanOfNobody:
    """A name counts from its own record on, whatever was polled with it and whoever crashed."""

    @staticmethod
    def refused(world: ToyWorld) -> list[tuple[str, str | None]]:
        return [(one.reason, one.field) for one in world.stores["intake"].refused]

    @pytest.mark.parametrize("together", [True, False])
    async def test_what_comes_before_a_name_is_refused_and_what_follows_is_the_borrowers(
        self, world: ToyWorld, together: bool
    ) -> None:
        for number, name in enumerate((None, None, "anna", None)):
            pay(world, number, name)
            if not together:
                await drain(world.intake.hear)
        await world.run_days(1, 1)
        assert self.refused(world) == [("borrower_unknown", "data.borrower_id")] * 2
        assert world.nouns("intake", "anna").count("repayment_recorded") == 2
        assert set(world.stores["intake"].homes.items()) == {("bare", "anna")}
        world.check_laws()

    async def test_a_name_is_not_settled_before_what_came_without_it_is_set_aside(
        self, world: ToyWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pay(world, 1, None)
        pay(world, 2, "anna")
        world.close(day(1))

        async def die(_change: object) -> None:
            raise ConnectionError

        with monkeypatch.context() as lost:
            lost.setattr(world.stores["intake"], "commit", die)
            with pytest.raises(ConnectionError):
                await drain(world.intake.hear)
        await world.restart("intake")
        await world.settle()
        assert self.refused(world) == [("borrower_unknown", "data.borrower_id")]
        assert world.nouns("intake", "anna").count("repayment_recorded") == 1
        world.check_laws()

    async def test_what_is_heard_in_the_next_round_is_heard_though_shards_come_and_go(
        self, world: ToyWorld
    ) -> None:
        pay(world, 1, None)
        pay(world, 2, "anna")
        world.close(day(1))
        await world.intake.hear()  # The first day is found.
        await world.intake.hear()  # What came before the name is set aside.
        states = world.stores["intake"].shards
        await world.intake.drop([SHARD])
        await world.intake.take([states[SHARD]])
        await world.settle()
        assert self.refused(world) == [("borrower_unknown", "data.borrower_id")]
        assert world.nouns("intake", "anna").count("repayment_recorded") == 1
        world.check_laws()

    async def test_every_loan_of_a_batch_has_its_turn(self, world: ToyWorld) -> None:
        loans = [f"bare-{number}" for number in range(5)]
        for name in (None, "anna"):
            for number, loan in enumerate(loans):
                pay(world, f"{number}-{name}", name, loan)
        await world.run_days(1, 1)
        assert len(self.refused(world)) == len(loans)
        assert world.nouns("intake", "anna").count("repayment_recorded") == len(loans)
        world.check_laws()
