"""What the bank said about each loan: the figures of the feed, and how loans roll between buckets.

An overdue fact is the bank's current state: it replaces the one before and never adds to it. An
outdated fact, older than what the bank had said already, is counted and changes no current figure.
"""

from collections import Counter
from datetime import date
from typing import Final, Literal

from arrears.history.domain.portfolio.reads import Cured, Opened, Overdue, Repayment

NEW: Final = "new"
CURED: Final = "cured"
Status = Literal["unknown", "overdue", "cured"]


class Loan:
    """One loan as the bank last described it."""

    __slots__ = (
        "bucket",
        "bucket_before",
        "currency",
        "days_past_due",
        "days_past_due_max",
        "episode_count",
        "ever_cured",
        "month",
        "overdue_minor",
        "status",
    )

    def __init__(self) -> None:
        self.status: Status = "unknown"
        self.bucket = NEW
        self.bucket_before = NEW
        self.month = 0
        self.currency = ""
        self.days_past_due = 0
        self.days_past_due_max = 0
        self.episode_count = 0
        self.ever_cured = False
        self.overdue_minor = 0


Roll = tuple[int, str, str]
"""Month (year * 12 + month - 1), bucket at the end of the month before, bucket at its end."""


class LoanBook:
    def __init__(self) -> None:
        self.loans: dict[str, Loan] = {}
        self.overdue_facts = 0
        self.repayment_facts = 0
        self.cured_facts = 0
        self.episodes_opened = 0
        self.decreases_without_cure = 0
        self.repaid_minor: Counter[str] = Counter()
        self._rolls: Counter[Roll] = Counter()

    def overdue(self, day: date, fact: Overdue) -> None:
        self.overdue_facts += 1
        loan = self._loan(fact.loan_key)
        loan.days_past_due_max = max(loan.days_past_due_max, fact.days_past_due)
        if fact.outdated:
            return
        if loan.status == "overdue" and fact.days_past_due < loan.days_past_due:
            self.decreases_without_cure += 1
        self._roll(loan, day, fact.bucket)
        loan.status = "overdue"
        loan.days_past_due = fact.days_past_due
        loan.overdue_minor = fact.overdue_minor
        loan.currency = fact.currency

    def repaid(self, _day: date, fact: Repayment) -> None:
        self.repayment_facts += 1
        self._loan(fact.loan_key)
        self.repaid_minor[fact.currency] += fact.amount_minor

    def cured(self, day: date, fact: Cured) -> None:
        self.cured_facts += 1
        loan = self._loan(fact.loan_key)
        loan.ever_cured = True
        if fact.outdated:
            return
        self._roll(loan, day, CURED)
        loan.status = "cured"
        loan.days_past_due = 0
        loan.overdue_minor = 0

    def opened(self, _day: date, fact: Opened) -> None:
        self.episodes_opened += 1
        self._loan(fact.loan_key).episode_count += 1

    def rolls(self, last_month: int) -> Counter[Roll]:
        """All moves between month ends, the running month counted as if it ended now."""
        rolls = Counter(self._rolls)
        for loan in self.loans.values():
            if loan.month:
                _count_months(rolls, loan, last_month + 1)
        return rolls

    def _loan(self, key: str) -> Loan:
        loan = self.loans.get(key)
        if loan is None:
            loan = self.loans[key] = Loan()
        return loan

    def _roll(self, loan: Loan, day: date, bucket: str) -> None:
        month = month_of(day)
        if loan.month and month > loan.month:
            _count_months(self._rolls, loan, month)
            loan.bucket_before = loan.bucket
        loan.month = month
        loan.bucket = bucket


def month_of(day: date) -> int:
    return day.year * 12 + day.month - 1


def month_text(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def _count_months(rolls: Counter[Roll], loan: Loan, until: int) -> None:
    """Month ends from the loan's month to the one before `until`. A cured loan rolls no further."""
    rolls[(loan.month, loan.bucket_before, loan.bucket)] += 1
    if loan.bucket == CURED:
        return
    for month in range(loan.month + 1, until):
        rolls[(month, loan.bucket, loan.bucket)] += 1
