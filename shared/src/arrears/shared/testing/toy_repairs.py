"""Staff who look at what intake has parked, and send it back or give up the first of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from arrears.shared.eventstore.port import CommandTurn, Store
from arrears.shared.kernel.ids import BorrowerId, StaffId
from arrears.shared.runtime.parking import retry_parked, skip_parked
from arrears.shared.testing.laws import Broken
from arrears.shared.testing.toy_staff import Pair, Request

if TYPE_CHECKING:
    from arrears.shared.testing.simulation import Simulation

_APPROVER: Final = StaffId("approver")
RETRIES_MAX: Final = 3
"""What our code fails on it fails on again; a process gives up where that goes on for long."""


class Repair(Request, kw_only=True):
    """No origin: a retry."""

    borrower_id: BorrowerId
    origin: str | None


class Repairs(Pair[Repair]):
    name = "repairs"

    def __init__(self, world: "Simulation", seed: str) -> None:
        super().__init__(world, "intake", seed)

    def is_needed(self) -> bool:
        return bool(self.store.parked)

    def subjects(self) -> Sequence[BorrowerId]:
        return sorted({one.row.borrower_id for one in self.store.parked})

    async def wanted(self, staff_id: StaffId, key: str, subject: BorrowerId) -> Repair | None:
        parked = await self.store.parked_inputs(subject)
        if not parked:
            return None
        retries = sum(repair.origin is None for repair in self.asked)
        again = retries < RETRIES_MAX and self.chance.random() < 0.4
        origin = None if again else parked[0][1].origin
        return Repair(staff_id, key, borrower_id=subject, origin=origin)

    async def carried_out(self, one: Repair, turn: CommandTurn) -> int:
        stage = self.world.stages[self.service]
        store = cast("Store", self.world.wire(self.store, self.name))
        at, whose, origin = self.clock()(), one.borrower_id, one.origin
        if origin is None:
            return await retry_parked(stage, store, whose, turn=turn, recorded_at=at)
        return await skip_parked(
            stage,
            store,
            whose,
            origin=origin,
            reason="too late",
            approved_by=_APPROVER,
            turn=turn,
            recorded_at=at,
        )

    def check(self) -> None:
        """Raises Broken where a repair was not made as its answer says, or another was made."""
        for repair in self.asked:
            self.check_made(repair, self._made(repair))
        skipped = [said["data"]["origin"] for said in self.said("input_skipped")]
        wanted = [repair.origin for repair in self.asked if repair.origin and self._made(repair)]
        if sorted(skipped) != sorted(wanted):
            raise Broken(f"{skipped} were given up; staff asked for {wanted}")

    def _made(self, repair: Repair) -> int:
        noun = "input_released" if repair.origin is None else "input_skipped"
        caused = self.caused(repair, noun)
        return sum(said["data"].get("origin") == repair.origin for said in caused)


def ever_parked(world: "Simulation") -> set[BorrowerId]:
    """Of whom input was parked, even if it is not any more."""
    return {
        event.borrower_id
        for store in world.stores.values()
        for events in store.events.values()
        for event in events
        if event.type.endswith(".input_parked.v1")
    }
