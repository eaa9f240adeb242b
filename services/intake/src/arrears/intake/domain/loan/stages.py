"""What stages report, and what the strategy says at the last minute of a day.

Every report of an open case is recorded. A report that ends a stage's work gives the case back,
unless that stage has it no more; an enforcement that found too little ends the case as
uncollectible, unless another stage is at work or an agreement is kept. The strategy never answers
a report at once: it looks at the case when the day ends.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import reduce
from typing import Final

from arrears.intake.domain.loan.commands import ReportStage, WakeUp
from arrears.intake.domain.loan.events import (
    CaseClosed,
    CaseReferred,
    CaseReturned,
    GraceGranted,
    LoanEvent,
    LoanOverdueRecorded,
    StageReported,
)
from arrears.intake.domain.loan.holds import end_by, first_end, hold_for_hardship
from arrears.intake.domain.loan.owed import Owed, minor_of
from arrears.intake.domain.loan.rules import LoanRules, assessed, conduct_of, figures_of, is_news
from arrears.intake.domain.loan.state import (
    BORROWER_CHANGED,
    IN_FORCE,
    UNCOLLECTIBLE,
    Case,
    Loan,
    evolve,
    is_of_the_past,
)
from arrears.intake.domain.policy import Policy
from arrears.intake.domain.strategy import (
    GrantGrace,
    NextStep,
    Refer,
    WaitForWord,
    WaitUntil,
    review,
)
from arrears.shared.kernel.ids import StaffId

GIVES_BACK: Final = frozenset(
    {
        "mediation_failed",
        "mediation_closed",
        "agreement_fulfilled",
        "agreement_breached",
        "judgment_obeyed",
        "enforcement_closed",
        "claim_ended",
    }
)
"""Reports after which the stage no longer has the case."""
ENDED_SHORT: Final = frozenset({"recovered_in_part", "no_assets"})
"""Results of an enforcement that leave a rest which nobody can collect."""


def report_stage(rules: LoanRules, command: ReportStage, loan: Loan) -> Sequence[LoanEvent]:
    case, latest = loan.case, loan.latest
    if case is None or latest is None or case.closed is not None:
        return ()
    if command.case_id != case.case_id or command.report_id == case.last_report_id:
        return ()
    review_on = rules.review_day(command.now)
    reported = _reported(command, latest, review_on)
    events: list[LoanEvent] = [reported]
    if command.report == "hardship_reported":
        events.extend(hold_for_hardship(command, case, latest, review_on))
    is_of_now = command.stage == case.stage and not is_of_the_past(case, reported)
    if command.report in GIVES_BACK and is_of_now:
        events.append(
            CaseReturned(
                case_id=case.case_id,
                loan_key=latest.loan_key,
                stage=command.stage,
                result=command.result or command.report,
            )
        )
    if _gives_up(command, case):
        events.append(
            CaseClosed(
                case_id=case.case_id,
                loan_key=latest.loan_key,
                reason=UNCOLLECTIBLE,
                closed_at=command.now,
                closed_on=rules.calendar.day_of(command.now),
                result=command.result,
            )
        )
        return events
    events.extend(_reassessed(rules, reduce(evolve, events, loan), review_on))
    return events


def _gives_up(command: ReportStage, case: Case) -> bool:
    short = command.report == "enforcement_closed" and command.result in ENDED_SHORT
    return short and case.stage in (None, command.stage) and case.agreement != IN_FORCE


def wake_up(rules: LoanRules, command: WakeUp, loan: Loan) -> Sequence[LoanEvent]:
    case, latest = loan.case, loan.latest
    if case is None or latest is None or case.closed is not None:
        return ()
    today = rules.calendar.day_of(command.now)
    events = list(end_by(case, latest, today))
    case = reduce(evolve, events, loan).case or case
    policy = rules.policies.on(today)
    owed = Owed(latest, minor_of(loan.paid_since))
    step = _next_step(loan, case, owed, policy, today)
    if isinstance(step, Refer):
        events.append(referral(case, owed, step, policy, today))
    elif isinstance(step, GrantGrace):
        events.append(
            GraceGranted(
                case_id=case.case_id,
                loan_key=latest.loan_key,
                until_days_past_due=step.until_days_past_due,
                days_past_due=latest.days_past_due,
                reason=f"{latest.days_past_due} days past due are below {step.until_days_past_due}",
                policy_id=policy.id,
                policy_version=policy.version,
            )
        )
    return events


def due(rules: LoanRules, loan: Loan, after: datetime) -> datetime | None:
    """When a wake-up would say something: the last minute of the first such day after `after`.

    It asks the strategy itself, so a case that waits for somebody's word has no timer at all.
    """
    case, latest = loan.case, loan.latest
    if case is None or latest is None or case.closed is not None:
        return None
    day = max(case.review_on, rules.review_day(after))
    if case.holds:
        until = first_end(case)
        return None if until is None else rules.calendar.last_minute_of(max(until, day))
    owed = Owed(latest, minor_of(loan.paid_since))
    step = _next_step(loan, case, owed, rules.policies.on(day), day)
    if isinstance(step, WaitUntil):
        day = step.day
    elif isinstance(step, WaitForWord):
        return None
    return rules.calendar.last_minute_of(day)


def _next_step(loan: Loan, case: Case, owed: Owed, policy: Policy, day: date) -> NextStep:
    """A loan that another owes by now is referred to nobody: its streams are about the first."""
    if loan.is_of_another:
        return WaitForWord(BORROWER_CHANGED)
    return review(case, figures_of(case, owed), policy, day)


def referral(
    case: Case,
    owed: Owed,
    step: Refer,
    policy: Policy,
    today: date,
    staff_id: StaffId | None = None,
) -> CaseReferred:
    latest = owed.latest
    return CaseReferred(
        case_id=case.case_id,
        loan_key=latest.loan_key,
        episode=case.episode,
        referral=case.referral + 1,
        stage=step.stage,
        treatment=step.treatment,
        rule=step.rule,
        reason=step.reason,
        days_past_due=latest.days_past_due,
        due_on=latest.due_on,
        overdue_minor=owed.overdue_minor,
        balance_minor=owed.balance_minor,
        as_of_on=latest.as_of_on,
        paid_since_minor=owed.paid_minor,
        currency=latest.currency,
        product=latest.product,
        risk=figures_of(case, owed).risk,
        decided_on=today,
        policy_id=policy.id,
        policy_version=policy.version,
        staff_id=staff_id,
    )


def _reported(command: ReportStage, latest: LoanOverdueRecorded, review_on: date) -> StageReported:
    return StageReported(
        case_id=command.case_id,
        loan_key=latest.loan_key,
        stage=command.stage,
        report=command.report,
        report_id=command.report_id,
        review_on=review_on,
        result=command.result,
        treatment=command.treatment,
        referral=command.referral,
        promise_id=command.promise_id,
        amount_minor=command.amount_minor,
        until_on=command.until_on,
        detail=command.detail,
    )


def _reassessed(rules: LoanRules, loan: Loan, day: date) -> Sequence[LoanEvent]:
    case, latest = loan.case, loan.latest
    if case is None or latest is None:
        return ()
    policy = rules.policies.on(day)
    conduct = conduct_of(case)
    owed = Owed(latest, minor_of(loan.paid_since))
    verdict = rules.assessor(policy).verdict(
        latest.days_past_due, owed.overdue_minor, latest.product, case.episode, conduct
    )
    if not is_news(verdict, case.assessed):
        return ()
    return (assessed(verdict, conduct, owed, case.case_id, policy),)
