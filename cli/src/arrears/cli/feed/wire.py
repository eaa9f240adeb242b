"""One line of the feed: a CloudEvent in structured JSON, as the core banking system writes it."""

from datetime import date, datetime
from typing import Final

from msgspec import Struct
from msgspec.json import Encoder

from arrears.shared.contracts.corebanking import (
    BORROWER_PROFILE,
    LOAN_CURED,
    LOAN_OVERDUE,
    REPAYMENT_RECEIVED,
)
from arrears.shared.kernel.ids import derived_id
from arrears.shared.kernel.money import format_minor


class OverdueParts(Struct, frozen=True, kw_only=True):
    fees: str | None
    interest: str | None
    principal: str | None
    total: str


class OverdueData(Struct, frozen=True, kw_only=True):
    amount_basis: str
    as_of_date: date
    borrower_id: str
    currency: str
    days_past_due: int
    due_date: date
    loan_id: str
    outstanding_balance: str
    overdue: OverdueParts
    principal: str
    principal_basis: str
    product: str


class RepaymentData(Struct, frozen=True, kw_only=True):
    amount: str
    borrower_id: str
    currency: str
    loan_id: str
    product: str
    repayment_id: str
    value_date: date


class CuredData(Struct, frozen=True, kw_only=True):
    as_of_date: date
    borrower_id: str
    currency: str
    days_past_due: int
    loan_id: str
    product: str
    reason: str


class PointData(Struct, frozen=True, kw_only=True):
    kind: str
    value: str


class ProfileData(Struct, frozen=True, kw_only=True):
    borrower_id: str
    contact_points: tuple[PointData, ...]
    language: str | None
    zone: str | None


FactData = OverdueData | RepaymentData | CuredData | ProfileData


class CloudEvent(Struct, frozen=True, kw_only=True):
    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    subject: str
    partitionkey: str
    datacontenttype: str
    data: FactData


class Loan(Struct, frozen=True, kw_only=True):
    """What stays the same in all facts of a loan."""

    source: str
    loan_id: str
    borrower_id: str
    product: str
    currency: str
    lent_minor: int


class Owed(Struct, frozen=True, kw_only=True):
    """`split` is principal, interest and fees; None where the bank does not know it."""

    total_minor: int
    balance_minor: int
    split: tuple[int, int, int] | None = None


_ENCODER: Final = Encoder()
TYPE_OF: Final[dict[type[Struct], str]] = {
    OverdueData: LOAN_OVERDUE,
    RepaymentData: REPAYMENT_RECEIVED,
    CuredData: LOAN_CURED,
    ProfileData: BORROWER_PROFILE,
}


def line(source: str, subject: str, at: datetime, data: FactData, *ident: str) -> bytes:
    """One line without its end. `ident` tells this fact from the others of its subject."""
    kind = TYPE_OF[type(data)]
    event = CloudEvent(
        specversion="1.0",
        id=derived_id("feed", source, kind, subject, *ident),
        source=source,
        type=kind,
        time=at,
        subject=subject,
        partitionkey=subject,
        datacontenttype="application/json",
        data=data,
    )
    return _ENCODER.encode(event)


def overdue_line(loan: Loan, at: datetime, as_of_on: date, due_on: date, owed: Owed) -> bytes:
    return line(
        loan.source, loan.loan_id, at, overdue_data(loan, as_of_on, due_on, owed), str(as_of_on)
    )


def overdue_data(loan: Loan, as_of_on: date, due_on: date, owed: Owed) -> OverdueData:
    parts: tuple[str | None, ...] = (None, None, None)
    if owed.split is not None:
        parts = tuple(format_minor(part, loan.currency) for part in owed.split)
    principal, interest, fees = parts
    return OverdueData(
        amount_basis="instalments_due",
        as_of_date=as_of_on,
        borrower_id=loan.borrower_id,
        currency=loan.currency,
        days_past_due=(as_of_on - due_on).days,
        due_date=due_on,
        loan_id=loan.loan_id,
        outstanding_balance=format_minor(owed.balance_minor, loan.currency),
        overdue=OverdueParts(
            fees=fees,
            interest=interest,
            principal=principal,
            total=format_minor(owed.total_minor, loan.currency),
        ),
        principal=format_minor(loan.lent_minor, loan.currency),
        principal_basis="loan_amount",
        product=loan.product,
    )


def repayment_line(loan: Loan, at: datetime, value_on: date, amount_minor: int) -> bytes:
    """One repayment of a loan a day: its id names the day."""
    data = RepaymentData(
        amount=format_minor(amount_minor, loan.currency),
        borrower_id=loan.borrower_id,
        currency=loan.currency,
        loan_id=loan.loan_id,
        product=loan.product,
        repayment_id=f"{loan.loan_id}-{value_on:%Y%m%d}",
        value_date=value_on,
    )
    return line(loan.source, loan.loan_id, at, data, str(value_on))


def cured_line(loan: Loan, at: datetime, as_of_on: date) -> bytes:
    return line(loan.source, loan.loan_id, at, cured_data(loan, as_of_on), str(as_of_on))


def cured_data(loan: Loan, as_of_on: date, days_past_due: int = 0) -> CuredData:
    return CuredData(
        as_of_date=as_of_on,
        borrower_id=loan.borrower_id,
        currency=loan.currency,
        days_past_due=days_past_due,
        loan_id=loan.loan_id,
        product=loan.product,
        reason="paid_up",
    )


def profile_line(
    loan: Loan,
    at: datetime,
    points: tuple[tuple[str, str], ...],
    zone: str | None,
    language: str | None,
) -> bytes:
    data = ProfileData(
        borrower_id=loan.borrower_id,
        contact_points=tuple(PointData(kind=kind, value=value) for kind, value in points),
        language=language,
        zone=zone,
    )
    return line(loan.source, loan.borrower_id, at, data, loan.loan_id)
