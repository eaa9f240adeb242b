"""The API of mediation: its cases, and what a mediator records. Role: mediator."""

from fastapi import APIRouter
from starlette.responses import Response

from arrears.mediation.api.schemas import OfferBody, SignatureBody
from arrears.mediation.application import handlers
from arrears.mediation.application.projections.case_list import NAME, Row
from arrears.mediation.domain.plan import Instalment
from arrears.shared.http.cases import Cases
from arrears.shared.http.edge import Call, Edge, command_answers
from arrears.shared.http.fields import CaseIdPath

ROLE = "mediator"
_OFFER = (
    "mediation_not_taken",
    "mediation_over",
    "agreement_in_force",
    "other_currency",
    "over_authority",
    "more_than_owed",
    "not_what_is_left",
    "no_instalments",
    "nothing_to_settle",
    "too_many_instalments",
    "instalment_not_positive",
    "instalments_do_not_add_up",
    "instalment_due_in_the_past",
    "term_too_long",
)


def routes(edge: Edge) -> APIRouter:
    router = APIRouter(tags=["mediation"])
    cases = Cases(edge, NAME, Row)
    cases.add_to(router)
    _add_talks(router, edge, cases)
    return router


def _add_talks(router: APIRouter, edge: Edge, cases: Cases[Row]) -> None:
    called = edge.call(ROLE)

    @router.post(
        "/cases/{case_id}/offers",
        responses=command_answers(*_OFFER),
    )
    async def offer(case_id: CaseIdPath, body: OfferBody, call: Call = called) -> Response:
        """A plan that the talks brought about, to be signed by both.

        After a breach that was contradicted: the rest of the agreement, over new days.
        """
        case = await cases.find(case_id)
        instalments = [
            Instalment(due_on=one.due_on, amount_minor=one.amount_minor) for one in body.instalments
        ]
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.record_offer(
                case,
                settlement_minor=body.settlement_minor,
                currency=body.currency,
                instalments=instalments,
                staff_id=call.staff_id,
                now=now,
            ),
        )

    @router.post(
        "/cases/{case_id}/signatures",
        responses=command_answers("nothing_to_sign", "mediation_over", "same_person"),
    )
    async def signature(case_id: CaseIdPath, body: SignatureBody, call: Call = called) -> Response:
        """One of the two has signed the plan on the table.

        For the bank signs who neither offered it nor recorded the borrower's signature.
        """
        case = await cases.find(case_id)
        sign = {"borrower": handlers.sign_for_borrower, "bank": handlers.sign_for_bank}[body.by]
        return await edge.carry_out(
            call, case.borrower_id, lambda now: sign(case, staff_id=call.staff_id, now=now)
        )

    @router.post(
        "/cases/{case_id}/decline",
        responses=command_answers("mediation_not_taken", "mediation_over", "agreement_in_force"),
    )
    async def decline(case_id: CaseIdPath, call: Call = called) -> Response:
        """The borrower told a person that there will be no plan."""
        case = await cases.find(case_id)
        return await edge.carry_out(
            call,
            case.borrower_id,
            lambda now: handlers.record_decline(case, staff_id=call.staff_id, now=now),
        )
