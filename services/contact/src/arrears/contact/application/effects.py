"""What contact asks of the outside world, and what follows from the answers.

A permit is the request: one sms, call, letter or visit, to be made once. Its answers are a receipt
(it was made) and an outcome (what came of it), each at its own business time. Where the permit no
longer holds when it is to be made, nothing leaves and the only answer is that it was withdrawn.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from msgspec import Struct

from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    NoteOutcome,
    NoteReceipt,
    WithdrawAttempt,
)
from arrears.contact.domain.borrower.events import (
    AttemptAnsweredLate,
    AttemptConcluded,
    AttemptPermitted,
    AttemptWithdrawn,
    BorrowerEvent,
)
from arrears.contact.domain.borrower.state import Borrower
from arrears.contact.domain.permit import Denied
from arrears.contact.domain.values import AttemptId, Outcome, Said

ENDS_EFFECT: Final = frozenset({AttemptWithdrawn, AttemptConcluded, AttemptAnsweredLate})


class ReceiptAnswer(Struct, frozen=True, kw_only=True, tag_field="answer", tag="receipt"):
    attempt_id: AttemptId
    receipt_id: str
    gateway: str


class OutcomeAnswer(Struct, frozen=True, kw_only=True, tag_field="answer", tag="outcome"):
    attempt_id: AttemptId
    outcome: Outcome
    said: Said = Said()


class WithdrawnAnswer(Struct, frozen=True, kw_only=True, tag_field="answer", tag="withdrawn"):
    """Said by the moment of sending itself, never by a gateway."""

    attempt_id: AttemptId
    attempt_no: int
    permitted_at: datetime
    verdict: Denied


Answer: TypeAlias = ReceiptAnswer | OutcomeAnswer | WithdrawnAnswer
Objection: TypeAlias = Callable[[AttemptPermitted, Borrower, datetime], Denied | None]


def effect_of(event: BorrowerEvent) -> str | None:
    """The channel of a permitted attempt: sms, call, letter or visit."""
    return event.channel if isinstance(event, AttemptPermitted) else None


def on_answer(answer: Answer, at: datetime) -> BorrowerCommand:
    match answer:
        case ReceiptAnswer():
            return NoteReceipt(
                attempt_id=answer.attempt_id,
                receipt_id=answer.receipt_id,
                gateway=answer.gateway,
                now=at,
            )
        case OutcomeAnswer():
            return NoteOutcome(
                attempt_id=answer.attempt_id, outcome=answer.outcome, said=answer.said, now=at
            )
        case WithdrawnAnswer():
            return WithdrawAttempt(
                attempt_id=answer.attempt_id,
                attempt_no=answer.attempt_no,
                permitted_at=answer.permitted_at,
                verdict=answer.verdict,
                now=at,
            )
        case _:
            assert_never(answer)


def unanswered(permitted: AttemptPermitted) -> Sequence[Answer]:
    """Staff know that it was made, and nobody knows what came of it."""
    return (OutcomeAnswer(attempt_id=permitted.attempt_id, outcome="unknown"),)


def make_recheck(
    objection: Objection,
) -> Callable[[AttemptPermitted, Borrower, datetime, bool], Answer | None]:
    """The answer in place of a sending that the rules no longer allow; None where it may go.

    What may have left before a crash is not asked for again either, but nobody can say that it has
    not: its outcome is unknown, which counts as a contact in every limit (protocol 3.4).
    """

    def recheck(
        permitted: AttemptPermitted, borrower: Borrower, at: datetime, sent_before: bool
    ) -> Answer | None:
        verdict = objection(permitted, borrower, at)
        if verdict is None:
            return None
        if sent_before:
            return OutcomeAnswer(attempt_id=permitted.attempt_id, outcome="unknown")
        return WithdrawnAnswer(
            attempt_id=permitted.attempt_id,
            attempt_no=permitted.attempt_no,
            permitted_at=permitted.permitted_at,
            verdict=verdict,
        )

    return recheck
