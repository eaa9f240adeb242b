"""The API of intake: what operations do with a case becomes events of the loan's stream."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from fastapi import APIRouter

from arrears.intake.api.routes import routes as intake_routes
from arrears.intake.application.projections import case_list
from arrears.intake.application.publish import WIRE_NAMES
from arrears.intake.domain.loan.decisions import CATEGORY
from arrears.intake.domain.loan.events import CaseClosed, CaseHeld
from arrears.intake.testing.loan import CASE, DECIDER, LOAN, NOW, overdue, says
from arrears.shared.http.edge import Edge
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.testing.api_suite import Api, ApiSuite
from arrears.shared.testing.memory_desk import MemoryDesk

HOLD = {"reason": "dispute", "until_on": "2026-04-01", "note": "The debt is disputed."}
REFER = {"stage": "contact", "treatment": "call", "reason": "The branch asked for it."}

OPENED = says(DECIDER.initial, overdue())


class TestApi(ApiSuite):
    case_id = CASE
    commands: Mapping[str, Any] = {
        "hold": HOLD,
        "release": {"reason": "Settled."},
        "refer": REFER,
        "return": {"reason": "Wrong stage."},
        "close": {"reason": "The borrower has died without an estate."},
    }

    @pytest.fixture
    def routes(self) -> Callable[[Edge], APIRouter]:
        return intake_routes

    @pytest.fixture
    def desk(self) -> MemoryDesk:
        made = MemoryDesk(
            [DECIDER], WIRE_NAMES, NOW, key_of=case_list.key_of, evolve=case_list.evolve
        )
        made.seed(CATEGORY, LOAN, *OPENED)
        return made

    async def test_a_held_case_is_not_referred_until_it_is_released(
        self, api: Api, desk: MemoryDesk
    ) -> None:
        assert (await api.post(f"/cases/{CASE}/hold", HOLD)).status_code == 200
        (held,) = [e for e in desk.events(CATEGORY, LOAN) if isinstance(e, CaseHeld)]
        assert (held.reason, held.staff_id, held.until_on) == (
            "dispute",
            "li.wei",
            date(2026, 4, 1),
        )
        answer = await api.post(f"/cases/{CASE}/refer", REFER)
        assert (answer.status_code, answer.json()["reason"]) == (409, "case_held")
        assert (await api.post(f"/cases/{CASE}/release", {"reason": "Settled."})).status_code == 200
        assert (await api.post(f"/cases/{CASE}/refer", REFER)).status_code == 200
        case = (await api.get(f"/cases/{CASE}")).json()
        assert (case["stage"], case["treatment"], case["holds"]) == ("contact", "call", [])

    async def test_one_of_two_holds_is_released_by_its_reason(self, api: Api) -> None:
        await api.post(f"/cases/{CASE}/hold", HOLD)
        await api.post(f"/cases/{CASE}/hold", {"reason": "death"})
        case = (await api.get(f"/cases/{CASE}")).json()
        assert case["holds"] == [
            {"reason": "dispute", "until_on": "2026-04-01", "note": HOLD["note"]},
            {"reason": "death", "until_on": None, "note": None},
        ]
        body = {"reason": "He lives.", "hold": "death"}
        assert (await api.post(f"/cases/{CASE}/release", body)).status_code == 200
        assert (await api.post(f"/cases/{CASE}/release", body)).json() == {"events": []}
        case = (await api.get(f"/cases/{CASE}")).json()
        assert [hold["reason"] for hold in case["holds"]] == ["dispute"]
        unknown = {"reason": "He lives.", "hold": "mood"}
        assert (await api.post(f"/cases/{CASE}/release", unknown)).status_code == 422

    @pytest.mark.parametrize("command", sorted(commands))
    async def test_a_command_goes_to_the_loans_home(
        self, api: Api, desk: MemoryDesk, command: str
    ) -> None:
        """The bank named another borrower first: the stream is in that one's shard."""
        desk.homes[LOAN] = BorrowerId("person-0")
        answer = await api.post(f"/cases/{CASE}/{command}", self.commands[command])
        assert answer.status_code == 200
        assert desk.asked_of == ["person-0"]

    async def test_a_case_taken_back_is_intakes_again(self, api: Api) -> None:
        await api.post(f"/cases/{CASE}/refer", REFER)
        await api.post(f"/cases/{CASE}/return", {"reason": "Wrong stage."})
        assert (await api.get(f"/cases/{CASE}")).json()["stage"] == "intake"

    async def test_a_closed_case_stays_closed(self, api: Api, desk: MemoryDesk) -> None:
        closing = {"reason": "No estate."}
        assert (await api.post(f"/cases/{CASE}/close", closing)).status_code == 200
        (closed,) = [e for e in desk.events(CATEGORY, LOAN) if isinstance(e, CaseClosed)]
        assert closed.reason == "uncollectible"
        assert (await api.post(f"/cases/{CASE}/close", closing)).json() == {"events": []}
        for command, body in self.commands.items():
            if command != "close":
                answer = await api.post(f"/cases/{CASE}/{command}", body)
                assert (answer.status_code, answer.json()["reason"]) == (409, "case_closed")

    @pytest.mark.parametrize(
        ("command", "body", "reason"),
        [
            ("hold", {**HOLD, "until_on": "2026-01-01"}, "until_in_the_past"),
            ("refer", {**REFER, "treatment": "sue"}, "unknown_treatment"),
            ("close", {"reason": "Paid.", "outcome": "settled"}, "no_fulfilled_agreement"),
        ],
    )
    async def test_a_command_against_the_rules(
        self, api: Api, command: str, body: dict[str, str], reason: str
    ) -> None:
        answer = await api.post(f"/cases/{CASE}/{command}", body)
        assert (answer.status_code, answer.json()["reason"]) == (409, reason)
