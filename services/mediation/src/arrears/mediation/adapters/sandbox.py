"""The sandbox borrower and bank at the mediator's table. They speak by the seed, never by chance.

The same request gets the same answers, so a repeated one is harmless.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from arrears.mediation.application.effects import (
    Answer,
    BorrowerAnswered,
    InvitationSent,
    SignedByBank,
    SignedByBorrower,
)
from arrears.mediation.domain.mediation.events import AgreementProposed, BorrowerInvited
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.ids import derived_id
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest
from arrears.shared.sandbox.answers import mediation_answer, signing_answer

GATEWAY: Final = "sandbox"
RECEIPT_AFTER: Final = timedelta(seconds=2)


class SandboxMediator:
    """A Gateway (kernel.reaction) for invitations and signatures."""

    honours_key = True
    sandbox = True

    def __init__(self, seed: int) -> None:
        self._seed = seed

    async def carry_out(self, requests: Sequence[EffectRequest]) -> Sequence[Sequence[AnswerAt]]:
        return [self._answers(request) for request in requests]

    def _answers(self, request: EffectRequest) -> Sequence[AnswerAt]:
        match request.event:
            case BorrowerInvited() as invited:
                return self._to_invitation(request, invited)
            case AgreementProposed() as proposed:
                return self._to_proposal(request, proposed)
            case other:
                raise TypeError(f"{type(other).__name__} asks nothing of the mediator")

    def _to_invitation(
        self, request: EffectRequest, invited: BorrowerInvited
    ) -> Sequence[AnswerAt]:
        said = mediation_answer(
            self._seed, invited.loan_key, invited.case_id, request.at, invited.overdue_minor
        )
        sent = InvitationSent(
            round=invited.round,
            receipt_id="sandbox-" + derived_id("invitation", request.id),
            gateway=GATEWAY,
        )
        answered = BorrowerAnswered(
            round=invited.round,
            accepted=said.accepted,
            instalments=tuple(
                Instalment(due_on=due_on, amount_minor=amount_minor)
                for due_on, amount_minor in said.instalments
            ),
        )
        return (
            AnswerAt(at=request.at + RECEIPT_AFTER, body=sent),
            AnswerAt(at=said.answered_at, body=answered),
        )

    def _to_proposal(
        self, request: EffectRequest, proposed: AgreementProposed
    ) -> Sequence[AnswerAt]:
        """The bank signs its own offer here; a borrower may let the time pass."""
        said = signing_answer(self._seed, proposed.loan_key, proposed.case_id, request.at)
        bank: Answer = SignedByBank(round=proposed.round, offer=proposed.offer)
        answers = [AnswerAt(at=said.bank_signed_at, body=bank)]
        if said.borrower_signed_at is not None:
            borrower = SignedByBorrower(round=proposed.round, offer=proposed.offer)
            answers.append(AnswerAt(at=said.borrower_signed_at, body=borrower))
        return sorted(answers, key=lambda answer: answer.at)
