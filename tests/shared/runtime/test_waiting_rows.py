"""Under the wall clock: what waits in the agenda is not passed, and holds nobody else up."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from arrears.shared.kernel.reaction import AnswerAt, EffectRequest
from arrears.shared.runtime import books
from arrears.shared.runtime.owner import Owner
from arrears.shared.testing.feed_lines import partition_of
from arrears.shared.testing.live_world import LiveWorld, Wall
from arrears.shared.testing.world import FEED_PARTITIONS

LOW, HIGH = "p3", "p6"


def ms(number: int) -> timedelta:
    return timedelta(milliseconds=number)


class Slow(Wall):
    """The clock of a host that is behind the real one."""

    def __init__(self, real: Wall, behind: timedelta) -> None:
        super().__init__()
        self.real, self.behind = real, behind

    def __call__(self) -> datetime:
        return self.real() - self.behind


class TwoHosts(LiveWorld):
    """Contact runs on a host whose clock is slow. Time stands still between steps."""

    def __init__(self) -> None:
        super().__init__()
        self.real = self.wall
        self.slow = Slow(self.real, ms(100))
        self.real.tick = timedelta(0)
        self.real.at = self.base = self.real.on(1, 12)

    async def restart(self, name: str) -> Owner:
        self.now = self.slow if name == "contact" else self.real
        return await super().restart(name)

    async def said(self, at: int, what: str, amount: int) -> None:
        """Intake records a repayment `at` so many milliseconds of its clock."""
        self.real.at = self.base + ms(at)
        self.fact(what, "anna", 1, what="repayment", amount=amount, hour=9)
        await self.intake.hear()
        await self.intake.publish()

    async def contact_goes_on(self, at: int) -> None:
        self.real.at = self.base + ms(at)
        await self.contact.hear()
        await self.contact.handle()

    def noted(self) -> list[int]:
        """Offsets, in the order in which contact has decided on them."""
        return [
            int(one["inputposition"].split("/")[2])
            for one in self.read("contact", "noted", "anna")
            if one["data"]["what"] == "repayment_recorded"
        ]


@pytest.fixture
async def hosts() -> TwoHosts:
    made = TwoHosts()
    await made.start()
    made.fact(1, "anna", 1, hour=9)
    await made.settle()
    return made


class TestClocksThatDiffer:
    async def test_the_later_record_does_not_pass_the_earlier_one(self, hosts: TwoHosts) -> None:
        await hosts.contact_goes_on(1000)
        await hosts.said(1000, "A", 111)
        await hosts.contact_goes_on(1010)  # 910 by contact's clock: A is of the future.
        await hosts.said(1095, "B", 222)
        await hosts.contact_goes_on(1200)
        await hosts.contact_goes_on(1500)
        assert len(hosts.noted()) == 2
        assert hosts.noted() == sorted(hosts.noted())

    async def test_nor_after_a_new_start(self, hosts: TwoHosts) -> None:
        await hosts.contact_goes_on(1000)
        await hosts.said(1000, "A", 111)
        await hosts.contact_goes_on(1010)
        await hosts.restart("contact")
        await hosts.said(1095, "B", 222)
        await hosts.contact_goes_on(1200)
        await hosts.contact_goes_on(1500)
        assert len(hosts.noted()) == 2
        assert hosts.noted() == sorted(hosts.noted())

    async def test_nor_where_nobody_has_looked_for_long(self, hosts: TwoHosts) -> None:
        hosts.slow.behind = timedelta(hours=1)
        await hosts.contact_goes_on(1000)
        await hosts.said(1000, "A", 111)
        await hosts.contact_goes_on(1010)
        await hosts.said(1_000_000, "B", 222)
        await hosts.contact_goes_on(4_700_000)
        await hosts.contact_goes_on(4_701_000)
        assert len(hosts.noted()) == 2
        assert hosts.noted() == sorted(hosts.noted())

    async def test_what_comes_alone_is_handled_at_once_all_the_same(self, hosts: TwoHosts) -> None:
        await hosts.contact_goes_on(1000)
        await hosts.said(1000, "A", 111)
        hosts.real.at = hosts.base + ms(1150)
        await hosts.contact.hear()
        assert len(hosts.noted()) == 1


class TestFactsOfDaysToCome:
    async def test_they_do_not_keep_their_borrower_waiting(self, hosts: TwoHosts) -> None:
        hosts.fact("ahead", "anna", 4, what="repayment", amount=7, hour=8)
        await hosts.intake.hear()
        await hosts.said(1000, "A", 111)
        assert _amounts(hosts) == [111]
        assert len(hosts.stores["intake"].agenda_rows) == 1

    async def test_when_their_time_has_come_they_are_not_passed(self, hosts: TwoHosts) -> None:
        """Nobody has looked since, and the process is another one."""
        hosts.fact("ahead", "anna", 1, what="repayment", amount=7, hour=13)
        await hosts.said(1000, "A", 111)
        await hosts.restart("intake")
        one_o_clock = 3_600_000
        hosts.real.at = hosts.base + ms(one_o_clock - 50)
        await hosts.intake.handle()
        await hosts.said(one_o_clock + 50, "B", 222)
        await hosts.intake.handle()
        assert _amounts(hosts) == [111, 7, 222]


class TwoReaders(LiveWorld):
    """One worker of intake has all shards, another reads anna's partition of the feed."""

    def __init__(self, ahead: timedelta) -> None:
        super().__init__()
        self.ahead = ahead
        self.wall.tick = timedelta(0)
        self.wall.at = self.wall.on(1, 12)
        self.annas = partition_of("anna", FEED_PARTITIONS)

    async def start(self) -> None:
        await super().start()
        await self.intake.drop([], [self.annas])
        self.now = Slow(self.wall, -self.ahead)
        self.reader = self.new_owner("intake")
        await self.reader.take([], [self.annas])

    async def hand_over(self) -> None:
        await self.reader.drop([], [self.annas])
        await self.intake.take([], [self.annas])


class TestAPartitionOfTheFeedThatIsHandedOver:
    @pytest.mark.parametrize("ahead", [ms(0), ms(40)])
    async def test_what_its_last_reader_has_heard_is_not_passed(self, ahead: timedelta) -> None:
        world = TwoReaders(ahead)
        await world.start()
        await world.intake.handle()
        world.fact("A", "anna", 1, what="repayment", amount=111, hour=9)
        await world.reader.hear()
        await world.hand_over()
        world.wall.at += ms(50)
        world.fact("B", "anna", 1, what="repayment", amount=222, hour=9)
        await world.intake.hear()
        world.wall.at += ms(500)
        await world.settle()
        assert _amounts(world) == [111, 222]


def _amounts(world: LiveWorld) -> list[int]:
    return [one["data"]["amount_minor"] for one in world.read("intake", "repayment_recorded")]


class Silent(LiveWorld):
    """The gateway dies over every letter to one borrower."""

    def __init__(self) -> None:
        super().__init__()
        carry = self.gateway.carry_out

        async def only(requests: Sequence[EffectRequest]) -> Sequence[Sequence[AnswerAt]]:
            if any(request.borrower_id == LOW for request in requests):
                raise ConnectionError
            return await carry(requests)

        self.gateway.carry_out = only  # type: ignore[method-assign]

    async def until(self, number: int, hour: int) -> None:
        for _ in range(5):
            try:
                return await super().until(number, hour)
            except ConnectionError:
                await self.restart("contact")

    async def low_waits_for_its_answer(self, rows: int) -> None:
        self.fact(1, LOW, 1)
        await self.until(1, 12)
        await self.until(2, 1)
        await self.until(3, 11)
        await self.until(3, 12)
        assert self.contact.effects.pending()[0].in_doubt
        for number in range(rows):
            self.fact(10 + number, LOW, 3, what="repayment", amount=number)
        await self.until(3, 13)

    def waiting(self, borrower: str) -> int:
        rows = self.stores["contact"].agenda_rows.values()
        return sum(row.borrower_id == borrower for row in rows)

    def in_memory(self, borrower: str) -> int:
        days = [book.borrowers.get(borrower) for book in self.contact.books._books.values()]  # type: ignore[call-overload]
        return sum(len(one.lines) for one in days if one is not None)


@pytest.fixture
async def silent(monkeypatch: pytest.MonkeyPatch) -> Silent:
    made = Silent()
    assert made.shard(LOW) < made.shard(HIGH)
    await made.start()
    monkeypatch.setattr(books, "ROWS_MAX", 5)
    return made


class TestRowsThatWaitForAnAnswer:
    async def test_they_do_not_keep_the_shards_behind_theirs_from_being_read(
        self, silent: Silent
    ) -> None:
        await silent.low_waits_for_its_answer(6)
        silent.fact(1, HIGH, 3)
        await silent.until(3, 14)
        await silent.until(4, 1)
        await silent.until(5, 11)
        await silent.until(5, 15)
        assert silent.waiting(LOW) == 6
        assert silent.nouns("contact", HIGH)[-1] == "treatment_completed"

    async def test_they_are_not_kept_in_memory(self, silent: Silent) -> None:
        await silent.low_waits_for_its_answer(6)
        assert silent.waiting(LOW) == 6
        assert silent.in_memory(LOW) == 0
        await silent.restart("contact")
        await silent.settle()
        assert silent.in_memory(LOW) == 0

    async def test_after_the_answer_they_come_in_order_and_before_what_is_heard_then(
        self, silent: Silent
    ) -> None:
        await silent.low_waits_for_its_answer(6)
        await silent.settle_as(carried_out=True)
        silent.fact("new", LOW, 3, what="repayment", amount=99)
        await silent.intake.hear()
        await silent.intake.publish()
        contact = silent.contact
        while await contact.act():
            await contact.hear()
        await silent.settle()
        noted = [one["inputposition"] for one in silent.read("contact", "noted", LOW)]
        assert len(noted) == 7
        assert noted == sorted(noted, key=lambda place: int(place.split("/")[2]))
        assert silent.nouns("contact", LOW).count("treatment_completed") == 1
        assert not silent.waiting(LOW)

    async def test_nor_do_rows_of_many_borrowers_that_fall_due_at_once(
        self, silent: Silent
    ) -> None:
        """More than memory should hold: shards take turns, and nothing is passed meanwhile."""
        people = [f"q{number}" for number in range(40)]
        for whose in people:
            silent.fact("ahead", whose, 1, what="repayment", amount=1, hour=20)
        await silent.until(1, 19)
        await silent.restart("intake")
        silent.wall.at = silent.wall.on(1, 20)
        for whose in people:
            silent.fact("new", whose, 1, what="repayment", amount=2, hour=8)
        await silent.intake.hear()
        await silent.settle()
        for whose in people:
            said = silent.read("intake", "repayment_recorded", whose)
            assert [one["data"]["amount_minor"] for one in said] == [1, 2]
        silent.check_laws()
