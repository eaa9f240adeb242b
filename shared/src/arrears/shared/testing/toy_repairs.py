"""Operations staff as players of the toy simulation: two of them look at what intake has parked,
at the same moments, and send it back or give up the first of it, as the API lets them.

Their process may die at any moment and answers are lost, so what was carried out may be asked for
again. Whatever happens it is carried out once where the answer says so, and not where it does not.
"""

import asyncio
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct
from msgspec.json import Decoder

from arrears.shared.eventstore.port import CommandTurn, Store
from arrears.shared.http import idempotency
from arrears.shared.http.edge import Call, Edge
from arrears.shared.kernel.ids import BorrowerId, StaffId
from arrears.shared.runtime.parking import retry_parked, skip_parked
from arrears.shared.runtime.transact import asked_by
from arrears.shared.runtime.workbench import Cause
from arrears.shared.testing.laws import Broken
from arrears.shared.testing.simulated import WallClock
from arrears.shared.testing.toy_people import Answers, until_answered

if TYPE_CHECKING:
    from arrears.shared.testing.simulation import Simulation

RETRIES_MAX: Final = 3
"""What our code fails on it fails on again; a process gives up where that goes on for long."""
LOOK_SECONDS: Final = (0.25, 0.5)
"""Few, so that both often look at once."""
_ENVELOPE: Final = Decoder(dict[str, Any])


class Repair(Struct):
    """One command of a member of staff, and what was answered in the end. No origin: a retry."""

    staff_id: StaffId
    key: str
    borrower_id: BorrowerId
    origin: str | None
    status: int = 0

    @property
    def cause(self) -> Cause:
        return asked_by(self.staff_id, self.key)


class Repairs:
    name = "repairs"

    def __init__(self, world: "Simulation", seed: str) -> None:
        self._world = world
        self._parked_in = world.stores["intake"]
        self._chance = Random(seed)
        self._answers = Answers(self._parked_in.at_work, world.loop.time)
        self._asked: list[Repair] = []
        self._is_done = False

    async def main(self) -> None:
        answers = cast("idempotency.Answers", self._world.wire(self._answers, self.name))
        edge = Edge(cast("Any", None), answers, cast("Any", None), b"secret")
        left = [repair for repair in self._asked if not repair.status]
        await asyncio.gather(
            *(self._ask(edge, repair) for repair in left),
            *(self._look(edge, StaffId(name)) for name in ("early", "late")),
        )
        self._is_done = True

    async def _look(self, edge: Edge, staff_id: StaffId) -> None:
        while self._parked_in.parked or not self._world.is_settled():
            await asyncio.sleep(self._chance.choice(LOOK_SECONDS))
            for borrower_id in sorted({one.row.borrower_id for one in self._parked_in.parked}):
                parked = await self._parked_in.parked_inputs(borrower_id)
                if parked:
                    await self._ask(edge, self._wanted(staff_id, borrower_id, parked[0][1].origin))

    def _wanted(self, staff_id: StaffId, borrower_id: BorrowerId, first: str) -> Repair:
        retries = sum(repair.origin is None for repair in self._asked)
        again = retries < RETRIES_MAX and self._chance.random() < 0.4
        key = f"repair-{len(self._asked)}"
        repair = Repair(staff_id, key, borrower_id, None if again else first)
        self._asked.append(repair)
        return repair

    async def _ask(self, edge: Edge, repair: Repair) -> None:
        call = Call(repair.staff_id, repair.key, repair.key.encode())
        response = await until_answered(
            lambda: edge.answer_once(call, partial(self._carried_out, repair))
        )
        repair.status = response.status_code

    async def _carried_out(self, repair: Repair, turn: str) -> int:
        world = self._world
        stage = world.stages["intake"]
        store = cast("Store", world.wire(self._parked_in, self.name))
        turned = CommandTurn(repair.key, repair.staff_id, turn)
        at = WallClock(world.loop, world.wall, world.rate)()
        whose, origin = repair.borrower_id, repair.origin
        if origin is None:
            return await retry_parked(stage, store, whose, turn=turned, recorded_at=at)
        return await skip_parked(
            stage, store, whose, origin=origin, reason="too late", turn=turned, recorded_at=at
        )

    def is_done(self) -> bool:
        return self._is_done

    def check(self) -> None:
        """Raises Broken where a repair was not made as its answer says, or another was made."""
        for repair in self._asked:
            made = self._made(repair)
            if made not in {200: (1,), 0: (0, 1)}.get(repair.status, (0,)):
                raise Broken(f"{repair} was made {made} times")
        skipped = [said["data"]["origin"] for said in self._said("input_skipped")]
        wanted = [repair.origin for repair in self._asked if repair.origin and self._made(repair)]
        if sorted(skipped) != sorted(wanted):
            raise Broken(f"{skipped} were given up; staff asked for {wanted}")

    def _made(self, repair: Repair) -> int:
        noun = "input_released" if repair.origin is None else "input_skipped"
        return sum(
            said["causationid"] == repair.cause.id and said["data"].get("origin") == repair.origin
            for said in self._said(noun)
        )

    def _said(self, noun: str) -> list[dict[str, Any]]:
        return [
            _ENVELOPE.decode(event.value)
            for events in self._parked_in.events.values()
            for event in events
            if event.type == f"arrears.intake.{noun}.v1"
        ]


def ever_parked(world: "Simulation") -> set[BorrowerId]:
    """Of whom input was parked, even if it is not any more."""
    return {
        event.borrower_id
        for store in world.stores.values()
        for events in store.events.values()
        for event in events
        if event.type.endswith(".input_parked.v1")
    }
