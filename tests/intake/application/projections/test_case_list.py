"""The list of cases follows the life of each."""

from datetime import UTC, date, datetime
from functools import reduce
from typing import Any

from msgspec.structs import replace

from arrears.intake.application.projections import case_list
from arrears.intake.domain.loan.events import (
    AssessmentInputs,
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
from arrears.intake.domain.loan.state import Hold
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/bank")
ONE, TWO = BorrowerId("person-1"), BorrowerId("person-2")
DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
OF: dict[str, Any] = {"case_id": CASE, "loan_key": LOAN}

OVERDUE = LoanOverdueRecorded(
    **OF,
    episode=1,
    borrower_id=ONE,
    fact_id="fact-1",
    as_of_on=DAY,
    days_past_due=40,
    due_on=date(2026, 1, 21),
    overdue_minor=500,
    principal_minor=None,
    interest_minor=None,
    fees_minor=None,
    balance_minor=900,
    currency="CNY",
    product="loan",
    bucket="M2",
    stated_at=NOW,
    late=False,
    outdated=False,
    review_on=DAY,
)
WORSE = replace(OVERDUE, days_past_due=65, overdue_minor=600, bucket="M3", fact_id="fact-2")
OUTDATED = replace(WORSE, outdated=True, late=True, days_past_due=80)
OPENED = CaseOpened(
    **OF,
    episode=1,
    borrower_id=ONE,
    opened_on=DAY,
    as_of_on=DAY,
    first_time=True,
    currency="CNY",
    product="loan",
)
ASSESSED = CaseAssessed(
    **OF,
    bucket="M2",
    five_tier_class="special_mention",
    risk="low",
    score=1,
    reasons=("dpd_30",),
    inputs=AssessmentInputs(
        days_past_due=40,
        overdue_minor=500,
        currency="CNY",
        product="loan",
        episode=1,
        refused=False,
        promises_broken=0,
        unreachable=False,
        agreement_breached=False,
    ),
    policy_id="cn-default",
    policy_version=1,
)
GRACE = GraceGranted(
    **OF,
    until_days_past_due=5,
    days_past_due=3,
    reason="few",
    policy_id="cn-default",
    policy_version=1,
)
REFERRED = CaseReferred(
    **OF,
    episode=1,
    referral=2,
    stage="contact",
    treatment="call",
    rule="call",
    reason="why",
    days_past_due=40,
    due_on=DAY,
    overdue_minor=500,
    balance_minor=900,
    currency="CNY",
    product="loan",
    risk="low",
    decided_on=DAY,
    policy_id="cn-default",
    policy_version=1,
)
HELD = CaseHeld(**OF, reason="dispute", until_on=DAY)
RELEASED = CaseReleased(**OF, reason="settled", review_on=DAY)
RETURNED = CaseReturned(**OF, stage="contact", result="taken_back")
REPORTED = StageReported(
    **OF, stage="contact", report="refusal_reported", report_id="r-1", review_on=DAY
)
PAID = RepaymentRecorded(
    **OF,
    fact_id="fact-4",
    repayment_id="pay-1",
    amount_minor=70,
    currency="CNY",
    value_on=DAY,
    stated_at=NOW,
    late=False,
    costs_minor=20,
    interest_minor=30,
    principal_minor=15,
    in_suspense_minor=5,
    policy_id="cn-default",
    policy_version=1,
)
CURED = LoanCuredRecorded(
    **OF,
    fact_id="fact-5",
    as_of_on=DAY,
    reason="paid_up",
    currency="CNY",
    stated_at=NOW,
    late=False,
    outdated=False,
)
CLOSED = CaseClosed(**OF, reason="cured", closed_at=NOW, closed_on=DAY)
CHANGED = LoanBorrowerChanged(**OF, was=ONE, now_is=TWO)

FIRST_ROW = case_list.Row(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=ONE,
    episode=1,
    product="loan",
    currency="CNY",
    days_past_due=40,
    overdue_minor=500,
    balance_minor=900,
    as_of_on=DAY,
    bucket="M2",
)
OPEN_ROW = replace(FIRST_ROW, opened_on=DAY)


def case_row(*events: LoanEvent) -> case_list.Row | None:
    none: case_list.Row | None = None
    return reduce(case_list.evolve, events, none)


class TestCaseList:
    def test_the_overdue_fact_that_opens_the_case_makes_the_row(self) -> None:
        assert case_row(OVERDUE) == FIRST_ROW
        assert case_row(OVERDUE, OPENED) == OPEN_ROW

    def test_each_event_changes_its_own_fields(self) -> None:
        changes: list[tuple[LoanEvent, dict[str, object]]] = [
            (
                ASSESSED,
                {
                    "five_tier_class": "special_mention",
                    "risk": "low",
                    "risk_reasons": ("dpd_30",),
                },
            ),
            (WORSE, {"days_past_due": 65, "overdue_minor": 600, "bucket": "M3"}),
            (OUTDATED, {}),
            (GRACE, {"grace_until": 5}),
            (REFERRED, {"stage": "contact", "treatment": "call", "referral_count": 2}),
            (HELD, {"holds": (Hold("dispute", DAY),)}),
            (REPORTED, {"last_report": "refusal_reported"}),
            (PAID, {"paid_minor": 70, "in_suspense_minor": 5}),
            (CURED, {}),
            (CHANGED, {"borrower_id": TWO}),
            (CLOSED, {"stage": "closed", "closed_on": DAY, "closed_reason": "cured"}),
        ]
        for event, fields in changes:
            assert case_row(OVERDUE, OPENED, event) == replace(OPEN_ROW, **fields)

    def test_a_return_and_a_release_undo(self) -> None:
        back = case_row(OVERDUE, OPENED, REFERRED, RETURNED)
        assert back == replace(OPEN_ROW, referral_count=2)
        assert case_row(OVERDUE, OPENED, HELD, RELEASED) == OPEN_ROW

    def test_a_closed_case_is_held_by_nobody(self) -> None:
        row = case_row(OVERDUE, OPENED, HELD, CLOSED)
        assert row is not None
        assert (row.stage, row.holds) == ("closed", ())

    def test_every_reason_for_a_hold_shows_with_its_own_end(self) -> None:
        death = CaseHeld(**OF, reason="death", until_on=None)
        beside = CaseHeld(**OF, reason="complaint", until_on=None, hold_until_on=DAY)
        ended = HoldEnded(**OF, hold="complaint", reason="hold_ended", until_on=None)
        both = (Hold("death", None), Hold("complaint", DAY))
        held = (OVERDUE, OPENED, death, beside)
        assert case_row(*held) == replace(OPEN_ROW, holds=both)
        assert case_row(*held, ended) == replace(OPEN_ROW, holds=both[:1])
        assert case_row(*held, RELEASED) == OPEN_ROW

    def test_money_adds_up_over_repayments(self) -> None:
        row = case_row(OVERDUE, PAID, replace(PAID, repayment_id="pay-2"))
        assert row is not None
        assert (row.paid_minor, row.in_suspense_minor) == (140, 10)

    def test_what_has_no_case_has_no_row(self) -> None:
        assert case_list.key_of(replace(PAID, case_id=None)) is None
        assert case_list.key_of(OVERDUE) == CASE
        assert case_row(PAID) is None
