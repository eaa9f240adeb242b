"""Decisions before the suit: the referral, the gate, the alarms."""

from collections.abc import Sequence
from datetime import date, datetime

from arrears.legal.domain import alarms
from arrears.legal.domain.claim.commands import (
    ApproveFiling,
    HoldBorrower,
    PauseClaim,
    ReleaseBorrower,
    ResumeClaim,
    ReturnClaim,
    TakeClaim,
)
from arrears.legal.domain.claim.endings import answer_again
from arrears.legal.domain.claim.events import (
    BorrowerHeld,
    BorrowerReleased,
    ClaimEvent,
    ClaimPaused,
    ClaimResumed,
    ClaimReturned,
    ClaimTaken,
    FilingApproved,
    FilingRefused,
    LimitationAlarmRaised,
)
from arrears.legal.domain.claim.evolve import evolve, of_another_debt
from arrears.legal.domain.claim.rules import Rules
from arrears.legal.domain.claim.state import Claim, Phase
from arrears.legal.domain.claim.suit_events import ClaimFiled
from arrears.legal.domain.deadlines import Derivation, deadline
from arrears.legal.domain.fees import acceptance_fee
from arrears.legal.domain.gate import LIMITATION_ALIVE, GateInputs, missing_items, waits_until
from arrears.legal.domain.limitation import expiry
from arrears.legal.domain.policy import Policy
from arrears.shared.kernel.decider import Refused


def take(rules: Rules, command: TakeClaim, claim: Claim) -> Sequence[ClaimEvent]:
    """A later referral of a claim that is not filed yet brings new figures. One that lies before
    the court goes on, and its end answers the referral too. One that is over answers at once, but
    for what became due after it: that was never claimed, so nothing was judged of it."""
    if command.referral <= claim.referral:
        return ()
    if claim.phase is Phase.CLOSED:
        if command.due_on <= (claim.as_of_on or claim.taken_on):
            return (answer_again(claim, command.referral),)
        claim = of_another_debt(claim)
    if claim.phase not in (Phase.UNREFERRED, Phase.REFUSED):
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
        as_of_on=command.as_of_on,
        taken_at=command.now,
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


def hold_borrower(command: HoldBorrower, claim: Claim) -> Sequence[ClaimEvent]:
    """Noted before any referral too: intake, which knows of no hold of the person, may refer."""
    if command.reason in claim.borrower_held_for:
        return ()
    return (
        BorrowerHeld(case_id=command.case_id, loan_key=command.loan_key, reason=command.reason),
    )


def release_borrower(rules: Rules, command: ReleaseBorrower, claim: Claim) -> Sequence[ClaimEvent]:
    if command.reason not in claim.borrower_held_for:
        return ()
    released = BorrowerReleased(
        case_id=claim.case_id, loan_key=claim.loan_key, reason=command.reason
    )
    return (released, *look_again(rules, evolve(claim, released), command.now))


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
        amount_minor=claim.total_minor or 0,
    )
    return (approved, *look_again(rules, evolve(claim, approved), command.now))


def look_again(rules: Rules, claim: Claim, now: datetime) -> Sequence[ClaimEvent]:
    """File a claim that lacks nothing any more; say so where something else is missing now. What
    was heard before a filing was withheld is on its way still: all of it comes first."""
    if claim.phase is not Phase.REFUSED or claim.returned:
        return ()
    if claim.looked_at is not None and now < claim.looked_at:
        return ()
    today = rules.day_of(now)
    policy = rules.policy_on(today)
    inputs, missing = gate(rules, claim, today)
    if missing and (missing, waits_until(inputs, missing)) == (claim.missing, claim.pay_by_on):
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


def gate(rules: Rules, claim: Claim, today: date) -> tuple[GateInputs, tuple[str, ...]]:
    """What stands between the claim and the court today, and by what that was judged."""
    inputs = _inputs(rules, claim, rules.policy_on(today), today)
    return inputs, missing_items(inputs)


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
    """Whether the end of the period would change anything: not once it is over."""
    return LIMITATION_ALIVE not in claim.missing


def _limitation(
    rules: Rules, claim: Claim, due_on: date, policy: Policy
) -> tuple[date, Derivation | None]:
    """From the due day, or the last day of a claim that was taken before, through all that is known
    to have interrupted it."""
    found = expiry(
        due_on,
        claim.interruptions,
        months=policy.limitation.months,
        is_workday=rules.is_workday,
        known_on=claim.limitation_expires_on,
    )
    if found is None:
        return claim.limitation_expires_on, claim.limitation_derivation
    return found.on, rules.derivation_of(found)


def _inputs(rules: Rules, claim: Claim, policy: Policy, today: date) -> GateInputs:
    rule = policy.filing
    return GateInputs(
        today=today,
        demand_delivered_on=claim.demand_delivered_on,
        total_minor=claim.total_minor,
        currency=claim.currency,
        limitation_expires_on=claim.limitation_expires_on,
        approval_from_minor=rule.approval_from_minor,
        approved=claim.approved,
        despite_limitation=claim.despite_limitation,
        agreement_in_force=claim.agreement_in_force,
        held=claim.stands_still,
        pay_by_on=_pay_by_on(rules, claim, rule.days_after_demand),
        least_minor=rule.least_minor(claim.currency),
    )


def _pay_by_on(rules: Rules, claim: Claim, days: int) -> date | None:
    """The last of the days that the newest demand gave; one that is a day off moves, as in law
    (civil code art. 203)."""
    if claim.demand_delivered_on is None or days == 0:
        return None
    return deadline(f"{days}d", claim.demand_delivered_on, rules.is_workday).on


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
        filing=claim.filings + 1,
        inputs=inputs,
        policy_id=policy.id,
        policy_version=policy.version,
    )
