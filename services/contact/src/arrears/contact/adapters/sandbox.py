"""The sandbox borrower at the end of every channel. It answers by the seed, never by chance.

The same request gets the same answers, so a repeated one is harmless.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import convert

from arrears.contact.application.effects import Answer, OutcomeAnswer, ReceiptAnswer
from arrears.contact.application.ports import Unseal
from arrears.contact.domain.borrower.events import AttemptPermitted
from arrears.contact.domain.values import SANDBOX, Channel, Outcome, Said
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest
from arrears.shared.sandbox.answers import contact_answer

GATEWAY: Final = "sandbox"
_NOBODY: Final[dict[Channel, Outcome]] = {
    "sms": "returned",
    "call": "no_answer",
    "letter": "returned",
    "visit": "not_home",
}


class SandboxGateway:
    """A Gateway (kernel.reaction) for sms, calls, letters and visits.

    `unseal` opens the bank's contact points, as a real gateway would; the sandbox's own need none.
    """

    honours_key = True
    sandbox = True

    def __init__(self, seed: int, unseal: Unseal | None = None) -> None:
        self._seed = seed
        self._unseal = unseal

    async def carry_out(self, requests: Sequence[EffectRequest]) -> Sequence[Sequence[AnswerAt]]:
        attempts = [_attempt(request) for request in requests]
        erased = await self._erased(requests, attempts)
        return [
            _undeliverable(request, attempt)
            if request.id in erased
            else self._answers(request, attempt)
            for request, attempt in zip(requests, attempts, strict=True)
        ]

    async def _erased(
        self, requests: Sequence[EffectRequest], attempts: Sequence[AttemptPermitted]
    ) -> frozenset[str]:
        """The requests whose contact point can no longer be read by anyone."""
        if self._unseal is None:
            return frozenset()
        sealed = [
            (request, attempt.point.sealed)
            for request, attempt in zip(requests, attempts, strict=True)
            if attempt.point.sealed != SANDBOX
        ]
        values = await self._unseal([(request.borrower_id, point) for request, point in sealed])
        return frozenset(
            request.id for (request, _), value in zip(sealed, values, strict=True) if value is None
        )

    def _answers(self, request: EffectRequest, attempt: AttemptPermitted) -> Sequence[AnswerAt]:
        said = contact_answer(
            self._seed,
            attempt.loan_key,
            attempt.case_id,
            attempt.attempt_id,
            attempt.channel,
            attempt.treatment,
            request.at,
            attempt.overdue_minor,
        )
        receipt: Answer = ReceiptAnswer(
            attempt_id=attempt.attempt_id, receipt_id=said.receipt_id, gateway=GATEWAY
        )
        outcome: Answer = OutcomeAnswer(
            attempt_id=attempt.attempt_id,
            outcome=convert(said.outcome, Outcome),
            said=convert(said.said, Said, from_attributes=True),
        )
        return (
            AnswerAt(at=said.receipt_at, body=receipt),
            AnswerAt(at=said.concluded_at, body=outcome),
        )


def _attempt(request: EffectRequest) -> AttemptPermitted:
    if not isinstance(request.event, AttemptPermitted):
        raise TypeError(f"{type(request.event).__name__} asks nothing of a contact gateway")
    return request.event


def _undeliverable(request: EffectRequest, attempt: AttemptPermitted) -> Sequence[AnswerAt]:
    """An erased contact point reaches nobody: nothing is sent, so there is no receipt."""
    outcome: Answer = OutcomeAnswer(attempt_id=attempt.attempt_id, outcome=_NOBODY[attempt.channel])
    return (AnswerAt(at=request.at, body=outcome),)
