"""What is owed now: the bank's newest figures, less the money that they cannot have counted.

A figure as of a day and stated at an instant counts the money that is valued by that day and was
stated by that instant; of one instant the repayment comes first. So money is never taken off twice.
"""

from datetime import date, datetime
from typing import NamedTuple, Protocol

from msgspec import Struct

from arrears.intake.domain.loan.events import LoanOverdueRecorded, RepaymentRecorded


class Stated(Protocol):
    """An overdue fact, before it is recorded or after."""

    @property
    def as_of_on(self) -> date: ...
    @property
    def stated_at(self) -> datetime: ...


class PaidSince(Struct, frozen=True, gc=False):
    """The sum of what came in, with the earliest of its value days and of the bank's times."""

    minor: int
    first_on: date
    first_at: datetime


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


def with_repayment(paid: PaidSince | None, event: RepaymentRecorded) -> PaidSince:
    if paid is None:
        return PaidSince(event.amount_minor, event.value_on, event.stated_at)
    return PaidSince(
        paid.minor + event.amount_minor,
        min(paid.first_on, event.value_on),
        min(paid.first_at, event.stated_at),
    )


def left_by(figure: Stated, paid: PaidSince | None) -> PaidSince | None:
    """What is still to be taken off a newer figure: all, where it can have counted none of it.

    Where it may have counted a part, the bank's newer word stands as it is.
    """
    if paid is None or may_count(figure, paid.first_on, paid.first_at):
        return None
    return paid


def minor_of(paid: PaidSince | None) -> int:
    return 0 if paid is None else paid.minor
