"""A borrower of two loans under the shipped policy, and what contact is told of them: unless told
otherwise at 23:59 on 2 March 2026 in the bank's zone, the last minute of the day.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    CountRepayment,
    EndContact,
    EndTreatment,
    NameDebtor,
    NoteOutcome,
    RecordHardship,
    RecordPromise,
    StartTreatment,
    StopContact,
    WakeUp,
    WithdrawAttempt,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider, make_objection
from arrears.contact.domain.borrower.events import (
    AttemptPermitted,
    BorrowerEvent,
    ContactPointsRecorded,
)
from arrears.contact.domain.permit import Denied
from arrears.contact.domain.values import AttemptId, ContactPoint, Outcome, Said, StopKind
from arrears.contact.testing.conduct import check
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId


def loan_of(case_id: CaseId) -> LoanKey:
    return LoanKey(f"loan-of-{case_id}@/bank")


BORROWER, ANOTHER, STAFF = BorrowerId("borrower-1"), BorrowerId("borrower-2"), StaffId("wei")
CASE, OTHER = CaseId("case-1"), CaseId("case-2")
LOAN, OTHER_LOAN = loan_of(CASE), loan_of(OTHER)
FIRST: Final = AttemptId("case-1/1")
"""The first attempt of the case."""
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
TODAY, DUE_ON, REVIEW_ON = date(2026, 3, 2), date(2026, 3, 9), date(2026, 4, 1)
EVENING: Final = datetime(2026, 3, 2, 23, 59, tzinfo=SHANGHAI).astimezone(UTC)

POLICIES: Final = load_policies()
DECIDER: Final = make_borrower_decider(POLICIES, "Asia/Shanghai")
objection: Final = make_objection(POLICIES, "Asia/Shanghai")

PHONE: Final = ContactPoint(kind="phone", sealed="sealed-phone")
ADDRESS: Final = ContactPoint(kind="address", sealed="sealed-address")
PROFILE: Final = ContactPointsRecorded(
    borrower_id=BORROWER,
    points=(PHONE, ADDRESS),
    zone="Asia/Shanghai",
    language="zh",
    origin="bank",
    recorded_at=EVENING,
)


# --- What contact is told


def refer(
    treatment: str = "call",
    case_id: CaseId = CASE,
    referral: int = 1,
    now: datetime = EVENING,
    **other: Any,
) -> StartTreatment:
    """500.00 are overdue."""
    command = StartTreatment(
        case_id=case_id,
        loan_key=loan_of(case_id),
        borrower_id=BORROWER,
        referral=referral,
        treatment=treatment,
        overdue_minor=50_000,
        currency="CNY",
        days_past_due=16,
        product="loan",
        now=now,
    )
    return replace(command, **other)


ELSEWHERE: Final = EndTreatment(
    case_id=OTHER,
    loan_key=OTHER_LOAN,
    borrower_id=BORROWER,
    reason="referred_to_another_stage",
    now=EVENING,
)
"""The other case goes straight to another stage."""


def stop_case(
    kind: StopKind, reason: str, case_id: CaseId = CASE, now: datetime = EVENING, **other: Any
) -> StopContact:
    command = StopContact(
        borrower_id=BORROWER,
        kind=kind,
        scope="case",
        case_id=case_id,
        loan_key=loan_of(case_id),
        reason=reason,
        said_at=now,
        now=now,
    )
    return replace(command, **other)


def stop_person(kind: StopKind, reason: str, now: datetime = EVENING, **other: Any) -> StopContact:
    command = StopContact(
        borrower_id=BORROWER, kind=kind, scope="person", reason=reason, said_at=now, now=now
    )
    return replace(command, **other)


def close(case_id: CaseId = CASE, reason: str = "cured", now: datetime = EVENING) -> EndContact:
    return EndContact(case_id=case_id, reason=reason, said_at=now, now=now)


def name_debtor(
    debtor_id: BorrowerId = ANOTHER,
    case_id: CaseId | None = CASE,
    now: datetime = EVENING,
    loan_key: LoanKey = LOAN,
) -> NameDebtor:
    """The bank says who owes the first loan."""
    return NameDebtor(
        borrower_id=BORROWER,
        debtor_id=debtor_id,
        loan_key=loan_key,
        case_id=case_id,
        said_at=now,
        now=now,
    )


def paid(amount_minor: int, value_on: date = TODAY, **other: Any) -> CountRepayment:
    command = CountRepayment(
        loan_key=LOAN,
        repayment_id="r-1",
        amount_minor=amount_minor,
        currency="CNY",
        value_on=value_on,
        now=EVENING,
    )
    return replace(command, **other)


def promise(**other: Any) -> RecordPromise:
    """300.00 in a week."""
    command = RecordPromise(
        case_id=CASE,
        amount_minor=30_000,
        currency="CNY",
        due_on=DUE_ON,
        recorded_by=STAFF,
        now=EVENING,
    )
    return replace(command, **other)


def claim_hardship(
    case_id: CaseId = CASE, review_on: date = REVIEW_ON, now: datetime = EVENING
) -> RecordHardship:
    return RecordHardship(case_id=case_id, review_on=review_on, recorded_by=STAFF, now=now)


def note_outcome(
    outcome: Outcome, now: datetime, said: Said | None = None, attempt_id: AttemptId = FIRST
) -> NoteOutcome:
    return NoteOutcome(attempt_id=attempt_id, outcome=outcome, said=said or Said(), now=now)


def withdraw(permitted: AttemptPermitted, verdict: Denied, now: datetime) -> WithdrawAttempt:
    return WithdrawAttempt(
        attempt_id=permitted.attempt_id,
        attempt_no=permitted.attempt_no,
        permitted_at=permitted.permitted_at,
        verdict=verdict,
        now=now,
    )


# --- What that does


def life(
    *commands: BorrowerCommand, history: Sequence[BorrowerEvent] = (PROFILE,)
) -> list[BorrowerEvent]:
    """The history and all that follows from the commands, one after the other."""
    events = list(history)
    for command in commands:
        events.extend(DECIDER.decide(command, DECIDER.fold(events)))
    return events


def wake(events: Sequence[BorrowerEvent], after: datetime = EVENING) -> list[BorrowerEvent]:
    """The history, and what the next timer brings: nothing that the judge of conduct objects to."""
    due = DECIDER.due(DECIDER.fold(events), after)
    assert due is not None
    assert due > after
    lived = life(WakeUp(now=due), history=events)
    assert check(lived, POLICIES).findings == ()
    return lived


def until(end: datetime, events: Sequence[BorrowerEvent]) -> list[BorrowerEvent]:
    """The history, and what the timers bring before `end`."""
    lived, now = list(events), EVENING
    while (due := DECIDER.due(DECIDER.fold(lived), now)) is not None and due < end:
        now = due
        lived = life(WakeUp(now=now), history=lived)
    assert check(lived, POLICIES).findings == ()
    return lived


def permit_in(events: Sequence[BorrowerEvent]) -> AttemptPermitted:
    """What has just been permitted."""
    assert isinstance(events[-1], AttemptPermitted)
    return events[-1]


def until_permit(treatment: str = "call") -> tuple[list[BorrowerEvent], AttemptPermitted]:
    """A case is referred, and its first attempt permitted."""
    events = wake(life(refer(treatment)))
    return events, permit_in(events)


def permitted_cases(events: Sequence[BorrowerEvent]) -> set[CaseId]:
    return {event.case_id for event in events if isinstance(event, AttemptPermitted)}
