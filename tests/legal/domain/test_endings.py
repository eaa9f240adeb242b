"""How a claim ends without a judgment to enforce: the test names are the rule book."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ClaimCommand,
    CloseClaim,
    CloseEnforcement,
    EndSuit,
    EnterJudgment,
    NoteAgreementEnd,
    RecordSearch,
    RegisterClaim,
    ReturnClaim,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    ClaimEnded,
    ClaimEvent,
    ClaimTaken,
    ClaimWithdrawn,
    FilingRefused,
)
from arrears.legal.domain.claim.suit_events import ClaimFiled, JudgmentNotEntered
from arrears.legal.domain.policy import PolicyBook
from arrears.legal.testing.claim import (
    CALENDAR,
    CASE,
    DECIDER,
    LAWYER,
    LOAN,
    NOW,
    PROMPT,
    TODAY,
    agreed,
    at,
    demanded,
    every_day,
    judged,
    kinds,
    lived,
    pay,
    promised,
    referred,
    start_of,
    wake_on,
)
from arrears.shared.testing.decider_spec import DeciderSpec

DEMAND = demanded(TODAY, total_minor=1_000_000)
TAKE = referred(referral=1, overdue_minor=1_000_000)
LATER = NOW + timedelta(days=200)
AGAIN = replace(TAKE, referral=9, overdue_minor=300_000, due_on=date(2026, 7, 1), now=LATER)
NEW_DEMAND = replace(DEMAND, total_minor=300_000, delivered_at=LATER, now=LATER)
AGREED = agreed(last_due_on=date(2026, 3, 20))
FULFILLED = NoteAgreementEnd(result="fulfilled", now=datetime(2026, 3, 18, 2, tzinfo=UTC))
BREACHED = replace(FULFILLED, result="breached", now=datetime(2026, 3, 25, 2, tzinfo=UTC))
PAID = pay(800_000, date(2026, 3, 18), now=at(date(2026, 3, 18), 9))
PROMISED = promised(now=PAID.now)
REGISTER = RegisterClaim(docket="d-1", gateway="sandbox", filing=1, now=NOW)
JUDGE = judged(date(2026, 3, 10), TODAY, awarded_minor=1_000_000, filing=1)
DISMISS = EndSuit(result="dismissed", reason="no proof", staff_id=LAWYER, now=LATER)
CLAIMED_ON = date(2026, 3, 2)
WITHDRAW = replace(DISMISS, result="withdrawn", reason="papers")

given = DeciderSpec(DECIDER).given
FILED = (DEMAND, TAKE)
NOT_OBEYED = (*FILED, JUDGE, AGREED, wake_on(date(2026, 3, 11)))
ENFORCING = (
    *FILED,
    JUDGE,
    wake_on(date(2026, 3, 11)),
    ApplyForEnforcement(staff_id=LAWYER, now=start_of(date(2026, 3, 11))),
)


class TestSettled:
    @pytest.mark.parametrize(
        "history",
        [
            (TAKE, AGREED, DEMAND, PAID),
            (TAKE, ReturnClaim(result="referred_elsewhere", now=NOW), AGREED, DEMAND, PAID),
            (*FILED, JUDGE, AGREED, PAID),
            (*NOT_OBEYED, PAID),
        ],
    )
    def test_a_fulfilled_agreement_ends_the_claim_on_what_it_settled(
        self, history: tuple[ClaimCommand, ...]
    ) -> None:
        given(*lived(*history)).when(FULFILLED).then(fulfilled(), ended("settled"))
        after = lived(*history, FULFILLED)
        assert given(*after).is_due(FULFILLED.now) is None
        given(*after).when(wake_on(date(2026, 9, 1))).then_nothing_happens()

    @pytest.mark.parametrize(
        "history",
        [(*FILED, AGREED, PAID), (*FILED, REGISTER, AGREED, PAID), (*ENFORCING, AGREED, PAID)],
    )
    def test_what_lies_before_the_court_is_to_be_withdrawn_by_the_lawyer(
        self, history: tuple[ClaimCommand, ...]
    ) -> None:
        withdrawn = ClaimWithdrawn(case_id=CASE, loan_key=LOAN, reason="settled")
        given(*lived(*history)).when(FULFILLED).then(fulfilled(), withdrawn, ended("settled"))

    def test_a_breached_one_leaves_the_whole_rest_and_the_claim_goes_on(self) -> None:
        events = DECIDER.decide(BREACHED, DECIDER.fold(lived(TAKE, AGREED, DEMAND, PAID)))
        assert [type(event) for event in events] == [AgreementEndNoted, ClaimFiled]
        assert isinstance(events[-1], ClaimFiled)
        assert events[-1].claim_minor == 200_000

    def test_what_comes_after_it_is_another_debt_with_a_demand_of_its_own(self) -> None:
        history = (TAKE, AGREED, DEMAND, PAID, FULFILLED)
        taken, refused = DECIDER.decide(AGAIN, DECIDER.fold(lived(*history)))
        assert isinstance(taken, ClaimTaken)
        assert taken.limitation_expires_on == date(2029, 7, 1)
        assert isinstance(refused, FilingRefused)
        assert refused.missing == ("demand_delivered",)
        assert kinds(NEW_DEMAND, *history, AGAIN)[-1] is ClaimFiled

    @pytest.mark.parametrize("history", [(*FILED, JUDGE), ENFORCING])
    def test_so_is_what_comes_after_what_was_awarded_has_been_paid(
        self, history: tuple[ClaimCommand, ...]
    ) -> None:
        in_full = replace(PAID, amount_minor=1_000_000)
        over = lived(*history, in_full, CloseEnforcement(now=LATER))
        refused = DECIDER.decide(AGAIN, DECIDER.fold(over))
        assert isinstance(refused[-1], FilingRefused)
        assert refused[-1].missing == ("demand_delivered",)
        filed = DECIDER.decide(NEW_DEMAND, DECIDER.fold((*over, *refused)))
        assert any(isinstance(event, ClaimFiled) for event in filed)

    def test_one_that_is_fulfilled_before_any_referral_settles_as_well(self) -> None:
        history = (DEMAND, AGREED, PAID)
        given(*lived(*history)).when(FULFILLED).then(fulfilled())
        assert kinds(AGAIN, *history, FULFILLED) == [ClaimTaken, FilingRefused]

    @pytest.mark.parametrize(
        ("history", "follows"),
        [
            ((TAKE, AGREED, BREACHED), [AgreementEndNoted, ClaimEnded]),
            (
                (TAKE, AGREED, DEMAND, BREACHED),
                [AgreementEndNoted, ClaimWithdrawn, ClaimEnded],
            ),
            ((DEMAND, AGREED, BREACHED), [AgreementEndNoted]),
        ],
    )
    def test_one_that_was_only_said_to_be_breached_settles_too(
        self, history: tuple[ClaimCommand, ...], follows: list[type[ClaimEvent]]
    ) -> None:
        assert kinds(FULFILLED, *history) == follows
        given(*lived(*history, FULFILLED)).when(FULFILLED).then_nothing_happens()

    def test_the_closing_of_its_case_says_nothing_more(self) -> None:
        closing = CloseClaim(reason="settled", now=LATER)
        given(*lived(TAKE, AGREED, FULFILLED)).when(closing).then_nothing_happens()


class TestTheCourtSaysNo:
    def test_an_award_of_nothing_dismisses_the_claim(self) -> None:
        given(*lived(*FILED)).when(replace(JUDGE, awarded_minor=0)).then(ended("dismissed"))

    @pytest.mark.parametrize("result", ["dismissed", "not_accepted", "withdrawn"])
    def test_a_lawyer_enters_it_with_the_reason(self, result: str) -> None:
        given(*lived(*FILED)).when(replace(DISMISS, result=result)).then(
            replace(ended(result), reason="no proof", recorded_by=LAWYER)
        )

    @pytest.mark.parametrize(
        ("history", "command", "reason"),
        [
            ((DEMAND,), DISMISS, "claim_not_filed"),
            ((TAKE,), DISMISS, "claim_not_filed"),
            ((*FILED, JUDGE), DISMISS, "judgment_already_entered"),
            (ENFORCING, DISMISS, "judgment_already_entered"),
            ((*FILED, DISMISS), DISMISS, "claim_closed"),
            ((*FILED, REGISTER), replace(DISMISS, result="not_accepted"), "claim_registered"),
            (FILED, replace(DISMISS, result="lost"), "unknown_result"),
        ],
    )
    def test_is_refused_what_cannot_be(
        self, history: tuple[ClaimCommand, ...], command: EndSuit, reason: str
    ) -> None:
        given(*lived(*history)).when(command).then_refused(reason)

    def test_a_dismissed_claim_is_registered_no_more(self) -> None:
        given(*lived(*FILED, DISMISS)).when(REGISTER).then_nothing_happens()

    @pytest.mark.parametrize("result", ["not_accepted", "withdrawn"])
    def test_any_other_is_filed_again_when_it_is_referred_again(self, result: str) -> None:
        history = (*FILED, replace(DISMISS, result=result))
        _taken, filed = DECIDER.decide(AGAIN, DECIDER.fold(lived(*history)))
        assert isinstance(filed, ClaimFiled)
        assert (filed.claim_minor, filed.filing) == (300_000, 2)

    def test_the_complaint_interrupted_limitation_on_the_day_of_the_filing(self) -> None:
        old = replace(TAKE, due_on=date(2024, 5, 1))
        demanded = replace(DEMAND, delivered_at=NOW - timedelta(days=50))
        again = replace(AGAIN, due_on=old.due_on)
        taken = lived(demanded, old, WITHDRAW, again)[-2]
        assert isinstance(taken, ClaimTaken)
        assert taken.limitation_expires_on == date(2029, 3, 2)

    def test_a_shorter_period_of_a_later_policy_takes_nothing_away(self) -> None:
        until = replace(PROMPT, valid_until=NOW.date())
        shorter = replace(PROMPT.limitation, months=24)
        later = replace(
            PROMPT, version=2, valid_from=NOW.date() + timedelta(days=1), limitation=shorter
        )
        both = make_claim_decider(PolicyBook([until, later]), CALENDAR, every_day)
        taken, _ = both.decide(AGAIN, both.fold(lived(*FILED, WITHDRAW)))
        assert isinstance(taken, ClaimTaken)
        assert taken.limitation_expires_on == date(2029, 3, 2)

    @pytest.mark.parametrize("act", [PAID, PROMISED, replace(DEMAND, delivered_at=PAID.now)])
    def test_so_does_what_the_parties_did_during_the_suit(self, act: ClaimCommand) -> None:
        again = replace(AGAIN, due_on=TAKE.due_on)
        taken = lived(*FILED, act, WITHDRAW, again)[-2]
        assert isinstance(taken, ClaimTaken)
        assert taken.limitation_expires_on == date(2029, 3, 18)

    @pytest.mark.parametrize("command", [REGISTER, JUDGE])
    def test_an_answer_about_the_first_filing_does_not_reach_the_second(
        self, command: RegisterClaim | EnterJudgment
    ) -> None:
        again = lived(*FILED, WITHDRAW, AGAIN)
        given(*again).when(command).then_nothing_happens()
        assert len(DECIDER.decide(replace(command, filing=2), DECIDER.fold(again))) == 1

    @pytest.mark.parametrize(
        "command",
        [RecordSearch(found="none", filing=2, now=LATER), CloseEnforcement(filing=2, now=LATER)],
    )
    def test_nor_one_about_another_enforcement(
        self, command: RecordSearch | CloseEnforcement
    ) -> None:
        given(*lived(*ENFORCING)).when(command).then_nothing_happens()


class TestReferredAgainAfterItsEnd:
    PART = replace(PAID, amount_minor=400_000)
    CONCLUDED = CloseEnforcement(now=LATER)

    @pytest.mark.parametrize(
        ("history", "result"),
        [
            ((*FILED, DISMISS), "dismissed"),
            ((*FILED, replace(JUDGE, awarded_minor=0)), "dismissed"),
            ((*ENFORCING, CONCLUDED), "no_assets"),
            ((*ENFORCING, PART, CONCLUDED), "recovered_in_part"),
            ((*FILED, CloseClaim(reason="cured", now=LATER)), "cured"),
        ],
    )
    def test_what_is_over_is_not_sued_for_again_and_each_referral_is_told_so_once(
        self, history: tuple[ClaimCommand, ...], result: str
    ) -> None:
        for due_on in (TAKE.due_on, CLAIMED_ON):
            again = replace(AGAIN, due_on=due_on)
            given(*lived(*history)).when(again).then(replace(ended(result), referral=9))
            told = lived(*history, again)
            given(*told).when(again).then_nothing_happens()
            given(*told).when(replace(again, referral=8)).then_nothing_happens()
            given(*told).when(replace(again, referral=10)).then(replace(ended(result), referral=10))
            assert given(*told).is_due(LATER) is None

    @pytest.mark.parametrize(
        "history",
        [
            (*FILED, DISMISS),
            (*FILED, DISMISS, replace(AGAIN, referral=8, due_on=TAKE.due_on)),
            (*ENFORCING, CONCLUDED),
            (*ENFORCING, PART, CONCLUDED),
        ],
    )
    def test_what_became_due_after_what_was_claimed_is_another_debt(
        self, history: tuple[ClaimCommand, ...]
    ) -> None:
        new = replace(AGAIN, due_on=CLAIMED_ON + timedelta(days=1))
        taken, refused = DECIDER.decide(new, DECIDER.fold(lived(*history)))
        assert isinstance(taken, ClaimTaken)
        assert taken.limitation_expires_on == date(2029, 3, 3)
        assert isinstance(refused, FilingRefused)
        assert refused.missing == ("demand_delivered",)
        filed = lived(*history, new, NEW_DEMAND)[-1]
        assert isinstance(filed, ClaimFiled)
        assert (filed.claim_minor, filed.filing) == (300_000, 2)
        given(*lived(*history, new, NEW_DEMAND)).when(PAID).then_nothing_happens()

    def test_it_is_counted_from_the_day_of_the_figure_that_was_claimed(self) -> None:
        claimed = replace(TAKE, as_of_on=CLAIMED_ON - timedelta(days=3))
        new = replace(AGAIN, due_on=CLAIMED_ON)
        assert isinstance(lived(DEMAND, claimed, DISMISS, new)[-2], ClaimTaken)

    @pytest.mark.parametrize("history", [FILED, (*FILED, REGISTER), (*FILED, JUDGE), ENFORCING])
    def test_what_lies_before_the_court_answers_by_its_own_end(
        self, history: tuple[ClaimCommand, ...]
    ) -> None:
        given(*lived(*history)).when(AGAIN).then_nothing_happens()


class TestJudgmentThatDoesNotFit:
    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            (replace(JUDGE, currency="USD"), "other_currency"),
            (replace(JUDGE, awarded_minor=-1), "less_than_nothing"),
        ],
    )
    def test_the_courts_answer_is_kept_by_name_and_staff_enter_what_it_means(
        self, said: EnterJudgment, reason: str
    ) -> None:
        given(*lived(*FILED)).when(said).then(
            JudgmentNotEntered(
                case_id=CASE,
                loan_key=LOAN,
                reason=reason,
                awarded_minor=said.awarded_minor,
                currency=said.currency,
                obey_by_on=said.obey_by_on,
            )
        )
        given(*lived(*FILED, said)).when(said).then_nothing_happens()
        by_hand = replace(JUDGE, staff_id=LAWYER, filing=None)
        assert len(DECIDER.decide(by_hand, DECIDER.fold(lived(*FILED, said)))) == 1


# --- Short words for long events.


def fulfilled() -> AgreementEndNoted:
    return AgreementEndNoted(case_id=CASE, loan_key=LOAN, result="fulfilled")


def ended(result: str) -> ClaimEnded:
    return ClaimEnded(case_id=CASE, loan_key=LOAN, result=result, reason=None, recorded_by=None)
