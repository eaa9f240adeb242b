"""A hold of the person, whatever case it was said of: no talks, and no day of an agreement ends."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    HoldBorrower,
    HoldMediation,
    MediationCommand,
    RecordRepayment,
    ReleaseBorrower,
    ResumeMediation,
    SignForBank,
    SignForBorrower,
    TakeBackMediation,
    TakeMediation,
    WakeUp,
)
from arrears.mediation.domain.mediation.decisions import make_mediation_decider
from arrears.mediation.domain.mediation.events import (
    AgreementHeld,
    AgreementReleased,
    BorrowerInvited,
    HoldEnded,
    HoldNoted,
    InstalmentMissed,
    MediationClosed,
    MediationEvent,
    MediationTaken,
)
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey
from arrears.shared.testing.decider_spec import DeciderSpec

CALENDAR = BankCalendar("Asia/Shanghai")
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=60)
PLAN = (
    Instalment(due_on=date(2026, 4, 1), amount_minor=60_000),
    Instalment(due_on=date(2026, 5, 1), amount_minor=40_000),
)
TAKE = TakeMediation(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BorrowerId("borrower-1"),
    referral=4,
    overdue_minor=100_000,
    currency="CNY",
    now=NOW,
)
IN_FORCE: tuple[MediationCommand, ...] = (
    TAKE,
    AnswerInvitation(round=1, accepted=True, instalments=PLAN, now=NOW),
    SignForBorrower(round=1, offer=1, now=NOW),
    SignForBank(round=1, offer=1, now=NOW),
)
DEATH = HoldBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=NOW)
MORATORIUM = replace(DEATH, reason="moratorium")
NO_DEATH = ReleaseBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=LATER)
NO_MORATORIUM = replace(NO_DEATH, reason="moratorium")
HELD, RESUMED = HoldMediation(now=NOW), ResumeMediation(now=LATER)

decider = make_mediation_decider(load_policies(), CALENDAR)
given = DeciderSpec(decider).given


def lived(*commands: MediationCommand) -> tuple[MediationEvent, ...]:
    events: tuple[MediationEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def said(command: MediationCommand, *before: MediationCommand) -> list[type]:
    return [type(event) for event in decider.decide(command, decider.fold(lived(*before)))]


def test_it_is_noted_once_before_any_referral_and_so_is_its_end() -> None:
    noted = HoldNoted(case_id=CASE, loan_key=LOAN, reason="death")
    given().when(DEATH).then(noted)
    given(noted).when(DEATH).then_nothing_happens()
    given(noted).when(NO_DEATH).then(HoldEnded(case_id=CASE, loan_key=LOAN, reason="death"))
    given().when(NO_DEATH).then_nothing_happens()
    given(noted).when(NO_MORATORIUM).then_nothing_happens()


class TestTalks:
    def test_who_is_held_is_not_invited_before_the_release(self) -> None:
        assert said(TAKE, DEATH) == [MediationTaken, MediationClosed]
        history = lived(DEATH, TAKE)
        closed = history[-1]
        assert isinstance(closed, MediationClosed)
        assert closed.reason == "held"
        assert given(*history).is_due(NOW) is None
        assert said(NO_DEATH, DEATH, TAKE) == [HoldEnded, MediationTaken, BorrowerInvited]

    def test_open_talks_end_and_begin_anew(self) -> None:
        assert said(DEATH, TAKE) == [HoldNoted, MediationClosed]
        assert said(NO_DEATH, TAKE, DEATH) == [HoldEnded, MediationTaken, BorrowerInvited]

    def test_a_newer_referral_waits_too_and_brings_its_figure(self) -> None:
        newer = replace(TAKE, referral=5, overdue_minor=70_000)
        assert said(newer, TAKE, DEATH) == [MediationTaken, MediationClosed]
        *_, taken, invited = lived(TAKE, DEATH, newer, NO_DEATH)
        assert isinstance(taken, MediationTaken)
        assert (taken.referral, taken.overdue_minor) == (5, 70_000)
        assert isinstance(invited, BorrowerInvited)

    def test_what_was_taken_back_meanwhile_does_not_begin_anew(self) -> None:
        back = TakeBackMediation(now=NOW)
        assert said(NO_DEATH, TAKE, DEATH, back) == [HoldEnded]
        assert said(replace(TAKE, referral=5), TAKE, DEATH, back) == [
            MediationTaken,
            MediationClosed,
        ]


class TestAgreement:
    def test_no_day_of_it_ends_before_the_release(self) -> None:
        assert said(DEATH, *IN_FORCE) == [HoldNoted, AgreementHeld]
        history = lived(*IN_FORCE, DEATH)
        assert given(*history).is_due(NOW) is None
        given(*history).when(WakeUp(now=LATER)).then_nothing_happens()
        assert said(NO_DEATH, *IN_FORCE, DEATH) == [HoldEnded, AgreementReleased]
        after = given(*lived(*IN_FORCE, DEATH, NO_DEATH))
        assert after.is_due(LATER) == CALENDAR.start_of(date(2026, 6, 6))  # 60 days after 7 April.

    def test_without_it_the_instalment_is_missed(self) -> None:
        assert InstalmentMissed in said(WakeUp(now=LATER), *IN_FORCE)

    def test_money_counts_as_ever(self) -> None:
        paid = RecordRepayment(
            repayment_id="p1",
            amount_minor=100_000,
            currency="CNY",
            value_on=date(2026, 3, 20),
            now=LATER,
        )
        events = lived(*IN_FORCE, DEATH, paid)
        assert said(NO_DEATH, *IN_FORCE, DEATH, paid) == [HoldEnded]
        assert events


@pytest.mark.parametrize("before", [(TAKE,), IN_FORCE], ids=["talks", "agreement"])
@pytest.mark.parametrize(
    ("first", "second"),
    [(DEATH, MORATORIUM), (DEATH, HELD), (HELD, DEATH)],
    ids=["two reasons", "the person, then the case", "the case, then the person"],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_all_goes_on_when_the_last_hold_is_over(
    before: tuple[MediationCommand, ...],
    first: MediationCommand,
    second: MediationCommand,
    backwards: bool,
) -> None:
    over: dict[MediationCommand, MediationCommand] = {
        DEATH: NO_DEATH,
        MORATORIUM: NO_MORATORIUM,
        HELD: RESUMED,
    }
    held = (*before, first, second)
    assert said(second, *before, first) == [HoldNoted]
    given(*lived(*held)).when(second).then_nothing_happens()
    ends = [over[first], over[second]][:: -1 if backwards else 1]
    assert said(ends[0], *held) == [HoldEnded]
    going_on = said(ends[1], *held, ends[0])
    assert going_on[-1] in (BorrowerInvited, AgreementReleased)


def test_a_hold_of_before_reasons_were_told_ends_with_the_release_of_the_case() -> None:
    held = AgreementHeld(case_id=CASE, loan_key=LOAN, round=1, held_since_on=date(2026, 4, 3))
    history = (*lived(*IN_FORCE), held)
    (released,) = decider.decide(RESUMED, decider.fold(history))
    assert isinstance(released, AgreementReleased)
