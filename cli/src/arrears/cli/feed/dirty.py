"""Contradictory facts for a synthetic feed: each must be refused alone and change nothing.

Every one is stamped a second after the clean fact that it is made from, so a merge by time puts
it behind that fact, and each has an id of its own.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from msgspec.structs import replace

from arrears.cli.feed.generate import (
    DEFAULT_LOANS,
    DEFAULT_MONTHS,
    DEFAULT_START_ON,
    BadFeedSetting,
    last_day,
    loan_of,
    told_facts,
)
from arrears.cli.feed.wire import (
    FactData,
    Loan,
    OverdueData,
    Owed,
    RepaymentData,
    cured_data,
    line,
    overdue_data,
)
from arrears.shared.sandbox.facts import StillOverdue

KINDS: Final = (
    "nothing_owed",
    "wrong_days",
    "cured_while_overdue",
    "negative_total",
    "too_many_decimals",
    "other_currency",
    "negative_repayment",
    "not_a_number",
    "as_of_after_time",
    "value_after_time",
)
OTHER_CURRENCY: Final = "JPY"


def generate_dirty(
    seed: int,
    loans: int = DEFAULT_LOANS,
    months: int = DEFAULT_MONTHS,
    start_on: date = DEFAULT_START_ON,
    *,
    dirty_every: int = 50,
) -> Iterator[bytes]:
    """One contradictory line for every `dirty_every`-th overdue fact, its kinds in turn."""
    if dirty_every < 1:
        raise BadFeedSetting("dirty_every", f"must be at least 1, got {dirty_every}")
    until_on = last_day(seed, loans, months, start_on)
    return _dirty_lines(seed, loans, until_on, start_on, dirty_every)


def _dirty_lines(
    seed: int, loans: int, until_on: date, start_on: date, dirty_every: int
) -> Iterator[bytes]:
    seen = 0
    for told, fact in told_facts(seed, loans, until_on, start_on):
        if not isinstance(fact, StillOverdue):
            continue
        seen += 1
        if seen % dirty_every == 0:
            kind = KINDS[seen // dirty_every % len(KINDS)]
            loan = loan_of(told)
            data = spoilt(kind, loan, fact)
            at = fact.at + timedelta(seconds=1)
            yield line(loan.source, loan.loan_id, at, data, "dirty", kind, str(fact.as_of_on))


def spoilt(  # noqa: C901 - one case for each kind
    kind: str, loan: Loan, fact: StillOverdue
) -> FactData:
    """The body of a fact that contradicts itself or its loan in the way named."""
    clean = _overdue(loan, fact)
    total = clean.overdue.total
    match kind:
        case "nothing_owed":
            nothing = Owed(total_minor=0, balance_minor=0, split=(0, 0, 0))
            data: FactData = overdue_data(loan, fact.as_of_on, fact.due_on, nothing)
        case "wrong_days":
            data = replace(clean, days_past_due=fact.days_past_due + 7)
        case "cured_while_overdue":
            data = cured_data(loan, fact.as_of_on, fact.days_past_due)
        case "negative_total":
            data = replace(clean, overdue=replace(clean.overdue, total=f"-{total}"))
        case "too_many_decimals":
            data = replace(clean, overdue=replace(clean.overdue, total=f"{total}5"))
        case "not_a_number":
            data = replace(clean, overdue=replace(clean.overdue, total=f"{total} yuan"))
        case "other_currency":
            # Well formed in itself: only the loan's earlier facts tell that it is wrong.
            data = _overdue(replace(loan, currency=OTHER_CURRENCY), fact)
        case "as_of_after_time":
            later = fact.as_of_on + timedelta(days=3)
            data = replace(clean, as_of_date=later, days_past_due=fact.days_past_due + 3)
        case "negative_repayment":
            data = _repayment(loan, fact, f"-{total}")
        case "value_after_time":
            later = fact.as_of_on + timedelta(days=3)
            data = replace(_repayment(loan, fact, total), value_date=later)
        case _:
            raise BadFeedSetting("kind", f"must be one of {', '.join(KINDS)}, got {kind}")
    return data


def _overdue(loan: Loan, fact: StillOverdue) -> OverdueData:
    split = (fact.principal_minor, fact.interest_minor, fact.fees_minor)
    owed = Owed(total_minor=sum(split), balance_minor=fact.balance_minor, split=split)
    return overdue_data(loan, fact.as_of_on, fact.due_on, owed)


def _repayment(loan: Loan, fact: StillOverdue, amount: str) -> RepaymentData:
    return RepaymentData(
        amount=amount,
        borrower_id=loan.borrower_id,
        currency=loan.currency,
        loan_id=loan.loan_id,
        product=loan.product,
        repayment_id=f"{loan.loan_id}-dirty-{fact.as_of_on:%Y%m%d}",
        value_date=fact.as_of_on,
    )
