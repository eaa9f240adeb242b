"""Where the bank names another borrower, the former one is contacted about the loan no more."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    EndContact,
    NameDebtor,
    NoteOutcome,
    RecordHardship,
    RecordPromise,
    RecordRefusal,
    ResumeContact,
    StartTreatment,
    StopContact,
    WakeUp,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider, make_objection
from arrears.contact.domain.borrower.events import (
    AttemptDenied,
    AttemptPermitted,
    BorrowerEvent,
    ContactPointsRecorded,
    ContactResumed,
    ContactStopped,
    HardshipReported,
    RefusalReported,
    TreatmentCompleted,
)
from arrears.contact.domain.borrower.promise_events import PromiseMade
from arrears.contact.domain.values import ContactPoint, Said
from arrears.contact.testing.conduct import check
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 3, 2, 23, 59, tzinfo=SHANGHAI).astimezone(UTC)
SOON = EVENING + timedelta(days=10)
FORMER, NEW, THIRD = (BorrowerId(f"borrower-{number}") for number in (1, 2, 3))
CASE, NEXT, OTHER = CaseId("case-1"), CaseId("case-2"), CaseId("case-other")
LOAN, OTHER_LOAN = LoanKey("loan-1@/bank"), LoanKey("loan-2@/bank")
STAFF = StaffId("collector-7")
POLICIES = load_policies()

decider = make_borrower_decider(POLICIES, "Asia/Shanghai")
objection = make_objection(POLICIES, "Asia/Shanghai")
given = DeciderSpec(decider).given

PROFILE = ContactPointsRecorded(
    borrower_id=FORMER,
    points=(ContactPoint(kind="phone", sealed="p"), ContactPoint(kind="address", sealed="a")),
    zone="Asia/Shanghai",
    language="zh",
    origin="bank",
    recorded_at=EVENING,
)


def refer(case_id: CaseId = CASE, referral: int = 1, now: datetime = EVENING) -> StartTreatment:
    return StartTreatment(
        case_id=case_id,
        loan_key=OTHER_LOAN if case_id == OTHER else LOAN,
        borrower_id=FORMER,
        referral=referral,
        treatment="call",
        overdue_minor=50_000,
        currency="CNY",
        days_past_due=31,
        product="loan",
        now=now,
    )


def names(
    debtor_id: BorrowerId, case_id: CaseId | None = CASE, now: datetime = EVENING
) -> NameDebtor:
    return NameDebtor(
        borrower_id=FORMER,
        debtor_id=debtor_id,
        loan_key=LOAN,
        case_id=case_id,
        said_at=now,
        now=now,
    )


def life(
    *commands: BorrowerCommand, history: Sequence[BorrowerEvent] = (PROFILE,)
) -> list[BorrowerEvent]:
    events = list(history)
    for command in commands:
        events.extend(decider.decide(command, decider.fold(events)))
    return events


def until(end: datetime, events: Sequence[BorrowerEvent]) -> list[BorrowerEvent]:
    """The history, and what the timers bring before `end`."""
    lived, now = list(events), EVENING
    while (due := decider.due(decider.fold(lived), now)) is not None and due < end:
        now = due
        lived = life(WakeUp(now=now), history=lived)
    assert check(lived, POLICIES).findings == ()
    return lived


def permitted(events: Sequence[BorrowerEvent]) -> set[CaseId]:
    return {event.case_id for event in events if isinstance(event, AttemptPermitted)}


CLOSED = EndContact(case_id=CASE, reason="cured", said_at=EVENING, now=EVENING)
RESUMED = ResumeContact(
    kinds=("staff", "hardship", "hold"), scope="person", reason="by mistake", now=EVENING
)


class TestAnotherBorrower:
    def test_the_treatment_ends_and_the_other_loans_go_on(self) -> None:
        events = life(refer(), refer(OTHER), names(NEW))
        stopped, _, completed = events[-3:]
        assert isinstance(stopped, ContactStopped)
        assert (stopped.kind, stopped.scope, stopped.case_id, stopped.lifts_at) == (
            "borrower_changed",
            "case",
            CASE,
            None,
        )
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", "borrower_changed")
        assert permitted(until(SOON, events)) == {OTHER}

    @pytest.mark.parametrize("case_id", [CASE, NEXT])
    def test_what_is_referred_later_is_denied_by_that_rule_and_answered_stopped(
        self, case_id: CaseId
    ) -> None:
        """The next episode of the loan is a case of its own, of which the bank says nothing new."""
        before = life(refer(), names(NEW), CLOSED) if case_id == NEXT else life(names(NEW))
        denied, _, completed = until(SOON, life(refer(case_id, 2), history=before))[-3:]
        assert isinstance(denied, AttemptDenied)
        assert (denied.rule, denied.reason, denied.next_allowed_at) == (
            "borrower_changed",
            "the_bank_names_another_borrower",
            None,
        )
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.case_id, completed.result) == (case_id, "stopped")

    def test_a_permit_that_was_not_used_is_good_no_more(self) -> None:
        events = until(EVENING + timedelta(days=1), life(refer()))
        sent = events[-1]
        assert isinstance(sent, AttemptPermitted)
        state = decider.fold(life(names(NEW, now=sent.permitted_at), history=events))
        verdict = objection(sent, state, sent.permitted_at)
        assert verdict is not None
        assert verdict.rule == "borrower_changed"

    def test_what_is_under_way_is_waited_for_and_not_tried_again(self) -> None:
        events = until(EVENING + timedelta(days=1), life(refer()))
        sent = events[-1]
        assert isinstance(sent, AttemptPermitted)
        failed = NoteOutcome(
            attempt_id=sent.attempt_id, outcome="no_answer", said=Said(), now=sent.permitted_at
        )
        completed = life(names(NEW, now=sent.permitted_at), failed, history=events)[-1]
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", "borrower_changed")

    @pytest.mark.parametrize("again", [names(NEW), names(THIRD), names(THIRD, None), RESUMED])
    def test_nobody_but_the_bank_lifts_it_and_a_third_person_changes_nothing(
        self, again: BorrowerCommand
    ) -> None:
        given(*life(refer(), names(NEW))).when(again).then_nothing_happens()

    @pytest.mark.parametrize("word", [names(NEW), names(NEW, None)])
    def test_it_is_kept_for_a_loan_whose_case_is_closed(self, word: NameDebtor) -> None:
        events = life(refer(), CLOSED, word)
        assert decider.fold(events).cases == {}
        assert permitted(until(SOON, life(refer(NEXT), refer(OTHER), history=events))) == {OTHER}
        given(*events).when(word).then_nothing_happens()

    def test_the_same_person_named_is_no_change(self) -> None:
        given(*life(refer())).when(names(FORMER)).then_nothing_happens()


class TestNamedAgain:
    @pytest.mark.parametrize("case_id", [CASE, NEXT])
    def test_the_bank_takes_its_word_back(self, case_id: CaseId) -> None:
        before = life(refer(), names(NEW), *([CLOSED] if case_id == NEXT else []))
        events = life(names(FORMER, case_id), history=before)
        (resumed,) = events[len(before) :]
        assert isinstance(resumed, ContactResumed)
        assert (resumed.kind, resumed.case_id) == ("borrower_changed", case_id)
        given(*events).when(names(FORMER, case_id)).then_nothing_happens()
        assert permitted(until(SOON, life(refer(case_id, 2), history=events))) == {case_id}

    def test_only_what_the_bank_had_taken_away_is_taken_up(self) -> None:
        """Another loan is not spoken of."""
        before = life(refer(), names(NEW), refer(OTHER))
        events = life(names(FORMER), history=before)
        resumed = [one for one in events if isinstance(one, ContactResumed)]
        assert [one.case_id for one in resumed] == [CASE]

    def test_of_two_that_were_taken_away_the_one_that_is_named_is_taken_up(self) -> None:
        other = replace(names(NEW, OTHER), loan_key=OTHER_LOAN)
        before = life(refer(), refer(OTHER), names(NEW), other)
        events = life(names(FORMER, None), history=before)
        resumed = [one for one in events if isinstance(one, ContactResumed)]
        assert [one.case_id for one in resumed] == [CASE]
        assert decider.fold(events).left_loans == {OTHER_LOAN}


class TestWordsAboutAPerson:
    """What is said of whoever owes the loan now is not said of the person of this stream."""

    def test_a_hold_for_death_does_not_hold_the_former_borrower(self) -> None:
        death = StopContact(
            borrower_id=FORMER,
            kind="hold",
            scope="case",
            case_id=CASE,
            loan_key=LOAN,
            reason="death",
            said_at=EVENING,
            now=EVENING,
        )
        events = life(refer(), refer(OTHER), names(NEW), death)
        assert decider.fold(events).stops == ()
        assert permitted(until(SOON, events)) == {OTHER}

    def test_hardship_of_the_former_borrower_is_not_told_of_the_loan(self) -> None:
        claim = RecordHardship(
            case_id=OTHER, review_on=date(2026, 4, 1), recorded_by=STAFF, now=EVENING
        )
        events = life(refer(OTHER), names(NEW), claim, refer())
        told = [event.case_id for event in events if isinstance(event, HardshipReported)]
        assert told == [OTHER]
        assert life(claim, history=events) == events

    def test_hardship_cannot_be_recorded_on_the_loan(self) -> None:
        claim = RecordHardship(
            case_id=CASE, review_on=date(2026, 4, 1), recorded_by=STAFF, now=EVENING
        )
        given(*life(refer(), names(NEW))).when(claim).then_refused("borrower_changed")


PROMISED = RecordPromise(
    case_id=CASE,
    amount_minor=1,
    currency="CNY",
    due_on=date(2026, 3, 20),
    recorded_by=STAFF,
    now=EVENING,
)
REFUSED = RecordRefusal(case_id=CASE, recorded_by=STAFF, now=EVENING)


@pytest.mark.parametrize("said", [PROMISED, REFUSED])
def test_nothing_is_recorded_of_a_loan_that_somebody_else_owes(said: BorrowerCommand) -> None:
    given(*life(refer(), names(NEW))).when(said).then_refused("borrower_changed")
    assert life(said, history=life(refer(), names(NEW), names(FORMER)))


def test_what_the_former_borrower_says_in_a_call_that_was_under_way_is_left_unsaid() -> None:
    called = until(SOON, life(refer()))
    (permit, *_) = (event for event in called if isinstance(event, AttemptPermitted))
    under_way = called[: called.index(permit) + 1]
    for kind in ("promise", "refusal"):
        said = Said(kind=kind, due_on=date(2026, 3, 20))
        told = life(
            names(NEW, now=permit.permitted_at),
            NoteOutcome(
                attempt_id=permit.attempt_id,
                outcome="connected",
                said=said,
                now=permit.permitted_at,
            ),
            history=under_way,
        )
        assert not any(isinstance(event, PromiseMade | RefusalReported) for event in told)
