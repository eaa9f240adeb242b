"""How much is tried, and the five services as they stand behind their APIs, with memory for stores.

`make test` tries a little, `make fuzz RECORDS=n REQUESTS=n SEED=n` as much as is asked for.
A failure names the seed of its batch, which alone makes the same batch again.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

import arrears.contact.main as contact
import arrears.intake.main as intake
import arrears.legal.main as legal
import arrears.mediation.main as mediation
from arrears.contact.api.routes import routes as contact_routes
from arrears.contact.application.projections import case_list as contact_list
from arrears.contact.domain.borrower.commands import StartTreatment
from arrears.history.adapters.memory import MemoryHistory
from arrears.history.adapters.words import load_words
from arrears.history.api.routes import routes as history_routes
from arrears.history.application.desk import Desk
from arrears.history.application.hearing import hear
from arrears.intake.api.routes import routes as intake_routes
from arrears.intake.application.projections import case_list as intake_list
from arrears.intake.testing.loan import CASE, LOAN, PERSON, command, overdue
from arrears.legal.api.routes import routes as legal_routes
from arrears.legal.application.projections import case_list as legal_list
from arrears.legal.testing.claim import demanded, referred
from arrears.mediation.api.routes import routes as mediation_routes
from arrears.mediation.application.projections import case_list as mediation_list
from arrears.mediation.domain.mediation.commands import AnswerInvitation, TakeMediation
from arrears.shared.eventstore.folding import Projection
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.http.actors import DevelopmentActors
from arrears.shared.http.app import make_app
from arrears.shared.http.edge import Edge
from arrears.shared.http.health import ProgressBoard
from arrears.shared.http.idempotency import MemoryAnswers
from arrears.shared.kernel.ids import BorrowerId, CaseId
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.runtime.bus import Record
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.doubts import doubt_routes
from arrears.shared.service.erasing import erasing_routes
from arrears.shared.service.operations import operations_routes, repair_routes
from arrears.shared.service.refused_input import refused_routes
from arrears.shared.service.settings import Ground
from arrears.shared.testing.bad_requests import Target
from arrears.shared.testing.chronicle import Chronicle
from arrears.shared.testing.memory_desk import MemoryDesk

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)  # 17:00 at the bank: mediation still invites.
BIGINT_MAX = 2**63 - 1


@pytest.fixture
def records() -> int:
    """How many bad records of the feed."""
    return int(os.environ.get("RECORDS") or 2_000)


@pytest.fixture
def requests() -> int:
    """How many bad requests."""
    return int(os.environ.get("REQUESTS") or 1_500)


@pytest.fixture
def first_seed() -> int:
    return int(os.environ.get("SEED") or 1)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


@dataclass
class Behind:
    """One service behind its API. `count` is how many events it has: bad requests add none."""

    name: str
    app: FastAPI
    target: Target
    count: Callable[[], int]


class StrictPool:
    """No rows, and as strict with its arguments as the driver and PostgreSQL are."""

    async def fetch(self, _statement: str, *arguments: object) -> list[Any]:
        self._check(arguments)
        return []

    async def fetchrow(self, _statement: str, *arguments: object) -> Mapping[str, Any] | None:
        self._check(arguments)
        return None if arguments else dict.fromkeys(("events", "published"), 0)

    def _check(self, arguments: Sequence[object]) -> None:
        for one in arguments:
            if isinstance(one, int) and abs(one) > BIGINT_MAX:
                raise asyncpg.DataError("value out of int64 range")
            if isinstance(one, str) and "\x00" in one:
                raise asyncpg.CharacterNotInRepertoireError("invalid byte sequence")
            if isinstance(one, str):
                one.encode()


class StrictStore(MemoryStore):
    """Asked for a borrower by a person: PostgreSQL takes no NUL."""

    async def parked_inputs(self, borrower_id: BorrowerId) -> Any:
        StrictPool()._check([borrower_id])
        return await super().parked_inputs(borrower_id)


def _stage_behind(
    stage: Stage,
    routes: Callable[[Edge], APIRouter],
    projection: Projection,
    posts: Mapping[str, Any],
    told: Sequence[tuple[str, object]],
) -> Behind:
    """`told` is what the stage was told before: a key of its only category, and a command."""
    decider = next(d for d in stage.deciders.values() if d.category != "intake.borrower")
    desk = MemoryDesk(
        list(stage.deciders.values()),
        stage.wire_names,
        NOW,
        key_of=projection.key_of,
        evolve=projection.evolve,
    )
    for key, said in told:
        state = decider.fold(desk.events(decider.category, key))
        desk.seed(decider.category, key, *decider.decide(said, state))
    edge = Edge(desk, MemoryAnswers(), DevelopmentActors(), b"secret")

    async def live_facts() -> Mapping[str, Any]:
        return {"waits_for": []}

    pool: Any = StrictPool()
    routers = [
        routes(edge),
        operations_routes(stage.name, pool, live_facts, edge),
        refused_routes(stage, StrictStore(), pool, edge, MemoryKeyStore().keyring(stage.name)),
        repair_routes(stage, StrictStore(), edge),
        doubt_routes(stage, StrictStore(), pool, edge),
        erasing_routes(stage, StrictStore(), edge, MemoryKeyStore().keyring(stage.name)),
    ]
    target = Target(
        posts={
            **{f"/cases/{CASE}/{name}": body for name, body in posts.items()},
            "/parked/person-1/retry": None,
            "/parked/person-1/skip": {
                "origin": "feed/0/1",
                "reason": "Looked at by hand.",
                "approved_by": "wang",
            },
            "/borrowers/person-1/erase": {"basis": "Asked for.", "approved_by": "wang"},
            "/in_doubt/event-1/settle": {"carried_out": True, "note": "The printer's log has it."},
        },
        questions={
            "/cases": {"limit": "limit", "after": "key"},
            f"/cases/{CASE}": {},
            "/refused": {"limit": "limit", "after": "number", "": "number"},
            "/refused/counts": {},
            "/parked": {},
            "/in_doubt": {"limit": "limit", "after": "key"},
            "/status": {},
        },
    )
    return Behind(stage.name, _app(routers), target, lambda: sum(map(len, desk.streams.values())))


def _app(routers: Sequence[APIRouter]) -> FastAPI:
    board = ProgressBoard()
    return make_app("Fuzz", routers, health=board.health, registry=CollectorRegistry())


@pytest.fixture
async def services() -> list[Behind]:
    keys = MemoryKeyStore()
    made = {
        module.service.name: module.make_stage(Ground(), keys.keyring(module.service.name))
        for module in (intake, contact, mediation, legal)
    }
    return [
        _stage_behind(made["intake"], intake_routes, intake_list, _INTAKE, [_OVERDUE]),
        _stage_behind(made["contact"], contact_routes, contact_list, _CONTACT, [_TREATMENT]),
        _stage_behind(
            made["mediation"], mediation_routes, mediation_list, _MEDIATION, [_TAKEN, _WILLING]
        ),
        _stage_behind(made["legal"], legal_routes, legal_list, _LEGAL, [_DEMANDED, _CLAIMED]),
        await _history(),
    ]


async def _history() -> Behind:
    chronicle = Chronicle()
    opened = {"case_id": CASE, "loan_key": LOAN, "currency": "CNY", "episode": 1}
    chronicle.tell(
        "intake.case_opened",
        {**opened, "product": "loan", "first_time": True},
        stream=f"intake.loan-{LOAN}",
        on=DAY,
    )
    chronicle.close_day(DAY)
    store = MemoryHistory()
    for place in await store.places():
        values = chronicle.shelves.get((place.service, place.shard), [])
        heard = [Record(offset=i, key=b"", value=v, seq=i + 1) for i, v in enumerate(values)]
        await store.hear([hear(place, heard)])
    day = {"as_of": "day", "wait": "wait"}
    texts = dict.fromkeys(("status", "stage", "bucket", "loan_key", "borrower_id", "after"), "text")
    questions: dict[str, dict[str, str]] = {
        "/cases": {"limit": "limit", **texts, **day},
        "/cases/counts": {},
        f"/cases/{CASE}/history": {"lang": "lang", **day},
        f"/loans/{LOAN}/history": {"lang": "lang", **day},
        "/portfolio": day,
        "/report": {"facts_set_aside": "number", **day},
        "/days": {},
        "/digest": day,
        "/export": day,
    }
    app = _app([history_routes(Desk(store, load_words()), DevelopmentActors())])
    return Behind("history", app, Target({}, questions), lambda: 0)


# --- What the stages were told before, and what they may be told


_INTAKE = {
    "hold": {"reason": "dispute", "until_on": "2026-04-01", "note": "The debt is disputed."},
    "release": {"reason": "Settled."},
    "refer": {"stage": "contact", "treatment": "call", "reason": "The branch asked for it."},
    "return": {"reason": "Wrong stage."},
    "close": {"reason": "The borrower has died without an estate."},
}
_CONTACT = {
    "promises": {"amount_minor": 50_000, "currency": "CNY", "due_on": "2026-03-09"},
    "hardship": {"review_on": "2026-04-01"},
    "refusals": None,
    "stop": {"reason": "In hospital.", "until_on": "2026-03-20"},
    "resume": {"reason": "Back home."},
}
_MEDIATION = {
    "offers": {
        "settlement_minor": 100_000,
        "currency": "CNY",
        "instalments": [{"due_on": "2026-04-01", "amount_minor": 100_000}],
    },
    "signatures": {"by": "borrower"},
    "decline": None,
}
_LEGAL = {
    "demands": {
        "total_minor": 3_700_000,
        "currency": "CNY",
        "delivered_at": "2026-02-20T10:00:00+08:00",
    },
    "filing-approval": {"despite_limitation": True},
    "judgments": {"awarded_minor": 3_800_000, "currency": "CNY", "obey_by_on": "2026-03-25"},
    "suit/end": {"result": "withdrawn", "reason": "The papers are not complete."},
    "enforcement": None,
    "enforcement/close": None,
}
_OWED: dict[str, Any] = {"case_id": CaseId(CASE), "loan_key": LOAN, "currency": "CNY", "now": NOW}
_OVERDUE = (
    LOAN,
    command(overdue(stated_at=NOW)),
)
_TREATMENT = (
    PERSON,
    StartTreatment(
        borrower_id=PERSON,
        referral=1,
        treatment="call",
        overdue_minor=100_000,
        days_past_due=20,
        product="loan",
        **_OWED,
    ),
)
_TAKEN = (CASE, TakeMediation(borrower_id=PERSON, referral=4, overdue_minor=100_000, **_OWED))
_WILLING = (CASE, AnswerInvitation(round=1, accepted=True, now=NOW))
_DEMANDED = (CASE, demanded(DAY - timedelta(days=40)))
_CLAIMED = (CASE, referred(now=NOW))
