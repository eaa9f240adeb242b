"""Staff who look at what contact has in doubt, and say what the gateway's own record tells of it.

A worker that was frozen between its mark and its request may still send when it goes on, and no
record tells that beforehand; so nothing is said while one is frozen, nor soon after.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from arrears.shared.eventstore.port import CommandTurn, PendingEffect, Store
from arrears.shared.http.desk import Issued
from arrears.shared.kernel.ids import BorrowerId, StaffId, derived_id
from arrears.shared.runtime.doubts import Finding, settle_doubt
from arrears.shared.service.desk import issued
from arrears.shared.testing.laws import Broken
from arrears.shared.testing.toy_staff import Pair, Request

if TYPE_CHECKING:
    from arrears.shared.testing.simulation import Simulation

QUIET_SECONDS: Final = 1.0
"""Longer than a request is on its way."""


class Settling(Request, kw_only=True):
    finding: Finding


class Doubts(Pair[Settling]):
    name = "doubts"

    def __init__(self, world: "Simulation", seed: str) -> None:
        super().__init__(world, "contact", seed)
        self._gateway = world.gateways["contact"]
        self._frozen_at = 0.0

    def is_needed(self) -> bool:
        return bool(self._in_doubt())

    def subjects(self) -> Sequence[PendingEffect]:
        now, processes = self.world.loop.time(), self.world.processes
        if any(one.actor.is_frozen for one in processes if one.service == self.service):
            self._frozen_at = now
        return self._in_doubt() if now - self._frozen_at > QUIET_SECONDS else ()

    def _in_doubt(self) -> Sequence[PendingEffect]:
        return [one for one in self.store.effect_rows.values() if one.in_doubt]

    async def wanted(self, staff_id: StaffId, key: str, subject: PendingEffect) -> Settling:
        carried_out = subject.event_id in self._sent()
        finding = Finding(event_id=subject.event_id, carried_out=carried_out, note="its record")
        return Settling(staff_id, key, finding=finding)

    def _sent(self) -> set[str]:
        return {request.id for request in self._gateway.asked}

    async def carried_out(self, one: Settling, turn: CommandTurn) -> Issued:
        clock = self.clock()

        async def now(_borrower_id: BorrowerId) -> datetime:
            return clock()

        event = await settle_doubt(
            self.world.stages[self.service],
            cast("Store", self.world.wire(self.store, self.name)),
            one.finding,
            turn=turn,
            now=now,
            recorded_at=clock(),
        )
        return issued([event])

    def check(self) -> None:
        """Raises Broken where a doubt was not settled as its answer says, or is left, or where a
        letter never left because of what was said.
        """
        for one in self.asked:
            self.check_made(one, len(self.caused(one, "doubt_settled")))
        if self._in_doubt():
            raise Broken(f"nobody settles {self._in_doubt()}")
        withheld = {said["causationid"] for said in self.said("notice_withheld")}
        kept = {
            said["id"]
            for said in self.said("notice_sent")
            if derived_id("answer", said["id"], f"{said['id']}/0") not in withheld
        } - self._sent()
        if kept:
            raise Broken(f"{kept} never left")
