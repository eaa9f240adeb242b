"""Contradictions: facts that cannot be true, by themselves or beside what the loan already says.

Each rule raises `Refused(reason, field)`. A refused fact is set aside alone and changes nothing.
`outdated` facts are not contradictions: they are old truths.
"""

from datetime import date, datetime, timedelta

from arrears.intake.domain.facts import CuredFact, LoanFact, OverdueFact, RepaymentFact
from arrears.intake.domain.loan.state import Loan
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.money import MINOR_DIGITS

ONE_DAY = timedelta(days=1)


def judge_overdue(fact: OverdueFact, loan: Loan, calendar: BankCalendar) -> None:
    _judge_currency(fact, loan)
    if fact.days_past_due <= 0:
        raise Refused("overdue_without_days_past_due", "data.days_past_due")
    if (fact.as_of_on - fact.due_on).days != fact.days_past_due:
        raise Refused("days_past_due_not_as_of_minus_due", "data.days_past_due")
    if fact.overdue_minor <= 0:
        reason = "past_due_and_nothing_owed" if fact.overdue_minor == 0 else "amount_negative"
        raise Refused(reason, "data.overdue.total")
    if fact.balance_minor <= 0:
        reason = "past_due_and_nothing_owed" if fact.balance_minor == 0 else "amount_negative"
        raise Refused(reason, "data.outstanding_balance")
    _judge_split(fact)
    _judge_as_of(fact, calendar)


def judge_repayment(fact: RepaymentFact, loan: Loan, calendar: BankCalendar) -> None:
    _judge_currency(fact, loan)
    if fact.amount_minor <= 0:
        reason = "amount_zero" if fact.amount_minor == 0 else "amount_negative"
        raise Refused(reason, "data.amount")
    seen = fact.repayment_id == loan.last_repayment_id
    if seen and fact.amount_minor != loan.last_repayment_minor:
        raise Refused("repayment_id_seen_with_other_amount", "data.amount")
    if _is_ahead(fact.value_on, fact.stated_at, calendar):
        raise Refused("value_date_after_the_fact", "data.value_date")


def judge_cured(fact: CuredFact, loan: Loan, calendar: BankCalendar) -> None:
    _judge_currency(fact, loan)
    if fact.days_past_due > 0:
        raise Refused("cured_with_days_past_due", "data.days_past_due")
    _judge_as_of(fact, calendar)


def overdue_is_outdated(fact: OverdueFact, loan: Loan) -> bool:
    """Older than the newest overdue fact, or not newer than the newest cure.

    As-of days decide, then the bank's own times. On a tie the order of one instant is repayment,
    overdue, cured: so a cure beats an overdue fact of the same instant, however they arrive.
    """
    if _older_than_latest(fact, loan):
        return True
    cured_on, cured_at = loan.cured_as_of_on, loan.cured_stated_at
    if cured_on is None or cured_at is None or fact.as_of_on > cured_on:
        return False
    return fact.as_of_on < cured_on or fact.stated_at <= cured_at


def cure_is_outdated(fact: CuredFact, loan: Loan) -> bool:
    """The bank has told of newer arrears, or of a newer cure: the newer word stands."""
    if _older_than_latest(fact, loan):
        return True
    cured_on, cured_at = loan.cured_as_of_on, loan.cured_stated_at
    if cured_on is None or cured_at is None or fact.as_of_on > cured_on:
        return False
    return fact.as_of_on < cured_on or fact.stated_at < cured_at


def _older_than_latest(fact: OverdueFact | CuredFact, loan: Loan) -> bool:
    latest = loan.latest
    if latest is None or fact.as_of_on > latest.as_of_on:
        return False
    return fact.as_of_on < latest.as_of_on or fact.stated_at < latest.stated_at


def _judge_currency(fact: LoanFact, loan: Loan) -> None:
    """The loan's currency is that of its overdue facts; before the first, each fact has its own."""
    if loan.currency is None:
        if fact.currency not in MINOR_DIGITS:
            raise Refused("unknown_currency", "data.currency")
    elif fact.currency != loan.currency:
        raise Refused("currency_other_than_the_loans", "data.currency")


def _judge_split(fact: OverdueFact) -> None:
    """Parts that are known must fit the total; all three known must add up to it."""
    parts = (fact.principal_minor, fact.interest_minor, fact.fees_minor)
    if parts == (None, None, None):
        return
    known = [part for part in parts if part is not None]
    if min(known) < 0:
        raise Refused("amount_negative", "data.overdue")
    total = sum(known)
    if total > fact.overdue_minor or (len(known) == len(parts) and total != fact.overdue_minor):
        raise Refused("split_does_not_add_up", "data.overdue")


def _judge_as_of(fact: OverdueFact | CuredFact, calendar: BankCalendar) -> None:
    if _is_ahead(fact.as_of_on, fact.stated_at, calendar):
        raise Refused("as_of_after_the_fact", "data.as_of_date")


def _is_ahead(day: date, stated_at: datetime, calendar: BankCalendar) -> bool:
    """A day in the bank's zone is granted for clocks and cut-off times; more is a wrong date."""
    # The UTC date is at most a day from the bank's: the zone is asked only where it can matter.
    return day > stated_at.date() and day > calendar.day_of(stated_at) + ONE_DAY
