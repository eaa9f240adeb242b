"""One row for each case that was referred to legal: the lawyers' list, `GET /cases`.

A demand, promise or agreement before the referral makes no row. Rebuild: `arrears-legal rebuild`.
"""

from datetime import date
from typing import Final, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    AgreementNoted,
    AssetsSearched,
    ClaimClosed,
    ClaimEvent,
    ClaimFiled,
    ClaimPaused,
    ClaimRegistered,
    ClaimResumed,
    ClaimReturned,
    ClaimTaken,
    ClaimWithdrawn,
    DemandNoted,
    EnforcementApplied,
    EnforcementClosed,
    EnforcementLapsed,
    FilingApproved,
    FilingRefused,
    JudgmentEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    LimitationAlarmRaised,
    LimitationInterrupted,
    MoneyRecovered,
    PaymentNoted,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

NAME: Final = "case_list"
VERSION: Final = 2  # Raise it when `evolve` changes meaning; the runner then rebuilds.
HEARS: Final = frozenset(get_args(ClaimEvent))


class Row(Struct, frozen=True, kw_only=True):
    """`status`: refused, returned, filed, registered, judged, not_obeyed, enforcing, closed.

    `expires_on` is the last day of the clock that runs: limitation until the suit, then to obey,
    then to apply for enforcement.
    """

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    status: str
    reason: str | None = None
    missing: tuple[str, ...] = ()
    paused: bool = False
    currency: str
    total_minor: int
    expires_on: date | None
    claim_minor: int | None = None
    court_fee_minor: int | None = None
    docket: str | None = None
    awarded_minor: int | None = None
    paid_minor: int = 0
    recovered_minor: int = 0


def key_of(event: ClaimEvent) -> str | None:
    return event.case_id


def evolve(row: Row | None, event: ClaimEvent) -> Row | None:
    """Fold one event into the row. Pure, so the test needs no database."""
    if isinstance(event, ClaimTaken):
        return Row(
            case_id=event.case_id,
            loan_key=event.loan_key,
            borrower_id=event.borrower_id,
            status="refused",
            paused=False if row is None else row.paused,
            currency=event.currency,
            total_minor=event.overdue_minor,
            expires_on=event.limitation_expires_on,
        )
    return None if row is None else _changed(row, event)


def _changed(  # noqa: C901, PLR0911, PLR0912 - one case for each event
    row: Row, event: ClaimEvent
) -> Row:
    match event:
        case DemandNoted() | LimitationInterrupted() | AgreementNoted():
            return replace(row, expires_on=event.expires_on or row.expires_on)
        case AgreementEndNoted() | FilingApproved() | LimitationAlarmRaised():
            return row
        case ClaimTaken() | JudgmentObeyed() | AssetsSearched() | EnforcementLapsed():
            return row
        case ClaimPaused(reason=reason):
            return replace(row, paused=True, reason=reason)
        case ClaimResumed():
            return replace(row, paused=False, reason=None)
        case ClaimReturned():
            waits = row.status == "refused"
            return replace(row, status="returned", missing=()) if waits else row
        case FilingRefused(missing=missing):
            return replace(row, status="refused", missing=missing)
        case ClaimFiled():
            return replace(
                row,
                status="filed",
                missing=(),
                claim_minor=event.claim_minor,
                court_fee_minor=event.court_fee_minor,
                expires_on=None,
            )
        case ClaimRegistered(docket=docket):
            status = "registered" if row.status == "filed" else row.status
            return replace(row, status=status, docket=docket)
        case PaymentNoted():
            return replace(
                row,
                paid_minor=event.since_filing_minor,
                expires_on=event.expires_on or row.expires_on,
            )
        case JudgmentEntered():
            return replace(
                row,
                status="judged",
                awarded_minor=event.awarded_minor,
                expires_on=event.obey_by_on,
            )
        case JudgmentNotObeyed(apply_by_on=apply_by_on):
            return replace(row, status="not_obeyed", expires_on=apply_by_on)
        case EnforcementApplied():
            return replace(row, status="enforcing", expires_on=None)
        case MoneyRecovered():
            paid_minor = row.paid_minor + event.amount_minor
            return replace(row, paid_minor=paid_minor, recovered_minor=event.recovered_minor)
        case EnforcementClosed(result=result):
            return replace(row, reason=result)
        case ClaimWithdrawn(reason=reason):
            return replace(row, reason=reason)
        case ClaimClosed(reason=reason):
            return replace(row, status="closed", reason=reason, expires_on=None)
        case _:
            assert_never(event)
