"""People as players of the toy simulation: commands through the edge of the API, some of them at
the same moment, asked until an answer has come, each under its idempotency key. Most holds are
announced in mediation first: what was announced must be noted there when it is heard.

The process that serves them may die at any moment, and answers are lost; so a command may have been
carried out when it is asked for again. Whatever happens it is carried out at most once, and once
where the answer says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import Struct
from msgspec.json import Decoder
from starlette.responses import Response

from arrears.shared.contracts.intake import CaseHeld
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import Store, StoredEvent
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
from arrears.shared.testing.toy_desk import AnnounceHold
from arrears.shared.testing.toy_intake import Hold

if TYPE_CHECKING:
    from arrears.shared.testing.simulation import Simulation

STAFF: Final = StaffId("staff")
TAKEN_OVER_AFTER: Final = 2.0
RETRY_SECONDS: Final = 0.3
UNANNOUNCED_EVERY: Final = 3
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
    """One hold: when it is first asked for, whether it is announced before, as far as mediation had
    begun, and what was answered in the end."""

    key: str
    borrower_id: BorrowerId
    at: float
    is_announced: bool
    status: int = 0
    body: bytes = b""


class People:
    name = "people"

    def __init__(
        self, world: "Simulation", seed: str, borrowers: Sequence[str], seconds: float
    ) -> None:
        chance = Random(seed)
        self._world = world
        self._answers = {
            service: Answers(world.stores[service], world.loop.time)
            for service in ("intake", "mediation")
        }
        moments = [chance.uniform(0.3, seconds) for _ in range(max(1, world.story.commands // 2))]
        self.wishes = [
            Wish(
                f"wish-{n}",
                BorrowerId(chance.choice(borrowers)),
                chance.choice(moments),
                n % UNANNOUNCED_EVERY > 0,
            )
            for n in range(world.story.commands)
        ]

    async def main(self) -> None:
        edges = {service: self._edge(service) for service in self._answers}
        left = [wish for wish in self.wishes if not wish.status]
        await asyncio.gather(*(self._ask(edges, wish) for wish in left))

    def _edge(self, service: str) -> Edge:
        world = self._world
        desk = ServiceDesk(
            world.stages[service],
            cast("Store", world.wire(world.stores[service], self.name)),
            cast("Any", None),
            clock=world.cast.clock,
            wall=WallClock(world.loop, world.wall, world.rate),
        )
        answers = cast("idempotency.Answers", world.wire(self._answers[service], self.name))
        return Edge(desk, answers, cast("Any", None), b"secret")

    async def _ask(self, edges: Mapping[str, Edge], wish: Wish) -> None:
        await asyncio.sleep(max(0.0, wish.at - self._world.loop.time()))
        whose, reason = wish.borrower_id, wish.key
        if wish.is_announced:
            announced = Issue("mediation.desk", whose, AnnounceHold(reason=reason))
            response = await _answered(edges["mediation"], wish, announced)
            wish.is_announced = response.status_code == 200
        hold = Issue("intake.loan", f"loan-1-of-{whose}", Hold(reason=reason))
        response = await _answered(edges["intake"], wish, hold)
        wish.status, wish.body = response.status_code, bytes(response.body)

    def is_done(self) -> bool:
        return all(wish.status for wish in self.wishes)

    def check(self) -> None:
        """Raises Broken where a command was not carried out as its answer says, or where what was
        announced before it was held was not noted."""
        for wish in self.wishes:
            held = self._caused(wish, "intake", CaseHeld.WIRE_NAME)
            if len(held) > 1:
                raise Broken(f"{wish.key} of {wish.borrower_id} was carried out {len(held)} times")
            if wish.status != 200 and held:
                raise Broken(f"{wish.key} was refused with {wish.status}, and carried out")
            if wish.status == 200:
                said = {event.id for event in _ISSUED.decode(wish.body).events}
                if not held or not said <= {event.event_id for event in held}:
                    raise Broken(f"{wish.key} was answered with {said}, but the store has {held}")
            self._check_noted(wish, held)

    def _check_noted(self, wish: Wish, held: Sequence[StoredEvent]) -> None:
        heard = self._world.stores["mediation"].shards[shard_of(wish.borrower_id)].open_day
        if self._world.cast.clock == "feed" and any(one.business_day == heard for one in held):
            return  # It waits for a day that is never closed.
        noted = self._caused(wish, "mediation", "arrears.mediation.hold_noted.v1")
        if len(noted) != len(held) * wish.is_announced:
            announced = "announced" if wish.is_announced else "not announced"
            raise Broken(f"{wish.key}, held and {announced}, was noted {len(noted)} times")

    def _caused(self, wish: Wish, service: str, wire_name: str) -> list[StoredEvent]:
        """The events of that type that name the wish as their reason."""
        return [
            event
            for event in self._world.stores[service].events[shard_of(wish.borrower_id)]
            if event.type == wire_name
            and _ENVELOPE.decode(event.value)["data"]["reason"] == wish.key
        ]


async def _answered(edge: Edge, wish: Wish, issue: Issue) -> Response:
    call = Call(STAFF, wish.key, wish.key.encode())
    return await until_answered(lambda: edge.carry_out(call, wish.borrower_id, lambda _at: issue))
