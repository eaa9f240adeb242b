"""Whether an agreement in force is kept: instalments against money, grace and cure. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from arrears.mediation.domain.mediation.commands import RecordRepayment
from arrears.mediation.domain.mediation.events import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementHeld,
    AgreementReleased,
    InstalmentMissed,
    InstalmentPaid,
    MediationEvent,
)
from arrears.mediation.domain.mediation.state import InForce
from arrears.mediation.domain.plan import moved
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar


def record_repayment(command: RecordRepayment, agreement: InForce) -> Sequence[MediationEvent]:
    if command.repayment_id in agreement.seen:
        return ()
    return allocate(agreement, command.amount_minor, command.repayment_id)


def allocate(
    agreement: InForce, amount_minor: int, repayment_id: str | None
) -> Sequence[MediationEvent]:
    """Fill instalments in order of their due days; what is over flows to the next.

    After the last one the agreement is fulfilled and the rest is surplus.
    """
    instalments = agreement.terms.instalments
    index, filled_minor, left_minor = agreement.open_index, agreement.open_paid_minor, amount_minor
    events: list[MediationEvent] = []
    while left_minor > 0 and index < len(instalments):
        part_minor = min(left_minor, instalments[index].amount_minor - filled_minor)
        filled_minor += part_minor
        left_minor -= part_minor
        complete = filled_minor == instalments[index].amount_minor
        events.append(
            InstalmentPaid(
                case_id=agreement.round.case_id,
                loan_key=agreement.round.loan_key,
                round=agreement.round.number,
                instalment_index=index,
                repayment_id=repayment_id,
                amount_minor=part_minor,
                instalment_paid_minor=filled_minor,
                currency=agreement.round.currency,
                complete=complete,
            )
        )
        if complete:
            index, filled_minor = index + 1, 0
    if index == len(instalments):
        events.append(
            AgreementFulfilled(
                case_id=agreement.round.case_id,
                loan_key=agreement.round.loan_key,
                round=agreement.round.number,
                paid_minor=agreement.paid_minor + amount_minor - left_minor,
                surplus_minor=left_minor,
                currency=agreement.round.currency,
            )
        )
    return events


def hold(agreement: InForce, today: date) -> Sequence[MediationEvent]:
    if agreement.held_since_on is not None:
        return ()
    return (
        AgreementHeld(
            case_id=agreement.round.case_id,
            loan_key=agreement.round.loan_key,
            round=agreement.round.number,
            held_since_on=today,
        ),
    )


def release(agreement: InForce, today: date) -> Sequence[MediationEvent]:
    if agreement.held_since_on is None:
        return ()
    return (
        AgreementReleased(
            case_id=agreement.round.case_id,
            loan_key=agreement.round.loan_key,
            round=agreement.round.number,
            held_since_on=agreement.held_since_on,
            held_days=(today - agreement.held_since_on).days,
        ),
    )


def grace_ends_on(agreement: InForce, index: int) -> date:
    return _last_day(agreement, index, agreement.terms.grace_days)


def cure_ends_on(agreement: InForce, index: int) -> date:
    return _last_day(agreement, index, agreement.terms.grace_days + agreement.terms.cure_days)


def _last_day(agreement: InForce, index: int, days: int) -> date:
    due_on = agreement.terms.instalments[index].due_on
    return moved(due_on + timedelta(days=days), agreement.pauses)


def next_look_at(agreement: InForce, calendar: BankCalendar) -> datetime:
    """The end of the first day on which something may be found missed or breached."""
    to_miss = max(agreement.open_index, agreement.missed_before)
    ends = []
    if to_miss < len(agreement.terms.instalments):
        ends.append(grace_ends_on(agreement, to_miss))
    if agreement.open_index < agreement.missed_before:
        ends.append(cure_ends_on(agreement, agreement.open_index))
    return calendar.start_of(min(ends) + ONE_DAY)


def look(agreement: InForce, today: date) -> Sequence[MediationEvent]:
    """What days that have ended by `today` leave missed or breached; while the case is held,
    nothing."""
    if agreement.held_since_on is not None:
        return ()
    events: list[MediationEvent] = []
    missed_before = max(agreement.open_index, agreement.missed_before)
    while missed_before < len(agreement.terms.instalments):
        if grace_ends_on(agreement, missed_before) >= today:
            break
        events.append(_missed(agreement, missed_before))
        missed_before += 1
    index = agreement.open_index
    if index < missed_before and cure_ends_on(agreement, index) < today:
        events.append(
            AgreementBreached(
                case_id=agreement.round.case_id,
                loan_key=agreement.round.loan_key,
                round=agreement.round.number,
                instalment_index=index,
                paid_minor=agreement.paid_minor,
                unpaid_minor=agreement.terms.settlement_minor - agreement.paid_minor,
                currency=agreement.round.currency,
                policy_id=agreement.terms.policy_id,
                policy_version=agreement.terms.policy_version,
            )
        )
    return events


def _missed(agreement: InForce, index: int) -> InstalmentMissed:
    instalment = agreement.terms.instalments[index]
    paid_minor = agreement.open_paid_minor if index == agreement.open_index else 0
    return InstalmentMissed(
        case_id=agreement.round.case_id,
        loan_key=agreement.round.loan_key,
        round=agreement.round.number,
        instalment_index=index,
        due_on=instalment.due_on,
        unpaid_minor=instalment.amount_minor - paid_minor,
        currency=agreement.round.currency,
        cure_by_on=cure_ends_on(agreement, index),
        policy_id=agreement.terms.policy_id,
        policy_version=agreement.terms.policy_version,
    )
