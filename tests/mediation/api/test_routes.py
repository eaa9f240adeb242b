"""The API of mediation: offers, signatures and a decline become events of the case's stream."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fastapi import APIRouter
from msgspec.structs import replace

from arrears.mediation.api.routes import routes as mediation_routes
from arrears.mediation.application.projections import case_list
from arrears.mediation.application.publish import WIRE_NAMES
from arrears.mediation.domain.mediation.decisions import CATEGORY
from arrears.mediation.domain.mediation.events import AgreementSigned
from arrears.mediation.testing.case import CASE, DECIDER, NOW, TAKE, WILLING, lived
from arrears.shared.http.edge import Edge
from arrears.shared.testing.api_suite import Api, ApiSuite
from arrears.shared.testing.memory_desk import MemoryDesk

OFFER = {
    "settlement_minor": 100_000,
    "currency": "CNY",
    "instalments": [
        {"due_on": "2026-04-01", "amount_minor": 60_000},
        {"due_on": "2026-05-01", "amount_minor": 40_000},
    ],
}

TALKING = lived(TAKE, replace(WILLING, now=NOW))


class TestApi(ApiSuite):
    case_id = CASE
    commands: Mapping[str, Any] = {
        "offers": OFFER,
        "signatures": {"by": "borrower"},
        "decline": None,
    }

    @pytest.fixture
    def routes(self) -> Callable[[Edge], APIRouter]:
        return mediation_routes

    @pytest.fixture
    def desk(self) -> MemoryDesk:
        made = MemoryDesk(
            [DECIDER], WIRE_NAMES, NOW, key_of=case_list.key_of, evolve=case_list.evolve
        )
        made.seed(CATEGORY, CASE, *TALKING)
        return made

    async def test_an_offer_signed_by_both_is_in_force(self, api: Api, desk: MemoryDesk) -> None:
        assert (await api.post(f"/cases/{CASE}/offers", OFFER)).status_code == 200
        for by, staff in (("borrower", "li.wei"), ("bank", "zhang.min")):
            answer = await api.post(f"/cases/{CASE}/signatures", {"by": by}, X_Staff_Id=staff)
            assert answer.status_code == 200
        assert any(isinstance(e, AgreementSigned) for e in desk.events(CATEGORY, CASE))
        case = (await api.get(f"/cases/{CASE}")).json()
        assert (case["status"], len(case["instalments"])) == ("in_force", 2)

    async def test_nobody_signs_for_the_bank_what_they_offered(self, api: Api) -> None:
        await api.post(f"/cases/{CASE}/offers", OFFER)
        answer = await api.post(f"/cases/{CASE}/signatures", {"by": "bank"})
        assert (answer.status_code, answer.json()["reason"]) == (409, "same_person")

    async def test_an_offer_that_lets_too_much_go(self, api: Api) -> None:
        lower = {"due_on": "2026-04-01", "amount_minor": 69_999}
        offer = {**OFFER, "settlement_minor": 69_999, "instalments": [lower]}
        answer = await api.post(f"/cases/{CASE}/offers", offer)
        assert (answer.status_code, answer.json()["reason"]) == (409, "over_authority")
        assert answer.json()["field"] == "settlement_minor"

    async def test_an_offer_of_more_than_is_owed(self, api: Api) -> None:
        higher = {"due_on": "2026-04-01", "amount_minor": 100_001}
        offer = {**OFFER, "settlement_minor": 100_001, "instalments": [higher]}
        answer = await api.post(f"/cases/{CASE}/offers", offer)
        assert (answer.status_code, answer.json()["reason"]) == (409, "more_than_owed")
        assert answer.json()["field"] == "settlement_minor"

    async def test_nothing_can_be_signed_before_an_offer(self, api: Api) -> None:
        answer = await api.post(f"/cases/{CASE}/signatures", {"by": "bank"})
        assert (answer.status_code, answer.json()["reason"]) == (409, "nothing_to_sign")

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"settlement_minor": 90_000}, "instalments_do_not_add_up"),
            ({"currency": "USD"}, "other_currency"),
            (
                {"instalments": [{"due_on": "2026-03-01", "amount_minor": 100_000}]},
                "instalment_due_in_the_past",
            ),
            (
                {"instalments": [{"due_on": "2056-03-01", "amount_minor": 100_000}]},
                "term_too_long",
            ),
        ],
    )
    async def test_an_offer_against_the_rules(
        self, api: Api, change: dict[str, Any], reason: str
    ) -> None:
        answer = await api.post(f"/cases/{CASE}/offers", {**OFFER, **change})
        assert (answer.status_code, answer.json()["reason"]) == (409, reason)

    @pytest.mark.parametrize(
        ("instalments", "field"),
        [
            ([], "instalments"),
            ([{"due_on": "2026-04-01"}], "instalments.0.amount_minor"),
            ([{"due_on": "2026-04-01", "amount_minor": 0}], "instalments.0.amount_minor"),
            ([{"due_on": "soon", "amount_minor": 1}], "instalments.0.due_on"),
            ([{"due_on": "2026-04-01", "amount_minor": 1}] * 241, "instalments"),
        ],
    )
    async def test_an_instalment_out_of_bounds_is_named(
        self, api: Api, instalments: list[Any], field: str
    ) -> None:
        answer = await api.post(f"/cases/{CASE}/offers", {**OFFER, "instalments": instalments})
        assert (answer.status_code, answer.json()["field"]) == (422, field)

    async def test_after_a_decline_there_is_no_offer(self, api: Api) -> None:
        assert (await api.post(f"/cases/{CASE}/decline")).status_code == 200
        answer = await api.post(f"/cases/{CASE}/offers", OFFER)
        assert (answer.status_code, answer.json()["reason"]) == (409, "mediation_over")
