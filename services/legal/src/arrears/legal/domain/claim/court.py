"""How long a court may take, and what is said when it says nothing.

It registers a claim or refuses it within 7 days (civil procedure law art. 126) and judges it within
6 months of registration (art. 152). It may take longer for reasons that it does not tell us, so
nothing follows from the end of a period but a word to the lawyers, who ask: once for each.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from arrears.legal.domain.claim.events import ClaimEvent
from arrears.legal.domain.claim.rules import Rules
from arrears.legal.domain.claim.state import Claim, Phase
from arrears.legal.domain.claim.suit_events import CourtSilenceNoted
from arrears.legal.domain.deadlines import Deadline, deadline
from arrears.shared.kernel.business_day import ONE_DAY

REGISTRATION: Final = "registration"
JUDGMENT: Final = "judgment"
REGISTER_WITHIN: Final = "7d"
JUDGE_WITHIN: Final = "6m"


def silence_days(rules: Rules, claim: Claim) -> Sequence[date]:
    """The day after the last one on which the court should have answered; none once it was said."""
    found = _awaited(rules, claim)
    return () if found is None else (found[1].on + ONE_DAY,)


def note_silence(rules: Rules, claim: Claim, today: date) -> Sequence[ClaimEvent]:
    found = _awaited(rules, claim)
    if found is None or found[1].on >= today:
        return ()
    awaited, last_day = found
    return (
        CourtSilenceNoted(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            awaited=awaited,
            answer_by_on=last_day.on,
            filed_on=claim.filed_on,
            derivation=rules.derivation_of(last_day),
        ),
    )


def _awaited(rules: Rules, claim: Claim) -> tuple[str, Deadline] | None:
    """What the court is to do, and its last day; None where nothing, or its silence was said."""
    if claim.silence_noted:
        return None
    match claim.phase:
        case Phase.FILED:
            return REGISTRATION, deadline(REGISTER_WITHIN, claim.filed_on, rules.is_workday)
        case Phase.REGISTERED:
            begun_on = claim.registered_on or claim.filed_on
            return JUDGMENT, deadline(JUDGE_WITHIN, begun_on, rules.is_workday)
        case _:
            return None
