"""Where the bank names another borrower, the former one is contacted about the loan no more."""

from datetime import date, timedelta

import pytest

from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    NameDebtor,
    RecordRefusal,
    ResumeContact,
)
from arrears.contact.domain.borrower.events import (
    AttemptDenied,
    AttemptPermitted,
    ContactResumed,
    ContactStopped,
    HardshipReported,
    RefusalReported,
    TreatmentCompleted,
)
from arrears.contact.domain.borrower.promise_events import PromiseMade
from arrears.contact.domain.values import Said
from arrears.contact.testing.borrower import (
    BORROWER,
    CASE,
    DECIDER,
    EVENING,
    LOAN,
    OTHER,
    OTHER_LOAN,
    STAFF,
    claim_hardship,
    close,
    life,
    name_debtor,
    note_outcome,
    objection,
    permitted_cases,
    promise,
    refer,
    stop_case,
    until,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given

SOON = EVENING + timedelta(days=10)
THIRD = BorrowerId("borrower-3")
NEXT = CaseId("case-of-the-next-episode")


RESUMED = ResumeContact(
    kinds=("staff", "hardship", "hold"), scope="person", reason="by mistake", now=EVENING
)


class TestAnotherBorrower:
    def test_the_treatment_ends_and_the_other_loans_go_on(self) -> None:
        events = life(refer(), refer("call", OTHER), name_debtor())
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
        assert permitted_cases(until(SOON, events)) == {OTHER}

    def test_a_loan_without_a_case_is_another_ones_as_well_behind_an_earlier_loan(self) -> None:
        events = life(refer(), name_debtor(), name_debtor(case_id=None, loan_key=OTHER_LOAN))
        assert DECIDER.fold(events).left_loans == {LOAN, OTHER_LOAN}

    @pytest.mark.parametrize("case_id", [CASE, NEXT])
    def test_what_is_referred_later_is_denied_by_that_rule_and_answered_stopped(
        self, case_id: CaseId
    ) -> None:
        """The next episode of the loan is a case of its own, of which the bank says nothing new."""
        before = life(refer(), name_debtor(), close()) if case_id == NEXT else life(name_debtor())
        denied, _, completed = until(
            SOON, life(refer("call", case_id, referral=2, loan_key=LOAN), history=before)
        )[-3:]
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
        state = DECIDER.fold(life(name_debtor(now=sent.permitted_at), history=events))
        verdict = objection(sent, state, sent.permitted_at)
        assert verdict is not None
        assert verdict.rule == "borrower_changed"

    def test_what_is_under_way_is_waited_for_and_not_tried_again(self) -> None:
        events = until(EVENING + timedelta(days=1), life(refer()))
        sent = events[-1]
        assert isinstance(sent, AttemptPermitted)
        failed = note_outcome("no_answer", sent.permitted_at, attempt_id=sent.attempt_id)
        completed = life(name_debtor(now=sent.permitted_at), failed, history=events)[-1]
        assert isinstance(completed, TreatmentCompleted)
        assert (completed.result, completed.reason) == ("stopped", "borrower_changed")

    @pytest.mark.parametrize(
        "again", [name_debtor(), name_debtor(THIRD), name_debtor(THIRD, None), RESUMED]
    )
    def test_nobody_but_the_bank_lifts_it_and_a_third_person_changes_nothing(
        self, again: BorrowerCommand
    ) -> None:
        given(*life(refer(), name_debtor())).when(again).then_nothing_happens()

    @pytest.mark.parametrize("word", [name_debtor(), name_debtor(case_id=None)])
    def test_it_is_kept_for_a_loan_whose_case_is_closed(self, word: NameDebtor) -> None:
        events = life(refer(), close(), word)
        assert DECIDER.fold(events).cases == {}
        assert permitted_cases(
            until(
                SOON, life(refer("call", NEXT, loan_key=LOAN), refer("call", OTHER), history=events)
            )
        ) == {OTHER}
        given(*events).when(word).then_nothing_happens()

    def test_the_same_person_named_is_no_change(self) -> None:
        given(*life(refer())).when(name_debtor(BORROWER)).then_nothing_happens()


class TestNamedAgain:
    @pytest.mark.parametrize("case_id", [CASE, NEXT])
    def test_the_bank_takes_its_word_back(self, case_id: CaseId) -> None:
        before = life(refer(), name_debtor(), *([close()] if case_id == NEXT else []))
        events = life(name_debtor(BORROWER, case_id), history=before)
        (resumed,) = events[len(before) :]
        assert isinstance(resumed, ContactResumed)
        assert (resumed.kind, resumed.case_id) == ("borrower_changed", case_id)
        given(*events).when(name_debtor(BORROWER, case_id)).then_nothing_happens()
        assert permitted_cases(
            until(SOON, life(refer("call", case_id, referral=2, loan_key=LOAN), history=events))
        ) == {case_id}

    def test_only_what_the_bank_had_taken_away_is_taken_up(self) -> None:
        """Another loan is not spoken of."""
        before = life(refer(), name_debtor(), refer("call", OTHER))
        events = life(name_debtor(BORROWER), history=before)
        resumed = [one for one in events if isinstance(one, ContactResumed)]
        assert [one.case_id for one in resumed] == [CASE]

    def test_of_two_that_were_taken_away_the_one_that_is_named_is_taken_up(self) -> None:
        other = name_debtor(case_id=OTHER, loan_key=OTHER_LOAN)
        before = life(refer(), refer("call", OTHER), name_debtor(), other)
        events = life(name_debtor(BORROWER, None), history=before)
        resumed = [one for one in events if isinstance(one, ContactResumed)]
        assert [one.case_id for one in resumed] == [CASE]
        assert DECIDER.fold(events).left_loans == {OTHER_LOAN}


class TestWordsAboutAPerson:
    """What is said of whoever owes the loan now is not said of the person of this stream."""

    def test_a_hold_for_death_does_not_hold_the_former_borrower(self) -> None:
        death = stop_case("hold", "death")
        events = life(refer(), refer("call", OTHER), name_debtor(), death)
        assert DECIDER.fold(events).stops == ()
        assert permitted_cases(until(SOON, events)) == {OTHER}

    def test_hardship_of_the_former_borrower_is_not_told_of_the_loan(self) -> None:
        claim = claim_hardship(case_id=OTHER)
        events = life(refer("call", OTHER), name_debtor(), claim, refer())
        told = [event.case_id for event in events if isinstance(event, HardshipReported)]
        assert told == [OTHER]
        assert life(claim, history=events) == events

    def test_hardship_cannot_be_recorded_on_the_loan(self) -> None:
        claim = claim_hardship()
        given(*life(refer(), name_debtor())).when(claim).then_refused("borrower_changed")


PROMISED = promise(amount_minor=1, due_on=date(2026, 3, 20))
REFUSED = RecordRefusal(case_id=CASE, recorded_by=STAFF, now=EVENING)


@pytest.mark.parametrize("said", [PROMISED, REFUSED])
def test_nothing_is_recorded_of_a_loan_that_somebody_else_owes(said: BorrowerCommand) -> None:
    given(*life(refer(), name_debtor())).when(said).then_refused("borrower_changed")
    assert life(said, history=life(refer(), name_debtor(), name_debtor(BORROWER)))


def test_what_the_former_borrower_says_in_a_call_that_was_under_way_is_left_unsaid() -> None:
    called = until(SOON, life(refer()))
    (permit, *_) = (event for event in called if isinstance(event, AttemptPermitted))
    under_way = called[: called.index(permit) + 1]
    for kind in ("promise", "refusal"):
        said = Said(kind=kind, due_on=date(2026, 3, 20))
        told = life(
            name_debtor(now=permit.permitted_at),
            note_outcome("connected", permit.permitted_at, said, attempt_id=permit.attempt_id),
            history=under_way,
        )
        assert not any(isinstance(event, PromiseMade | RefusalReported) for event in told)
