"""A case that intake takes back: the test names are the rule book."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ApproveFiling,
    ClaimCommand,
    CloseEnforcement,
    EnterJudgment,
    NoteDemand,
    NotePromise,
    NoteRepayment,
    PauseClaim,
    RegisterClaim,
    ResumeClaim,
    ReturnClaim,
    TakeClaim,
    WakeUp,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import (
    ClaimEvent,
    ClaimResumed,
    ClaimReturned,
    ClaimTaken,
    DemandNoted,
    FilingRefused,
    LimitationAlarmRaised,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.suit_events import ClaimFiled
from arrears.legal.domain.policy import FilingRule, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

CALENDAR = BankCalendar("Asia/Shanghai")
CASE = CaseId("case-1")
LOAN = LoanKey("loan-1@/core-banking/test")
LAWYER = StaffId("lawyer-3")
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=10)

DEMAND = NoteDemand(
    case_id=CASE,
    loan_key=LOAN,
    total_minor=3_700_000,
    currency="CNY",
    delivered_at=NOW + timedelta(days=5),
    now=NOW + timedelta(days=5),
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
AGAIN = replace(TAKE, referral=7, now=LATER)
RETURN = ReturnClaim(result="taken_back", now=NOW + timedelta(days=1))
RETURNED = ClaimReturned(case_id=CASE, loan_key=LOAN, result="taken_back")
PROMISE = NotePromise(
    case_id=CASE,
    loan_key=LOAN,
    promise_id="p1",
    amount_minor=5_000,
    currency="CNY",
    now=NOW + timedelta(days=5),
)
REGISTER = RegisterClaim(docket="d-1", gateway="sandbox", now=LATER)
JUDGE = EnterJudgment(
    awarded_minor=3_800_000, currency="CNY", obey_by_on=date(2026, 4, 25), now=LATER
)
NOT_OBEYED = WakeUp(now=CALENDAR.start_of(date(2026, 4, 26)))
APPLY = WakeUp(now=CALENDAR.start_of(date(2026, 4, 27)))
PAY = NoteRepayment(
    case_id=CASE,
    loan_key=LOAN,
    repayment_id="pay-1",
    amount_minor=3_800_000,
    currency="CNY",
    value_on=date(2026, 4, 20),
    now=LATER,
)
SUED = (TAKE, DEMAND)


def every_day(_day: date) -> bool:
    return True


policy = load_policies().on(NOW.date())
PROMPT = replace(
    policy,
    filing=FilingRule(approval_from_minor=None),
    enforcement=replace(policy.enforcement, booking_days_max=0),
)
"""Without days to pay and to book, which have tables of their own: time to pay, booking."""
decider = make_claim_decider(PolicyBook([PROMPT]), CALENDAR, every_day)
given = DeciderSpec(decider).given


def lived(*commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    """The history that these commands leave behind."""
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def kinds(command: ClaimCommand, *history: ClaimCommand) -> list[type[ClaimEvent]]:
    return [type(event) for event in decider.decide(command, decider.fold(lived(*history)))]


class TestBeforeFiling:
    def test_a_refused_claim_is_returned_once(self) -> None:
        given(*lived(TAKE)).when(RETURN).then(RETURNED)
        given(*lived(TAKE, RETURN)).when(RETURN).then_nothing_happens()

    def test_what_was_missing_may_come_and_nothing_is_filed(self) -> None:
        assert kinds(DEMAND, TAKE, RETURN) == [DemandNoted]

    def test_a_held_claim_is_returned_and_its_release_files_nothing(self) -> None:
        held = PauseClaim(reason="hardship", until_on=None, now=NOW)
        released = ResumeClaim(reason="over", now=LATER)
        assert kinds(released, TAKE, held, DEMAND, RETURN) == [ClaimResumed]

    def test_a_new_referral_files_what_lacks_nothing(self) -> None:
        assert kinds(AGAIN, TAKE, RETURN, DEMAND) == [ClaimTaken, ClaimFiled]

    def test_a_new_referral_names_again_what_is_missing(self) -> None:
        assert kinds(AGAIN, TAKE, RETURN) == [ClaimTaken, FilingRefused]

    def test_nobody_approves_it(self) -> None:
        approve = ApproveFiling(staff_id=LAWYER, now=LATER)
        given(*lived(TAKE, RETURN)).when(approve).then_refused("claim_returned")

    def test_limitation_is_interrupted_as_before(self) -> None:
        assert kinds(PROMISE, TAKE, RETURN) == [LimitationInterrupted]
        taken = lived(TAKE, RETURN, PROMISE, AGAIN)[-2]
        assert isinstance(taken, ClaimTaken)
        assert taken.limitation_expires_on == date(2029, 3, 7)

    def test_its_alarms_go_on_and_end_with_the_period(self) -> None:
        history = lived(replace(TAKE, due_on=date(2023, 10, 10)), RETURN)
        raised, at = [], RETURN.now
        while (due := decider.due(decider.fold(history), at)) is not None:
            (alarm,) = decider.decide(WakeUp(now=due), decider.fold(history))
            assert isinstance(alarm, LimitationAlarmRaised)
            raised.append((CALENDAR.day_of(due), alarm.days_left, alarm.missing))
            history, at = (*history, alarm), due
        assert raised == [
            (date(2026, 4, 13), 180, ()),
            (date(2026, 7, 12), 90, ()),
            (date(2026, 9, 10), 30, ()),
        ]


class TestAfterFiling:
    @pytest.mark.parametrize(
        "history", [SUED, (*SUED, REGISTER), (*SUED, JUDGE), (*SUED, JUDGE, NOT_OBEYED, APPLY)]
    )
    def test_it_is_noted_once_and_the_court_goes_on(
        self, history: tuple[ClaimCommand, ...]
    ) -> None:
        phase = decider.fold(lived(*history)).phase
        given(*lived(*history)).when(RETURN).then(RETURNED)
        returned = lived(*history, RETURN)
        assert decider.fold(returned).phase is phase
        given(*returned).when(RETURN).then_nothing_happens()

    def test_enforcement_follows_as_before(self) -> None:
        after = lived(*SUED, JUDGE, RETURN, NOT_OBEYED, APPLY)
        assert [type(event).__name__ for event in after[-2:]] == [
            "JudgmentNotObeyed",
            "EnforcementApplied",
        ]

    @pytest.mark.parametrize(
        ("result", "history"),
        [
            ("obeyed", (*SUED, JUDGE, PAY)),
            ("no_assets", (*SUED, JUDGE, NOT_OBEYED, APPLY, CloseEnforcement(now=LATER))),
        ],
    )
    def test_an_echo_of_what_legal_itself_reported_changes_nothing(
        self, result: str, history: tuple[ClaimCommand, ...]
    ) -> None:
        given(*lived(*history)).when(replace(RETURN, result=result)).then_nothing_happens()


def test_a_case_that_legal_never_had_is_not_returned() -> None:
    given(*lived(PROMISE)).when(RETURN).then_nothing_happens()
