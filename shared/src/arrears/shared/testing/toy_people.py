"""People as players of the toy simulation: commands through the edge of the API, some of them at
the same moment, asked until an answer has come, each under its idempotency key.

The process that serves them may die at any moment, and answers are lost; so a command may have been
carried out when it is asked for again. Whatever happens it is carried out at most once, and once
where the answer says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct
from msgspec.json import Decoder
from starlette.responses import Response

from arrears.shared.contracts.intake import CaseHeld
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import Store
from arrears.shared.http import idempotency
from arrears.shared.http.desk import Issued
from arrears.shared.http.edge import Call, Edge
from arrears.shared.http.problem import ProblemRaised
from arrears.shared.kernel.decider import Busy, Refused
from arrears.shared.kernel.ids import BorrowerId, StaffId, shard_of
from arrears.shared.kernel.reaction import Issue
from arrears.shared.service.desk import ServiceDesk
from arrears.shared.testing.laws import Broken
from arrears.shared.testing.simulated import WallClock
from arrears.shared.testing.toy_intake import Hold

if TYPE_CHECKING:
    from arrears.shared.testing.simulation import Simulation

STAFF: Final = StaffId("staff")
TAKEN_OVER_AFTER: Final = 2.0
RETRY_SECONDS: Final = 0.3
_ISSUED: Final = Decoder(Issued)
_ENVELOPE: Final = Decoder(dict[str, Any])


async def until_answered(ask: Callable[[], Awaitable[Response]]) -> Response:
    """What a client does whose request or answer was lost, or came too early."""
    while True:
        try:
            return await ask()
        except Refused as refusal:
            assert refusal.reason == "before_the_first_business_day"
        except (ConnectionError, ProblemRaised, Busy):
            pass
        await asyncio.sleep(RETRY_SECONDS)


class Answers(idempotency.MemoryAnswers):
    """As the table in PostgreSQL: what a dead process began is taken over after a while."""

    def __init__(self, store: MemoryStore, now: Callable[[], float]) -> None:
        super().__init__(store.at_work, store.answers)
        self._now = now
        self._begun: dict[tuple[str, StaffId], float] = {}

    async def begin(self, key: str, actor: StaffId, input_hmac: bytes) -> idempotency.Verdict:
        found = await super().begin(key, actor, input_hmac)
        since = self._begun.get((key, actor), 0.0)
        if isinstance(found, idempotency.InProgress) and self._now() - since > TAKEN_OVER_AFTER:
            found = self._take(key, actor)
        if isinstance(found, idempotency.Fresh):
            self._begun[key, actor] = self._now()
        return found


class Wish(Struct):
    """One command: when it is first asked for, and what was answered in the end."""

    key: str
    borrower_id: BorrowerId
    at: float
    status: int = 0
    body: bytes = b""


class People:
    name = "people"

    def __init__(
        self, world: "Simulation", seed: str, borrowers: Sequence[str], seconds: float
    ) -> None:
        chance = Random(seed)
        self._world = world
        self._answers = Answers(world.stores["intake"], world.loop.time)
        moments = [chance.uniform(0.3, seconds) for _ in range(max(1, world.story.commands // 2))]
        self.wishes = [
            Wish(f"wish-{n}", BorrowerId(chance.choice(borrowers)), chance.choice(moments))
            for n in range(world.story.commands)
        ]

    async def main(self) -> None:
        world = self._world
        desk = ServiceDesk(
            world.stages["intake"],
            cast("Store", world.wire(world.stores["intake"], self.name)),
            cast("Any", None),
            clock=world.cast.clock,
            wall=WallClock(world.loop, world.wall, world.rate),
        )
        answers = cast("idempotency.Answers", world.wire(self._answers, self.name))
        edge = Edge(desk, answers, cast("Any", None), b"secret")
        left = [wish for wish in self.wishes if not wish.status]
        await asyncio.gather(*(self._ask(edge, wish) for wish in left))

    async def _ask(self, edge: Edge, wish: Wish) -> None:
        await asyncio.sleep(max(0.0, wish.at - self._world.loop.time()))
        call = Call(STAFF, wish.key, wish.key.encode())
        issue = Issue("intake.loan", f"loan-1-of-{wish.borrower_id}", Hold(reason=wish.key))
        response = await until_answered(
            lambda: edge.carry_out(call, wish.borrower_id, lambda _at: issue)
        )
        wish.status, wish.body = response.status_code, bytes(response.body)

    def is_done(self) -> bool:
        return all(wish.status for wish in self.wishes)

    def check(self) -> None:
        """Raises Broken where a command was not carried out as its answer says."""
        for wish in self.wishes:
            held = self._held(wish)
            if len(held) > 1:
                raise Broken(f"{wish.key} of {wish.borrower_id} was carried out {len(held)} times")
            if wish.status != 200 and held:
                raise Broken(f"{wish.key} was refused with {wish.status}, and carried out")
            if wish.status == 200:
                said = {event.id for event in _ISSUED.decode(wish.body).events}
                if not held or not said <= set(held):
                    raise Broken(f"{wish.key} was answered with {said}, but the store has {held}")

    def _held(self, wish: Wish) -> list[str]:
        events = self._world.stores["intake"].events[shard_of(wish.borrower_id)]
        return [
            event.event_id
            for event in events
            if event.type == CaseHeld.WIRE_NAME
            and _ENVELOPE.decode(event.value)["data"]["reason"] == wish.key
        ]
