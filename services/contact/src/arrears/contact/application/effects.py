"""What contact asks of the outside world, and what follows from the answers.

A permit is the request: one sms, call, letter or visit, to be made once. Its answers are a receipt
(it was made) and an outcome (what came of it), each at its own business time.
"""

from datetime import datetime
from typing import TypeAlias, assert_never

from msgspec import Struct

from arrears.contact.domain.borrower.commands import BorrowerCommand, NoteOutcome, NoteReceipt
from arrears.contact.domain.borrower.events import AttemptPermitted, BorrowerEvent
from arrears.contact.domain.values import AttemptId, Outcome, Said


class ReceiptAnswer(Struct, frozen=True, kw_only=True, tag_field="answer", tag="receipt"):
    attempt_id: AttemptId
    receipt_id: str
    gateway: str


class OutcomeAnswer(Struct, frozen=True, kw_only=True, tag_field="answer", tag="outcome"):
    attempt_id: AttemptId
    outcome: Outcome
    said: Said = Said()


Answer: TypeAlias = ReceiptAnswer | OutcomeAnswer


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
        case _:
            assert_never(answer)
