"""Why nothing goes on: intake holds the case, or the person is held with another one. Pure.

The first reason stops, the end of the last one lets go on; each of the others is only noted.
"""

from collections.abc import Sequence
from datetime import datetime

from arrears.mediation.domain.mediation import performance, talks
from arrears.mediation.domain.mediation.commands import HoldBorrower, ReleaseBorrower
from arrears.mediation.domain.mediation.events import HoldEnded, HoldNoted, MediationEvent
from arrears.mediation.domain.mediation.evolve import evolve
from arrears.mediation.domain.mediation.rules import Rules
from arrears.mediation.domain.mediation.state import (
    HELD,
    Mediation,
    NotTaken,
    Over,
    agreement_of,
    is_talks,
)


def hold_case(mediation: Mediation, rules: Rules, now: datetime) -> Sequence[MediationEvent]:
    if isinstance(mediation, NotTaken | Over) or HELD in mediation.held_for:
        return ()
    if not mediation.held_for:
        return _stand_still(mediation, rules, now)
    of = mediation.round
    return (HoldNoted(case_id=of.case_id, loan_key=of.loan_key, reason=HELD),)


def release_case(mediation: Mediation, rules: Rules, now: datetime) -> Sequence[MediationEvent]:
    if isinstance(mediation, NotTaken) or HELD not in mediation.held_for:
        return ()
    if mediation.held_for == {HELD}:
        return _go_on(mediation, rules, now)
    of = mediation.round
    return (HoldEnded(case_id=of.case_id, loan_key=of.loan_key, reason=HELD),)


def hold_borrower(
    command: HoldBorrower, mediation: Mediation, rules: Rules
) -> Sequence[MediationEvent]:
    """Noted before any referral too: intake knows of no hold of the person, and may refer."""
    if command.reason in mediation.held_for:
        return ()
    noted = HoldNoted(case_id=command.case_id, loan_key=command.loan_key, reason=command.reason)
    if mediation.held_for:
        return (noted,)
    return (noted, *_stand_still(mediation, rules, command.now))


def release_borrower(
    command: ReleaseBorrower, mediation: Mediation, rules: Rules
) -> Sequence[MediationEvent]:
    if command.reason not in mediation.held_for:
        return ()
    ended = HoldEnded(case_id=command.case_id, loan_key=command.loan_key, reason=command.reason)
    after = evolve(mediation, ended)
    return (ended,) if after.held_for else (ended, *_go_on(after, rules, command.now))


def _stand_still(mediation: Mediation, rules: Rules, now: datetime) -> Sequence[MediationEvent]:
    """Talks end, and begin anew with the release. An agreement in force outlives it, and so does
    its renewal: nobody collects under it anyway, and its days stand still."""
    if is_talks(mediation):
        return (talks.closed(mediation.round, HELD),)
    agreement = agreement_of(mediation)
    return () if agreement is None else performance.hold(agreement, rules.calendar.day_of(now))


def _go_on(mediation: Mediation, rules: Rules, now: datetime) -> Sequence[MediationEvent]:
    agreement = agreement_of(mediation)
    if agreement is None:
        return talks.resume(mediation, rules, now)
    return performance.release(agreement, rules.calendar.day_of(now))
