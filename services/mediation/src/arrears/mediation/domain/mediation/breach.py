"""What follows a breach: money that is heard after it is judged by its value day. Pure.

The bank may book on a later day what a borrower paid on the last one. The breach has been said by
then, and others act on it; they are told by what both sign anew, never by a second signing that
nobody made (decision 0024).
"""

from collections.abc import Sequence
from datetime import date
from functools import reduce
from typing import Final

from arrears.mediation.domain.mediation.commands import RecordRepayment
from arrears.mediation.domain.mediation.events import (
    AgreementFulfilled,
    BreachContradicted,
    LatePaymentNoted,
    MediationEvent,
)
from arrears.mediation.domain.mediation.evolve import evolve
from arrears.mediation.domain.mediation.performance import cure_ends_on
from arrears.mediation.domain.mediation.state import (
    Breached,
    LatePayment,
    Mediation,
    Proposed,
)
from arrears.mediation.domain.mediation.talks import note_repayment

HEARD_LATE: Final = "paid_in_time_heard_late"


def note_late(
    command: RecordRepayment, breached: Breached, today: date
) -> Sequence[MediationEvent]:
    """All money is noted. Where it would have kept the agreement to this day, the breach is
    contradicted; where nothing of the agreement is left then, it is fulfilled after all."""
    if command.repayment_id in breached.seen:
        return ()
    cure_by_on = cure_ends_on(breached.agreement, breached.agreement.open_index)
    noted = LatePaymentNoted(
        case_id=breached.round.case_id,
        loan_key=breached.round.loan_key,
        round=breached.round.number,
        repayment_id=command.repayment_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        value_on=command.value_on,
        in_time=command.value_on <= cure_by_on,
        noted_minor=breached.late_minor + command.amount_minor,
    )
    after = evolve(breached, noted)
    if not isinstance(after, Breached) or not would_be_kept(after, today):
        return (noted,)
    events: list[MediationEvent] = [noted]
    if not after.contradicted:
        events.append(_contradicted(after, cure_by_on))
    if after.left_minor <= 0:
        events.append(_fulfilled(after))
    return events


def note_meanwhile(
    command: RecordRepayment, proposed: Proposed, today: date
) -> Sequence[MediationEvent]:
    """The rest is on offer anew: money counts towards the offer, and goes on counting towards the
    agreement, which is kept without new signatures where all of it has come in time."""
    noted = note_repayment(command, proposed)
    before: Mediation = proposed
    after = reduce(evolve, noted, before)
    if not noted or not isinstance(after, Proposed) or after.renews is None:
        return noted
    if after.renews.left_minor > 0 or not would_be_kept(after.renews, today):
        return noted
    return (*noted, _fulfilled(after.renews))


def would_be_kept(breached: Breached, today: date) -> bool:
    """By value days: for each instalment whose cure period has ended before `today`, as much had
    come by the end of that period as was due with it. While the case is held no period ends."""
    agreement, due_minor = breached.agreement, 0
    today = agreement.held_since_on or today
    for index, instalment in enumerate(agreement.terms.instalments):
        due_minor += instalment.amount_minor
        last_day = cure_ends_on(agreement, index)
        if last_day >= today:
            break
        if agreement.paid_minor + _came_by(breached.late, last_day) < due_minor:
            return False
    return True


def _came_by(late: Sequence[LatePayment], last_day: date) -> int:
    return sum(payment.amount_minor for payment in late if payment.value_on <= last_day)


def _contradicted(breached: Breached, cure_by_on: date) -> BreachContradicted:
    return BreachContradicted(
        case_id=breached.round.case_id,
        loan_key=breached.round.loan_key,
        round=breached.round.number,
        instalment_index=breached.agreement.open_index,
        cure_by_on=cure_by_on,
        left_minor=max(0, breached.left_minor),
        currency=breached.round.currency,
        reason=HEARD_LATE,
    )


def _fulfilled(breached: Breached) -> AgreementFulfilled:
    return AgreementFulfilled(
        case_id=breached.round.case_id,
        loan_key=breached.round.loan_key,
        round=breached.round.number,
        paid_minor=breached.agreement.terms.settlement_minor,
        surplus_minor=-breached.left_minor,
        currency=breached.round.currency,
    )
