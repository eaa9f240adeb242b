"""Operations staff as players of the toy simulation: two who look at the same things of a service
at the same moments, and ask for what they want as the API lets them.

Their process may die at any moment and answers are lost, so what was carried out may be asked for
again. Whatever happens it is carried out once where the answer says so, and not where it does not.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from msgspec import Struct
from msgspec.json import Decoder

from arrears.shared.eventstore.port import CommandTurn
from arrears.shared.http import idempotency
from arrears.shared.http.edge import Call, Edge
from arrears.shared.kernel.ids import StaffId
from arrears.shared.runtime.transact import asked_by
from arrears.shared.testing.laws import Broken
from arrears.shared.testing.simulated import WallClock
from arrears.shared.testing.toy_people import Answers, until_answered

if TYPE_CHECKING:
    from arrears.shared.testing.simulation import Simulation

LOOK_SECONDS: Final = (0.25, 0.5)
"""Few, so that both often look at once."""
_ENVELOPE: Final = Decoder(dict[str, Any])


class Request(Struct):
    """What a member of staff asks for, and how it was answered in the end."""

    staff_id: StaffId
    key: str
    status: int = 0


Asked = TypeVar("Asked", bound=Request)


class Pair(Generic[Asked]):
    """Looks until there is nothing left to ask for. A subclass says what that is."""

    name: str

    def __init__(self, world: "Simulation", service: str, seed: str) -> None:
        self.world = world
        self.service = service
        self.store = world.stores[service]
        self.chance = Random(seed)
        self.asked: list[Asked] = []
        self._answers = Answers(self.store, world.loop.time)
        self._is_done = False

    async def main(self) -> None:
        answers = cast("idempotency.Answers", self.world.wire(self._answers, self.name))
        edge = Edge(cast("Any", None), answers, cast("Any", None), b"secret")
        left = [one for one in self.asked if not one.status]
        await asyncio.gather(
            *(self._ask(edge, one) for one in left),
            *(self._look(edge, StaffId(name)) for name in ("early", "late")),
        )
        self._is_done = True

    async def _look(self, edge: Edge, staff_id: StaffId) -> None:
        while self.is_needed() or not self.world.is_settled():
            await asyncio.sleep(self.chance.choice(LOOK_SECONDS))
            for subject in self.subjects():
                wanted = await self.wanted(staff_id, f"{self.name}-{len(self.asked)}", subject)
                if wanted is not None:
                    self.asked.append(wanted)
                    await self._ask(edge, wanted)

    async def _ask(self, edge: Edge, one: Asked) -> None:
        call = Call(one.staff_id, one.key, one.key.encode())
        response = await until_answered(
            lambda: edge.answer_once(call, partial(self.carried_out, one))
        )
        one.status = response.status_code

    def clock(self) -> WallClock:
        return WallClock(self.world.loop, self.world.wall, self.world.rate)

    def is_done(self) -> bool:
        return self._is_done

    # --- What they look at, and ask for

    def is_needed(self) -> bool:
        """Whether anything waits for them."""
        raise NotImplementedError

    def subjects(self) -> Sequence[Any]:
        """What waits for them and can be asked for now."""
        raise NotImplementedError

    async def wanted(self, staff_id: StaffId, key: str, subject: Any) -> Asked | None:
        raise NotImplementedError

    async def carried_out(self, one: Asked, turn: CommandTurn) -> object:
        raise NotImplementedError

    # --- What came of it

    def said(self, noun: str) -> list[dict[str, Any]]:
        """The envelopes of the service's events of that noun."""
        return [
            _ENVELOPE.decode(event.value)
            for events in self.store.events.values()
            for event in events
            if event.type == f"arrears.{self.service}.{noun}.v1"
        ]

    def caused(self, one: Asked, noun: str) -> list[dict[str, Any]]:
        """Those that this very request has led to."""
        cause = asked_by(CommandTurn(one.key, one.staff_id, "")).id
        return [said for said in self.said(noun) if said["causationid"] == cause]

    def check_made(self, one: Asked, made: int) -> None:
        """Raises Broken where it was made more or less often than its answer says."""
        if made not in {200: (1,), 0: (0, 1)}.get(one.status, (0,)):
            raise Broken(f"{one} was made {made} times")
