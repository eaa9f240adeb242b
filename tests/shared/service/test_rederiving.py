"""Protocol 4.2: which requests to the outside world still want an answer, from the events alone."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from arrears.shared.contracts.contact import TreatmentCompleted
from arrears.shared.eventstore.port import PendingEffect
from arrears.shared.kernel.ids import BorrowerId, EventId, derived_id
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.stage import Stage
from arrears.shared.runtime.transact import transact
from arrears.shared.runtime.workbench import Cause
from arrears.shared.service.rederiving import rederive
from arrears.shared.testing.live_world import LiveWorld
from arrears.shared.testing.toy_desk import Note

TWICE, ONCE = "p3", "p23"
"""They share a shard. The letter to the first is answered twice, the other's once."""


class Letters(LiveWorld):
    async def send(self, borrower: str, number: int, *, lost: bool = False) -> EventId:
        """A letter leaves on the third day after; where its answer is lost it is in doubt."""
        self.fact(number, borrower, number)
        await self.until(number, 13)
        await self.until(number + 1, 1)
        if lost:
            self.gateway.trouble.append(ConnectionError())
            with pytest.raises(ConnectionError):
                await self.until(number + 2, 11)
            await self.restart("contact")
        await self.until(number + 2, 14)
        [sent] = [one for one in self.stored("contact", borrower) if "notice_sent" in one.type]
        return sent.event_id

    async def answer_again(self, effect: EventId) -> None:
        await transact(
            self.stages["contact"],
            self.stores["contact"],
            Issue("contact.borrower", TWICE, Note(subject="", what="answered again")),
            BorrowerId(TWICE),
            cause=Cause(id=derived_id("answer", effect, f"{effect}/1")),
            at=self.wall.at,
            recorded_at=self.wall.at,
        )

    async def open(self, stage: Stage) -> Sequence[PendingEffect]:
        return (await rederive(stage, self.stores["contact"])).effects


@pytest.fixture
async def world() -> Letters:
    made = Letters()
    await made.start()
    await made.answer_again(await made.send(TWICE, 1))
    return made


class TestWantsAnAnswer:
    async def test_what_has_had_fewer_than_its_kind(self, world: Letters) -> None:
        sent = await world.send(ONCE, 5)
        stage = world.stages["contact"]
        assert [effect.event_id for effect in await world.open(stage)] == [sent]

    async def test_but_not_behind_an_answer_that_is_the_last(self, world: Letters) -> None:
        await world.send(ONCE, 5)
        ended = replace(world.stages["contact"], ends_effect=frozenset({TreatmentCompleted}))
        assert not await world.open(ended)

    async def test_nor_where_staff_know_that_it_was_carried_out(self, world: Letters) -> None:
        sent = await world.send(ONCE, 5, lost=True)
        stage = world.stages["contact"]
        assert [effect.event_id for effect in await world.open(stage)] == [sent]
        await world.settle_as(carried_out=True)
        await world.settle()
        assert not await world.open(stage)
