"""A referral that is not contact's any more: taken back by intake, or gone on to another stage."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    EndContact,
    EndTreatment,
    NoteOutcome,
    RecordHardship,
    RecordPromise,
    StartTreatment,
    WakeUp,
    WithdrawAttempt,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider, make_objection
from arrears.contact.domain.borrower.events import (
    AttemptConcluded,
    AttemptDropped,
    AttemptPermitted,
    AttemptWithdrawn,
    BorrowerEvent,
    CaseNoted,
    ContactPointsRecorded,
    DemandReturned,
    HardshipReported,
    TreatmentCompleted,
)
from arrears.contact.domain.values import ContactPoint, Said
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 3, 2, 23, 59, tzinfo=SHANGHAI).astimezone(UTC)
BORROWER = BorrowerId("borrower-1")
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/bank")
OTHER, OTHER_LOAN = CaseId("case-2"), LoanKey("loan-2@/bank")
STAFF = StaffId("collector-7")
POLICIES = load_policies()

decider = make_borrower_decider(POLICIES, "Asia/Shanghai")
objection = make_objection(POLICIES, "Asia/Shanghai")
given = DeciderSpec(decider).given

PROFILE = ContactPointsRecorded(
    borrower_id=BORROWER,
    points=(ContactPoint(kind="phone", sealed="p"), ContactPoint(kind="address", sealed="a")),
    zone="Asia/Shanghai",
    language="zh",
    origin="bank",
    recorded_at=EVENING,
)
RETURNED = EndTreatment(
    case_id=CASE, loan_key=LOAN, borrower_id=BORROWER, reason="case_returned", now=EVENING
)


def refer(treatment: str, referral: int = 1) -> StartTreatment:
    return StartTreatment(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BORROWER,
        referral=referral,
        treatment=treatment,
        overdue_minor=50_000,
        currency="CNY",
        days_past_due=31,
        product="loan",
        now=EVENING,
    )


def life(
    *commands: BorrowerCommand, history: Sequence[BorrowerEvent] = (PROFILE,)
) -> list[BorrowerEvent]:
    events = list(history)
    for command in commands:
        events.extend(decider.decide(command, decider.fold(events)))
    return events


def sent(treatment: str) -> tuple[list[BorrowerEvent], AttemptPermitted]:
    events = life(refer(treatment))
    due = decider.due(decider.fold(events), EVENING)
    assert due is not None
    events = life(WakeUp(now=due), history=events)
    permitted = events[-1]
    assert isinstance(permitted, AttemptPermitted)
    return events, permitted


class TestEndTreatment:
    def test_what_was_planned_is_dropped_and_the_end_is_reported(self) -> None:
        planned = life(refer("call"))
        dropped, completed = life(RETURNED, history=planned)[len(planned) :]
        assert isinstance(dropped, AttemptDropped)
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.referral, completed.result) == (1, "stopped")
        assert completed.reason == "case_returned"
        assert decider.due(decider.fold([*planned, dropped, completed]), EVENING) is None

    def test_already_ended_is_nothing(self) -> None:
        given(*life(refer("call"), RETURNED)).when(RETURNED).then_nothing_happens()
        closed = EndContact(case_id=CASE, reason="cured", said_at=EVENING, now=EVENING)
        given(*life(refer("call"), closed)).when(RETURNED).then_nothing_happens()

    def test_what_is_under_way_is_still_recorded_and_not_tried_again(self) -> None:
        events, permitted = sent("demand")
        now = permitted.permitted_at + timedelta(days=1)
        events = life(replace(RETURNED, now=now), history=events)
        assert isinstance(events[-1], TreatmentCompleted)
        back = NoteOutcome(
            attempt_id=permitted.attempt_id, outcome="returned", said=Said(), now=now
        )
        told = life(back, history=events)[len(events) :]
        assert [type(event) for event in told] == [AttemptConcluded, DemandReturned]

    def test_a_promise_stays(self) -> None:
        promise = RecordPromise(
            case_id=CASE,
            amount_minor=10_000,
            currency="CNY",
            due_on=date(2026, 3, 9),
            recorded_by=STAFF,
            now=EVENING,
        )
        state = decider.fold(life(refer("demand"), promise, RETURNED))
        assert state.cases[CASE].promise is not None

    def test_a_new_referral_is_treated_again(self) -> None:
        state = decider.fold(life(refer("call"), RETURNED, refer("visit", 2)))
        treatment = state.cases[CASE].treatment
        assert treatment is not None
        assert treatment.treatment == "visit"


class TestNotSentYet:
    """Under the live clock the case may be taken back between the permit and the sending."""

    def test_nothing_leaves(self) -> None:
        events, permitted = sent("call")
        now = permitted.permitted_at + timedelta(minutes=1)
        events = life(replace(RETURNED, now=now), history=events)
        verdict = objection(permitted, decider.fold(events), now)
        assert verdict is not None
        assert (verdict.rule, verdict.reason) == ("permit_ended", "the_referral_is_over")
        withdraw = WithdrawAttempt(
            attempt_id=permitted.attempt_id,
            attempt_no=1,
            permitted_at=permitted.permitted_at,
            verdict=verdict,
            now=now,
        )
        (withdrawn,) = life(withdraw, history=events)[len(events) :]
        assert isinstance(withdrawn, AttemptWithdrawn)

    def test_an_attempt_of_an_earlier_referral_does_not_leave_either(self) -> None:
        events, permitted = sent("call")
        now = permitted.permitted_at
        events = life(replace(refer("visit", 2), now=now), history=events)
        verdict = objection(permitted, decider.fold(events), now)
        assert verdict is not None
        assert verdict.reason == "the_referral_is_over"


class TestShieldElsewhere:
    """A case that goes straight to another stage while the person is shielded."""

    CLAIM = RecordHardship(case_id=CASE, review_on=date(2026, 4, 1), recorded_by=STAFF, now=EVENING)
    ELSEWHERE = EndTreatment(
        case_id=OTHER,
        loan_key=OTHER_LOAN,
        borrower_id=BORROWER,
        reason="referred_to_another_stage",
        now=EVENING,
    )

    def test_it_is_reported_once(self) -> None:
        events = life(refer("call"), self.CLAIM, self.ELSEWHERE)
        reported = events[-1]
        assert isinstance(reported, HardshipReported)
        assert (reported.case_id, reported.review_on) == (OTHER, date(2026, 4, 1))
        given(*events).when(self.ELSEWHERE).then_nothing_happens()

    def test_it_is_forgotten_when_it_is_closed(self) -> None:
        closed = EndContact(case_id=OTHER, reason="cured", said_at=EVENING, now=EVENING)
        state = decider.fold(life(refer("call"), self.CLAIM, self.ELSEWHERE, closed))
        assert set(state.cases) == {CASE}
        assert state.closed == {OTHER}

    def test_a_shield_that_comes_later_is_reported_too(self) -> None:
        told = life(refer("call"), self.ELSEWHERE, self.CLAIM)
        reported = [one.case_id for one in told if isinstance(one, HardshipReported)]
        assert reported == [CASE, OTHER]


class TestCaseOfAnotherStage:
    """A case that contact never treated is noted, for what concerns the person concerns it."""

    ELSEWHERE = TestShieldElsewhere.ELSEWHERE
    NOTED = CaseNoted(
        case_id=OTHER,
        loan_key=OTHER_LOAN,
        borrower_id=BORROWER,
        reason="referred_to_another_stage",
        noted_at=EVENING,
    )

    def test_it_is_noted_once(self) -> None:
        given().when(self.ELSEWHERE).then(self.NOTED)
        given(self.NOTED).when(self.ELSEWHERE).then_nothing_happens()

    def test_one_that_was_treated_needs_no_note(self) -> None:
        told = life(refer("call"), replace(self.ELSEWHERE, case_id=CASE, loan_key=LOAN))
        assert not [one for one in told if isinstance(one, CaseNoted)]

    def test_one_that_is_closed_is_not_noted(self) -> None:
        closed = EndContact(case_id=OTHER, reason="cured", said_at=EVENING, now=EVENING)
        events = life(self.ELSEWHERE, closed)
        given(*events).when(self.ELSEWHERE).then_nothing_happens()

    def test_a_first_referral_to_contact_is_treated_as_ever(self) -> None:
        referred = replace(refer("call", 2), case_id=OTHER, loan_key=OTHER_LOAN)
        treatment = decider.fold(life(self.ELSEWHERE, referred)).cases[OTHER].treatment
        assert treatment is not None
        assert treatment.referral == 2
