"""Decisions from the court's receipt to the end of enforcement."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, TypeAlias

from arrears.legal.domain import alarms
from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    CloseEnforcement,
    EnterJudgment,
    NoteRepayment,
    RecordSearch,
    RegisterClaim,
)
from arrears.legal.domain.claim.endings import closed, ended, withdrawn
from arrears.legal.domain.claim.events import ClaimEvent
from arrears.legal.domain.claim.evolve import evolve
from arrears.legal.domain.claim.rules import Rules, restarted
from arrears.legal.domain.claim.state import (
    DISMISSED,
    IN_FULL,
    OBEYED,
    Claim,
    Phase,
    judgment_reference,
)
from arrears.legal.domain.claim.suit_events import (
    AssetsSearched,
    ClaimRegistered,
    EnforcementAlarmRaised,
    EnforcementApplied,
    EnforcementClosed,
    EnforcementLapsed,
    JudgmentEntered,
    JudgmentNotEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    MoneyRecovered,
    PaymentNoted,
)
from arrears.legal.domain.deadlines import rolled
from arrears.legal.domain.fees import enforcement_fee
from arrears.legal.domain.limitation import Interruption
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import StaffId

_Answer: TypeAlias = RegisterClaim | EnterJudgment | RecordSearch | CloseEnforcement
OBEY_WITHIN_MAX = timedelta(days=5 * 366)
IN_PART = "recovered_in_part"
NO_ASSETS = "no_assets"
_AWARDED: Final = (Phase.JUDGED, Phase.NOT_OBEYED, Phase.ENFORCING)


def register(rules: Rules, command: RegisterClaim, claim: Claim) -> Sequence[ClaimEvent]:
    """The docket is kept also where staff have entered the judgment before it came."""
    if claim.registered or claim.phase in (Phase.UNREFERRED, Phase.REFUSED, Phase.CLOSED):
        return ()
    if _is_of_another(command, claim):
        return ()
    return (
        ClaimRegistered(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            docket=command.docket,
            gateway=command.gateway,
            registered_on=rules.day_of(command.now),
        ),
    )


def enter_judgment(rules: Rules, command: EnterJudgment, claim: Claim) -> Sequence[ClaimEvent]:
    """Money that came since filing may have reached the award before it was spoken, unless the
    award is less that money already. Where the court awards nothing the suit is dismissed; staff
    end it by a command of its own. The last day to obey may have passed before the judgment is
    entered: it is judged by the same rules, at once where the days to book are over too."""
    today = rules.day_of(command.now)
    if command.staff_id is not None:
        _check_judgment(command, claim, today)
    if claim.phase not in (Phase.FILED, Phase.REGISTERED) or _is_of_another(command, claim):
        return ()
    if command.currency != claim.currency or command.awarded_minor < 0:
        return _not_entered(command, claim)
    if command.awarded_minor == 0:
        return (ended(claim, DISMISSED),)
    policy = rules.policy_on(today)
    time_to_apply = rules.time_to_apply(policy, command.obey_by_on, claim.interruptions)
    obey_until_on = rolled(command.obey_by_on, rules.is_workday)
    entered = JudgmentEntered(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        awarded_minor=command.awarded_minor,
        currency=claim.currency,
        judged_on=today,
        obey_by_on=command.obey_by_on,
        apply_by_on=time_to_apply.on,
        recorded_by=command.staff_id,
        policy_id=policy.id,
        policy_version=policy.version,
        derivation=rules.derivation_of(time_to_apply),
        deducted_minor=command.deducted_minor,
        obey_moved_to_on=obey_until_on if obey_until_on > command.obey_by_on else None,
    )
    return (entered, *_obeyed(evolve(claim, entered)))


def note_payment(rules: Rules, command: NoteRepayment, claim: Claim) -> Sequence[ClaimEvent]:
    """Money for a filed claim, unless what was filed is less it already (`rules.is_in_figure`).

    The figure that was filed is the newest referral's, less what was heard between it and the
    filing, which is in `seen`. So also money that is valued before the filing and told after it
    counts against what is claimed, awarded or enforced. What was paid by the last day to obey is
    not the enforcement's, however late it is told.
    """
    if rules.is_in_figure(command, claim):
        return ()
    if claim.phase is Phase.ENFORCING and command.value_on > claim.obey_until_on:
        return _recover(command, claim)
    clock = restarted(rules, claim, Interruption(by="part_payment", on=command.value_on))
    noted = PaymentNoted(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        repayment_id=command.repayment_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        value_on=command.value_on,
        since_filing_minor=claim.since_filing_minor + command.amount_minor,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
    )
    return (noted, *_obeyed(evolve(claim, noted)))


def judge_obedience(rules: Rules, claim: Claim, today: date) -> Sequence[ClaimEvent]:
    """The last day to obey has ended without the money, and so have the days to book it."""
    policy = rules.policy_of(claim)
    apply_on = today + timedelta(days=policy.enforcement.apply_after_days)
    by_itself = policy.enforcement.apply_by_itself and apply_on <= claim.apply_by_on
    return (
        JudgmentNotObeyed(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            paid_minor=claim.paid_minor,
            awarded_minor=claim.awarded_minor,
            currency=claim.currency,
            obey_by_on=claim.obey_by_on,
            apply_on=apply_on if by_itself else None,
            apply_by_on=claim.apply_by_on,
            policy_id=policy.id,
            policy_version=policy.version,
            obey_moved_to_on=claim.obey_moved_to_on,
        ),
    )


def apply_for_enforcement(
    rules: Rules, command: ApplyForEnforcement, claim: Claim
) -> Sequence[ClaimEvent]:
    match claim.phase:
        case Phase.ENFORCING | Phase.CLOSED:
            return ()
        case Phase.NOT_OBEYED:
            pass
        case Phase.JUDGED:
            raise Refused("time_to_obey_is_running")
        case _:
            raise Refused("judgment_not_entered")
    if claim.agreement_in_force:
        raise Refused("agreement_in_force")
    if claim.stands_still:
        raise Refused("case_is_held")
    return apply(rules, claim, rules.day_of(command.now), command.staff_id)


def apply(
    rules: Rules, claim: Claim, today: date, staff_id: StaffId | None
) -> Sequence[ClaimEvent]:
    policy = rules.policy_on(today)
    in_table = policy.fees.currency == claim.currency
    return (
        EnforcementApplied(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            unpaid_minor=claim.unpaid_minor,
            awarded_minor=claim.awarded_minor,
            currency=claim.currency,
            enforcement_fee_minor=(
                enforcement_fee(policy.fees, claim.unpaid_minor) if in_table else None
            ),
            apply_by_on=claim.apply_by_on,
            recorded_by=staff_id,
            policy_id=policy.id,
            policy_version=policy.version,
            filing=claim.filings,
            application=claim.applications + 1,
        ),
    )


def alarm_days(rules: Rules, claim: Claim, today: date) -> Sequence[date]:
    last_on, raised = claim.apply_by_on, claim.apply_alarmed_at_days
    return alarms.days_of(last_on, rules.alarm_days_of(claim), raised, today)


def raise_alarm(rules: Rules, claim: Claim, today: date) -> Sequence[ClaimEvent]:
    """While nothing was applied for, whatever it waits for."""
    last_on, raised = claim.apply_by_on, claim.apply_alarmed_at_days
    days_left = alarms.reached(last_on, rules.alarm_days_of(claim), raised, today)
    if days_left is None:
        return ()
    return (
        EnforcementAlarmRaised(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            days_left=days_left,
            apply_by_on=claim.apply_by_on,
            unpaid_minor=claim.unpaid_minor,
            currency=claim.currency,
            derivation=claim.apply_derivation,
        ),
    )


def lapse(claim: Claim) -> Sequence[ClaimEvent]:
    return (
        EnforcementLapsed(
            case_id=claim.case_id, loan_key=claim.loan_key, apply_by_on=claim.apply_by_on
        ),
    )


def record_search(command: RecordSearch, claim: Claim) -> Sequence[ClaimEvent]:
    if claim.phase is not Phase.ENFORCING or claim.searched or _is_of_another(command, claim):
        return ()
    return (AssetsSearched(case_id=claim.case_id, loan_key=claim.loan_key, found=command.found),)


def close_enforcement(command: CloseEnforcement, claim: Claim) -> Sequence[ClaimEvent]:
    """The result follows the money that came, whoever closes."""
    if _is_of_another(command, claim):
        return ()
    if claim.phase is Phase.ENFORCING:
        return _enforced(claim, command.staff_id)
    if command.staff_id is None or claim.phase is Phase.CLOSED:
        return ()
    raise Refused("enforcement_not_applied_for")


def _recover(command: NoteRepayment, claim: Claim) -> Sequence[ClaimEvent]:
    recovered = MoneyRecovered(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        repayment_id=command.repayment_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        recovered_minor=claim.recovered_minor + command.amount_minor,
    )
    changed = evolve(claim, recovered)
    if changed.unpaid_minor > 0:
        return (recovered,)
    return (recovered, *_enforced(changed, None))


def _enforced(claim: Claim, staff_id: StaffId | None) -> Sequence[ClaimEvent]:
    if claim.unpaid_minor == 0:
        result = IN_FULL
    else:
        result = IN_PART if claim.recovered_minor > 0 else NO_ASSETS
    enforced = EnforcementClosed(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        result=result,
        recovered_minor=claim.recovered_minor,
        unpaid_minor=claim.unpaid_minor,
        currency=claim.currency,
        recorded_by=staff_id,
    )
    return (enforced, closed(claim, result))


def _obeyed(claim: Claim) -> Sequence[ClaimEvent]:
    """An enforcement that was applied for is withdrawn where the award had come in time, which was
    heard too late; where it has come by both, the enforcement ends as one that found the rest."""
    if claim.phase not in _AWARDED or claim.unpaid_minor > 0:
        return ()
    in_time = claim.in_time_minor - claim.deducted_minor >= claim.awarded_minor
    if claim.phase is Phase.ENFORCING and not in_time:
        return _enforced(claim, None)
    obeyed = JudgmentObeyed(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        paid_minor=claim.paid_minor,
        awarded_minor=claim.awarded_minor,
        currency=claim.currency,
    )
    return (*withdrawn(claim, OBEYED), obeyed, closed(claim, OBEYED))


def _not_entered(command: EnterJudgment, claim: Claim) -> Sequence[ClaimEvent]:
    """The court's own words cannot be refused: they are kept, and staff enter what they mean."""
    said = judgment_reference(command.awarded_minor, command.currency, command.obey_by_on)
    if said in claim.seen:
        return ()
    other = command.currency != claim.currency
    return (
        JudgmentNotEntered(
            case_id=claim.case_id,
            loan_key=claim.loan_key,
            reason="other_currency" if other else "less_than_nothing",
            awarded_minor=command.awarded_minor,
            currency=command.currency,
            obey_by_on=command.obey_by_on,
        ),
    )


def _is_of_another(command: _Answer, claim: Claim) -> bool:
    """The court answers a filing of this case that has ended; this claim is a later one."""
    return command.filing is not None and command.filing != claim.filings


def _check_judgment(command: EnterJudgment, claim: Claim, today: date) -> None:
    if claim.phase in (Phase.UNREFERRED, Phase.REFUSED):
        raise Refused("claim_not_filed")
    if claim.phase is Phase.CLOSED:
        raise Refused("claim_closed")
    if command.currency != claim.currency:
        raise Refused("other_currency", "currency")
    if command.awarded_minor <= 0:
        raise Refused("not_positive", "awarded_minor")
    if command.deducted_minor < 0:
        raise Refused("less_than_nothing", "deducted_minor")
    if claim.phase in (Phase.FILED, Phase.REGISTERED):
        _check_new(command, claim, today)
        return
    told = (command.awarded_minor, command.deducted_minor, command.obey_by_on)
    if told != (claim.awarded_minor, claim.deducted_minor, claim.obey_by_on):
        raise Refused("judgment_already_entered")


def _check_new(command: EnterJudgment, claim: Claim, today: date) -> None:
    if command.deducted_minor > claim.since_filing_minor:
        raise Refused("more_than_was_paid", "deducted_minor")
    if command.obey_by_on < claim.filed_on:
        raise Refused("before_the_filing", "obey_by_on")
    if command.obey_by_on > today + OBEY_WITHIN_MAX:
        raise Refused("too_far_ahead", "obey_by_on")
