"""A newer referral that finds talks open: they go on, and their end is that of the newer one."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    HoldMediation,
    MediationCommand,
    RecordDecline,
    RecordOffer,
    RecordRepayment,
    ResumeMediation,
    SignForBank,
    SignForBorrower,
    TakeBackMediation,
    TakeMediation,
    WakeUp,
)
from arrears.mediation.domain.mediation.decisions import make_mediation_decider
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    BorrowerInvited,
    InstalmentPaid,
    MediationClosed,
    MediationEvent,
    MediationFailed,
    MediationTaken,
)
from arrears.mediation.domain.mediation.state import InForce
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
LI = StaffId("li.wei")
TAKE = TakeMediation(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BorrowerId("borrower-1"),
    referral=1,
    overdue_minor=100_000,
    currency="CNY",
    now=NOW,
)
AT_NIGHT = replace(TAKE, now=NOW + timedelta(hours=12))
AGAIN = replace(TAKE, referral=3, overdue_minor=90_000, now=LATER)


def plan(amount_minor: int) -> tuple[Instalment, ...]:
    return (Instalment(due_on=date(2026, 4, 1), amount_minor=amount_minor),)


ACCEPT = AnswerInvitation(round=1, accepted=True, instalments=plan(100_000), now=LATER)
WILLING = AnswerInvitation(round=1, accepted=True, now=LATER)
OFFER = RecordOffer(
    settlement_minor=80_000,
    currency="CNY",
    instalments=plan(80_000),
    staff_id=LI,
    now=LATER,
)
SIGNED = (SignForBorrower(round=1, offer=1, now=LATER), SignForBank(round=1, offer=1, now=LATER))

decider = make_mediation_decider(load_policies(), BankCalendar("Asia/Shanghai"))
given = DeciderSpec(decider).given


def lived(*commands: MediationCommand) -> tuple[MediationEvent, ...]:
    """The history that these commands leave behind."""
    events: tuple[MediationEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def pay(amount_minor: int, name: str = "p1") -> RecordRepayment:
    return RecordRepayment(
        repayment_id=name,
        amount_minor=amount_minor,
        currency="CNY",
        value_on=date(2026, 3, 2),
        now=LATER,
    )


def taken_anew(answer_by_on: date) -> MediationTaken:
    return MediationTaken(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=TAKE.borrower_id,
        round=1,
        referral=3,
        overdue_minor=90_000,
        currency="CNY",
        taken_on=date(2026, 3, 4),
        answer_by_on=answer_by_on,
        policy_id="cn-mediation",
        policy_version=1,
    )


@pytest.mark.parametrize(
    ("before", "answer_by_on"),
    [
        ((AT_NIGHT,), date(2026, 3, 18)),
        ((TAKE,), date(2026, 3, 17)),
        ((TAKE, WILLING), date(2026, 3, 19)),
        ((TAKE, ACCEPT), date(2026, 3, 14)),
        ((TAKE, OFFER, SIGNED[0]), date(2026, 3, 14)),
    ],
    ids=["not invited yet", "invited", "talking", "proposed", "signed by one"],
)
class TestOpenTalks:
    def test_take_it_up_and_invite_nobody_again(
        self, before: tuple[MediationCommand, ...], answer_by_on: date
    ) -> None:
        given(*lived(*before)).when(AGAIN).then(taken_anew(answer_by_on))
        asked = AT_NIGHT.now
        assert given(*lived(*before, AGAIN)).is_due(asked) == given(*lived(*before)).is_due(asked)

    @pytest.mark.parametrize("referral", [1, 2, 3])
    def test_hear_it_once_and_no_older_one(
        self, before: tuple[MediationCommand, ...], answer_by_on: date, referral: int
    ) -> None:
        assert answer_by_on
        history = lived(*before, AGAIN)
        given(*history).when(replace(AGAIN, referral=referral)).then_nothing_happens()

    @pytest.mark.parametrize(
        "ending",
        [
            RecordDecline(staff_id=LI, now=LATER),
            WakeUp(now=NOW + timedelta(days=30)),
            HoldMediation(now=LATER),
            TakeBackMediation(now=LATER),
        ],
        ids=["declined", "time is over", "held", "taken back"],
    )
    def test_end_under_its_number(
        self,
        before: tuple[MediationCommand, ...],
        answer_by_on: date,
        ending: MediationCommand,
    ) -> None:
        assert answer_by_on
        invited = () if before != (AT_NIGHT,) else (WakeUp(now=LATER),)
        ended = decider.decide(ending, decider.fold(lived(*before, AGAIN, *invited)))[-1]
        assert isinstance(ended, MediationFailed | MediationClosed)
        assert ended.referral == 3


class TestItsFigure:
    def test_is_what_the_borrower_is_invited_about(self) -> None:
        history = lived(AT_NIGHT, AGAIN, WakeUp(now=LATER))
        (invited,) = (event for event in history if isinstance(event, BorrowerInvited))
        assert invited.overdue_minor == 90_000

    @pytest.mark.parametrize("before", [(TAKE, pay(10_000)), (TAKE, pay(10_000), OFFER)])
    def test_has_taken_off_what_was_heard_before_it(
        self, before: tuple[MediationCommand, ...]
    ) -> None:
        other = replace(OFFER, settlement_minor=85_000, instalments=plan(85_000))
        for after, owed_minor in (((), 90_000), ((pay(4_000, "p2"),), 86_000)):
            (proposed,) = decider.decide(other, decider.fold(lived(*before, AGAIN, *after)))
            assert isinstance(proposed, AgreementProposed)
            assert proposed.inputs.owed_minor == owed_minor

    def test_is_what_the_borrower_offers_to_pay(self) -> None:
        offers = replace(ACCEPT, instalments=plan(90_000))
        proposed = decider.decide(offers, decider.fold(lived(TAKE, pay(10_000), AGAIN)))[-1]
        assert isinstance(proposed, AgreementProposed)
        assert (proposed.settlement_minor, proposed.credited_minor) == (90_000, 0)
        assert proposed.counts_from_on == date(2026, 3, 4)

    def test_is_asked_for_after_a_hold(self) -> None:
        history = lived(TAKE, pay(10_000), AGAIN, HoldMediation(now=LATER))
        taken = decider.decide(ResumeMediation(now=LATER), decider.fold(history))[0]
        assert isinstance(taken, MediationTaken)
        assert (taken.round, taken.referral, taken.overdue_minor) == (2, 3, 90_000)


def test_what_is_proposed_may_still_be_signed_with_all_its_money() -> None:
    history = lived(TAKE, pay(10_000), ACCEPT, SIGNED[0], AGAIN, pay(4_000, "p2"), SIGNED[1])
    assert isinstance(decider.fold(history), InForce)
    (paid,) = (event for event in history if isinstance(event, InstalmentPaid))
    assert paid.amount_minor == 14_000


def test_a_payment_of_before_is_not_counted_again() -> None:
    given(*lived(TAKE, pay(10_000), AGAIN)).when(pay(10_000)).then_nothing_happens()
