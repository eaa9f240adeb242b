"""What mediation asks of the outside world, and what follows from the answers.

Two requests: send an invitation, and have both sides sign. Each answer names the round, and for
a signature the offer, so that one which comes when talks have moved on decides nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from msgspec import Struct

from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    MediationCommand,
    ReceiptInvitation,
    SignForBank,
    SignForBorrower,
    WithdrawInvitation,
)
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    BorrowerInvited,
    InvitationWithdrawn,
    MediationClosed,
    MediationEvent,
)
from arrears.mediation.domain.mediation.rules import Rules
from arrears.mediation.domain.mediation.state import Mediation
from arrears.mediation.domain.mediation.talks import is_over, may_leave
from arrears.mediation.domain.plan import Instalment

INVITATION: Final = "invitation"
SIGNING: Final = "signing"
ENDS_EFFECT: Final = frozenset({InvitationWithdrawn, MediationClosed})


class Withheld(Struct, frozen=True, kw_only=True, tag_field="answer", tag="withheld"):
    """Said in the gateway's place: it was not asked."""

    round: int


class InvitationSent(Struct, frozen=True, kw_only=True, tag_field="answer", tag="sent"):
    round: int
    receipt_id: str
    gateway: str


class BorrowerAnswered(Struct, frozen=True, kw_only=True, tag_field="answer", tag="answered"):
    round: int
    accepted: bool
    instalments: tuple[Instalment, ...] = ()


class SignedByBorrower(
    Struct, frozen=True, kw_only=True, tag_field="answer", tag="borrower_signed"
):
    round: int
    offer: int


class SignedByBank(Struct, frozen=True, kw_only=True, tag_field="answer", tag="bank_signed"):
    round: int
    offer: int


Answer: TypeAlias = Withheld | InvitationSent | BorrowerAnswered | SignedByBorrower | SignedByBank


def effect_of(event: MediationEvent) -> str | None:
    match event:
        case BorrowerInvited():
            return INVITATION
        case AgreementProposed():
            return SIGNING
        case _:
            return None


def unanswered(_event: MediationEvent) -> Sequence[Answer]:
    """Without a receipt and a signature talks go on to the day by which they are wanted."""
    return ()


def on_answer(answer: Answer, at: datetime) -> MediationCommand:
    match answer:
        case Withheld():
            return WithdrawInvitation(round=answer.round, now=at)
        case InvitationSent():
            return ReceiptInvitation(
                round=answer.round, receipt_id=answer.receipt_id, gateway=answer.gateway, now=at
            )
        case BorrowerAnswered():
            return AnswerInvitation(
                round=answer.round,
                accepted=answer.accepted,
                instalments=answer.instalments,
                now=at,
            )
        case SignedByBorrower():
            return SignForBorrower(round=answer.round, offer=answer.offer, now=at)
        case SignedByBank():
            return SignForBank(round=answer.round, offer=answer.offer, now=at)
        case _:
            assert_never(answer)


def make_recheck(
    rules: Rules,
) -> Callable[[MediationEvent, Mediation, datetime, bool], Answer | None]:
    """The answer in place of a request that must not leave now; None lets it go.

    What may have left before a crash is asked for again under its key, at any hour: who withdrew it
    would invite twice. Not where the round is over: its end has been said.
    """

    def recheck(
        event: MediationEvent, mediation: Mediation, at: datetime, sent_before: bool
    ) -> Answer | None:
        if isinstance(event, BorrowerInvited | AgreementProposed) and is_over(event, mediation):
            return Withheld(round=event.round)
        if not isinstance(event, BorrowerInvited) or sent_before:
            return None
        if may_leave(event, mediation, rules, at):
            return None
        return Withheld(round=event.round)

    return recheck
