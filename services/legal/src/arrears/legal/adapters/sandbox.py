"""The sandbox court and bailiff. They speak by the seed, never by chance.

The same request gets the same answers, so a repeated one is harmless.
"""

from collections.abc import Sequence
from typing import Final

from arrears.legal.application.effects import Concluded, Judged, Registered, Searched
from arrears.legal.domain.claim.suit_events import ClaimFiled, EnforcementApplied
from arrears.shared.kernel.ids import derived_id
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest
from arrears.shared.sandbox.answers import court_answer, enforcement_answer

GATEWAY: Final = "sandbox"


class SandboxCourt:
    """A Gateway (kernel.reaction) for filing and enforcement."""

    honours_key = True
    sandbox = True

    def __init__(self, seed: int) -> None:
        self._seed = seed

    async def carry_out(self, requests: Sequence[EffectRequest]) -> Sequence[Sequence[AnswerAt]]:
        return [self._answers(request) for request in requests]

    def _answers(self, request: EffectRequest) -> Sequence[AnswerAt]:
        match request.event:
            case ClaimFiled() as filed:
                return self._to_filing(request, filed)
            case EnforcementApplied() as applied:
                return self._to_enforcement(request, applied)
            case other:
                raise TypeError(f"{type(other).__name__} asks nothing of the court")

    def _to_filing(self, request: EffectRequest, filed: ClaimFiled) -> Sequence[AnswerAt]:
        said = court_answer(
            self._seed, filed.loan_key, filed.case_id, request.at, filed.claim_minor
        )
        registered = Registered(
            docket="sandbox-" + derived_id("docket", request.id),
            gateway=GATEWAY,
            filing=filed.filing,
        )
        judged = Judged(
            awarded_minor=said.awarded_minor,
            currency=filed.currency,
            obey_by_on=said.obey_by_on,
            filing=filed.filing,
        )
        return (
            AnswerAt(at=said.registered_at, body=registered),
            AnswerAt(at=said.judged_at, body=judged),
        )

    def _to_enforcement(
        self, request: EffectRequest, applied: EnforcementApplied
    ) -> Sequence[AnswerAt]:
        said = enforcement_answer(
            self._seed, applied.loan_key, applied.case_id, request.at, applied.unpaid_minor
        )
        return (
            AnswerAt(at=said.searched_at, body=Searched(found=said.found, filing=applied.filing)),
            AnswerAt(at=said.concluded_at, body=Concluded(filing=applied.filing)),
        )
