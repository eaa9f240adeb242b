"""The checker finds what the permit is there to prevent, in events alone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.events import (
    AttemptConcluded,
    AttemptPermitted,
    AttemptReceipted,
    BorrowerEvent,
    ContactEnded,
    ContactResumed,
    ContactStopped,
    RepaymentCounted,
    TreatmentStarted,
)
from arrears.contact.domain.permit import PermitInputs
from arrears.contact.domain.values import AttemptId, ContactPoint, Outcome, Said
from arrears.contact.testing.conduct import check
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEN = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI).astimezone(UTC)
CASE = CaseId("case-1")
LOAN = LoanKey("loan-1@/bank")
POLICIES = load_policies()
INPUTS = PermitInputs(
    local_time="2026-03-02T10:00:00+08:00",
    zone="Asia/Shanghai",
    zone_from="borrower",
    stops=(),
    promise_pending=False,
    point_kind="phone",
    point_count=1,
    connected_today=0,
    unanswered_today=0,
)


def permitted(number: int = 1, at: datetime = TEN, **changes: object) -> AttemptPermitted:
    event = AttemptPermitted(
        attempt_id=AttemptId(f"case-1/{number}"),
        case_id=CASE,
        loan_key=LOAN,
        referral=1,
        treatment="call",
        channel="call",
        attempt_no=number,
        point=ContactPoint(kind="phone", sealed="p"),
        overdue_minor=1,
        currency="CNY",
        days_past_due=16,
        policy_id="cn-bank",
        policy_version=1,
        inputs=INPUTS,
        permitted_at=at,
        valid_until=datetime(2026, 3, 2, 21, 0, tzinfo=SHANGHAI),
        outcome_expected_by=at + timedelta(days=3),
    )
    return replace(event, **changes)


def receipted(number: int = 1, at: datetime = TEN, receipt_id: str = "r") -> AttemptReceipted:
    return AttemptReceipted(
        attempt_id=AttemptId(f"case-1/{number}"),
        case_id=CASE,
        loan_key=LOAN,
        channel="call",
        receipt_id=receipt_id,
        gateway="sandbox",
        receipted_at=at,
    )


def concluded(number: int, outcome: Outcome) -> AttemptConcluded:
    return AttemptConcluded(
        attempt_id=AttemptId(f"case-1/{number}"),
        case_id=CASE,
        loan_key=LOAN,
        referral=1,
        treatment="call",
        channel="call",
        outcome=outcome,
        said=Said(),
        concluded_at=TEN,
    )


def started(overdue_minor: int) -> TreatmentStarted:
    return TreatmentStarted(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BorrowerId("b"),
        referral=1,
        treatment="call",
        overdue_minor=overdue_minor,
        currency="CNY",
        days_past_due=16,
        product="loan",
        policy_id="cn-bank",
        policy_version=1,
        started_at=TEN,
    )


def counted(owed_minor: int) -> RepaymentCounted:
    return RepaymentCounted(
        case_id=CASE,
        loan_key=LOAN,
        referral=1,
        repayment_id="r-1",
        amount_minor=200,
        owed_minor=owed_minor,
        currency="CNY",
        value_on=TEN.date(),
        counted_at=TEN,
    )


def stopped(scope: str = "case", case_id: str = CASE) -> ContactStopped:
    event = ContactStopped(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BorrowerId("b"),
        kind="hold",
        scope="case",
        reason="dispute",
        lifts_at=None,
        said_at=TEN,
        heard_at=TEN,
        recorded_by=None,
    )
    return replace(event, scope=scope, case_id=case_id)


WEDNESDAY, FRIDAY, SATURDAY = (TEN + timedelta(days=days) for days in (2, 4, 5))


def by_staff(lifts_at: datetime | None, **changes: object) -> ContactStopped:
    return replace(stopped("person"), kind="staff", lifts_at=lifts_at, **changes)


RESUMED = ContactResumed(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BorrowerId("b"),
    kind="hold",
    scope="case",
    reason="over",
    resumed_at=TEN,
    recorded_by=None,
)
OVER = replace(RESUMED, kind="staff", scope="person", reason="time_is_over", stop_reason="dispute")
ASKED = replace(OVER, reason="asked", recorded_by=StaffId("collector-7"))
ENDED = ContactEnded(case_id=CASE, loan_key=LOAN, reason="cured", said_at=TEN, heard_at=TEN)
NINE_PM = datetime(2026, 3, 2, 21, 0, tzinfo=SHANGHAI).astimezone(UTC)
UNANSWERED = [
    event for number in range(1, 4) for event in (permitted(number), concluded(number, "no_answer"))
]


@pytest.mark.parametrize(
    ("events", "breaches"),
    [
        ([], []),
        ([permitted(), receipted(), concluded(1, "connected")], []),
        ([receipted()], ["made_without_permit"]),
        ([concluded(1, "connected")], ["made_without_permit"]),
        ([receipted(), permitted()], ["made_without_permit"]),
        ([permitted(), receipted(at=NINE_PM)], ["made_after_the_permit_ended"]),
        ([permitted(), receipted(at=TEN - timedelta(1))], ["made_after_the_permit_ended"]),
        ([permitted(), receipted(), receipted(receipt_id="s")], ["made_twice"]),
        ([permitted(), permitted()], ["permitted_twice"]),
        ([stopped(), permitted()], ["permitted_while_stopped"]),
        ([stopped(), RESUMED, permitted()], []),
        ([stopped(), replace(RESUMED, stop_reason="dispute"), permitted()], []),
        (
            [stopped(), replace(RESUMED, stop_reason="death"), permitted()],
            ["permitted_while_stopped"],
        ),
        ([stopped(case_id="case-2"), permitted()], []),
        ([stopped("person", "case-2"), permitted()], ["permitted_while_stopped"]),
        ([ENDED, permitted()], ["permitted_after_the_case_was_closed"]),
        ([permitted(at=NINE_PM)], ["permitted_in_quiet_hours"]),
        ([permitted(at=NINE_PM - timedelta(seconds=1))], []),
        ([permitted(at=NINE_PM + timedelta(hours=11))], []),
        (
            [permitted(at=NINE_PM + timedelta(hours=11) - timedelta(seconds=1))],
            ["permitted_in_quiet_hours"],
        ),
        ([permitted(at=NINE_PM, channel="letter")], []),
        ([permitted(n) for n in range(1, 4)], []),
        ([permitted(n) for n in range(1, 5)], ["permitted_over_the_daily_limit"]),
        ([*UNANSWERED, *(permitted(n) for n in range(4, 7))], []),
        ([permitted(policy_version=9)], ["policy_unknown"]),
        ([started(500), permitted(overdue_minor=500)], []),
        ([started(500), counted(300), permitted(overdue_minor=300)], []),
        (
            [started(500), counted(300), permitted(overdue_minor=500)],
            ["asked_for_more_than_is_owed"],
        ),
        ([started(500), counted(0), started(700), permitted(overdue_minor=700)], []),
    ],
)
def test_each_breach_is_named(events: list[BorrowerEvent], breaches: list[str]) -> None:
    assert [finding.breach for finding in check(events, POLICIES).findings] == breaches


@pytest.mark.parametrize(
    ("events", "day", "is_wrong"),
    [
        ([by_staff(None), by_staff(WEDNESDAY), OVER], FRIDAY, True),
        ([by_staff(FRIDAY), by_staff(WEDNESDAY), OVER], WEDNESDAY, True),
        ([by_staff(FRIDAY), by_staff(WEDNESDAY), OVER], SATURDAY, False),
        ([by_staff(None), by_staff(FRIDAY), by_staff(WEDNESDAY), OVER], SATURDAY, True),
        ([by_staff(FRIDAY), by_staff(WEDNESDAY), ASKED], WEDNESDAY, False),
        ([by_staff(None), ASKED, by_staff(WEDNESDAY), OVER], FRIDAY, False),
        ([by_staff(WEDNESDAY), by_staff(FRIDAY), OVER], FRIDAY, False),
        ([by_staff(FRIDAY), by_staff(FRIDAY, case_id="case-2"), OVER], WEDNESDAY, False),
        ([stopped(), replace(stopped(), lifts_at=WEDNESDAY), RESUMED], FRIDAY, False),
    ],
)
def test_a_stop_that_was_cut_short_binds_to_its_own_end(
    events: list[BorrowerEvent], day: datetime, *, is_wrong: bool
) -> None:
    findings = check([*events, permitted(at=day)], POLICIES).findings
    assert [finding.breach for finding in findings] == ["permitted_while_stopped"] * is_wrong


def test_what_was_made_is_counted() -> None:
    conduct = check(
        [permitted(), receipted(), permitted(2), concluded(2, "no_answer"), receipted(3)],
        POLICIES,
    )
    assert (conduct.permitted, conduct.made, conduct.made_without_permit) == (2, 2, 1)
    assert conduct.made_twice == 0
