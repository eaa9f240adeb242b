"""The bank's facts: judged, recorded as exactly one fact event, then what follows.

Late facts: recorded when they come, with their own dates. An overdue fact older than the newest
one, or not newer than the newest cure, changes nothing; nor does a cure older than the newest
arrears. Late money is money: it belongs to the running case if its value day is not before the
case began, or if the bank's newest figures cannot have counted it (`owed.may_count`); only in the
latter case is it allocated.
"""

from collections.abc import Sequence

from arrears.intake.domain.loan.commands import RecordCured, RecordOverdue, RecordRepayment
from arrears.intake.domain.loan.events import (
    CaseClosed,
    CaseOpened,
    CaseReturned,
    LoanBorrowerChanged,
    LoanCuredRecorded,
    LoanEvent,
    LoanOverdueRecorded,
    RepaymentRecorded,
)
from arrears.intake.domain.loan.judgement import (
    cure_is_outdated,
    judge_cured,
    judge_overdue,
    judge_repayment,
    overdue_is_outdated,
)
from arrears.intake.domain.loan.money import allocate
from arrears.intake.domain.loan.owed import Owed, left_by, may_count, minor_of
from arrears.intake.domain.loan.rules import LoanRules, assessed, conduct_of, is_news
from arrears.intake.domain.loan.state import (
    BORROWER_CHANGED,
    CURED,
    Case,
    Loan,
    evolve,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey


def record_overdue(rules: LoanRules, command: RecordOverdue, loan: Loan) -> Sequence[LoanEvent]:
    fact = command.fact
    if fact.fact_id == loan.last_fact_id:
        return ()
    judge_overdue(fact, loan, rules.calendar)
    outdated = overdue_is_outdated(fact, loan)
    case = loan.case
    opens = case is None and not outdated
    episode = loan.episode + 1 if opens else loan.episode
    was = loan.borrower_id or command.home
    review_on = rules.review_day(command.now)
    policy = rules.policies.on(review_on)
    conduct = conduct_of(case)
    paid_minor = minor_of(left_by(fact, loan.paid_since))
    verdict = rules.assessor(policy).verdict(
        fact.days_past_due,
        max(0, fact.overdue_minor - paid_minor),
        fact.product,
        episode,
        conduct,
    )
    case_id = case.case_id if case is not None else _episode_case(rules, fact.loan_key, episode)
    recorded = LoanOverdueRecorded(
        case_id=case_id,
        loan_key=fact.loan_key,
        episode=episode,
        borrower_id=fact.borrower_id or was,
        fact_id=fact.fact_id,
        as_of_on=fact.as_of_on,
        days_past_due=fact.days_past_due,
        due_on=fact.due_on,
        overdue_minor=fact.overdue_minor,
        principal_minor=fact.principal_minor,
        interest_minor=fact.interest_minor,
        fees_minor=fact.fees_minor,
        balance_minor=fact.balance_minor,
        currency=fact.currency,
        product=fact.product,
        bucket=verdict.bucket,
        stated_at=fact.stated_at,
        late=command.late or outdated,
        outdated=outdated,
        review_on=review_on,
    )
    if outdated or case_id is None:
        return (recorded,)
    follows: list[LoanEvent] = [recorded]
    if recorded.borrower_id != was:
        changed = _borrower_changed(recorded, was)
        follows.append(changed)
        if case is not None and evolve(loan, changed).is_of_another:
            follows.extend(_taken_back(case, recorded))
    if opens:
        follows.append(_opened(rules, command, recorded, case_id))
    if case is None or (case.closed is None and is_news(verdict, case.assessed)):
        follows.append(assessed(verdict, conduct, Owed(recorded, paid_minor), case_id, policy))
    return follows


def record_repayment(rules: LoanRules, command: RecordRepayment, loan: Loan) -> Sequence[LoanEvent]:
    fact = command.fact
    judge_repayment(fact, loan, rules.calendar)
    if fact.repayment_id == loan.last_repayment_id:
        return ()
    case, latest = loan.case, loan.latest
    counted = latest is None or may_count(latest, fact.value_on, fact.stated_at)
    belongs = case is not None and (fact.value_on >= case.since_on or not counted)
    left = loan.left if belongs and not counted else None
    policy = rules.policies.on(fact.value_on)
    parts = allocate(fact.amount_minor, left, policy.allocation)
    return (
        RepaymentRecorded(
            loan_key=fact.loan_key,
            case_id=case.case_id if case is not None and belongs else None,
            fact_id=fact.fact_id,
            repayment_id=fact.repayment_id,
            amount_minor=fact.amount_minor,
            currency=fact.currency,
            value_on=fact.value_on,
            stated_at=fact.stated_at,
            late=command.late,
            costs_minor=parts.costs_minor,
            interest_minor=parts.interest_minor,
            principal_minor=parts.principal_minor,
            in_suspense_minor=parts.in_suspense_minor,
            policy_id=None if left is None else policy.id,
            policy_version=None if left is None else policy.version,
        ),
    )


def record_cured(rules: LoanRules, command: RecordCured, loan: Loan) -> Sequence[LoanEvent]:
    fact = command.fact
    if fact.fact_id == loan.last_fact_id:
        return ()
    judge_cured(fact, loan, rules.calendar)
    outdated = cure_is_outdated(fact, loan)
    case = loan.case
    case_id: CaseId | None = None
    if case is not None:
        case_id = case.case_id
    elif outdated:
        case_id = _episode_case(rules, fact.loan_key, loan.episode)
    recorded = LoanCuredRecorded(
        loan_key=fact.loan_key,
        case_id=case_id,
        fact_id=fact.fact_id,
        as_of_on=fact.as_of_on,
        reason=fact.reason,
        currency=fact.currency,
        stated_at=fact.stated_at,
        late=command.late or outdated,
        outdated=outdated,
    )
    if outdated or case is None or case.closed is not None:
        return (recorded,)
    return (
        recorded,
        CaseClosed(
            case_id=case.case_id,
            loan_key=fact.loan_key,
            reason=CURED,
            closed_at=command.now,
            closed_on=rules.calendar.day_of(command.now),
        ),
    )


def _episode_case(rules: LoanRules, loan_key: LoanKey, episode: int) -> CaseId | None:
    return rules.case_id(loan_key, episode) if episode > 0 else None


def _borrower_changed(recorded: LoanOverdueRecorded, was: BorrowerId) -> LoanBorrowerChanged:
    return LoanBorrowerChanged(
        loan_key=recorded.loan_key,
        case_id=recorded.case_id,
        was=was,
        now_is=recorded.borrower_id,
    )


def _taken_back(case: Case, recorded: LoanOverdueRecorded) -> Sequence[CaseReturned]:
    """A stage works on the person of the stream, who is said to owe the loan no more."""
    if case.stage is None or case.closed is not None:
        return ()
    returned = CaseReturned(
        case_id=case.case_id,
        loan_key=recorded.loan_key,
        stage=case.stage,
        result=BORROWER_CHANGED,
    )
    return (returned,)


def _opened(
    rules: LoanRules, command: RecordOverdue, recorded: LoanOverdueRecorded, case_id: CaseId
) -> CaseOpened:
    return CaseOpened(
        case_id=case_id,
        loan_key=recorded.loan_key,
        episode=recorded.episode,
        borrower_id=recorded.borrower_id,
        opened_on=rules.calendar.day_of(command.now),
        as_of_on=recorded.as_of_on,
        first_time=recorded.episode == 1,
        currency=recorded.currency,
        product=recorded.product,
    )
