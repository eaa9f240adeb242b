"""A hold of the person stands before every case of theirs: nothing new is asked of a court."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ClaimCommand,
    EndSuit,
    EnterJudgment,
    HoldBorrower,
    NoteDemand,
    PauseClaim,
    ReleaseBorrower,
    ResumeClaim,
    TakeClaim,
    WakeUp,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import (
    BorrowerHeld,
    BorrowerReleased,
    ClaimEvent,
    ClaimResumed,
    FilingRefused,
)
from arrears.legal.domain.claim.suit_events import ClaimFiled, EnforcementApplied
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

CALENDAR = BankCalendar("Asia/Shanghai")
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
LAWYER = StaffId("lawyer-3")
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=400)
DEMAND = NoteDemand(
    case_id=CASE,
    loan_key=LOAN,
    total_minor=3_700_000,
    currency="CNY",
    delivered_at=NOW - timedelta(days=60),
    now=NOW,
)
TAKE = TakeClaim(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BorrowerId("borrower-1"),
    referral=6,
    overdue_minor=3_800_000,
    balance_minor=9_000_000,
    currency="CNY",
    due_on=date(2025, 11, 20),
    days_past_due=102,
    now=NOW,
)
JUDGE = EnterJudgment(
    awarded_minor=3_800_000, currency="CNY", obey_by_on=date(2026, 4, 24), now=NOW
)
DEATH = HoldBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=NOW)
MORATORIUM = replace(DEATH, reason="moratorium")
NO_DEATH = ReleaseBorrower(reason="death", now=LATER)
NO_MORATORIUM = ReleaseBorrower(reason="moratorium", now=LATER)
HELD = PauseClaim(reason="death", until_on=None, now=NOW)
RESUMED = ResumeClaim(reason="released", now=LATER)

decider = make_claim_decider(load_policies(), CALENDAR, lambda _day: True)
given = DeciderSpec(decider).given


def lived(*commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def wake_on(day: date) -> WakeUp:
    return WakeUp(now=CALENDAR.start_of(day))


NOT_OBEYED = (DEMAND, TAKE, JUDGE, wake_on(date(2026, 4, 27)))


def test_it_is_noted_once_before_any_referral_and_so_is_its_end() -> None:
    held = BorrowerHeld(case_id=CASE, loan_key=LOAN, reason="death")
    given().when(DEATH).then(held)
    given(held).when(DEATH).then_nothing_happens()
    given(held).when(NO_DEATH).then(BorrowerReleased(case_id=CASE, loan_key=LOAN, reason="death"))
    given().when(NO_DEATH).then_nothing_happens()
    given(held).when(NO_MORATORIUM).then_nothing_happens()


@pytest.mark.parametrize(
    "before", [(DEATH, DEMAND, TAKE), (TAKE, DEATH, DEMAND)], ids=["known before", "told later"]
)
def test_nothing_is_filed_before_the_release(before: tuple[ClaimCommand, ...]) -> None:
    refused = lived(*before)[-1]
    assert isinstance(refused, FilingRefused)
    assert refused.missing == ("not_held",)
    assert isinstance(lived(*before, NO_DEATH)[-1], ClaimFiled)


def test_nothing_is_applied_for_before_the_release() -> None:
    history = lived(*NOT_OBEYED, DEATH)
    given(*history).when(wake_on(date(2026, 4, 28))).then_nothing_happens()
    apply = ApplyForEnforcement(staff_id=LAWYER, now=LATER)
    given(*history).when(apply).then_refused("case_is_held")
    released = lived(*NOT_OBEYED, DEATH, NO_DEATH)
    assert given(*released).is_due(LATER) == LATER + timedelta(microseconds=1)
    (applied,) = decider.decide(WakeUp(now=LATER), decider.fold(released))
    assert isinstance(applied, EnforcementApplied)


@pytest.mark.parametrize(
    ("holds", "ends"),
    [
        ((DEATH, MORATORIUM), (NO_DEATH, NO_MORATORIUM)),
        ((DEATH, MORATORIUM), (NO_MORATORIUM, NO_DEATH)),
        ((HELD, DEATH), (RESUMED, NO_DEATH)),
        ((HELD, DEATH), (NO_DEATH, RESUMED)),
    ],
)
def test_it_is_filed_when_the_last_hold_is_over(
    holds: tuple[ClaimCommand, ...], ends: tuple[ClaimCommand, ...]
) -> None:
    first, last = ends
    held = (TAKE, *holds, DEMAND)
    (noted,) = decider.decide(first, decider.fold(lived(*held)))
    assert isinstance(noted, BorrowerReleased | ClaimResumed)
    assert isinstance(lived(*held, first, last)[-1], ClaimFiled)


def test_it_outlasts_a_suit_that_came_to_nothing() -> None:
    withdrawn = EndSuit(result="withdrawn", reason="papers", staff_id=LAWYER, now=NOW)
    again = replace(TAKE, referral=7)
    refused = lived(DEMAND, TAKE, DEATH, withdrawn, again)[-1]
    assert isinstance(refused, FilingRefused)
    assert refused.missing == ("not_held",)
