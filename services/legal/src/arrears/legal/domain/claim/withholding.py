"""Between the decision to ask the court and the asking time may pass: may it still be asked?

What others said meanwhile is not in the state, for it waits behind the request (protocol 3.4). So
the request gives way to it: the claim stands as though nothing had been asked for, what waited is
heard, and then the gate is looked at again. What is looked at here is the rest: what people have
entered, and the days that have passed.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from msgspec import Struct

from arrears.legal.domain.claim import filing
from arrears.legal.domain.claim.commands import Withhold
from arrears.legal.domain.claim.events import ClaimEvent
from arrears.legal.domain.claim.rules import Rules
from arrears.legal.domain.claim.state import Claim, Phase, withheld_reference
from arrears.legal.domain.claim.suit_events import (
    ClaimFiled,
    EnforcementApplied,
    EnforcementWithheld,
    FilingWithheld,
)
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.gate import NO_AGREEMENT, NOT_HELD
from arrears.legal.domain.limitation import renewed_by_all

NEWS: Final = "news"
NOT_ALLOWED: Final = "not_allowed"
OVERTAKEN: Final = "overtaken"


class Objection(Struct, frozen=True, kw_only=True):
    reason: str
    missing: tuple[str, ...] = ()


def objection(
    rules: Rules, asked: ClaimFiled | EnforcementApplied, claim: Claim, at: datetime
) -> Objection | None:
    """Why the court must not be asked at `at`; None where it still may be."""
    if isinstance(asked, ClaimFiled):
        stands = claim.phase is Phase.FILED
    else:
        stands = claim.phase is Phase.ENFORCING and claim.applications == asked.application
    if not stands or claim.filings != asked.filing:
        return Objection(reason=OVERTAKEN)
    missing = _missing(rules, asked, claim, rules.day_of(at))
    return Objection(reason=NOT_ALLOWED, missing=missing) if missing else None


def withhold(rules: Rules, command: Withhold, claim: Claim) -> Sequence[ClaimEvent]:
    """Nothing is asked again here: first comes all that was heard before the look."""
    reference = withheld_reference(command.filing, command.application)
    if not 0 < command.filing <= claim.filings or reference in claim.seen:
        return ()
    if command.application > 0:
        enforcement = EnforcementWithheld(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            filing=command.filing,
            application=command.application,
            reason=command.reason,
            looked_at=command.looked_at,
            apply_on=rules.day_of(command.looked_at),
            apply_by_on=claim.apply_by_on,
        )
        return (enforcement,)
    last_on, derivation = _last_day_to_sue(rules, claim)
    suit = FilingWithheld(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        filing=command.filing,
        reason=command.reason,
        missing=command.missing,
        looked_at=command.looked_at,
        limitation_expires_on=last_on,
        derivation=derivation,
    )
    return (suit,)


def _missing(
    rules: Rules, asked: ClaimFiled | EnforcementApplied, claim: Claim, today: date
) -> tuple[str, ...]:
    if isinstance(asked, ClaimFiled):
        return filing.gate(rules, claim, today)[1]
    stands = {NO_AGREEMENT: claim.agreement_in_force, NOT_HELD: claim.stands_still}
    return tuple(item for item, is_missing in stands.items() if is_missing)


def _last_day_to_sue(rules: Rules, claim: Claim) -> tuple[date, Derivation | None]:
    """No suit has stopped limitation, so an act that was noted since the filing interrupts it."""
    if claim.phase is Phase.FILED:
        months = rules.policy_of(claim).limitation.months
        later = renewed_by_all(
            claim.limitation_expires_on,
            claim.interruptions,
            months=months,
            is_workday=rules.is_workday,
        )
        if later is not None:
            return later.on, rules.derivation_of(later)
    return claim.limitation_expires_on, claim.limitation_derivation
