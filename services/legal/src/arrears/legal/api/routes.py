"""The API of legal: its cases, and what a lawyer decides or enters. Role: lawyer."""

from fastapi import APIRouter
from starlette.responses import Response

from arrears.legal.api.schemas import DemandBody, FilingApprovalBody, JudgmentBody, SuitEndBody
from arrears.legal.application import handlers
from arrears.legal.application.projections.case_list import NAME, Row
from arrears.shared.http.cases import Cases
from arrears.shared.http.edge import Call, Edge, command_answers
from arrears.shared.http.fields import CaseIdPath

ROLE = "lawyer"


def routes(edge: Edge) -> APIRouter:
    router = APIRouter(tags=["legal"])
    cases = Cases(edge, NAME, Row)
    cases.add_to(router)
    _add_suit(router, edge, cases)
    _add_judgments(router, edge, cases)
    _add_enforcement(router, edge, cases)
    return router


def _add_suit(router: APIRouter, edge: Edge, cases: Cases[Row]) -> None:
    called = edge.call(ROLE)

    @router.post(
        "/cases/{case_id}/demands",
        responses=command_answers(
            "in_the_future", "too_long_ago", "not_positive", "other_currency", "claim_closed"
        ),
    )
    async def demand(case_id: CaseIdPath, body: DemandBody, call: Call = called) -> Response:
        """A demand reached the borrower by other means; limitation begins again."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.record_demand(
                case,
                total_minor=body.total_minor,
                currency=body.currency,
                delivered_at=body.delivered_at,
                staff_id=call.staff_id,
                now=now,
            ),
        )

    @router.post(
        "/cases/{case_id}/filing-approval",
        responses=command_answers(
            "claim_not_taken", "claim_returned", "recorded_the_demand", "claim_closed"
        ),
    )
    async def approve_filing(
        case_id: CaseIdPath, body: FilingApprovalBody, call: Call = called
    ) -> Response:
        """Let the suit be filed; what the gate misses is said in an event of its own."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.approve_filing(
                case,
                despite_limitation=body.despite_limitation,
                staff_id=call.staff_id,
                now=now,
            ),
        )


def _add_judgments(router: APIRouter, edge: Edge, cases: Cases[Row]) -> None:
    called = edge.call(ROLE)

    @router.post(
        "/cases/{case_id}/judgments",
        responses=command_answers(
            "claim_not_filed",
            "claim_closed",
            "other_currency",
            "not_positive",
            "more_than_was_paid",
            "before_the_filing",
            "too_far_ahead",
            "judgment_already_entered",
        ),
    )
    async def judgment(case_id: CaseIdPath, body: JudgmentBody, call: Call = called) -> Response:
        """Enter a judgment that took effect."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.enter_judgment(
                case,
                awarded_minor=body.awarded_minor,
                currency=body.currency,
                obey_by_on=body.obey_by_on,
                deducted_minor=body.deducted_minor,
                staff_id=call.staff_id,
                now=now,
            ),
        )

    @router.post(
        "/cases/{case_id}/suit/end",
        responses=command_answers(
            "claim_not_filed", "claim_closed", "judgment_already_entered", "claim_registered"
        ),
    )
    async def end_suit(case_id: CaseIdPath, body: SuitEndBody, call: Call = called) -> Response:
        """Enter that the court has said no, or has let the bank withdraw."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.end_suit(
                case, result=body.result, reason=body.reason, staff_id=call.staff_id, now=now
            ),
        )


def _add_enforcement(router: APIRouter, edge: Edge, cases: Cases[Row]) -> None:
    called = edge.call(ROLE)

    @router.post(
        "/cases/{case_id}/enforcement",
        responses=command_answers(
            "judgment_not_entered", "time_to_obey_is_running", "agreement_in_force", "case_is_held"
        ),
    )
    async def enforce(case_id: CaseIdPath, call: Call = called) -> Response:
        """Apply for enforcement of a judgment that was not obeyed."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.apply_for_enforcement(case, staff_id=call.staff_id, now=now),
        )

    @router.post(
        "/cases/{case_id}/enforcement/close",
        responses=command_answers("enforcement_not_applied_for"),
    )
    async def close_enforcement(case_id: CaseIdPath, call: Call = called) -> Response:
        """End the enforcement; its result follows the money that came."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.close_enforcement(case, staff_id=call.staff_id, now=now),
        )
