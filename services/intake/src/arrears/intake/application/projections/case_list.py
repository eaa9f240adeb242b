"""One row a case: what collectors and operators see in their lists. Read by the API.

Rebuilt by `arrears-intake rebuild`. Raise VERSION when a row would come out differently.
"""

from datetime import date
from typing import Final, assert_never, get_args

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
    HoldEnded,
    LoanBorrowerChanged,
    LoanCuredRecorded,
    LoanEvent,
    LoanOverdueRecorded,
    RepaymentRecorded,
    StageReported,
)
from arrears.intake.domain.loan.state import Holds, with_hold, without_hold
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

NAME: Final = "case_list"
VERSION: Final = 3
HEARS: Final = frozenset(get_args(LoanEvent))
INTAKE: Final = "intake"
"""The stage of an open case that no other service has."""


class Row(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    episode: int
    product: str
    currency: str
    days_past_due: int
    overdue_minor: int
    balance_minor: int
    as_of_on: date
    bucket: str
    stage: str = INTAKE
    treatment: str | None = None
    five_tier_class: str | None = None
    risk: str | None = None
    risk_reasons: tuple[str, ...] = ()
    opened_on: date | None = None
    closed_on: date | None = None
    closed_reason: str | None = None
    grace_until: int | None = None
    holds: Holds = ()
    """Why nobody acts on the case, each reason with its end. Empty: it is not held."""
    last_report: str | None = None
    paid_minor: int = 0
    in_suspense_minor: int = 0
    referral_count: int = 0


def key_of(event: LoanEvent) -> str | None:
    return event.case_id


def evolve(  # noqa: PLR0911 - one case for each event
    row: Row | None, event: LoanEvent
) -> Row | None:
    """The first event of a case is the overdue fact that opens it: it makes the row."""
    if row is None:
        return _first(event) if isinstance(event, LoanOverdueRecorded) else None
    match event:
        case LoanOverdueRecorded():
            return row if event.outdated else _figures(row, event)
        case RepaymentRecorded():
            return replace(
                row,
                paid_minor=row.paid_minor + event.amount_minor,
                in_suspense_minor=row.in_suspense_minor + event.in_suspense_minor,
            )
        case LoanBorrowerChanged():
            return replace(row, borrower_id=event.now_is)
        case CaseOpened():
            return replace(row, opened_on=event.opened_on)
        case CaseAssessed():
            return replace(
                row,
                bucket=event.bucket,
                five_tier_class=event.five_tier_class,
                risk=event.risk,
                risk_reasons=event.reasons,
            )
        case GraceGranted():
            return replace(row, grace_until=event.until_days_past_due)
        case StageReported():
            return replace(row, last_report=event.report)
        case LoanCuredRecorded():
            return row
        case _:
            return _moved(row, event)


def _moved(
    row: Row,
    event: CaseReferred | CaseReturned | CaseHeld | HoldEnded | CaseReleased | CaseClosed,
) -> Row:
    match event:
        case CaseReferred():
            return replace(
                row, stage=event.stage, treatment=event.treatment, referral_count=event.referral
            )
        case CaseReturned():
            return replace(row, stage=INTAKE, treatment=None)
        case CaseHeld():
            return replace(row, holds=with_hold(row.holds, event))
        case HoldEnded():
            return replace(row, holds=without_hold(row.holds, event.hold))
        case CaseReleased():
            return replace(row, holds=())
        case CaseClosed():
            return replace(
                row,
                stage="closed",
                treatment=None,
                holds=(),
                closed_on=event.closed_on,
                closed_reason=event.reason,
            )
        case _:
            assert_never(event)


def _first(event: LoanOverdueRecorded) -> Row | None:
    if event.case_id is None:
        return None
    return Row(
        case_id=event.case_id,
        loan_key=event.loan_key,
        borrower_id=event.borrower_id,
        episode=event.episode,
        product=event.product,
        currency=event.currency,
        days_past_due=event.days_past_due,
        overdue_minor=event.overdue_minor,
        balance_minor=event.balance_minor,
        as_of_on=event.as_of_on,
        bucket=event.bucket,
    )


def _figures(row: Row, event: LoanOverdueRecorded) -> Row:
    return replace(
        row,
        days_past_due=event.days_past_due,
        overdue_minor=event.overdue_minor,
        balance_minor=event.balance_minor,
        as_of_on=event.as_of_on,
        product=event.product,
        bucket=event.bucket,
    )
