"""A hold of the person, whatever case it was said of: no talks, and no day of an agreement ends."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import (
    HoldBorrower,
    HoldMediation,
    MediationCommand,
    ReleaseBorrower,
    ResumeMediation,
    TakeBackMediation,
    WakeUp,
)
from arrears.mediation.domain.mediation.events import (
    AgreementHeld,
    AgreementReleased,
    BorrowerInvited,
    HoldEnded,
    HoldNoted,
    InstalmentMissed,
    MediationClosed,
    MediationTaken,
)
from arrears.mediation.testing.case import (
    CALENDAR,
    CASE,
    DECIDER,
    LOAN,
    NOW,
    PLAN,
    TAKE,
    agreed,
    lived,
    pay,
)
from arrears.shared.testing.decider_spec import DeciderSpec

LATER = NOW + timedelta(days=60)
IN_FORCE: tuple[MediationCommand, ...] = tuple(replace(one, now=NOW) for one in agreed(*PLAN))
"""The same day."""
DEATH = HoldBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=NOW)
MORATORIUM = replace(DEATH, reason="moratorium")
NO_DEATH = ReleaseBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=LATER)
NO_MORATORIUM = replace(NO_DEATH, reason="moratorium")
HELD, RESUMED = HoldMediation(now=NOW), ResumeMediation(now=LATER)

given = DeciderSpec(DECIDER).given


def said(command: MediationCommand, *before: MediationCommand) -> list[type]:
    return [type(event) for event in DECIDER.decide(command, DECIDER.fold(lived(*before)))]


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
        paid = pay(100_000, date(2026, 3, 20), "p1", LATER)
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
    (released,) = DECIDER.decide(RESUMED, DECIDER.fold(history))
    assert isinstance(released, AgreementReleased)
