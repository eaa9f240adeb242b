"""How the events of a mediation become what a decision reads."""

from collections.abc import Callable
from typing import assert_never

from msgspec.structs import replace

from arrears.mediation.domain.mediation.events import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementHeld,
    AgreementProposed,
    AgreementReleased,
    AgreementSigned,
    BankSigned,
    BorrowerInvited,
    BorrowerSigned,
    BreachContradicted,
    HoldEnded,
    HoldNoted,
    InstalmentMissed,
    InstalmentPaid,
    InvitationAnswered,
    InvitationReceipted,
    InvitationWithdrawn,
    LatePaymentNoted,
    MediationClosed,
    MediationEvent,
    MediationFailed,
    MediationTaken,
    OfferRefused,
    PaymentNoted,
)
from arrears.mediation.domain.mediation.state import (
    HELD,
    NOT_RENEWED,
    Breached,
    Held,
    InForce,
    LatePayment,
    Mediation,
    NotTaken,
    Over,
    Proposed,
    Round,
    Talking,
    is_invited,
    received_minor,
)
from arrears.mediation.domain.plan import Pause


def evolve(mediation: Mediation, event: MediationEvent) -> Mediation:
    """Apply one fact. Never refuses and never raises: what happened, happened."""
    after, held_for = _changed(mediation, event), _held_for(mediation.held_for, event)
    return after if after.held_for == held_for else replace(after, held_for=held_for)


def _held_for(before: frozenset[str], event: MediationEvent) -> frozenset[str]:
    """A hold of the case is told by what it does, where nothing else held before it."""
    match event:
        case HoldNoted(reason=reason):
            return before | {reason}
        case HoldEnded(reason=reason):
            return before - {reason}
        case AgreementHeld():
            return before or frozenset({HELD})
        case MediationClosed(reason=reason) if reason == HELD:
            return before or frozenset({HELD})
        case AgreementReleased() | MediationTaken():
            return before - {HELD}
        case _:
            return before


def _changed(  # noqa: C901, PLR0911, PLR0912 - one case for each event
    mediation: Mediation, event: MediationEvent
) -> Mediation:
    match event:
        case MediationTaken():
            return _taken(mediation, event)
        case BorrowerInvited():
            return _invited(mediation, event)
        case OfferRefused() | HoldNoted() | HoldEnded():
            return mediation
        case InvitationReceipted():
            return replace(mediation, receipted=True) if is_invited(mediation) else mediation
        case InvitationWithdrawn():
            return replace(mediation, invited=False) if is_invited(mediation) else mediation
        case InvitationAnswered(settle_by_on=settle_by_on):
            if isinstance(mediation, Talking):
                deadline_on = settle_by_on or mediation.deadline_on
                return replace(mediation, answered=True, deadline_on=deadline_on)
            return replace(mediation, answered=True) if is_invited(mediation) else mediation
        case AgreementProposed():
            return _proposed(mediation, event)
        case BorrowerSigned() | BankSigned():
            return _signed(mediation, event)
        case AgreementSigned():
            return in_force(mediation) if isinstance(mediation, Proposed) else mediation
        case PaymentNoted():
            return _noted(mediation, event)
        case InstalmentPaid():
            return _paid(mediation, event) if isinstance(mediation, InForce) else mediation
        case InstalmentMissed(instalment_index=index):
            if isinstance(mediation, InForce):
                return replace(mediation, missed_before=index + 1)
            return mediation
        case AgreementBreached():
            return _breached(mediation)
        case AgreementHeld(held_since_on=since_on):
            return _with_agreement(mediation, lambda one: replace(one, held_since_on=since_on))
        case AgreementReleased(held_since_on=since_on, held_days=days):
            pause = Pause(since_on=since_on, days=days)
            return _with_agreement(mediation, lambda one: _released(one, pause))
        case LatePaymentNoted():
            return _noted_late(mediation, event) if isinstance(mediation, Breached) else mediation
        case BreachContradicted():
            if isinstance(mediation, Breached):
                return replace(mediation, contradicted=True)
            return mediation
        case AgreementFulfilled():
            return _over(mediation, "fulfilled")
        case MediationFailed():
            return _over(mediation, "failed")
        case MediationClosed(reason=reason):
            return _closed(mediation, reason)
        case _:
            assert_never(event)


def _taken(mediation: Mediation, event: MediationTaken) -> Mediation:
    """A newer referral's figure has taken off all money that was heard before it."""
    if isinstance(mediation, NotTaken):
        return talking(event)
    if event.round == mediation.round.number:
        if isinstance(mediation, Talking):
            return replace(mediation, round=_round(event), noted_minor=0)
        if isinstance(mediation, Proposed):
            return replace(mediation, round=_round(event), received_minor=0)
    return replace(talking(event), seen=mediation.seen)


def _round(event: MediationTaken) -> Round:
    return Round(
        case_id=event.case_id,
        loan_key=event.loan_key,
        borrower_id=event.borrower_id,
        number=event.round,
        referral=event.referral,
        overdue_minor=event.overdue_minor,
        currency=event.currency,
        taken_on=event.taken_on,
    )


def talking(event: MediationTaken) -> Talking:
    return Talking(
        round=_round(event),
        deadline_on=event.answer_by_on,
        policy_id=event.policy_id,
        policy_version=event.policy_version,
    )


def _invited(mediation: Mediation, event: BorrowerInvited) -> Mediation:
    """The days to answer count from the invitation, by the policy of its day."""
    if not isinstance(mediation, Talking):
        return mediation
    return replace(
        mediation,
        invited=True,
        deadline_on=event.answer_by_on,
        policy_id=event.policy_id,
        policy_version=event.policy_version,
    )


def _proposed(mediation: Mediation, event: AgreementProposed) -> Mediation:
    """A new offer replaces one that is not signed by both, with its signatures."""
    if isinstance(mediation, Talking | Proposed):
        return Proposed(
            round=mediation.round,
            terms=event,
            invited=mediation.invited,
            receipted=mediation.receipted,
            answered=mediation.answered,
            noted_minor=event.credited_minor,
            received_minor=received_minor(mediation),
            renews=mediation.renews if isinstance(mediation, Proposed) else None,
            seen=mediation.seen,
        )
    return _renewal(mediation, event) if isinstance(mediation, Breached) else mediation


def _renewal(breached: Breached, event: AgreementProposed) -> Proposed:
    """From here on the round is about what was left of the agreement."""
    return Proposed(
        round=replace(breached.round, overdue_minor=max(0, breached.left_minor)),
        terms=event,
        invited=False,
        receipted=False,
        answered=False,
        noted_minor=event.credited_minor,
        received_minor=0,
        renews=breached,
        seen=breached.seen,
    )


def _signed(mediation: Mediation, event: BorrowerSigned | BankSigned) -> Mediation:
    if not isinstance(mediation, Proposed):
        return mediation
    if isinstance(event, BorrowerSigned):
        return replace(mediation, borrower_signed=True, borrower_recorded_by=event.recorded_by)
    return replace(mediation, bank_signed=True, bank_recorded_by=event.recorded_by)


def in_force(signed: Proposed) -> InForce:
    return InForce(
        round=signed.round,
        terms=signed.terms,
        invited=signed.invited,
        receipted=signed.receipted,
        answered=signed.answered,
        seen=signed.seen,
    )


def _noted(mediation: Mediation, event: PaymentNoted) -> Mediation:
    if not isinstance(mediation, Talking | Proposed | Held):
        return mediation
    noted = replace(
        mediation,
        noted_minor=mediation.noted_minor + event.amount_minor,
        seen=mediation.seen | {event.repayment_id},
    )
    if isinstance(noted, Proposed):
        return replace(
            noted,
            received_minor=noted.received_minor + event.amount_minor,
            renews=_noted_meanwhile(noted, event),
        )
    return noted


def _noted_meanwhile(proposed: Proposed, event: PaymentNoted) -> Breached | None:
    """Where no value day was said, the day of the offer that it was heard after."""
    if proposed.renews is None:
        return None
    payment = LatePayment(
        value_on=event.value_on or proposed.terms.counts_from_on, amount_minor=event.amount_minor
    )
    return replace(proposed.renews, late=(*proposed.renews.late, payment))


def _paid(agreement: InForce, event: InstalmentPaid) -> InForce:
    repayment = event.repayment_id
    return replace(
        agreement,
        open_index=event.instalment_index + 1 if event.complete else event.instalment_index,
        open_paid_minor=0 if event.complete else event.instalment_paid_minor,
        paid_minor=agreement.paid_minor + event.amount_minor,
        seen=agreement.seen if repayment is None else agreement.seen | {repayment},
    )


def _breached(mediation: Mediation) -> Mediation:
    if not isinstance(mediation, InForce):
        return mediation
    return Breached(
        round=mediation.round,
        agreement=mediation,
        last_offer=mediation.terms.offer,
        seen=mediation.seen,
    )


def _with_agreement(mediation: Mediation, change: Callable[[InForce], InForce]) -> Mediation:
    match mediation:
        case InForce():
            return change(mediation)
        case Breached():
            return _with_breached(mediation, change)
        case Proposed(renews=Breached() as breached):
            return replace(mediation, renews=_with_breached(breached, change))
        case _:
            return mediation


def _with_breached(breached: Breached, change: Callable[[InForce], InForce]) -> Breached:
    return replace(breached, agreement=change(breached.agreement))


def _released(agreement: InForce, pause: Pause) -> InForce:
    return replace(agreement, held_since_on=None, pauses=(*agreement.pauses, pause))


def _noted_late(breached: Breached, event: LatePaymentNoted) -> Breached:
    payment = LatePayment(value_on=event.value_on, amount_minor=event.amount_minor)
    return replace(
        breached, late=(*breached.late, payment), seen=breached.seen | {event.repayment_id}
    )


def _closed(mediation: Mediation, reason: str) -> Mediation:
    if reason == HELD and isinstance(mediation, Talking | Proposed):
        return Held(
            round=mediation.round, noted_minor=received_minor(mediation), seen=mediation.seen
        )
    if reason == NOT_RENEWED and isinstance(mediation, Proposed) and mediation.renews:
        return replace(mediation.renews, last_offer=mediation.terms.offer, seen=mediation.seen)
    return _over(mediation, "closed")


def _over(mediation: Mediation, how: str) -> Mediation:
    if isinstance(mediation, NotTaken):
        return mediation
    return Over(round=mediation.round, how=how, seen=mediation.seen)
