"""From the filing to obedience: the test names are the rule book."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import ClaimCommand, CloseClaim, EnterJudgment, PauseClaim
from arrears.legal.domain.claim.events import ClaimWithdrawn
from arrears.legal.domain.claim.state import Phase
from arrears.legal.domain.claim.suit_events import (
    ClaimRegistered,
    JudgmentEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    PaymentNoted,
)
from arrears.legal.testing.claim import (
    CASE,
    DECIDER,
    DEMAND,
    ENFORCING,
    FILED,
    JUDGE,
    JUDGED,
    JUDGED_ON,
    LAWYER,
    LOAN,
    NOT_OBEYED,
    NOW,
    OBEY_BY,
    POLICY,
    REGISTER,
    TAKE,
    TODAY,
    VERSION,
    closed,
    derived,
    lived,
    pay,
    start_of,
    wake_on,
)
from arrears.shared.kernel.ids import StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given


class TestCourt:
    def test_registers_a_filed_claim_once(self) -> None:
        given(*lived(*FILED)).when(REGISTER).then(
            ClaimRegistered(
                case_id=CASE,
                loan_key=LOAN,
                docket="d-1",
                gateway="sandbox",
                registered_on=date(2026, 3, 4),
            )
        )
        given(*lived(*FILED, REGISTER)).when(REGISTER).then_nothing_happens()

    def test_the_docket_is_kept_where_staff_were_quicker_with_the_judgment(self) -> None:
        before = lived(*FILED, replace(JUDGE, staff_id=StaffId("li.wei")))
        (kept,) = DECIDER.decide(REGISTER, DECIDER.fold(before))
        assert isinstance(kept, ClaimRegistered)
        assert DECIDER.fold((*before, kept)).phase is Phase.JUDGED
        given(*before, kept).when(REGISTER).then_nothing_happens()

    def test_a_judgment_gives_a_day_to_obey_and_two_years_to_enforce(self) -> None:
        given(*lived(*FILED, REGISTER)).when(JUDGE).then(
            JudgmentEntered(
                case_id=CASE,
                loan_key=LOAN,
                awarded_minor=3_800_000,
                currency="CNY",
                judged_on=JUDGED_ON,
                obey_by_on=OBEY_BY,
                apply_by_on=date(2028, 4, 25),
                recorded_by=None,
                policy_id=POLICY,
                policy_version=VERSION,
                derivation=derived("24m", OBEY_BY),
            )
        )

    def test_a_second_judgment_of_the_court_changes_nothing(self) -> None:
        given(*lived(*JUDGED)).when(replace(JUDGE, awarded_minor=1)).then_nothing_happens()

    @pytest.mark.parametrize(
        ("by_hand", "reason"),
        [
            (replace(JUDGE, currency="USD"), "other_currency"),
            (replace(JUDGE, awarded_minor=0), "not_positive"),
            (replace(JUDGE, obey_by_on=TODAY - timedelta(days=1)), "before_the_filing"),
            (replace(JUDGE, obey_by_on=date.max), "too_far_ahead"),
            (replace(JUDGE, deducted_minor=-1), "less_than_nothing"),
            (replace(JUDGE, deducted_minor=1), "more_than_was_paid"),
        ],
    )
    def test_staff_are_refused_a_judgment_that_cannot_be(
        self, by_hand: EnterJudgment, reason: str
    ) -> None:
        given(*lived(*FILED)).when(replace(by_hand, staff_id=LAWYER)).then_refused(reason)

    def test_staff_are_refused_a_judgment_without_a_suit_or_beside_another(self) -> None:
        by_hand = replace(JUDGE, staff_id=LAWYER)
        given(*lived(DEMAND)).when(by_hand).then_refused("claim_not_filed")
        other = replace(by_hand, awarded_minor=1)
        given(*lived(*JUDGED)).when(other).then_refused("judgment_already_entered")
        paid = (*FILED, pay(1_000_000, date(2026, 3, 20)), JUDGE)
        less = replace(by_hand, deducted_minor=1_000_000)
        given(*lived(*paid)).when(less).then_refused("judgment_already_entered")
        given(*lived(*JUDGED)).when(by_hand).then_nothing_happens()


class TestObedience:
    def test_money_since_filing_that_reaches_the_award_obeys_at_once(self) -> None:
        early = pay(1_000_000, date(2026, 3, 20), "p1")
        given(*lived(*FILED, early, JUDGE)).when(pay(2_800_000, OBEY_BY, "p2")).then(
            payment("p2", 2_800_000, OBEY_BY, 3_800_000), obeyed(3_800_000), closed("obeyed")
        )

    def test_money_may_have_come_before_the_judgment(self) -> None:
        early = pay(3_800_000, date(2026, 3, 20))
        events = DECIDER.decide(JUDGE, DECIDER.fold(lived(*FILED, early)))
        assert tuple(events[1:]) == (obeyed(3_800_000), closed("obeyed"))

    def test_money_that_the_award_is_less_already_does_not_count_again(self) -> None:
        early = pay(2_000_000, date(2026, 3, 20), "p1")
        judge = replace(JUDGE, awarded_minor=1_800_000, deducted_minor=2_000_000, staff_id=LAWYER)
        history = lived(*FILED, early, judge)
        assert isinstance(history[-1], JudgmentEntered)
        given(*history).when(judge).then_nothing_happens()
        (unobeyed,) = DECIDER.decide(wake_on(date(2026, 4, 26)), DECIDER.fold(history))
        assert isinstance(unobeyed, JudgmentNotObeyed)
        assert (unobeyed.paid_minor, unobeyed.awarded_minor) == (0, 1_800_000)
        assert DECIDER.fold((*history, unobeyed)).unpaid_minor == 1_800_000
        given(*history).when(pay(1_800_000, OBEY_BY, "p2")).then(
            payment("p2", 1_800_000, OBEY_BY, 3_800_000),
            replace(obeyed(1_800_000), awarded_minor=1_800_000),
            closed("obeyed"),
        )

    @pytest.mark.parametrize(
        ("deducted_minor", "unpaid_minor"), [(0, 0), (500_000, 300_000), (2_000_000, 1_800_000)]
    )
    def test_what_it_is_not_less_counts(self, deducted_minor: int, unpaid_minor: int) -> None:
        early = pay(2_000_000, date(2026, 3, 20))
        judge = replace(
            JUDGE, awarded_minor=1_800_000, deducted_minor=deducted_minor, staff_id=LAWYER
        )
        before = DECIDER.fold(lived(*FILED, early))
        entered, *_obeyed = DECIDER.decide(judge, before)
        assert DECIDER.evolve(before, entered).unpaid_minor == unpaid_minor

    def test_money_of_before_the_filing_does_not_count(self) -> None:
        early = replace(pay(3_800_000, date(2026, 3, 1)), now=JUDGE.now)
        given(*lived(*JUDGED)).when(early).then_nothing_happens()

    def test_a_cent_short_on_the_last_day_is_not_obeyed(self) -> None:
        history = lived(*JUDGED, pay(3_799_999, OBEY_BY))
        assert given(*history).is_due(JUDGE.now) == start_of(date(2026, 4, 26))
        given(*history).when(wake_on(OBEY_BY)).then_nothing_happens()
        given(*history).when(wake_on(date(2026, 4, 26))).then(
            JudgmentNotObeyed(
                case_id=CASE,
                loan_key=LOAN,
                paid_minor=3_799_999,
                awarded_minor=3_800_000,
                currency="CNY",
                obey_by_on=OBEY_BY,
                apply_on=date(2026, 4, 27),
                apply_by_on=date(2028, 4, 25),
                policy_id=POLICY,
                policy_version=VERSION,
            )
        )

    def test_money_after_the_last_day_still_ends_it_before_enforcement(self) -> None:
        late = pay(3_800_000, date(2026, 4, 26), "p1")
        noted, *rest = DECIDER.decide(late, DECIDER.fold(lived(*NOT_OBEYED)))
        assert isinstance(noted, PaymentNoted)
        assert (noted.clock, noted.expires_on) == ("enforcement", date(2028, 4, 26))
        assert rest == [obeyed(3_800_000), closed("obeyed")]


class TestCloseClaim:
    CURED = CloseClaim(reason="cured", now=start_of(date(2026, 6, 1)))

    @pytest.mark.parametrize("history", [FILED, (*FILED, REGISTER), ENFORCING])
    def test_what_lies_before_the_court_is_withdrawn(
        self, history: tuple[ClaimCommand, ...]
    ) -> None:
        withdrawn = ClaimWithdrawn(case_id=CASE, loan_key=LOAN, reason="cured")
        given(*lived(*history)).when(self.CURED).then(withdrawn, closed("cured"))

    @pytest.mark.parametrize("history", [(TAKE,), JUDGED, NOT_OBEYED])
    def test_what_does_not_is_closed(self, history: tuple[ClaimCommand, ...]) -> None:
        given(*lived(*history)).when(self.CURED).then(closed("cured"))

    def test_what_legal_never_had_is_not(self) -> None:
        given(*lived(DEMAND)).when(self.CURED).then_nothing_happens()

    def test_of_a_closed_claim_nobody_waits_for_the_end_of_a_hold(self) -> None:
        held = PauseClaim(reason="hardship", until_on=date(2026, 7, 1), now=NOW)
        assert given(*lived(*FILED, held, self.CURED)).is_due(NOW) is None


# --- Short words for long events.


def payment(repayment_id: str, amount_minor: int, on: date, since_minor: int) -> PaymentNoted:
    return PaymentNoted(
        case_id=CASE,
        loan_key=LOAN,
        repayment_id=repayment_id,
        amount_minor=amount_minor,
        currency="CNY",
        value_on=on,
        since_filing_minor=since_minor,
        clock=None,
        expires_on=None,
    )


def obeyed(paid_minor: int) -> JudgmentObeyed:
    return JudgmentObeyed(
        case_id=CASE,
        loan_key=LOAN,
        paid_minor=paid_minor,
        awarded_minor=3_800_000,
        currency="CNY",
    )
