"""Midnight under the wall clock: a missing answer holds up its borrower and nobody else."""

from datetime import timedelta

import pytest

from arrears.shared.kernel.ids import Shard, shard_of
from arrears.shared.testing.live_world import LiveWorld
from arrears.shared.testing.toy_cast import borrowers
from arrears.shared.testing.toy_world import day


def _neighbours() -> tuple[str, str]:
    """Two borrowers of one shard."""
    first, *others = borrowers(12)
    home = shard_of(first)
    return first, next(one for one in others if shard_of(one) == home)


ANNA, BEN = _neighbours()
HOME: Shard = shard_of(ANNA)


class Midnight(LiveWorld):
    async def lose_the_answer_to_anna(self) -> None:
        """Referred on the first day, written to on the third; then the worker dies."""
        self.fact(1, ANNA, 1)
        await self.until(1, 12)
        await self.until(2, 1)
        await self.until(3, 1)
        self.gateway.trouble.append(ConnectionError())
        with pytest.raises(ConnectionError):
            await self.until(3, 11)
        await self.restart("contact")
        await self.settle()
        [pending] = self.contact.effects.pending()
        assert pending.in_doubt
        assert self.open_day("contact") == day(3)

    def open_day(self, service: str) -> object:
        return self.stores[service].shards[HOME].open_day


@pytest.fixture
async def live() -> Midnight:
    made = Midnight()
    await made.start()
    return made


async def test_a_doubt_does_not_keep_the_day_of_its_shard_open(live: Midnight) -> None:
    await live.lose_the_answer_to_anna()
    live.fact(2, BEN, 3)
    await live.until(3, 13)
    await live.until(4, 1)
    assert live.open_day("contact") == day(4)
    await live.until(5, 1)
    await live.until(5, 11)
    await live.until(5, 14)
    assert live.nouns("contact", BEN)[-1] == "treatment_completed"


async def test_who_waits_for_an_answer_waits_behind_midnight_too(live: Midnight) -> None:
    """Heard on the day of the doubt or on the next one: it stays in the agenda, in order."""
    await live.lose_the_answer_to_anna()
    before = live.nouns("contact", ANNA)
    live.fact(2, ANNA, 3, what="repayment", hour=12)
    await live.until(3, 13)
    await live.until(4, 1)
    live.fact(3, ANNA, 4, what="repayment", hour=2)
    await live.until(4, 5)
    assert live.nouns("contact", ANNA) == before
    days = [row.day for row in live.stores["contact"].agenda_rows.values()]
    assert sorted(days) == [day(3), day(4)]
    await live.restart("contact")
    await live.settle()
    assert live.nouns("contact", ANNA) == before
    live.check_laws()


async def test_the_new_day_knows_at_once_who_is_blocked(live: Midnight) -> None:
    """No look was due yet: what is heard in the first instant must not pass what waits."""
    await live.lose_the_answer_to_anna()
    before = live.nouns("contact", ANNA)
    await live.until(4, 0)
    live.fact(2, ANNA, 4, what="repayment", hour=0)
    await live.intake.hear()
    await live.intake.publish()
    live.wall.at, live.wall.tick = live.wall.on(5, 0), timedelta(0)
    contact = live.contact
    await contact.books.open(contact.bench.shelves, contact.effects.pending())
    while live.open_day("contact") != day(5):
        await contact.handle()
    await contact.books.open(contact.bench.shelves, contact.effects.pending())
    await contact.hear()
    assert len(live.stores["contact"].agenda_rows) == 1
    assert live.nouns("contact", ANNA) == before


async def test_after_midnight_the_answer_and_what_waited_belong_to_the_open_day(
    live: Midnight,
) -> None:
    """Both were of a day that is closed, so both come at 00:00: by rank, answers last."""
    await live.lose_the_answer_to_anna()
    live.fact(2, ANNA, 3, what="repayment", hour=12)
    await live.until(3, 13)
    await live.until(4, 2)
    await live.settle_as(carried_out=True, at=live.wall.on(3, 11))
    await live.until(4, 3)
    events = live.stored("contact", ANNA)[-2:]
    assert [one.type.split(".")[2] for one in events] == ["noted", "treatment_completed"]
    assert {one.business_day for one in events} == {day(4)}
    assert not live.stores["contact"].agenda_rows
    live.check_laws()
