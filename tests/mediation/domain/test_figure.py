"""What the figure of a round has in it, and what becomes of talks about nothing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.application.effects import Withheld, make_recheck
from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    CloseMediation,
    HoldMediation,
    MediationCommand,
    RecordDecline,
    RecordOffer,
    RecordRepayment,
    ResumeMediation,
    SignForBank,
    SignForBorrower,
    TakeMediation,
    WakeUp,
    WithdrawInvitation,
)
from arrears.mediation.domain.mediation.decisions import make_mediation_decider
from arrears.mediation.domain.mediation.events import (
    BorrowerInvited,
    MediationClosed,
    MediationEvent,
    MediationFailed,
    MediationTaken,
    PaymentNoted,
)
from arrears.mediation.domain.mediation.rules import Rules
from arrears.mediation.domain.mediation.state import InForce
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

CALENDAR, BOOK = BankCalendar("Asia/Shanghai"), load_policies()
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
PLAN = (Instalment(due_on=date(2026, 4, 1), amount_minor=100_000),)
TAKE = TakeMediation(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BorrowerId("borrower-1"),
    referral=4,
    overdue_minor=100_000,
    currency="CNY",
    now=NOW,
)
AT_NIGHT = replace(TAKE, now=NOW + timedelta(hours=12))
ACCEPT = AnswerInvitation(round=1, accepted=True, instalments=PLAN, now=LATER)
WILLING = AnswerInvitation(round=1, accepted=True, now=LATER)
OFFER = RecordOffer(
    settlement_minor=100_000,
    currency="CNY",
    instalments=PLAN,
    staff_id=StaffId("mediator-7"),
    now=LATER,
)
SIGNED = (SignForBorrower(round=1, offer=1, now=LATER), SignForBank(round=1, offer=1, now=LATER))
HOLD, RESUME = HoldMediation(now=LATER), ResumeMediation(now=LATER + timedelta(days=9))

decider = make_mediation_decider(BOOK, CALENDAR)
given = DeciderSpec(decider).given


def lived(*commands: MediationCommand) -> tuple[MediationEvent, ...]:
    """The history that these commands leave behind."""
    events: tuple[MediationEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def pay(amount_minor: int, value_on: date = date(2026, 3, 2), name: str = "p1") -> RecordRepayment:
    return RecordRepayment(
        repayment_id=name, amount_minor=amount_minor, currency="CNY", value_on=value_on, now=LATER
    )


def closing(reason: str) -> MediationClosed:
    return MediationClosed(case_id=CASE, loan_key=LOAN, round=1, reason=reason, referral=4)


LONG_AGO = pay(25_000, date(2026, 2, 1))


class TestWhatIsHeardAfterTheFigure:
    @pytest.mark.parametrize(
        "before",
        [(TAKE,), (TAKE, WILLING), (TAKE, ACCEPT), (TAKE, OFFER), (TAKE, HOLD)],
        ids=["invited", "talking", "proposed", "proposed by the bank", "held"],
    )
    def test_counts_whatever_its_value_day(self, before: tuple[MediationCommand, ...]) -> None:
        given(*lived(*before)).when(LONG_AGO).then(
            PaymentNoted(
                case_id=CASE,
                loan_key=LOAN,
                round=1,
                repayment_id="p1",
                amount_minor=25_000,
                currency="CNY",
                noted_minor=25_000,
                value_on=LONG_AGO.value_on,
            )
        )

    @pytest.mark.parametrize("offer", [ACCEPT, OFFER], ids=["the borrower's", "the bank's"])
    def test_fills_instalments_whatever_its_value_day(self, offer: MediationCommand) -> None:
        state = decider.fold(lived(TAKE, offer, *SIGNED, LONG_AGO))
        assert isinstance(state, InForce)
        assert state.paid_minor == 25_000

    def test_before_the_banks_offer_is_in_its_figure(self) -> None:
        due = (replace(PLAN[0], amount_minor=75_000),)
        rest = replace(OFFER, settlement_minor=75_000, instalments=due)
        state = decider.fold(lived(TAKE, LONG_AGO, rest, *SIGNED))
        assert isinstance(state, InForce)
        assert state.paid_minor == 0

    def test_counts_once_also_in_the_round_after_a_hold(self) -> None:
        given(*lived(TAKE, LONG_AGO, HOLD, RESUME)).when(LONG_AGO).then_nothing_happens()


PAID = pay(100_000)
PART = pay(99_999)
DAYS_LATER = NOW + timedelta(days=40)
DECLINE = AnswerInvitation(round=1, accepted=False, now=LATER)


class TestNothingLeft:
    @pytest.mark.parametrize("paid", [PAID, pay(120_000)])
    def test_talks_that_were_held_do_not_begin_anew(self, paid: RecordRepayment) -> None:
        for history in (lived(TAKE, HOLD, paid), lived(TAKE, paid, HOLD)):
            given(*history).when(RESUME).then(closing("nothing_owed"))
        assert isinstance(
            decider.decide(RESUME, decider.fold(lived(TAKE, HOLD, PART)))[0], MediationTaken
        )

    def test_a_referral_over_nothing_is_taken_and_ended(self) -> None:
        taken, ended = decider.decide(replace(TAKE, overdue_minor=0), decider.initial)
        assert isinstance(taken, MediationTaken)
        assert ended == closing("nothing_owed")

    def test_nobody_is_invited_in_the_morning(self) -> None:
        history = lived(AT_NIGHT, PAID)
        opens = decider.due(decider.fold(history), AT_NIGHT.now)
        assert opens is not None
        given(*history).when(WakeUp(now=opens)).then(closing("nothing_owed"))

    @pytest.mark.parametrize(
        ("before", "ending"),
        [
            ((TAKE,), WakeUp(now=DAYS_LATER)),
            ((TAKE,), DECLINE),
            ((TAKE, WILLING), WakeUp(now=DAYS_LATER)),
            ((TAKE, WILLING), RecordDecline(staff_id=StaffId("li.wei"), now=LATER)),
            ((TAKE, ACCEPT), WakeUp(now=DAYS_LATER)),
            ((TAKE, ACCEPT), replace(SIGNED[0], now=DAYS_LATER)),
        ],
        ids=["no answer", "declined", "no plan", "declined to staff", "unsigned", "too late"],
    )
    def test_what_would_fail_ends_without_a_failure(
        self, before: tuple[MediationCommand, ...], ending: MediationCommand
    ) -> None:
        paid, part = lived(*before, PAID), lived(*before, PART)
        assert decider.decide(ending, decider.fold(paid))[-1] == closing("nothing_owed")
        assert isinstance(decider.decide(ending, decider.fold(part))[-1], MediationFailed)
        history = (*paid, *decider.decide(ending, decider.fold(paid)))
        assert given(*history).is_due(DAYS_LATER) is None

    def test_an_invitation_that_has_not_left_yet_does_not(self) -> None:
        recheck = make_recheck(Rules(policies=BOOK, calendar=CALENDAR))
        invited = next(event for event in lived(TAKE) if isinstance(event, BorrowerInvited))
        state = decider.fold(lived(TAKE, PAID))
        assert recheck(invited, state, NOW, False) == Withheld(round=1)
        assert recheck(invited, decider.fold(lived(TAKE, PART)), NOW, False) is None
        given(*lived(TAKE, PAID)).when(WithdrawInvitation(round=1, now=NOW)).then(
            closing("nothing_owed")
        )

    def test_a_later_referral_begins_another_round(self) -> None:
        ended = lived(TAKE, HOLD, PAID, RESUME)
        given(*ended).when(CloseMediation(reason="cured", now=DAYS_LATER)).then_nothing_happens()
        again = replace(TAKE, referral=5, overdue_minor=30_000, now=DAYS_LATER)
        taken = decider.decide(again, decider.fold(ended))[0]
        assert isinstance(taken, MediationTaken)
        assert (taken.round, taken.overdue_minor) == (2, 30_000)
