"""Small feeds that are unlike a portfolio: each has one property that a consumer may trip over.

Their sources are not the synthetic portfolio's, so the sandbox answers them as strangers.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from arrears.cli.feed.wire import Loan, Owed, cured_line, overdue_line, repayment_line

START_ON: Final = date(2024, 1, 1)
_NOON: Final = time(4, tzinfo=UTC)
_NIGHT: Final = time(15, 30, tzinfo=UTC)


def one_loan_for_years(days: int = 1_800, currency: str = "CNY") -> Iterator[bytes]:
    """One loan that stays overdue, with a fact every day; the last says `days` days past due."""
    loan = _loan("one-loan", 0, 0, currency)
    for day in range(1, days + 1):
        yield _overdue(loan, START_ON + timedelta(days=day), START_ON, 500_000)


def repayments_only(loans: int = 20, months: int = 6) -> Iterator[bytes]:
    """Loans that pay every month and are never overdue: no case may come of them."""
    for month in range(months):
        for index in range(loans):
            loan = _loan("repayments-only", index, index)
            yield _repayment(loan, START_ON + timedelta(days=14 + 30 * month), 10_000 + index)


def loans_of_one_borrower(loans: int = 8, days: int = 120) -> Iterator[bytes]:
    """Several loans of one person, due on different days, all overdue at once; half are cured."""
    every = [_loan("one-borrower", index, 0) for index in range(loans)]
    for day in range(1, days + 1):
        as_of_on = START_ON + timedelta(days=day)
        for index, loan in enumerate(every):
            due_on = START_ON + timedelta(days=3 * index)
            yield from _one_loan_day(loan, as_of_on, due_on, cured_dpd=70 if index % 2 else None)


def one_timestamp(facts: int = 5_000) -> Iterator[bytes]:
    """Thousands of loans that fall overdue in the same instant."""
    for index in range(facts):
        loan = _loan("one-timestamp", index, index)
        yield _overdue(loan, START_ON + timedelta(days=30), START_ON, 100_000 + index)


def currencies(names: tuple[str, ...] = ("JPY", "KWD", "USD")) -> Iterator[bytes]:
    """Loans in currencies with no, three and two decimal places, paid in two parts and cured."""
    loans = [_loan("currencies", index, index, name) for index, name in enumerate(names)]
    for day in (1, 5, 15, 30, 45, 60):
        for loan in loans:
            yield _overdue(loan, START_ON + timedelta(days=day), START_ON, 123_456)
    for day, amount_minor in ((66, 23_456), (74, 100_000)):
        as_of_on = START_ON + timedelta(days=day)
        for loan in loans:
            yield _repayment(loan, as_of_on, amount_minor)
        for loan in loans:
            if day == 66:
                yield _overdue(loan, as_of_on, START_ON, 100_000)
            else:
                yield cured_line(loan, datetime.combine(as_of_on, _NIGHT), as_of_on)


SPECIAL: Final[dict[str, Callable[[], Iterator[bytes]]]] = {
    "one-loan": one_loan_for_years,
    "repayments-only": repayments_only,
    "one-borrower": loans_of_one_borrower,
    "one-timestamp": one_timestamp,
    "currencies": currencies,
}
"""By the name that the command line knows them by."""


def _loan(name: str, index: int, owner: int, currency: str = "CNY") -> Loan:
    return Loan(
        source=f"/core-banking/special/{name}",
        loan_id=f"{name}-{index:05d}",
        borrower_id=f"{name}-borrower-{owner:05d}",
        product="consumer_loan",
        currency=currency,
        lent_minor=2_000_000,
    )


def _one_loan_day(
    loan: Loan, as_of_on: date, due_on: date, *, cured_dpd: int | None
) -> Iterator[bytes]:
    dpd = (as_of_on - due_on).days
    if dpd == cured_dpd:
        yield cured_line(loan, datetime.combine(as_of_on, _NIGHT), as_of_on)
    elif cured_dpd is not None and dpd > cured_dpd:
        return
    elif dpd in {1, 5} or (dpd > 0 and dpd % 15 == 0):
        yield _overdue(loan, as_of_on, due_on, 300_000)


def _overdue(loan: Loan, as_of_on: date, due_on: date, total_minor: int) -> bytes:
    owed = Owed(total_minor=total_minor, balance_minor=total_minor + 1_000_000)
    return overdue_line(loan, datetime.combine(as_of_on, _NIGHT), as_of_on, due_on, owed)


def _repayment(loan: Loan, value_on: date, amount_minor: int) -> bytes:
    return repayment_line(loan, datetime.combine(value_on, _NOON), value_on, amount_minor)
