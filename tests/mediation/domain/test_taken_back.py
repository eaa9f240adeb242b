"""What intake's return of a case does to talks and agreements."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    CloseMediation,
    HoldMediation,
    MediationCommand,
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
    MediationClosed,
    MediationEvent,
    MediationTaken,
)
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

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
DECLINE = AnswerInvitation(round=1, accepted=False, now=LATER)
SIGNED = (SignForBorrower(round=1, offer=1, now=LATER), SignForBank(round=1, offer=1, now=LATER))
PAY = RecordRepayment(
    repayment_id="p1",
    amount_minor=100_000,
    currency="CNY",
    value_on=date(2026, 3, 30),
    now=LATER,
)
HELD = HoldMediation(now=LATER)
BREACHED = tuple(WakeUp(now=NOW + timedelta(days=days)) for days in (36, 50))
TAKE_BACK = TakeBackMediation(now=LATER)

decider = make_mediation_decider(load_policies(), BankCalendar("Asia/Shanghai"))
given = DeciderSpec(decider).given


def lived(*commands: MediationCommand) -> tuple[MediationEvent, ...]:
    """The history that these commands leave behind."""
    events: tuple[MediationEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


@pytest.mark.parametrize(
    "before",
    [
        (AT_NIGHT,),
        (TAKE,),
        (TAKE, WILLING),
        (TAKE, ACCEPT),
        (TAKE, ACCEPT, SIGNED[0]),
        (TAKE, HELD),
    ],
    ids=["not invited yet", "invited", "talking", "proposed", "signed by one", "held"],
)
class TestTalks:
    def test_end_without_a_failure(self, before: tuple[MediationCommand, ...]) -> None:
        ended = MediationClosed(
            case_id=CASE, loan_key=LOAN, round=1, reason="taken_back", referral=4
        )
        given(*lived(*before)).when(TAKE_BACK).then(ended)

    def test_wait_for_nothing_and_nobody_afterwards(
        self, before: tuple[MediationCommand, ...]
    ) -> None:
        history = lived(*before, TAKE_BACK)
        assert given(*history).is_due(LATER) is None
        for late in (ACCEPT, *SIGNED, HELD, ResumeMediation(now=LATER), TAKE_BACK, PAY):
            given(*history).when(late).then_nothing_happens()
        offer = RecordOffer(
            settlement_minor=100_000,
            currency="CNY",
            instalments=PLAN,
            staff_id=StaffId("mediator-7"),
            now=LATER,
        )
        given(*history).when(offer).then_refused("mediation_over")

    def test_a_later_referral_begins_another_round(
        self, before: tuple[MediationCommand, ...]
    ) -> None:
        history = lived(*before, TAKE_BACK)
        given(*history).when(replace(TAKE, now=LATER)).then_nothing_happens()
        again = decider.decide(replace(TAKE, referral=5, now=LATER), decider.fold(history))
        assert isinstance(again[0], MediationTaken)
        assert (again[0].round, again[0].referral) == (2, 5)


@pytest.mark.parametrize(
    "before",
    [
        (TAKE, DECLINE),
        (TAKE, WakeUp(now=NOW + timedelta(days=17))),
        (TAKE, ACCEPT, *SIGNED, PAY),
        (TAKE, ACCEPT, *SIGNED, *BREACHED),
        (TAKE, CloseMediation(reason="cured", now=LATER)),
    ],
    ids=["declined", "no answer", "fulfilled", "breached", "closed"],
)
def test_an_echo_of_what_mediation_said_itself_changes_nothing(
    before: tuple[MediationCommand, ...],
) -> None:
    history = lived(*before)
    assert given(*history).is_due(NOW + timedelta(days=60)) is None
    given(*history).when(TAKE_BACK).then_nothing_happens()


def test_an_agreement_in_force_stays_in_force() -> None:
    given(*lived(TAKE, ACCEPT, *SIGNED)).when(TAKE_BACK).then_nothing_happens()


def test_a_case_that_mediation_never_had_is_not_taken_back() -> None:
    given().when(TAKE_BACK).then_nothing_happens()
