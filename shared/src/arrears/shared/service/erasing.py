"""Erasing a borrower's personal data over HTTP: the keys are destroyed, the answer certifies it."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.port import CommandTurn, Store
from arrears.shared.http.edge import Call, Edge, command_answers
from arrears.shared.http.fields import Body, BorrowerIdPath, SecondPerson, Words
from arrears.shared.http.schema import answer_of
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, EventId, StaffId
from arrears.shared.keyring.port import CATEGORIES, Category, Keyring
from arrears.shared.runtime.personal_data import put_on_record
from arrears.shared.runtime.stage import PersonalDataErased, Stage
from arrears.shared.runtime.transact import open_desk
from arrears.shared.service.clock import wall_clock

ROLE: Final = "ops"


class EraseBody(Body):
    """`basis`: the ground in law, or the request."""

    basis: Words
    approved_by: SecondPerson


class Certificate(Struct, frozen=True, kw_only=True):
    """What was sealed under the borrower's keys of these categories reads as erased, for good.

    `event_id` is the event that records it. Not reached: the bank's own feed, whose topic forgets
    it after its retention, refused input that names nobody, for 90 days, backups, and free texts
    of staff.
    """

    borrower_id: BorrowerId
    categories: tuple[Category, ...]
    basis: str
    erased_by: StaffId
    approved_by: StaffId
    erased_at: datetime
    event_id: EventId


def erasing_routes(stage: Stage, store: Store, edge: Edge, keyring: Keyring) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.post(
        "/borrowers/{borrower_id:path}/erase",
        responses=command_answers(
            "same_person",
            "nothing_is_kept",
            success=answer_of(Certificate, "The keys are destroyed."),
        ),
    )
    async def erase(
        borrower_id: BorrowerIdPath, body: EraseBody, call: Annotated[Call, edge.call(ROLE)]
    ) -> Response:
        """Destroy the keys of the borrower's personal data in all services, for good.

        Events, chains and figures stay valid. Other processes follow within a minute.
        """
        whose = BorrowerId(borrower_id)
        approved_by = edge.approver(body.approved_by, ROLE)

        async def work(turn: CommandTurn) -> Certificate:
            if approved_by == call.staff_id:
                raise Refused("same_person", "approved_by")
            if whose not in await keyring.find_keys([whose], "contact"):
                # A mistyped name must not be certified.
                raise Refused("nothing_is_kept", "borrower_id")
            await open_desk(stage, store, whose)
            # First the keys: an event that says so before it is true would be believed for ever.
            await keyring.erase(whose)
            event = await put_on_record(
                stage,
                store,
                whose,
                PersonalDataErased(basis=body.basis, approved_by=approved_by),
                turn=turn,
                at=await edge.desk.now(whose),
                recorded_at=wall_clock(),
            )
            return Certificate(
                borrower_id=whose,
                categories=CATEGORIES,
                basis=body.basis,
                erased_by=call.staff_id,
                approved_by=approved_by,
                erased_at=read_envelope(event.value).time,
                event_id=event.event_id,
            )

        return await edge.answer_once(call, work)

    return router
