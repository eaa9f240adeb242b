"""What the figure of a round has in it, and what becomes of talks about nothing."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.application.effects import Withheld, make_recheck
from arrears.mediation.domain.mediation.commands import (
    CloseMediation,
    HoldMediation,
    MediationCommand,
    RecordDecline,
    RecordRepayment,
    ResumeMediation,
    WakeUp,
    WithdrawInvitation,
)
from arrears.mediation.domain.mediation.events import (
    BorrowerInvited,
    MediationFailed,
    MediationTaken,
)
from arrears.mediation.domain.mediation.rules import Rules
from arrears.mediation.domain.mediation.state import InForce
from arrears.mediation.testing.case import (
    ACCEPT,
    ANSWERED_AT,
    AT_NIGHT,
    BOOK,
    CALENDAR,
    DECIDER,
    DECLINE,
    MEDIATOR,
    NOW,
    OFFER,
    TAKE,
    WILLING,
    both_sign,
    lived,
    offer,
    pay,
)
from arrears.mediation.testing.said import closing, noted
from arrears.shared.testing.decider_spec import DeciderSpec

HOLD, RESUME = HoldMediation(now=ANSWERED_AT), ResumeMediation(now=ANSWERED_AT + timedelta(days=9))
SIGNED = both_sign(ANSWERED_AT)
LONG_AGO = pay(25_000, date(2026, 2, 1), "p1", ANSWERED_AT)

given = DeciderSpec(DECIDER).given


class TestWhatIsHeardAfterTheFigure:
    @pytest.mark.parametrize(
        "before",
        [(TAKE,), (TAKE, WILLING), (TAKE, ACCEPT), (TAKE, OFFER), (TAKE, HOLD)],
        ids=["invited", "talking", "proposed", "proposed by the bank", "held"],
    )
    def test_counts_whatever_its_value_day(self, before: tuple[MediationCommand, ...]) -> None:
        given(*lived(*before)).when(LONG_AGO).then(noted("p1", 25_000, LONG_AGO.value_on))

    @pytest.mark.parametrize("proposal", [ACCEPT, OFFER], ids=["the borrower's", "the bank's"])
    def test_fills_instalments_whatever_its_value_day(self, proposal: MediationCommand) -> None:
        state = DECIDER.fold(lived(TAKE, proposal, *SIGNED, LONG_AGO))
        assert isinstance(state, InForce)
        assert state.paid_minor == 25_000

    def test_before_the_banks_offer_is_in_its_figure(self) -> None:
        state = DECIDER.fold(lived(TAKE, LONG_AGO, offer(75_000), *SIGNED))
        assert isinstance(state, InForce)
        assert state.paid_minor == 0

    def test_counts_once_also_in_the_round_after_a_hold(self) -> None:
        given(*lived(TAKE, LONG_AGO, HOLD, RESUME)).when(LONG_AGO).then_nothing_happens()


PAID = pay(100_000, heard_at=ANSWERED_AT)
PART = pay(99_999, heard_at=ANSWERED_AT)
DAYS_LATER = NOW + timedelta(days=40)


class TestNothingLeft:
    @pytest.mark.parametrize("paid", [PAID, pay(120_000, heard_at=ANSWERED_AT)])
    def test_talks_that_were_held_do_not_begin_anew(self, paid: RecordRepayment) -> None:
        for history in (lived(TAKE, HOLD, paid), lived(TAKE, paid, HOLD)):
            given(*history).when(RESUME).then(closing("nothing_owed"))
        assert isinstance(
            DECIDER.decide(RESUME, DECIDER.fold(lived(TAKE, HOLD, PART)))[0], MediationTaken
        )

    def test_a_referral_over_nothing_is_taken_and_ended(self) -> None:
        taken, ended = DECIDER.decide(replace(TAKE, overdue_minor=0), DECIDER.initial)
        assert isinstance(taken, MediationTaken)
        assert ended == closing("nothing_owed")

    def test_nobody_is_invited_in_the_morning(self) -> None:
        history = lived(AT_NIGHT, PAID)
        opens = DECIDER.due(DECIDER.fold(history), AT_NIGHT.now)
        assert opens is not None
        given(*history).when(WakeUp(now=opens)).then(closing("nothing_owed"))

    @pytest.mark.parametrize(
        ("before", "ending"),
        [
            ((TAKE,), WakeUp(now=DAYS_LATER)),
            ((TAKE,), DECLINE),
            ((TAKE, WILLING), WakeUp(now=DAYS_LATER)),
            ((TAKE, WILLING), RecordDecline(staff_id=MEDIATOR, now=ANSWERED_AT)),
            ((TAKE, ACCEPT), WakeUp(now=DAYS_LATER)),
            ((TAKE, ACCEPT), replace(SIGNED[0], now=DAYS_LATER)),
        ],
        ids=["no answer", "declined", "no plan", "declined to staff", "unsigned", "too late"],
    )
    def test_what_would_fail_ends_without_a_failure(
        self, before: tuple[MediationCommand, ...], ending: MediationCommand
    ) -> None:
        paid, part = lived(*before, PAID), lived(*before, PART)
        assert DECIDER.decide(ending, DECIDER.fold(paid))[-1] == closing("nothing_owed")
        assert isinstance(DECIDER.decide(ending, DECIDER.fold(part))[-1], MediationFailed)
        history = (*paid, *DECIDER.decide(ending, DECIDER.fold(paid)))
        assert given(*history).is_due(DAYS_LATER) is None

    def test_an_invitation_that_has_not_left_yet_does_not(self) -> None:
        recheck = make_recheck(Rules(policies=BOOK, calendar=CALENDAR))
        invited = next(event for event in lived(TAKE) if isinstance(event, BorrowerInvited))
        state = DECIDER.fold(lived(TAKE, PAID))
        assert recheck(invited, state, NOW, False) == Withheld(round=1)
        assert recheck(invited, DECIDER.fold(lived(TAKE, PART)), NOW, False) is None
        given(*lived(TAKE, PAID)).when(WithdrawInvitation(round=1, now=NOW)).then(
            closing("nothing_owed")
        )

    def test_a_later_referral_begins_another_round(self) -> None:
        ended = lived(TAKE, HOLD, PAID, RESUME)
        given(*ended).when(CloseMediation(reason="cured", now=DAYS_LATER)).then_nothing_happens()
        again = replace(TAKE, referral=5, overdue_minor=30_000, now=DAYS_LATER)
        taken = DECIDER.decide(again, DECIDER.fold(ended))[0]
        assert isinstance(taken, MediationTaken)
        assert (taken.round, taken.overdue_minor) == (2, 30_000)
