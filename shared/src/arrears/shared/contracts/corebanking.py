"""What the core banking system publishes on `corebanking.loans.v1`: CloudEvents 1.0, JSON.

Amounts are decimal strings in the loan's currency; days are dates of the bank's calendar. An
overdue fact is the upstream's current state: it replaces, it never adds. A split of null means
"not known", never 0.
"""

from datetime import date, datetime
from typing import Final

from msgspec import Struct

FEED_TOPIC: Final = "corebanking.loans.v1"
LOAN_OVERDUE: Final = "corebanking.loan.overdue.v1"
REPAYMENT_RECEIVED: Final = "corebanking.loan.repayment_received.v1"
LOAN_CURED: Final = "corebanking.loan.cured.v1"
BUSINESS_DAY_CLOSED: Final = "corebanking.business_day.closed.v1"
BORROWER_PROFILE: Final = "corebanking.borrower.profile.v1"


class OverdueSplit(Struct, frozen=True, kw_only=True):
    total: str
    principal: str | None = None
    interest: str | None = None
    fees: str | None = None


class LoanOverdue(Struct, frozen=True, kw_only=True):
    loan_id: str
    as_of_date: date
    days_past_due: int
    due_date: date
    currency: str
    outstanding_balance: str
    overdue: OverdueSplit
    borrower_id: str | None = None
    product: str = "loan"
    principal: str | None = None


class RepaymentReceived(Struct, frozen=True, kw_only=True):
    loan_id: str
    repayment_id: str
    amount: str
    currency: str
    value_date: date
    borrower_id: str | None = None
    product: str = "loan"


class LoanCured(Struct, frozen=True, kw_only=True):
    loan_id: str
    as_of_date: date
    days_past_due: int
    currency: str
    borrower_id: str | None = None
    product: str = "loan"
    reason: str = "paid_up"


class ContactPoint(Struct, frozen=True, kw_only=True):
    """`kind` is `phone`, `email` or `address`; `value` is personal data in the clear."""

    kind: str
    value: str


class BorrowerProfile(Struct, frozen=True, kw_only=True):
    """`zone` is an IANA name, `language` a BCP 47 tag; either may be unknown."""

    borrower_id: str
    contact_points: tuple[ContactPoint, ...] = ()
    zone: str | None = None
    language: str | None = None


class BusinessDayClosed(Struct, frozen=True, kw_only=True):
    """Closes every day up to `day`. All partitions of the feed topic get one."""

    day: date
    first_day: date
    partition_count: int


class FeedEvent(Struct, frozen=True, kw_only=True):
    """The CloudEvents attributes that intake reads; `data` is decoded by `type`."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
