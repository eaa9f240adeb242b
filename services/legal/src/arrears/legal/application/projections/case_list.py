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
    EnforcementAlarmRaised,
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
from arrears.legal.domain.claim.state import ENFORCEMENT, LIMITATION
from arrears.legal.domain.gate import LIMITATION_ALIVE
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

NAME: Final = "case_list"
VERSION: Final = 2  # Raise it when `evolve` changes meaning; the runner then rebuilds.
HEARS: Final = frozenset(get_args(ClaimEvent))


class Row(Struct, frozen=True, kw_only=True):
    """`status`: refused, returned, filed, registered, judged, not_obeyed, enforcing, closed.

    `expires_on` is the last day of the clock that runs: limitation until the suit, then to obey,
    then to apply for enforcement. `deadline_on` is the next last day with whose end a right is
    lost: to sue (`deadline_rule` limitation) or to apply (enforcement); None once it is lost or
    used. `last_alarm_days` is the threshold of the last alarm before that day.
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
    deadline_on: date | None = None
    deadline_rule: str | None = None
    last_alarm_days: int | None = None
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
            deadline_on=event.limitation_expires_on,
            deadline_rule=LIMITATION,
        )
    return None if row is None else _changed(row, event)


def _changed(  # noqa: C901, PLR0911, PLR0912 - one case for each event
    row: Row, event: ClaimEvent
) -> Row:
    match event:
        case DemandNoted() | LimitationInterrupted() | AgreementNoted():
            return _begun_anew(row, event)
        case ClaimTaken() | AgreementEndNoted() | FilingApproved():
            return row
        case LimitationAlarmRaised(days_left=days) | EnforcementAlarmRaised(days_left=days):
            return replace(row, last_alarm_days=days)
        case EnforcementLapsed():
            return _without_deadline(row)
        case ClaimPaused(reason=reason):
            return replace(row, paused=True, reason=reason)
        case ClaimResumed():
            return replace(row, paused=False, reason=None)
        case ClaimReturned() if row.status == "refused":
            return replace(row, status="returned", missing=())
        case FilingRefused(missing=missing):
            refused = replace(row, status="refused", missing=missing)
            return _without_deadline(refused) if LIMITATION_ALIVE in missing else refused
        case ClaimFiled():
            return replace(
                _without_deadline(row),
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
            return replace(_begun_anew(row, event), paid_minor=event.since_filing_minor)
        case JudgmentEntered():
            return replace(
                row,
                status="judged",
                awarded_minor=event.awarded_minor,
                expires_on=event.obey_by_on,
                deadline_on=event.apply_by_on,
                deadline_rule=ENFORCEMENT,
            )
        case JudgmentNotObeyed(apply_by_on=apply_by_on):
            return replace(row, status="not_obeyed", expires_on=apply_by_on)
        case EnforcementApplied():
            return replace(_without_deadline(row), status="enforcing", expires_on=None)
        case MoneyRecovered():
            paid_minor = row.paid_minor + event.amount_minor
            return replace(row, paid_minor=paid_minor, recovered_minor=event.recovered_minor)
        case ClaimReturned() | JudgmentObeyed() | AssetsSearched():
            return row
        case EnforcementClosed(result=reason) | ClaimWithdrawn(reason=reason):
            return replace(row, reason=reason)
        case ClaimClosed(reason=reason):
            closed = replace(row, status="closed", reason=reason, expires_on=None)
            return _without_deadline(closed)
        case _:
            assert_never(event)


def _begun_anew(
    row: Row, event: DemandNoted | LimitationInterrupted | AgreementNoted | PaymentNoted
) -> Row:
    """A clock that an act restarts has its alarms before it again."""
    if event.expires_on is None or event.expires_on == row.expires_on:
        return row
    return replace(
        row,
        expires_on=event.expires_on,
        deadline_on=event.expires_on,
        deadline_rule=event.clock,
        last_alarm_days=None,
    )


def _without_deadline(row: Row) -> Row:
    return replace(row, deadline_on=None, deadline_rule=None, last_alarm_days=None)
