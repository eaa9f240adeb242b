"""Operations staff as players of the toy simulation: two of them look at what contact has in doubt,
at the same moments, and say what the gateway's own record tells of it.

A worker that was frozen between its mark and its request may still send when it goes on, and no
record tells that beforehand; so nothing is said while one is frozen, nor soon after.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct
from msgspec.json import Decoder

from arrears.shared.eventstore.port import CommandTurn, PendingEffect, Store
from arrears.shared.http import idempotency
from arrears.shared.http.desk import Issued
from arrears.shared.http.edge import Call, Edge
from arrears.shared.kernel.ids import BorrowerId, StaffId
from arrears.shared.runtime.doubts import Finding, settle_doubt
from arrears.shared.runtime.transact import asked_by
from arrears.shared.service.desk import issued
from arrears.shared.testing.laws import Broken
from arrears.shared.testing.simulated import WallClock
from arrears.shared.testing.toy_people import Answers, until_answered

if TYPE_CHECKING:
    from datetime import datetime

    from arrears.shared.testing.simulation import Simulation

LOOK_SECONDS: Final = (0.25, 0.5)
"""Few, so that both often look at once."""
QUIET_LOOKS: Final = 4
"""So many looks without a frozen worker take longer than a request on its way."""
_ENVELOPE: Final = Decoder(dict[str, Any])


class Settling(Struct):
    """What a member of staff says, and how it was answered in the end."""

    staff_id: StaffId
    key: str
    finding: Finding
    status: int = 0


class Doubts:
    name = "doubts"

    def __init__(self, world: "Simulation", seed: str) -> None:
        self._world = world
        self._doubted_in = world.stores["contact"]
        self._chance = Random(seed)
        self._answers = Answers(self._doubted_in.at_work, world.loop.time)
        self._said: list[Settling] = []
        self._is_done = False

    async def main(self) -> None:
        answers = cast("idempotency.Answers", self._world.wire(self._answers, self.name))
        edge = Edge(cast("Any", None), answers, cast("Any", None), b"secret")
        left = [one for one in self._said if not one.status]
        await asyncio.gather(
            *(self._say(edge, one) for one in left),
            *(self._look(edge, StaffId(name)) for name in ("early", "late")),
        )
        self._is_done = True

    async def _look(self, edge: Edge, staff_id: StaffId) -> None:
        quiet = 0
        while self._in_doubt() or not self._world.is_settled():
            await asyncio.sleep(self._chance.choice(LOOK_SECONDS))
            quiet = 0 if self._is_any_frozen() else quiet + 1
            if quiet >= QUIET_LOOKS:
                for effect in self._in_doubt():
                    await self._say(edge, self._found(staff_id, effect))

    def _in_doubt(self) -> Sequence[PendingEffect]:
        return [one for one in self._doubted_in.effect_rows.values() if one.in_doubt]

    def _is_any_frozen(self) -> bool:
        processes = self._world.processes
        return any(one.actor.is_frozen for one in processes if one.service == "contact")

    def _found(self, staff_id: StaffId, effect: PendingEffect) -> Settling:
        sent = {request.id for request in self._world.gateways["contact"].asked}
        carried_out = effect.event_id in sent
        finding = Finding(event_id=effect.event_id, carried_out=carried_out, note="its record")
        said = Settling(staff_id, f"doubt-{len(self._said)}", finding)
        self._said.append(said)
        return said

    async def _say(self, edge: Edge, said: Settling) -> None:
        call = Call(said.staff_id, said.key, said.key.encode())
        response = await until_answered(
            lambda: edge.answer_once(call, partial(self._settled, said))
        )
        said.status = response.status_code

    async def _settled(self, said: Settling, turn: str) -> Issued:
        world = self._world
        clock = WallClock(world.loop, world.wall, world.rate)

        async def now(_borrower_id: BorrowerId) -> "datetime":
            return clock()

        event = await settle_doubt(
            world.stages["contact"],
            cast("Store", world.wire(self._doubted_in, self.name)),
            said.finding,
            turn=CommandTurn(said.key, said.staff_id, turn),
            now=now,
            recorded_at=clock(),
        )
        return issued([event])

    def is_done(self) -> bool:
        return self._is_done

    def check(self) -> None:
        """Raises Broken where a doubt was not settled as its answer says, or is left, or where a
        letter never left because of what was said.
        """
        for said in self._said:
            cause = asked_by(said.staff_id, said.key).id
            made = sum(one["causationid"] == cause for one in self._recorded("doubt_settled"))
            if made not in {200: (1,), 0: (0, 1)}.get(said.status, (0,)):
                raise Broken(f"{said} was recorded {made} times")
        if self._in_doubt():
            raise Broken(f"nobody settles {self._in_doubt()}")
        left = {request.id for request in self._world.gateways["contact"].asked}
        kept = [one["id"] for one in self._recorded("notice_sent") if one["id"] not in left]
        if kept:
            raise Broken(f"{kept} never left")

    def _recorded(self, noun: str) -> Sequence[dict[str, Any]]:
        return [
            _ENVELOPE.decode(event.value)
            for events in self._doubted_in.events.values()
            for event in events
            if event.type == f"arrears.contact.{noun}.v1"
        ]
