"""The API of intake: its cases, and what operations may do with one. Role: ops.

A loan's stream stays with the borrower whom its first fact named. The row names whose the loan is
now, so a command asks for the loan's home first.
"""

from fastapi import APIRouter
from starlette.responses import Response

from arrears.intake.api.schemas import CloseBody, HoldBody, ReasonBody, ReferBody, ReleaseBody
from arrears.intake.application import handlers
from arrears.intake.application.projections.case_list import NAME, Row
from arrears.shared.http.cases import Cases
from arrears.shared.http.edge import Call, Edge, command_answers
from arrears.shared.http.fields import CaseIdPath

ROLE = "ops"
_ALWAYS = ("case_closed", "case_unknown", "wrong_length", "control_characters")
_NOT_REFERRED = (
    "case_held",
    "agreement_in_force",
    "nothing_overdue",
    "borrower_changed",
    "unknown_stage",
    "unknown_treatment",
)


def routes(edge: Edge) -> APIRouter:
    router = APIRouter(tags=["intake"])
    cases = Cases(edge, NAME, Row)
    cases.add_to(router)
    _add_holds(router, edge, cases)
    _add_moves(router, edge, cases)
    return router


def _add_holds(router: APIRouter, edge: Edge, cases: Cases[Row]) -> None:
    called = edge.call(ROLE)

    @router.post(
        "/cases/{case_id}/hold",
        responses=command_answers(*_ALWAYS, "unknown_hold_reason", "until_in_the_past"),
    )
    async def hold(case_id: CaseIdPath, body: HoldBody, call: Call = called) -> Response:
        """Nobody acts on the case until the day, or until it is released.

        Each reason is a hold of its own: the same reason again moves its end, or adds a note.
        """
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            await edge.desk.home(case.loan_key, case.borrower_id),
            lambda now: handlers.hold_case(
                case.loan_key,
                case.case_id,
                reason=body.reason,
                until_on=body.until_on,
                note=body.note,
                staff_id=call.staff_id,
                now=now,
            ),
        )

    @router.post(
        "/cases/{case_id}/release", responses=command_answers(*_ALWAYS, "unknown_hold_reason")
    )
    async def release(case_id: CaseIdPath, body: ReleaseBody, call: Call = called) -> Response:
        """End one hold, or all of them. A case that is not held stays as it is."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            await edge.desk.home(case.loan_key, case.borrower_id),
            lambda now: handlers.release_case(
                case.loan_key,
                case.case_id,
                reason=body.reason,
                hold=body.hold,
                staff_id=call.staff_id,
                now=now,
            ),
        )


def _add_moves(router: APIRouter, edge: Edge, cases: Cases[Row]) -> None:
    called = edge.call(ROLE)

    @router.post(
        "/cases/{case_id}/refer",
        responses=command_answers(*_ALWAYS, *_NOT_REFERRED),
    )
    async def refer(case_id: CaseIdPath, body: ReferBody, call: Call = called) -> Response:
        """Hand the case to a stage by hand, ahead of the strategy."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            await edge.desk.home(case.loan_key, case.borrower_id),
            lambda now: handlers.refer_case(
                case.loan_key,
                case.case_id,
                stage=body.stage,
                treatment=body.treatment,
                reason=body.reason,
                staff_id=call.staff_id,
                now=now,
            ),
        )

    @router.post("/cases/{case_id}/return", responses=command_answers(*_ALWAYS))
    async def take_back(case_id: CaseIdPath, body: ReasonBody, call: Call = called) -> Response:
        """Take the case back from the stage that has it."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            await edge.desk.home(case.loan_key, case.borrower_id),
            lambda now: handlers.return_case(
                case.loan_key, case.case_id, reason=body.reason, staff_id=call.staff_id, now=now
            ),
        )

    @router.post(
        "/cases/{case_id}/close",
        responses=command_answers(*_ALWAYS, "unknown_outcome", "no_fulfilled_agreement"),
    )
    async def close(case_id: CaseIdPath, body: CloseBody, call: Call = called) -> Response:
        """Close the case as uncollectible, or as settled once an agreement was fulfilled.

        Only the bank's word can close it as cured.
        """
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            await edge.desk.home(case.loan_key, case.borrower_id),
            lambda now: handlers.close_case(
                case.loan_key,
                case.case_id,
                reason=body.reason,
                outcome=body.outcome,
                staff_id=call.staff_id,
                now=now,
            ),
        )
