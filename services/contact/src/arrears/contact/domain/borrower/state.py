"""What a decision about a borrower reads.

The state stays small for a long life: attempts that are over leave only the contacts of the last
two days, which the limits count; of a closed case only its id stays.
"""

from collections.abc import Mapping
from datetime import date, datetime

from msgspec import Struct

from arrears.contact.domain.values import (
    AttemptId,
    Channel,
    Contact,
    ContactPoint,
    PromiseId,
    StopKind,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey


class Attempt(Struct, frozen=True, kw_only=True):
    """Planned, or waiting where `planned_at` is None."""

    attempt_id: AttemptId
    channel: Channel
    attempt_no: int
    planned_at: datetime | None
    denied_by: str | None = None
    waits_until: datetime | None = None


class Treatment(Struct, frozen=True, kw_only=True):
    """The referral that the case is being treated for.

    `overdue_minor` is what is asked for: the referral's figure less the money that came in since,
    whose repayments are named.
    """

    referral: int
    treatment: str
    overdue_minor: int
    currency: str
    days_past_due: int
    repayment_ids: tuple[str, ...] = ()
    attempts_made: int = 0
    attempt: Attempt | None = None


class InFlight(Struct, frozen=True, kw_only=True):
    """A permitted attempt without an outcome."""

    attempt_id: AttemptId
    channel: Channel
    referral: int
    treatment: str
    overdue_minor: int
    currency: str
    permitted_at: datetime
    valid_until: datetime
    expected_by: datetime
    receipted: bool = False


class Promise(Struct, frozen=True, kw_only=True):
    promise_id: PromiseId
    amount_minor: int
    currency: str
    made_on: date
    due_on: date
    judgement_at: datetime
    paid_minor: int = 0
    repayment_ids: tuple[str, ...] = ()


class Stop(Struct, frozen=True, kw_only=True):
    kind: StopKind
    reason: str
    lifts_at: datetime | None


def is_same(stop: Stop, kind: StopKind, reason: str) -> bool:
    """One stop of each kind; of holds one for each reason, of parked input one for each service."""
    return stop.kind == kind and (kind not in ("hold", "parked") or stop.reason == reason)


class CaseFile(Struct, frozen=True, kw_only=True):
    """`wakes_at` is the earliest of its timers, kept so that looking for it costs nothing.

    `unheard` were given up as `unknown`: what came of them may still be told. `hardship_review_on`:
    the others have been told that the case is shielded until then.
    """

    case_id: CaseId
    loan_key: LoanKey
    attempts_count: int = 0
    promises_count: int = 0
    referral_last: int = 0
    currency: str | None = None
    treatment: Treatment | None = None
    in_flight: tuple[InFlight, ...] = ()
    unheard: tuple[InFlight, ...] = ()
    promise: Promise | None = None
    stops: tuple[Stop, ...] = ()
    refused_on: date | None = None
    hardship_review_on: date | None = None
    closed_for: str | None = None
    wakes_at: datetime | None = None


class Borrower(Struct, frozen=True, kw_only=True):
    """`closed` keeps the ids of closed cases, so that nothing said late opens one again.

    `left_loans`: the bank says that another borrower owes them.
    """

    borrower_id: BorrowerId | None = None
    zone: str | None = None
    language: str | None = None
    points: tuple[ContactPoint, ...] = ()
    points_origin: str | None = None
    cases: Mapping[CaseId, CaseFile] = {}
    closed: frozenset[CaseId] = frozenset()
    left_loans: frozenset[LoanKey] = frozenset()
    stops: tuple[Stop, ...] = ()
    contacts: tuple[Contact, ...] = ()
