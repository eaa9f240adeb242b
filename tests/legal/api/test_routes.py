"""The API of legal: what a lawyer decides or enters becomes events of the claim's stream."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from fastapi import APIRouter

from arrears.legal.api.routes import routes as legal_routes
from arrears.legal.application.projections import case_list
from arrears.legal.application.publish import WIRE_NAMES
from arrears.legal.domain.claim.decisions import CATEGORY
from arrears.legal.testing.claim import CASE, NOW, SHIPPED, TODAY, demanded, lived_by, pay, referred
from arrears.shared.http.edge import Edge
from arrears.shared.testing.api_suite import Api, ApiSuite
from arrears.shared.testing.memory_desk import MemoryDesk

JUDGMENT = {"awarded_minor": 3_800_000, "currency": "CNY", "obey_by_on": "2026-03-25"}
DEMAND = {
    "total_minor": 3_700_000,
    "currency": "CNY",
    "delivered_at": "2026-02-20T10:00:00+08:00",
}

FILED = lived_by(SHIPPED, demanded(), referred())
PAID = pay(2_000_000, TODAY, now=NOW)


class TestApi(ApiSuite):
    case_id = CASE
    commands: Mapping[str, Any] = {
        "demands": DEMAND,
        "filing-approval": {"despite_limitation": True},
        "judgments": JUDGMENT,
        "suit/end": {"result": "withdrawn", "reason": "The papers are not complete."},
        "enforcement": None,
        "enforcement/close": None,
    }

    @pytest.fixture
    def routes(self) -> Callable[[Edge], APIRouter]:
        return legal_routes

    @pytest.fixture
    def desk(self) -> MemoryDesk:
        made = MemoryDesk(
            [SHIPPED], WIRE_NAMES, NOW, key_of=case_list.key_of, evolve=case_list.evolve
        )
        made.seed(CATEGORY, CASE, *FILED)
        return made

    async def test_from_a_judgment_to_the_end_of_enforcement(
        self, api: Api, desk: MemoryDesk
    ) -> None:
        assert (await api.post(f"/cases/{CASE}/judgments", JUDGMENT)).status_code == 200
        early = await api.post(f"/cases/{CASE}/enforcement")
        assert (early.status_code, early.json()["reason"]) == (409, "time_to_obey_is_running")
        desk.business_time = NOW + timedelta(days=60)
        wake = SHIPPED.wake
        assert wake is not None
        stream = desk.events(CATEGORY, CASE)
        due = SHIPPED.due(SHIPPED.fold(stream), NOW)
        assert due is not None
        stream.extend(SHIPPED.decide(wake(due), SHIPPED.fold(stream)))
        await api.post(f"/cases/{CASE}/enforcement")
        case = (await api.get(f"/cases/{CASE}")).json()
        assert case["status"] == "enforcing"
        assert (await api.post(f"/cases/{CASE}/enforcement/close")).status_code == 200

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"currency": "USD"}, "other_currency"),
            ({"obey_by_on": "2026-03-01"}, "before_the_filing"),
            ({"obey_by_on": "2099-03-01"}, "too_far_ahead"),
            ({"deducted_minor": 1}, "more_than_was_paid"),
        ],
    )
    async def test_a_judgment_against_the_rules(
        self, api: Api, change: dict[str, str | int], reason: str
    ) -> None:
        answer = await api.post(f"/cases/{CASE}/judgments", {**JUDGMENT, **change})
        assert (answer.status_code, answer.json()["reason"]) == (409, reason)
        (field,) = change
        assert answer.json()["field"] == field

    @pytest.mark.parametrize("deducted_minor", [-1, "1", 1.5, None, True])
    async def test_what_an_award_is_less_is_an_amount(
        self, api: Api, deducted_minor: object
    ) -> None:
        body = {**JUDGMENT, "deducted_minor": deducted_minor}
        answer = await api.post(f"/cases/{CASE}/judgments", body)
        assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_request")

    async def test_an_award_that_is_less_what_came_in_is_left_whole(
        self, api: Api, desk: MemoryDesk
    ) -> None:
        desk.seed(CATEGORY, CASE, *SHIPPED.decide(PAID, SHIPPED.fold(FILED)))
        body = {**JUDGMENT, "awarded_minor": 1_800_000, "deducted_minor": 2_000_000}
        assert (await api.post(f"/cases/{CASE}/judgments", body)).status_code == 200
        case = (await api.get(f"/cases/{CASE}")).json()
        shown = {name: case[name] for name in ("status", "total_minor", "deducted_minor")}
        assert shown == {
            "status": "judged",
            "total_minor": 1_800_000,
            "deducted_minor": 2_000_000,
        }

    async def test_a_second_judgment_is_refused(self, api: Api) -> None:
        await api.post(f"/cases/{CASE}/judgments", JUDGMENT)
        answer = await api.post(f"/cases/{CASE}/judgments", {**JUDGMENT, "awarded_minor": 1})
        assert (answer.status_code, answer.json()["reason"]) == (409, "judgment_already_entered")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"delivered_at": "2026-03-05T10:00:00Z"}, "in_the_future"),
            ({"currency": "USD"}, "other_currency"),
        ],
    )
    async def test_a_demand_against_the_rules(
        self, api: Api, change: dict[str, str], reason: str
    ) -> None:
        answer = await api.post(f"/cases/{CASE}/demands", {**DEMAND, **change})
        assert (answer.status_code, answer.json()["reason"]) == (409, reason)

    @pytest.mark.parametrize(
        ("body", "status", "reason"),
        [
            ({"result": "lost", "reason": "x"}, 422, "invalid_request"),
            ({"result": "dismissed"}, 422, "invalid_request"),
            ({"result": "dismissed", "reason": ""}, 422, "invalid_request"),
        ],
    )
    async def test_an_end_of_the_suit_against_the_rules(
        self, api: Api, body: dict[str, str], status: int, reason: str
    ) -> None:
        answer = await api.post(f"/cases/{CASE}/suit/end", body)
        assert (answer.status_code, answer.json()["reason"]) == (status, reason)

    async def test_a_suit_that_ended_shows_how(self, api: Api) -> None:
        await api.post(f"/cases/{CASE}/suit/end", {"result": "dismissed", "reason": "No proof."})
        case = (await api.get(f"/cases/{CASE}")).json()
        assert (case["status"], case["reason"]) == ("closed", "dismissed")

    async def test_enforcement_needs_a_judgment(self, api: Api) -> None:
        answer = await api.post(f"/cases/{CASE}/enforcement")
        assert (answer.status_code, answer.json()["reason"]) == (409, "judgment_not_entered")
        answer = await api.post(f"/cases/{CASE}/enforcement/close")
        assert answer.json()["reason"] == "enforcement_not_applied_for"
