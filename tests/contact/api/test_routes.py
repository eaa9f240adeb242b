"""The API of contact: a collector's words become events of the borrower's stream."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import APIRouter

from arrears.contact.api.routes import routes as contact_routes
from arrears.contact.application.projections import case_list
from arrears.contact.application.publish import WIRE_NAMES
from arrears.contact.domain.borrower.decisions import CATEGORY
from arrears.contact.domain.borrower.events import (
    ContactResumed,
    ContactStopped,
)
from arrears.contact.domain.borrower.promise_events import PromiseMade
from arrears.contact.testing.borrower import BORROWER, DECIDER, refer
from arrears.shared.http.edge import Edge
from arrears.shared.kernel.ids import CaseId, StaffId
from arrears.shared.testing.api_suite import Api, ApiSuite
from arrears.shared.testing.memory_desk import MemoryDesk

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
CASE = CaseId("00000001-0000-4000-8000-000000000000")
PROMISE = {"amount_minor": 50_000, "currency": "CNY", "due_on": "2026-03-09"}

STARTED = DECIDER.decide(refer(case_id=CASE, now=NOW), DECIDER.initial)


class TestApi(ApiSuite):
    case_id = CASE
    commands: Mapping[str, Any] = {
        "promises": PROMISE,
        "hardship": {"review_on": "2026-04-01"},
        "refusals": None,
        "stop": {"reason": "in hospital", "until_on": "2026-03-20"},
        "resume": {"reason": "back home"},
    }

    @pytest.fixture
    def routes(self) -> Callable[[Edge], APIRouter]:
        return contact_routes

    @pytest.fixture
    def desk(self) -> MemoryDesk:
        made = MemoryDesk(
            [DECIDER], WIRE_NAMES, NOW, key_of=case_list.key_of, evolve=case_list.evolve
        )
        made.seed(CATEGORY, BORROWER, *STARTED)
        return made

    async def test_a_promise_is_recorded_by_name(self, api: Api, desk: MemoryDesk) -> None:
        answer = await api.post(f"/cases/{CASE}/promises", PROMISE)
        assert answer.status_code == 200
        (made,) = [e for e in desk.events(CATEGORY, BORROWER) if isinstance(e, PromiseMade)]
        assert (made.amount_minor, made.due_on.isoformat()) == (50_000, "2026-03-09")
        assert desk.actors == [StaffId("li.wei")]
        types = [event["type"] for event in answer.json()["events"]]
        assert "arrears.contact.promise_made.v1" in types
        case = (await api.get(f"/cases/{CASE}")).json()
        assert (case["promise_status"], case["promise_minor"]) == ("pending", 50_000)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"due_on": "2026-03-01"}, "due_in_the_past"),
            ({"due_on": "2027-03-01"}, "due_too_far_ahead"),
            ({"currency": "USD"}, "currency_differs_from_the_loan"),
        ],
    )
    async def test_a_promise_against_the_rules(
        self, api: Api, change: dict[str, str], reason: str
    ) -> None:
        answer = await api.post(f"/cases/{CASE}/promises", {**PROMISE, **change})
        assert (answer.status_code, answer.json()["reason"]) == (409, reason)

    async def test_a_second_promise_is_refused(self, api: Api) -> None:
        await api.post(f"/cases/{CASE}/promises", PROMISE)
        answer = await api.post(f"/cases/{CASE}/promises", {**PROMISE, "amount_minor": 1})
        assert (answer.status_code, answer.json()["reason"]) == (409, "promise_already_pending")

    async def test_a_stop_binds_until_it_is_lifted(self, api: Api, desk: MemoryDesk) -> None:
        await api.post(f"/cases/{CASE}/stop", {"reason": "in hospital"})
        assert any(isinstance(e, ContactStopped) for e in desk.events(CATEGORY, BORROWER))
        again = await api.post(f"/cases/{CASE}/stop", {"reason": "in hospital"})
        assert again.json() == {"events": []}
        other = await api.post(f"/cases/{CASE}/stop", {"reason": "a lawyer asked for it"})
        assert (other.status_code, other.json()["reason"], other.json()["field"]) == (
            409,
            "stopped_as_long_already",
            "until_on",
        )
        await api.post(f"/cases/{CASE}/resume", {"reason": "back home"})
        assert any(isinstance(e, ContactResumed) for e in desk.events(CATEGORY, BORROWER))
