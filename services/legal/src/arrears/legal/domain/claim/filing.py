"""Decisions before the suit: acts that interrupt limitation, the referral, the gate."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from arrears.legal.domain import alarms
from arrears.legal.domain.claim.commands import (
    ApproveFiling,
    NoteAgreement,
    NoteAgreementEnd,
    NoteDemand,
    NotePromise,
    NoteRepayment,
    PauseClaim,
    ResumeClaim,
    ReturnClaim,
    TakeClaim,
)
from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    AgreementNoted,
    ClaimEvent,
    ClaimFiled,
    ClaimPaused,
    ClaimResumed,
    ClaimReturned,
    ClaimTaken,
    DemandNoted,
    FilingApproved,
    FilingRefused,
    LimitationAlarmRaised,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.rules import Rules, restarted
from arrears.legal.domain.claim.state import (
    Claim,
    Phase,
    agreement_reference,
    demand_reference,
    evolve,
)
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.fees import acceptance_fee
from arrears.legal.domain.gate import LIMITATION_ALIVE, GateInputs, missing_items
from arrears.legal.domain.limitation import Interruption, expiry
from arrears.legal.domain.policy import Policy
from arrears.shared.kernel.decider import Refused

LONG_AGO = timedelta(days=20 * 366)
"""No claim lives longer, whatever interrupts it (civil code art. 188)."""


def note_demand(rules: Rules, command: NoteDemand, claim: Claim) -> Sequence[ClaimEvent]:
    """Noted even before any referral: without it the claim could not be filed later."""
    if command.staff_id is not None:
        _check_demand(command, claim)
    if claim.phase is Phase.CLOSED or demand_reference(command.delivered_at) in claim.seen:
        return ()
    delivered_on = rules.day_of(command.delivered_at)
    clock = restarted(rules, claim, Interruption(by="demand", on=delivered_on))
    noted = DemandNoted(
        case_id=command.case_id,
        loan_key=command.loan_key,
        total_minor=command.total_minor,
        currency=command.currency,
        delivered_at=command.delivered_at,
        delivered_on=delivered_on,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
        recorded_by=command.staff_id,
    )
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def note_promise(rules: Rules, command: NotePromise, claim: Claim) -> Sequence[ClaimEvent]:
    """Noted before any referral as well: who promises accepts the debt."""
    if claim.phase not in _CLOCK_RUNS or command.promise_id in claim.seen:
        return ()
    on = rules.day_of(command.now)
    clock = restarted(rules, claim, Interruption(by="promise", on=on))
    noted = LimitationInterrupted(
        case_id=command.case_id,
        loan_key=command.loan_key,
        by="promise",
        on=on,
        reference=command.promise_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
    )
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def note_part_payment(rules: Rules, command: NoteRepayment, claim: Claim) -> Sequence[ClaimEvent]:
    """Money for a claim that is taken and not filed. Before the referral it is not noted: the
    demand that must be delivered before filing begins the period anew anyway."""
    clock = restarted(rules, claim, Interruption(by="part_payment", on=command.value_on))
    noted = LimitationInterrupted(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        by="part_payment",
        on=command.value_on,
        reference=command.repayment_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
    )
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def note_agreement(rules: Rules, command: NoteAgreement, claim: Claim) -> Sequence[ClaimEvent]:
    if claim.phase is Phase.CLOSED or agreement_reference(command.signed_at) in claim.seen:
        return ()
    signed_on = rules.day_of(command.signed_at)
    clock = restarted(rules, claim, Interruption(by="agreement", on=signed_on))
    noted = AgreementNoted(
        case_id=command.case_id,
        loan_key=command.loan_key,
        signed_at=command.signed_at,
        signed_on=signed_on,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
    )
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def note_agreement_end(
    rules: Rules, command: NoteAgreementEnd, claim: Claim
) -> Sequence[ClaimEvent]:
    if claim.phase is Phase.CLOSED or not claim.agreement_in_force:
        return ()
    noted = AgreementEndNoted(case_id=claim.case_id, loan_key=claim.loan_key, result=command.result)
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def take(rules: Rules, command: TakeClaim, claim: Claim) -> Sequence[ClaimEvent]:
    """A later referral of a claim that is not filed yet brings new figures."""
    if claim.phase not in (Phase.UNREFERRED, Phase.REFUSED) or command.referral <= claim.referral:
        return ()
    today = rules.day_of(command.now)
    policy = rules.policy_on(today)
    last_day, derivation = _limitation(rules, claim, command.due_on, policy)
    taken = ClaimTaken(
        case_id=command.case_id,
        loan_key=command.loan_key,
        borrower_id=command.borrower_id,
        referral=command.referral,
        overdue_minor=command.overdue_minor,
        balance_minor=command.balance_minor,
        currency=command.currency,
        due_on=command.due_on,
        days_past_due=command.days_past_due,
        taken_on=today,
        limitation_expires_on=last_day,
        policy_id=policy.id,
        policy_version=policy.version,
        derivation=derivation,
    )
    return (taken, *look_again(rules, evolve(claim, taken), command.now))


def pause(command: PauseClaim, claim: Claim) -> Sequence[ClaimEvent]:
    if claim.phase in (Phase.UNREFERRED, Phase.CLOSED):
        return ()
    if claim.held and claim.held_until_on == command.until_on:
        return ()
    return (
        ClaimPaused(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            reason=command.reason,
            until_on=command.until_on,
        ),
    )


def resume(rules: Rules, command: ResumeClaim, claim: Claim) -> Sequence[ClaimEvent]:
    if claim.phase is Phase.CLOSED or not claim.held:
        return ()
    resumed = ClaimResumed(case_id=claim.case_id, loan_key=claim.loan_key, reason=command.reason)
    return (resumed, *look_again(rules, evolve(claim, resumed), command.now))


def give_back(command: ReturnClaim, claim: Claim) -> Sequence[ClaimEvent]:
    """What the court has stays there: then the return is noted, and nothing follows from it."""
    if claim.phase in (Phase.UNREFERRED, Phase.CLOSED) or claim.returned:
        return ()
    return (ClaimReturned(case_id=claim.case_id, loan_key=claim.loan_key, result=command.result),)


def approve(rules: Rules, command: ApproveFiling, claim: Claim) -> Sequence[ClaimEvent]:
    match claim.phase:
        case Phase.UNREFERRED:
            raise Refused("claim_not_taken")
        case Phase.CLOSED:
            raise Refused("claim_closed")
        case Phase.REFUSED:
            pass
        case _:
            return ()
    if claim.returned:
        raise Refused("claim_returned")
    if command.staff_id == claim.demand_recorded_by:
        raise Refused("recorded_the_demand")
    if claim.approved and (claim.despite_limitation or not command.despite_limitation):
        return ()
    approved = FilingApproved(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        staff_id=command.staff_id,
        despite_limitation=command.despite_limitation,
    )
    return (approved, *look_again(rules, evolve(claim, approved), command.now))


def look_again(rules: Rules, claim: Claim, now: datetime) -> Sequence[ClaimEvent]:
    """File a claim that lacks nothing any more; say so where something else is missing now."""
    if claim.phase is not Phase.REFUSED or claim.returned:
        return ()
    today = rules.day_of(now)
    policy = rules.policy_on(today)
    inputs = _inputs(claim, policy, today)
    missing = missing_items(inputs)
    if missing and missing == claim.missing:
        return ()
    if missing:
        refused = FilingRefused(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            missing=missing,
            inputs=inputs,
            policy_id=policy.id,
            policy_version=policy.version,
        )
        return (refused,)
    return (_filed(claim, inputs, policy),)


def alarm_days(rules: Rules, claim: Claim, today: date) -> Sequence[date]:
    last_on, raised = claim.limitation_expires_on, claim.alarmed_at_days
    return alarms.days_of(last_on, rules.alarm_days_of(claim), raised, today)


def raise_alarm(rules: Rules, claim: Claim, today: date) -> Sequence[ClaimEvent]:
    """While the claim waits, whatever for: also held, under an agreement, or returned."""
    if not limitation_matters(claim):
        return ()
    last_on, raised = claim.limitation_expires_on, claim.alarmed_at_days
    days_left = alarms.reached(last_on, rules.alarm_days_of(claim), raised, today)
    if days_left is None:
        return ()
    return (
        LimitationAlarmRaised(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            days_left=days_left,
            limitation_expires_on=claim.limitation_expires_on,
            missing=claim.missing,
            derivation=claim.limitation_derivation,
        ),
    )


def limitation_matters(claim: Claim) -> bool:
    """Whether the end of the period would change anything: not once it is over or waived."""
    return LIMITATION_ALIVE not in claim.missing and not claim.despite_limitation


_CLOCK_RUNS = (Phase.UNREFERRED, Phase.REFUSED, Phase.NOT_OBEYED)


def _check_demand(command: NoteDemand, claim: Claim) -> None:
    if claim.phase is Phase.CLOSED:
        raise Refused("claim_closed")
    if command.delivered_at > command.now:
        raise Refused("in_the_future", "delivered_at")
    if command.delivered_at < command.now - LONG_AGO:
        raise Refused("too_long_ago", "delivered_at")
    if command.total_minor <= 0:
        raise Refused("not_positive", "total_minor")
    if claim.currency and command.currency != claim.currency:
        raise Refused("other_currency", "currency")


def _limitation(
    rules: Rules, claim: Claim, due_on: date, policy: Policy
) -> tuple[date, Derivation | None]:
    """From the due day through all that is known to have interrupted it.

    For a claim that was taken before, the interruptions are in its last day already.
    """
    found = expiry(
        due_on,
        claim.interruptions,
        months=policy.limitation.months,
        is_workday=rules.is_workday,
    )
    if claim.phase is Phase.REFUSED and claim.limitation_expires_on >= found.on:
        return claim.limitation_expires_on, claim.limitation_derivation
    return found.on, rules.derivation_of(found)


def _inputs(claim: Claim, policy: Policy, today: date) -> GateInputs:
    return GateInputs(
        today=today,
        demand_delivered_on=claim.demand_delivered_on,
        total_minor=claim.total_minor,
        currency=claim.currency,
        limitation_expires_on=claim.limitation_expires_on,
        approval_from_minor=policy.filing.approval_from_minor,
        approved=claim.approved,
        despite_limitation=claim.despite_limitation,
        agreement_in_force=claim.agreement_in_force,
        held=claim.held,
    )


def _filed(claim: Claim, inputs: GateInputs, policy: Policy) -> ClaimFiled:
    claim_minor = inputs.total_minor or 0
    in_table = policy.fees.currency == claim.currency
    return ClaimFiled(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        claim_minor=claim_minor,
        currency=claim.currency,
        court_fee_minor=acceptance_fee(policy.fees, claim_minor) if in_table else None,
        filed_on=inputs.today,
        inputs=inputs,
        policy_id=policy.id,
        policy_version=policy.version,
    )
