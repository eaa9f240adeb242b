"""A case that intake takes back: the test names are the rule book."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import (
    ApproveFiling,
    ClaimCommand,
    CloseEnforcement,
    PauseClaim,
    RegisterClaim,
    ResumeClaim,
    ReturnClaim,
    WakeUp,
)
from arrears.legal.domain.claim.events import (
    ClaimResumed,
    ClaimReturned,
    ClaimTaken,
    DemandNoted,
    FilingRefused,
    LimitationAlarmRaised,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.suit_events import ClaimFiled
from arrears.legal.testing.claim import (
    CALENDAR,
    CASE,
    DECIDER,
    LAWYER,
    LOAN,
    NOW,
    TAKE,
    demanded,
    judged,
    kinds,
    lived,
    pay,
    promised,
    wake_on,
)
from arrears.shared.testing.decider_spec import DeciderSpec

LATER = NOW + timedelta(days=10)
DEMAND = demanded(date(2026, 3, 7))
AGAIN = replace(TAKE, referral=7, now=LATER)
RETURN = ReturnClaim(result="taken_back", now=NOW + timedelta(days=1))
RETURNED = ClaimReturned(case_id=CASE, loan_key=LOAN, result="taken_back")
PROMISE = promised(date(2026, 3, 7))
REGISTER = RegisterClaim(docket="d-1", gateway="sandbox", now=LATER)
JUDGE = judged(now=LATER)
NOT_OBEYED, APPLY = wake_on(date(2026, 4, 26)), wake_on(date(2026, 4, 27))
PAY = pay(3_800_000, date(2026, 4, 20), now=LATER)
SUED = (TAKE, DEMAND)
given = DeciderSpec(DECIDER).given


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
        while (due := DECIDER.due(DECIDER.fold(history), at)) is not None:
            (alarm,) = DECIDER.decide(WakeUp(now=due), DECIDER.fold(history))
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
        phase = DECIDER.fold(lived(*history)).phase
        given(*lived(*history)).when(RETURN).then(RETURNED)
        returned = lived(*history, RETURN)
        assert DECIDER.fold(returned).phase is phase
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
