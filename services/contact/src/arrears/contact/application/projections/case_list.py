"""One row for each case that contact has, had, or has noted: the collectors' list, `GET /cases`.

Rebuild at will: `arrears-contact rebuild`.
"""

from datetime import date, datetime
from typing import Final, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from arrears.contact.domain.borrower.events import (
    AttemptAnsweredLate,
    AttemptConcluded,
    AttemptDenied,
    AttemptDropped,
    AttemptPermitted,
    AttemptReceipted,
    AttemptRequested,
    AttemptRescheduled,
    AttemptWithdrawn,
    BorrowerEvent,
    CaseNoted,
    ContactEnded,
    ContactPointsRecorded,
    ContactResumed,
    ContactStopped,
    DemandDelivered,
    DemandReturned,
    HardshipReported,
    RefusalReported,
    RepaymentCounted,
    TreatmentCompleted,
    TreatmentStarted,
    UnreachableReported,
)
from arrears.contact.domain.borrower.promise_events import (
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromiseMade,
    PromisePartlyKept,
    PromisePaymentCounted,
)
from arrears.contact.domain.values import Scope, StopKind
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

NAME: Final = "case_list"
VERSION: Final = 2  # Raise it when `evolve` changes meaning; the runner then rebuilds.
HEARS: Final = frozenset(get_args(BorrowerEvent))
_CONNECTED: Final = frozenset({"connected", "delivered", "met", "unknown"})


class Row(Struct, frozen=True, kw_only=True):
    """`promise_status`: pending, kept, partly_kept, broken, lapsed; None where none was made.

    `overdue_minor` is what is asked for: the referral's figure less the money that came in since.
    `stopped` names the stops in force; `next_attempt_at` is None where nothing is planned, or
    where an attempt waits for an event.
    """

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    closed: str | None = None
    referral: int = 0
    treatment: str | None = None
    treatment_open: bool = False
    result: str | None = None
    overdue_minor: int = 0
    currency: str | None = None
    days_past_due: int | None = None
    next_channel: str | None = None
    next_attempt_at: datetime | None = None
    denied_by: str | None = None
    attempts_made: int = 0
    attempts_denied: int = 0
    connected: int = 0
    last_outcome: str | None = None
    promise_status: str | None = None
    promise_minor: int | None = None
    promise_paid_minor: int | None = None
    promise_due_on: date | None = None
    demand: str | None = None
    refused: bool = False
    hardship_review_on: date | None = None
    stopped: tuple[str, ...] = ()


def key_of(event: BorrowerEvent) -> str | None:
    return None if isinstance(event, ContactPointsRecorded) else event.case_id


def evolve(row: Row | None, event: BorrowerEvent) -> Row | None:  # noqa: C901, PLR0911, PLR0912
    """Fold one event into the row of its case."""
    row = row or _first(event)
    if row is None:
        return None
    match event:
        case TreatmentStarted():
            return replace(
                row,
                referral=event.referral,
                treatment=event.treatment,
                treatment_open=True,
                result=None,
                overdue_minor=event.overdue_minor,
                currency=event.currency,
                days_past_due=event.days_past_due,
            )
        case RepaymentCounted():
            return replace(row, overdue_minor=event.owed_minor)
        case TreatmentCompleted():
            return replace(_idle(row), treatment_open=False, result=event.result)
        case (
            AttemptRequested()
            | AttemptRescheduled()
            | AttemptPermitted()
            | AttemptDenied()
            | AttemptWithdrawn()
            | AttemptDropped()
            | AttemptConcluded()
            | AttemptAnsweredLate()
        ):
            return _attempt(row, event)
        case DemandDelivered():
            return replace(row, demand="delivered")
        case DemandReturned():
            return replace(row, demand=row.demand or "returned")
        case (
            PromiseMade()
            | PromisePaymentCounted()
            | PromiseKept()
            | PromisePartlyKept()
            | PromiseBroken()
            | PromiseLapsed()
        ):
            return _promise(row, event)
        case RefusalReported():
            return replace(row, refused=True)
        case HardshipReported():
            return replace(row, hardship_review_on=event.review_on)
        case ContactStopped():
            name = _stop_name(event.kind, event.scope, event.reason)
            return replace(row, stopped=(*(one for one in row.stopped if one != name), name))
        case ContactResumed():
            return replace(row, stopped=tuple(n for n in row.stopped if not _is_lifted(n, event)))
        case ContactEnded():
            return replace(_idle(row), closed=event.reason)
        case CaseNoted() | ContactPointsRecorded() | UnreachableReported() | AttemptReceipted():
            return row
        case _:
            assert_never(event)


def _stop_name(kind: StopKind, scope: Scope, reason: str) -> str:
    """Input can be parked in several services and holds can have several reasons at once."""
    if kind == "parked":
        return f"parked_in_{reason}"
    if kind != "hold":
        return kind
    return f"hold_for_{reason}" if scope == "case" else f"hold_of_the_person_for_{reason}"


def _is_lifted(name: str, event: ContactResumed) -> bool:
    if event.kind == "hold" and event.stop_reason is None:
        return name.startswith("hold_for_")
    return name == _stop_name(event.kind, event.scope, event.stop_reason or event.reason)


def _first(event: BorrowerEvent) -> Row | None:
    """A case shows up with its first treatment, or with a stop or a note that came before it."""
    if not isinstance(event, CaseNoted | TreatmentStarted | ContactStopped):
        return None
    if event.case_id is None or event.loan_key is None:
        return None
    return Row(case_id=event.case_id, loan_key=event.loan_key, borrower_id=event.borrower_id)


def _idle(row: Row) -> Row:
    return replace(row, next_channel=None, next_attempt_at=None, denied_by=None)


def _attempt(
    row: Row,
    event: AttemptRequested
    | AttemptRescheduled
    | AttemptPermitted
    | AttemptDenied
    | AttemptWithdrawn
    | AttemptDropped
    | AttemptConcluded
    | AttemptAnsweredLate,
) -> Row:
    match event:
        case AttemptRequested() | AttemptRescheduled():
            return replace(
                row,
                next_channel=event.channel,
                next_attempt_at=event.planned_at,
                denied_by=None,
            )
        case AttemptPermitted():
            return replace(_idle(row), attempts_made=row.attempts_made + 1)
        case AttemptDenied():
            return replace(
                row,
                attempts_denied=row.attempts_denied + 1,
                next_attempt_at=event.next_allowed_at,
                denied_by=event.rule,
            )
        case AttemptWithdrawn():
            return replace(
                row,
                attempts_made=row.attempts_made - 1,
                attempts_denied=row.attempts_denied + 1,
                next_channel=event.channel if row.treatment_open else None,
                next_attempt_at=event.next_allowed_at if row.treatment_open else None,
                denied_by=event.rule if row.treatment_open else None,
            )
        case AttemptDropped():
            return _idle(row)
        case AttemptConcluded() | AttemptAnsweredLate():
            # One that is answered late was unknown, and is counted as connected already.
            is_new = isinstance(event, AttemptConcluded) and event.outcome in _CONNECTED
            return replace(row, connected=row.connected + is_new, last_outcome=event.outcome)
        case _:
            assert_never(event)


def _promise(
    row: Row,
    event: PromiseMade
    | PromisePaymentCounted
    | PromiseKept
    | PromisePartlyKept
    | PromiseBroken
    | PromiseLapsed,
) -> Row:
    match event:
        case PromiseMade():
            return replace(
                row,
                promise_status="pending",
                promise_minor=event.amount_minor,
                promise_paid_minor=0,
                promise_due_on=event.due_on,
            )
        case PromisePaymentCounted():
            return replace(row, promise_paid_minor=event.paid_minor)
        case PromiseKept():
            return replace(row, promise_status="kept")
        case PromisePartlyKept():
            return replace(row, promise_status="partly_kept")
        case PromiseBroken():
            return replace(row, promise_status="broken")
        case PromiseLapsed():
            return replace(row, promise_status="lapsed")
        case _:
            assert_never(event)
