"""One row a loan: the bank's last word, and what its episodes add up to.

The figures of the feed are sums over these rows. Rebuilt by `arrears-intake rebuild`.
"""

from datetime import date
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from arrears.intake.domain.loan.events import (
    CaseAssessed,
    CaseClosed,
    CaseHeld,
    CaseOpened,
    CaseReferred,
    CaseReleased,
    CaseReturned,
    GraceGranted,
    LoanBorrowerChanged,
    LoanCuredRecorded,
    LoanEvent,
    LoanOverdueRecorded,
    RepaymentRecorded,
    StageReported,
)
from arrears.shared.kernel.ids import BorrowerId, LoanKey

NAME: Final = "loan_list"
VERSION: Final = 1


class Row(Struct, frozen=True, kw_only=True):
    """`overdue_minor` and `days_past_due` are 0 while nothing is overdue."""

    loan_key: LoanKey
    currency: str
    borrower_id: BorrowerId | None = None
    product: str | None = None
    overdue: bool = False
    days_past_due: int = 0
    days_past_due_max: int = 0
    overdue_minor: int = 0
    as_of_on: date | None = None
    episode_count: int = 0
    cured_count: int = 0
    overdue_fact_count: int = 0
    repayment_count: int = 0
    cured_fact_count: int = 0
    late_count: int = 0
    fall_count: int = 0
    """How often days past due fell from one overdue fact to the next without a cure."""
    paid_minor: int = 0
    in_suspense_minor: int = 0


def key_of(event: LoanEvent) -> str | None:
    return event.loan_key


def evolve(row: Row | None, event: LoanEvent) -> Row | None:
    match event:
        case LoanOverdueRecorded():
            return _overdue(row or _new(event), event)
        case RepaymentRecorded():
            row = row or _new(event)
            return replace(
                row,
                repayment_count=row.repayment_count + 1,
                late_count=row.late_count + event.late,
                paid_minor=row.paid_minor + event.amount_minor,
                in_suspense_minor=row.in_suspense_minor + event.in_suspense_minor,
            )
        case LoanCuredRecorded():
            return _cured(row or _new(event), event)
        case LoanBorrowerChanged():
            return row and replace(row, borrower_id=event.now_is)
        case (
            CaseOpened()
            | CaseAssessed()
            | GraceGranted()
            | CaseReferred()
            | CaseHeld()
            | CaseReleased()
            | CaseReturned()
            | StageReported()
            | CaseClosed()
        ):
            return row
        case _:
            assert_never(event)


def _new(event: LoanOverdueRecorded | RepaymentRecorded | LoanCuredRecorded) -> Row:
    return Row(loan_key=event.loan_key, currency=event.currency)


def _overdue(row: Row, event: LoanOverdueRecorded) -> Row:
    counted = replace(
        row,
        overdue_fact_count=row.overdue_fact_count + 1,
        late_count=row.late_count + event.late,
        days_past_due_max=max(row.days_past_due_max, event.days_past_due),
    )
    if event.outdated:
        return counted
    return replace(
        counted,
        borrower_id=event.borrower_id,
        product=event.product,
        overdue=True,
        days_past_due=event.days_past_due,
        overdue_minor=event.overdue_minor,
        as_of_on=event.as_of_on,
        episode_count=event.episode,
        fall_count=row.fall_count + (event.days_past_due < row.days_past_due),
    )


def _cured(row: Row, event: LoanCuredRecorded) -> Row:
    counted = replace(
        row,
        cured_fact_count=row.cured_fact_count + 1,
        late_count=row.late_count + event.late,
    )
    if event.outdated:
        return counted
    return replace(
        counted,
        overdue=False,
        days_past_due=0,
        overdue_minor=0,
        as_of_on=event.as_of_on,
        cured_count=row.cured_count + 1,
    )
