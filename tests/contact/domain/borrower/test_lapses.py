"""A promise that something stronger overtook is not broken: nobody was to be asked for money."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    CountRepayment,
    EndContact,
    NameDebtor,
    RecordHardship,
    RecordPromise,
    ReleaseCase,
    ResumeContact,
    StartTreatment,
    StopContact,
    WakeUp,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider
from arrears.contact.domain.borrower.events import BorrowerEvent
from arrears.contact.domain.borrower.promise_events import (
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromisePartlyKept,
)
from arrears.contact.domain.values import PromiseId, StopKind
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=SHANGHAI).astimezone(UTC)
JUDGED_AT = datetime(2026, 3, 12, 0, 0, tzinfo=SHANGHAI).astimezone(UTC)
DUE_ON, DAY_BEFORE = date(2026, 3, 9), date(2026, 3, 11)
BORROWER, STAFF = BorrowerId("borrower-1"), StaffId("collector-7")
CASE, OTHER = CaseId("case-1"), CaseId("case-2")
LOAN, OTHER_LOAN = LoanKey("loan-1@/bank"), LoanKey("loan-2@/bank")
VERDICTS = (PromiseKept, PromisePartlyKept, PromiseBroken, PromiseLapsed)

decider = make_borrower_decider(load_policies(), "Asia/Shanghai")


def life(*commands: BorrowerCommand, history: Sequence[BorrowerEvent] = ()) -> list[BorrowerEvent]:
    events = list(history)
    for command in commands:
        events.extend(decider.decide(command, decider.fold(events)))
    return events


def stop(kind: StopKind, reason: str, case_id: CaseId = CASE, **changes: object) -> StopContact:
    command = StopContact(
        borrower_id=BORROWER,
        kind=kind,
        scope="case",
        case_id=case_id,
        loan_key=LOAN if case_id == CASE else OTHER_LOAN,
        reason=reason,
        said_at=NOON,
        now=NOON + timedelta(days=1),
    )
    return replace(command, **changes)


def refer(case_id: CaseId = CASE) -> StartTreatment:
    return StartTreatment(
        case_id=case_id,
        loan_key=LOAN if case_id == CASE else OTHER_LOAN,
        borrower_id=BORROWER,
        referral=1,
        treatment="call",
        overdue_minor=50_000,
        currency="CNY",
        days_past_due=16,
        product="loan",
        now=NOON,
    )


PROMISE = RecordPromise(
    case_id=CASE, amount_minor=30_000, currency="CNY", due_on=DUE_ON, recorded_by=STAFF, now=NOON
)
AGREED = stop("agreement", "agreement_signed")
HARDSHIP = RecordHardship(
    case_id=OTHER, review_on=date(2026, 4, 1), recorded_by=STAFF, now=NOON + timedelta(days=1)
)
BREACHED = ResumeContact(
    kinds=("agreement",),
    scope="case",
    case_id=CASE,
    reason="agreement_breached",
    now=NOON + timedelta(days=2),
)
LEFT = NameDebtor(
    borrower_id=BORROWER,
    debtor_id=BorrowerId("borrower-2"),
    loan_key=LOAN,
    case_id=CASE,
    said_at=NOON,
    now=NOON + timedelta(days=1),
)
CLOSED = EndContact(
    case_id=CASE, reason="uncollectible", said_at=NOON, now=NOON + timedelta(days=1)
)
PAID = CountRepayment(
    loan_key=LOAN,
    repayment_id="r-1",
    amount_minor=10_000,
    currency="CNY",
    value_on=DUE_ON,
    now=NOON + timedelta(days=7),
)


def verdict_on(*commands: BorrowerCommand, at: datetime = JUDGED_AT) -> BorrowerEvent:
    promised = life(refer(), refer(OTHER), PROMISE)
    events = life(*commands, WakeUp(now=at), history=promised)
    (verdict,) = [event for event in events if isinstance(event, VERDICTS)]
    return verdict


@pytest.mark.parametrize(
    ("overtaken_by", "reason"),
    [
        (AGREED, "agreement"),
        (HARDSHIP, "hardship"),
        (stop("hold", "death"), "hold"),
        (stop("hold", "moratorium"), "hold"),
        (stop("hold", "hardship"), "hold"),
        (stop("hold", "death", OTHER), "hold"),
        (stop("hold", "moratorium", until_on=date(2026, 3, 12)), "hold"),
        (LEFT, "borrower_changed"),
        (replace(CLOSED, reason="cured"), "case_cured"),
        (replace(CLOSED, reason="settled"), "case_settled"),
    ],
)
def test_what_overtook_it_is_named(overtaken_by: BorrowerCommand, reason: str) -> None:
    assert verdict_on(overtaken_by) == PromiseLapsed(
        case_id=CASE,
        loan_key=LOAN,
        promise_id=PromiseId("case-1/promise-1"),
        paid_minor=0,
        reason=reason,
        judged_at=JUDGED_AT,
    )


def test_of_several_the_agreement_is_named() -> None:
    verdict = verdict_on(stop("hold", "death"), HARDSHIP, AGREED)
    assert isinstance(verdict, PromiseLapsed)
    assert verdict.reason == "agreement"


@pytest.mark.parametrize(
    "commands",
    [
        (),
        (stop("hold", "dispute"),),
        (stop("hold", "complaint"),),
        (stop("staff", "peace", scope="person", recorded_by=STAFF),),
        (stop("parked", "legal", scope="person"),),
        (stop("agreement", "agreement_signed", OTHER),),
        (AGREED, BREACHED),
        (LEFT, replace(LEFT, debtor_id=BORROWER)),
        (CLOSED,),
        (stop("hold", "death"), ReleaseCase(case_id=CASE, reason="alive", now=JUDGED_AT)),
        (stop("hold", "moratorium", until_on=DAY_BEFORE),),
        (replace(HARDSHIP, review_on=date(2026, 3, 12)),),
    ],
)
def test_without_such_a_stop_at_its_judgement_it_is_broken(
    commands: Sequence[BorrowerCommand],
) -> None:
    assert isinstance(verdict_on(*commands), PromiseBroken)


def test_money_that_came_is_judged_by_the_money() -> None:
    assert isinstance(verdict_on(AGREED, PAID), PromisePartlyKept)
    assert isinstance(verdict_on(AGREED, replace(PAID, amount_minor=30_000)), PromiseKept)


@pytest.mark.parametrize(
    ("until_on", "verdict"), [(date(2026, 3, 12), PromiseLapsed), (DAY_BEFORE, PromiseBroken)]
)
def test_a_judgement_that_is_served_late_is_of_its_own_time(
    until_on: date, verdict: type[BorrowerEvent]
) -> None:
    held = stop("hold", "moratorium", until_on=until_on)
    assert isinstance(verdict_on(held, at=JUDGED_AT + timedelta(days=9)), verdict)


@pytest.mark.parametrize(
    ("until_on", "verdict"), [(None, PromiseLapsed), (DAY_BEFORE, PromiseBroken)]
)
def test_a_case_that_was_closed_meanwhile_is_judged_alike(
    until_on: date | None, verdict: type[BorrowerEvent]
) -> None:
    """Nothing lifts the stops of a closed case any more: their own end counts."""
    held = stop("hold", "moratorium", until_on=until_on)
    closed = EndContact(case_id=CASE, reason="uncollectible", said_at=NOON, now=held.now)
    assert isinstance(verdict_on(held, closed), verdict)
