"""A toy service behind the edge: a jar that holds coins and refuses too many."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import APIRouter
from msgspec import Struct
from prometheus_client import CollectorRegistry
from starlette.responses import Response

from arrears.shared.http.actors import DevelopmentActors
from arrears.shared.http.app import make_app
from arrears.shared.http.cases import Cases
from arrears.shared.http.edge import Call, Edge, command_answers
from arrears.shared.http.fields import AmountMinor, Body, CaseIdPath, Currency, Day, Instant, Words
from arrears.shared.http.health import ProgressBoard
from arrears.shared.http.idempotency import MemoryAnswers
from arrears.shared.kernel.decider import Decider, Refused
from arrears.shared.kernel.ids import BorrowerId, CaseId
from arrears.shared.kernel.reaction import Issue
from arrears.shared.testing.memory_desk import MemoryDesk

NOW = datetime(2024, 3, 1, 9, tzinfo=UTC)


class CoinsAdded(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    count: int


class AddCoins(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    count: int
    now: datetime


class Row(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    borrower_id: BorrowerId
    count: int


class CoinsBody(Body):
    count: AmountMinor
    currency: Currency = "CNY"
    due_on: Day | None = None
    seen_at: Instant | None = None
    reason: Words | None = None


def _decide(command: AddCoins, count: int) -> Sequence[CoinsAdded]:
    if count + command.count > 10:
        raise Refused("jar_full", "count")
    return (CoinsAdded(case_id=command.case_id, count=command.count),)


def _evolve(row: Row | None, event: CoinsAdded) -> Row:
    before = 0 if row is None else row.count
    borrower = BorrowerId(f"owner of {event.case_id}")
    return Row(case_id=event.case_id, borrower_id=borrower, count=before + event.count)


jar_decider: Decider[int, AddCoins, CoinsAdded] = Decider(
    category="toy.jar",
    initial=0,
    evolve=lambda count, event: count + event.count,
    decide=_decide,
)


def case_id(number: int) -> CaseId:
    return CaseId(f"{number:08x}-0000-4000-8000-000000000000")


@pytest.fixture
def desk() -> MemoryDesk:
    made = MemoryDesk(
        [jar_decider],
        {CoinsAdded: "arrears.toy.coins_added.v1"},
        NOW,
        key_of=lambda event: event.case_id,
        evolve=_evolve,
    )
    for number in range(1, 6):
        made.seed("toy.jar", case_id(number), CoinsAdded(case_id=case_id(number), count=1))
    return made


@pytest.fixture
def answers() -> MemoryAnswers:
    return MemoryAnswers()


@pytest.fixture
def board() -> ProgressBoard:
    return ProgressBoard(stalled_after=0)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def client(
    desk: MemoryDesk, answers: MemoryAnswers, board: ProgressBoard, registry: CollectorRegistry
) -> AsyncIterator[httpx.AsyncClient]:
    edge = Edge(desk, answers, DevelopmentActors(), b"secret")
    router = APIRouter()
    cases = Cases(edge, "case_list", Row)
    cases.add_to(router)
    called = edge.call("ops")

    @router.post("/cases/{case_id}/coins", responses=command_answers("jar_full"))
    async def add(case_id: CaseIdPath, body: CoinsBody, call: Call = called) -> Response:
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: Issue(
                "toy.jar", case_id, AddCoins(case_id=case.case_id, count=body.count, now=now)
            ),
        )

    app = make_app("Toy", [router], health=board.health, body_bytes_max=2000, registry=registry)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://toy") as made:
        yield made


@pytest.fixture
def headers() -> Mapping[str, str]:
    return {"X-Staff-Id": "li.wei", "Idempotency-Key": "k-1"}
