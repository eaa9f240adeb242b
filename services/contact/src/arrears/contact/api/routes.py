"""The API of contact: its cases, and what a collector records. Role: collector."""

from fastapi import APIRouter
from starlette.responses import Response

from arrears.contact.api.schemas import HardshipBody, PromiseBody, ResumeBody, StopBody
from arrears.contact.application import handlers
from arrears.contact.application.projections.case_list import NAME, Row
from arrears.shared.http.cases import Cases
from arrears.shared.http.edge import Call, Edge, command_answers
from arrears.shared.http.fields import CaseIdPath

ROLE = "collector"
_ALWAYS = ("case_closed", "case_unknown")


def routes(edge: Edge) -> APIRouter:
    router = APIRouter(tags=["contact"])
    cases = Cases(edge, NAME, Row)
    cases.add_to(router)
    _add_words(router, edge, cases)
    _add_stops(router, edge, cases)
    return router


def _add_words(router: APIRouter, edge: Edge, cases: Cases[Row]) -> None:
    called = edge.call(ROLE)

    @router.post(
        "/cases/{case_id}/promises",
        responses=command_answers(
            *_ALWAYS,
            "figure_unknown",
            "promise_already_pending",
            "currency_differs_from_the_loan",
            "amount_out_of_range",
            "due_in_the_past",
            "due_too_far_ahead",
            "borrower_changed",
        ),
    )
    async def promise(case_id: CaseIdPath, body: PromiseBody, call: Call = called) -> Response:
        """The borrower promises to pay; nobody asks again until the day."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.record_promise(
                case,
                amount_minor=body.amount_minor,
                currency=body.currency,
                due_on=body.due_on,
                staff_id=call.staff_id,
                now=now,
            ),
        )

    @router.post(
        "/cases/{case_id}/hardship",
        responses=command_answers(
            *_ALWAYS, "review_not_in_the_future", "review_too_far_ahead", "borrower_changed"
        ),
    )
    async def hardship(case_id: CaseIdPath, body: HardshipBody, call: Call = called) -> Response:
        """The borrower claims hardship and is left in peace until it is reviewed."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.record_hardship(
                case, review_on=body.review_on, staff_id=call.staff_id, now=now
            ),
        )

    @router.post(
        "/cases/{case_id}/refusals", responses=command_answers(*_ALWAYS, "borrower_changed")
    )
    async def refusal(case_id: CaseIdPath, call: Call = called) -> Response:
        """The borrower refuses to pay."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.record_refusal(case, staff_id=call.staff_id, now=now),
        )


def _add_stops(router: APIRouter, edge: Edge, cases: Cases[Row]) -> None:
    called = edge.call(ROLE)

    @router.post(
        "/cases/{case_id}/stop",
        responses=command_answers("until_in_the_past", "stopped_as_long_already"),
    )
    async def stop(case_id: CaseIdPath, body: StopBody, call: Call = called) -> Response:
        """Nobody contacts the borrower of the case, on any loan, to the end of the day.

        Where staff have stopped it as long before, for another reason, this one is refused.
        """
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.stop_borrower(
                case.borrower_id,
                reason=body.reason,
                until_on=body.until_on,
                staff_id=call.staff_id,
                now=now,
            ),
        )

    @router.post("/cases/{case_id}/resume", responses=command_answers())
    async def resume(case_id: CaseIdPath, body: ResumeBody, call: Call = called) -> Response:
        """Lift the stop of staff, and a shield of hardship that was reviewed."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.resume_borrower(
                case.borrower_id, reason=body.reason, staff_id=call.staff_id, now=now
            ),
        )
