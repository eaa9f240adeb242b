"""A claim folded from its events: pure, never refuses."""

from datetime import date
from typing import assert_never

from msgspec.structs import replace

from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    AgreementNoted,
    BorrowerHeld,
    BorrowerReleased,
    ClaimClosed,
    ClaimEnded,
    ClaimEvent,
    ClaimPaused,
    ClaimResumed,
    ClaimReturned,
    ClaimTaken,
    ClaimWithdrawn,
    DemandNoted,
    FilingApproved,
    FilingRefused,
    LimitationAlarmRaised,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.state import (
    ACTS_COUNT,
    DISMISSED,
    ENFORCEMENT,
    FULFILLED,
    IN_FULL,
    NO_PERIOD_KNOWN,
    OBEYED,
    SETTLED,
    Approval,
    Claim,
    Interrupting,
    Phase,
    agreement_reference,
    demand_reference,
    judgment_reference,
    withheld_reference,
)
from arrears.legal.domain.claim.suit_events import (
    AssetsSearched,
    ClaimFiled,
    ClaimRegistered,
    CourtSilenceNoted,
    EnforcementAlarmRaised,
    EnforcementApplied,
    EnforcementClosed,
    EnforcementLapsed,
    EnforcementWithheld,
    FilingWithheld,
    JudgmentEntered,
    JudgmentNotEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    MoneyRecovered,
    PaymentNoted,
)
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.gate import waits_until
from arrears.legal.domain.limitation import INSTALMENTS, SUIT, Interruption, kept
from arrears.shared.kernel.ids import StaffId


def evolve(  # noqa: C901, PLR0911, PLR0912 - one case for each event
    claim: Claim, event: ClaimEvent
) -> Claim:
    """Apply one fact. Never refuses and never raises: what happened, happened."""
    match event:
        case DemandNoted() | LimitationInterrupted() | AgreementNoted() | AgreementEndNoted():
            return _interrupted(claim, event)
        case ClaimTaken():
            return _taken(claim, event)
        case ClaimPaused(until_on=until_on):
            return replace(claim, held=True, held_until_on=until_on)
        case ClaimResumed():
            return replace(claim, held=False, held_until_on=None)
        case BorrowerHeld() | BorrowerReleased():
            return _borrower_held(claim, event)
        case ClaimReturned():
            return replace(claim, returned=True, missing=(), pay_by_on=None)
        case FilingApproved():
            return _approved(claim, event)
        case FilingRefused(missing=missing, inputs=inputs):
            return replace(claim, missing=missing, pay_by_on=waits_until(inputs, missing))
        case LimitationAlarmRaised(days_left=days_left):
            return replace(claim, alarmed_at_days=days_left)
        case ClaimFiled():
            return _filed(claim, event)
        case FilingWithheld() | EnforcementWithheld():
            return _withheld(claim, event)
        case ClaimRegistered():
            return _registered(claim, event)
        case CourtSilenceNoted():
            return replace(claim, silence_noted=True)
        case PaymentNoted() | MoneyRecovered():
            return _paid(claim, event)
        case JudgmentEntered():
            return _judged(claim, event)
        case JudgmentNotEntered():
            reference = judgment_reference(event.awarded_minor, event.currency, event.obey_by_on)
            return replace(claim, seen=claim.seen | {reference})
        case JudgmentNotObeyed(apply_on=apply_on):
            return replace(claim, phase=Phase.NOT_OBEYED, apply_on=apply_on)
        case EnforcementAlarmRaised(days_left=days_left):
            return replace(claim, apply_alarmed_at_days=days_left)
        case EnforcementLapsed():
            return replace(claim, lapsed=True)
        case EnforcementApplied(recorded_by=recorded_by):
            return _applied(claim, recorded_by)
        case AssetsSearched():
            return replace(claim, searched=True)
        case JudgmentObeyed() | EnforcementClosed() | ClaimWithdrawn():
            return claim
        case ClaimEnded(referral=int(referral)):
            return replace(claim, referral=referral)
        case ClaimEnded(result=result):
            return _ended(claim, result)
        case ClaimClosed(reason=reason):
            return _ended(claim, SETTLED) if reason in (OBEYED, IN_FULL) else _over(claim, reason)
        case _:
            assert_never(event)


def _borrower_held(claim: Claim, event: BorrowerHeld | BorrowerReleased) -> Claim:
    reason, held_for = {event.reason}, claim.borrower_held_for
    left = held_for | reason if isinstance(event, BorrowerHeld) else held_for - reason
    named = replace(claim, case_id=event.case_id, loan_key=event.loan_key)
    return replace(named, borrower_held_for=left)


def _filed(claim: Claim, event: ClaimFiled) -> Claim:
    return replace(
        claim,
        phase=Phase.FILED,
        filings=claim.filings + 1,
        filed_on=event.filed_on,
        missing=(),
        pay_by_on=None,
    )


def _withheld(claim: Claim, event: FilingWithheld | EnforcementWithheld) -> Claim:
    """As if it had not been asked for, unless something else has come of it since."""
    application = event.application if isinstance(event, EnforcementWithheld) else 0
    reference = withheld_reference(event.filing, application)
    noted = replace(claim, seen=claim.seen | {reference})
    if event.filing != claim.filings:
        return noted
    if isinstance(event, EnforcementWithheld) and claim.phase is Phase.ENFORCING:
        return replace(
            noted, phase=Phase.NOT_OBEYED, apply_on=event.apply_on, looked_at=event.looked_at
        )
    if isinstance(event, FilingWithheld) and claim.phase is Phase.FILED:
        same = event.limitation_expires_on == claim.limitation_expires_on
        return replace(
            noted,
            phase=Phase.REFUSED,
            filed_on=date.max,
            silence_noted=False,
            looked_at=event.looked_at,
            limitation_expires_on=event.limitation_expires_on,
            limitation_derivation=event.derivation,
            alarmed_at_days=claim.alarmed_at_days if same else None,
        )
    return noted


def _registered(claim: Claim, event: ClaimRegistered) -> Claim:
    return replace(
        claim,
        registered=True,
        registered_on=event.registered_on,
        silence_noted=False,
        phase=Phase.REGISTERED if claim.phase is Phase.FILED else claim.phase,
    )


def _judged(claim: Claim, event: JudgmentEntered) -> Claim:
    obey_until_on = event.obey_moved_to_on or event.obey_by_on
    in_time = [minor for on, minor in claim.paid_on.items() if on <= obey_until_on]
    return replace(
        claim,
        phase=Phase.JUDGED,
        interruptions=tuple(act for act in claim.interruptions if act.on > event.obey_by_on),
        paid_on={},
        in_time_minor=sum(in_time),
        awarded_minor=event.awarded_minor,
        deducted_minor=event.deducted_minor,
        obey_by_on=event.obey_by_on,
        obey_moved_to_on=event.obey_moved_to_on,
        apply_by_on=event.apply_by_on,
        apply_derivation=event.derivation,
    )


def _applied(claim: Claim, by: StaffId | None) -> Claim:
    count = claim.applications + 1
    return replace(claim, phase=Phase.ENFORCING, applied_by=by, applications=count)


def _interrupted(claim: Claim, event: Interrupting) -> Claim:
    changed = replace(_noted(claim, event), case_id=event.case_id, loan_key=event.loan_key)
    if claim.phase in ACTS_COUNT:
        changed = _keeping(changed, _interruption(event))
    if event.expires_on is None:
        return changed
    if event.clock == ENFORCEMENT:
        return _may_apply_until(changed, event.expires_on, event.derivation)
    if event.expires_on == claim.limitation_expires_on:
        return changed
    return replace(
        changed,
        limitation_expires_on=event.expires_on,
        limitation_derivation=event.derivation,
        alarmed_at_days=None,
    )


def _keeping(claim: Claim, act: Interruption | None) -> Claim:
    return claim if act is None else replace(claim, interruptions=kept(claim.interruptions, act))


def _approved(claim: Claim, event: FilingApproved) -> Claim:
    of_the_day = claim.total_minor or 0
    approval = Approval(
        staff_id=event.staff_id,
        amount_minor=of_the_day if event.amount_minor is None else event.amount_minor,
        despite_limitation=event.despite_limitation,
    )
    return replace(claim, approvals=(*claim.approvals, approval))


def _ended(claim: Claim, result: str) -> Claim:
    """A dismissed claim is judged for good; what became due after it is another debt. Else a later
    referral brings a new claim: after a settlement, or the payment of what was awarded, of another
    debt, with a demand of its own; after a suit that came to nothing of the same debt. The
    complaint has interrupted its limitation when it was handed in: that it begins only with the end
    of such a suit (civil code art. 195) is disputed, and not relied on."""
    if result == DISMISSED:
        return _over(claim, DISMISSED)
    fresh = of_another_debt(claim)
    if result == SETTLED:
        return fresh
    same = replace(
        fresh,
        demand_delivered_on=claim.demand_delivered_on,
        demand_recorded_by=claim.demand_recorded_by,
        agreement_in_force=claim.agreement_in_force,
        agreement_last_due_on=claim.agreement_last_due_on,
        agreement_breached=claim.agreement_breached,
        interruptions=claim.interruptions,
        limitation_expires_on=claim.limitation_expires_on,
        limitation_derivation=claim.limitation_derivation,
    )
    return _keeping(same, Interruption(by=SUIT, on=claim.filed_on))


def of_another_debt(claim: Claim) -> Claim:
    return Claim(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        currency=claim.currency,
        referral=claim.referral,
        filings=claim.filings,
        seen=claim.seen,
        borrower_held_for=claim.borrower_held_for,
    )


def _over(claim: Claim, closed_as: str) -> Claim:
    return replace(claim, phase=Phase.CLOSED, closed_as=closed_as)


def _noted(claim: Claim, event: Interrupting) -> Claim:
    match event:
        case DemandNoted():
            unknown = claim.total_minor is None and claim.phase is Phase.REFUSED
            told = claim.demand_delivered_on is not None and claim.demand_recorded_by is None
            before_on = claim.demand_delivered_on or event.delivered_on
            return replace(
                claim,
                demand_delivered_on=max(before_on, event.delivered_on),
                demand_recorded_by=None if told else event.recorded_by,
                total_minor=event.total_minor if unknown else claim.total_minor,
                seen=claim.seen | {demand_reference(event.delivered_at)},
            )
        case LimitationInterrupted(by="part_payment"):
            seen = claim.seen | {event.reference}
            return replace(claim, total_minor=_left(claim.total_minor, event), seen=seen)
        case LimitationInterrupted():
            return replace(claim, seen=claim.seen | {event.reference})
        case AgreementNoted(signed_at=signed_at, last_due_on=last_due_on):
            return replace(
                claim,
                agreement_in_force=True,
                agreement_last_due_on=last_due_on,
                agreement_breached=False,
                seen=claim.seen | {agreement_reference(signed_at)},
            )
        case AgreementEndNoted(result=result):
            if result == FULFILLED and claim.phase is Phase.UNREFERRED:
                return _ended(claim, SETTLED)
            return replace(
                claim,
                agreement_in_force=False,
                agreement_last_due_on=None,
                agreement_breached=result != FULFILLED,
            )
        case _:
            assert_never(event)


def _left(total_minor: int | None, event: LimitationInterrupted) -> int | None:
    if event.left_minor is not None or total_minor is None:
        return event.left_minor
    return max(0, total_minor - event.amount_minor)


def _interruption(event: Interrupting) -> Interruption | None:
    match event:
        case DemandNoted(delivered_on=on):
            return Interruption(by="demand", on=on)
        case LimitationInterrupted(by=by, on=on):
            return Interruption(by=by, on=on)
        case AgreementNoted(signed_on=on):
            return Interruption(by="agreement", on=on)
        case AgreementEndNoted(begins_on=begins_on):
            return None if begins_on is None else Interruption(by=INSTALMENTS, on=begins_on)
        case _:
            assert_never(event)


def _taken(claim: Claim, event: ClaimTaken) -> Claim:
    if claim.phase is Phase.CLOSED:
        claim = of_another_debt(claim)
    return replace(
        claim,
        phase=Phase.REFUSED,
        case_id=event.case_id,
        loan_key=event.loan_key,
        currency=event.currency,
        referral=event.referral,
        taken_on=event.taken_on,
        taken_at=event.taken_at,
        as_of_on=event.as_of_on,
        total_minor=event.overdue_minor if event.overdue_minor > 0 else None,
        limitation_expires_on=event.limitation_expires_on,
        limitation_derivation=event.derivation,
        alarmed_at_days=None,
        missing=(),
        pay_by_on=None,
        returned=False,
    )


def _paid(claim: Claim, event: PaymentNoted | MoneyRecovered) -> Claim:
    changed = replace(
        claim,
        since_filing_minor=claim.since_filing_minor + event.amount_minor,
        seen=claim.seen | {event.repayment_id},
    )
    if isinstance(event, MoneyRecovered):
        return replace(changed, recovered_minor=claim.recovered_minor + event.amount_minor)
    if claim.phase in NO_PERIOD_KNOWN:
        day_minor = claim.paid_on.get(event.value_on, 0) + event.amount_minor
        changed = replace(changed, paid_on={**claim.paid_on, event.value_on: day_minor})
    elif event.value_on <= claim.obey_until_on:
        changed = replace(changed, in_time_minor=claim.in_time_minor + event.amount_minor)
    if event.expires_on is not None:
        return _may_apply_until(changed, event.expires_on, event.derivation)
    if claim.phase in NO_PERIOD_KNOWN:
        return _keeping(changed, Interruption(by="part_payment", on=event.value_on))
    return changed


def _may_apply_until(claim: Claim, last_on: date, derivation: Derivation | None) -> Claim:
    if last_on == claim.apply_by_on:
        return claim
    return replace(
        claim,
        apply_by_on=last_on,
        apply_derivation=derivation,
        apply_alarmed_at_days=None,
        lapsed=False,
    )
