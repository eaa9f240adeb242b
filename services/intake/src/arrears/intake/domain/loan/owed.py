"""What is owed now: the bank's newest figures, less the money that they cannot have counted.

A figure as of a day and stated at an instant counts the money that is valued by that day and was
stated by that instant; of one instant the repayment comes first. So money is never taken off twice.
"""

from datetime import date, datetime
from typing import Final, NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from arrears.intake.domain.loan.events import LoanOverdueRecorded, RepaymentRecorded

SUMS_MAX: Final = 8


class Stated(Protocol):
    """An overdue fact or a cure, before it is recorded or after."""

    @property
    def as_of_on(self) -> date: ...
    @property
    def stated_at(self) -> datetime: ...
    @property
    def currency(self) -> str: ...


class PaidSum(Struct, frozen=True, gc=False):
    """Money that came in, with the earliest of its value days and of the bank's times."""

    minor: int
    currency: str
    first_on: date
    first_at: datetime


PaidSince: TypeAlias = tuple[PaidSum, ...]
"""Each repayment by itself; of more than `SUMS_MAX` the oldest are one sum."""


class Owed(NamedTuple):
    """The bank's figures, and what came in since: never below nothing."""

    latest: LoanOverdueRecorded
    paid_minor: int

    @property
    def overdue_minor(self) -> int:
        return max(0, self.latest.overdue_minor - self.paid_minor)

    @property
    def balance_minor(self) -> int:
        return max(0, self.latest.balance_minor - self.paid_minor)


def may_count(figure: Stated, value_on: date, stated_at: datetime) -> bool:
    """Whether the bank may have counted this money when it stated the figure."""
    return value_on <= figure.as_of_on and stated_at <= figure.stated_at


def with_repayment(paid: PaidSince, event: RepaymentRecorded) -> PaidSince:
    new = PaidSum(event.amount_minor, event.currency, event.value_on, event.stated_at)
    if len(paid) < SUMS_MAX:
        return (*paid, new)
    return (_together(paid[0], paid[1]), *paid[2:], new)


def _together(older: PaidSum, newer: PaidSum) -> PaidSum:
    """Before its first figure a loan has no currency; what is of another is never taken off."""
    if older.currency != newer.currency:
        return newer
    return PaidSum(
        older.minor + newer.minor,
        newer.currency,
        min(older.first_on, newer.first_on),
        min(older.first_at, newer.first_at),
    )


def left_by(figure: Stated, paid: PaidSince) -> PaidSince:
    """What is still to be taken off a newer figure: each sum of which it can have counted nothing.

    Where it may have counted a part of one, the bank's newer word stands as it is.
    """
    return tuple(
        one
        for one in paid
        if one.currency == figure.currency and not may_count(figure, one.first_on, one.first_at)
    )


def minor_of(paid: PaidSince) -> int:
    return sum(one.minor for one in paid)
