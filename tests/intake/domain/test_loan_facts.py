"""The bank's facts on a loan: contradictions, and episodes from the first day to the cure."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.intake.domain.facts import OverdueFact
from arrears.intake.domain.loan.events import (
    CaseAssessed,
    CaseClosed,
    CaseOpened,
    LoanBorrowerChanged,
    LoanCuredRecorded,
    LoanOverdueRecorded,
    RepaymentRecorded,
)
from arrears.intake.domain.loan.state import Loan
from arrears.intake.testing.loan import (
    DAY,
    DECIDER,
    LOAN,
    NOW,
    Said,
    after,
    cured,
    evening,
    overdue,
    repayment,
    says,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, case_id

FIRST, SECOND = (case_id("bank", LOAN, episode) for episode in (1, 2))
"""18:00 in the bank's zone, so 23:59 of the same day is still to come."""


NEXT_WEEK, NEXT_MONTH = DAY + timedelta(days=7), DAY + timedelta(days=31)
UNKNOWN = DECIDER.initial
OPEN = after(overdue())
CURED = after(overdue(), cured(NEXT_WEEK))

# --- Contradictions

CONTRADICTIONS: list[tuple[Loan, Said, str, str]] = [
    (UNKNOWN, overdue(overdue_minor=0), "past_due_and_nothing_owed", "data.overdue.total"),
    (UNKNOWN, overdue(balance_minor=0), "past_due_and_nothing_owed", "data.outstanding_balance"),
    (UNKNOWN, overdue(overdue_minor=-1), "amount_negative", "data.overdue.total"),
    (UNKNOWN, overdue(balance_minor=-1), "amount_negative", "data.outstanding_balance"),
    (UNKNOWN, overdue(interest_minor=-1), "amount_negative", "data.overdue"),
    (
        UNKNOWN,
        overdue(days_past_due=41),
        "days_past_due_not_as_of_minus_due",
        "data.days_past_due",
    ),
    (UNKNOWN, overdue(due_on=DAY), "days_past_due_not_as_of_minus_due", "data.days_past_due"),
    (UNKNOWN, overdue(days=0), "overdue_without_days_past_due", "data.days_past_due"),
    (UNKNOWN, overdue(days=-3), "overdue_without_days_past_due", "data.days_past_due"),
    (UNKNOWN, overdue(currency="XYZ"), "unknown_currency", "data.currency"),
    (OPEN, overdue(NEXT_WEEK, currency="TWD"), "currency_other_than_the_loans", "data.currency"),
    (OPEN, repayment(currency="TWD"), "currency_other_than_the_loans", "data.currency"),
    (OPEN, cured(currency="TWD"), "currency_other_than_the_loans", "data.currency"),
    (CURED, overdue(NEXT_MONTH, currency="TWD"), "currency_other_than_the_loans", "data.currency"),
    (
        after(repayment(currency="TWD"), overdue()),
        repayment(NEXT_WEEK, currency="TWD"),
        "currency_other_than_the_loans",
        "data.currency",
    ),
    (UNKNOWN, repayment(currency="XYZ"), "unknown_currency", "data.currency"),
    (
        OPEN,
        repayment(value_on=DAY + timedelta(days=2)),
        "value_date_after_the_fact",
        "data.value_date",
    ),
    (
        UNKNOWN,
        repayment(value_on=date(2199, 3, 4)),
        "value_date_after_the_fact",
        "data.value_date",
    ),
    (UNKNOWN, overdue(principal_minor=100_001), "split_does_not_add_up", "data.overdue"),
    (
        UNKNOWN,
        overdue(principal_minor=90_000, interest_minor=9_000, fees_minor=999),
        "split_does_not_add_up",
        "data.overdue",
    ),
    (OPEN, cured(NEXT_WEEK, days_past_due=1), "cured_with_days_past_due", "data.days_past_due"),
    (OPEN, repayment(amount_minor=-1), "amount_negative", "data.amount"),
    (OPEN, repayment(amount_minor=0), "amount_zero", "data.amount"),
    (
        after(overdue(), repayment(amount_minor=1_000)),
        repayment(amount_minor=1_001),
        "repayment_id_seen_with_other_amount",
        "data.amount",
    ),
    (
        UNKNOWN,
        overdue(DAY + timedelta(days=2), stated_at=evening(DAY)),
        "as_of_after_the_fact",
        "data.as_of_date",
    ),
    (
        OPEN,
        cured(DAY + timedelta(days=2), stated_at=evening(DAY)),
        "as_of_after_the_fact",
        "data.as_of_date",
    ),
    (
        UNKNOWN,
        overdue(stated_at=datetime(2026, 2, 28, 15, 59, tzinfo=UTC)),
        "as_of_after_the_fact",
        "data.as_of_date",
    ),
]


@pytest.mark.parametrize(("loan", "fact", "reason", "field"), CONTRADICTIONS)
def test_a_contradiction_is_refused_with_field_and_rule(
    loan: Loan, fact: Said, reason: str, field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        says(loan, fact)
    assert (refusal.value.reason, refusal.value.field) == (reason, field)


@pytest.mark.parametrize(
    "fact",
    [
        overdue(DAY + timedelta(days=1), stated_at=evening(DAY)),
        overdue(stated_at=datetime(2026, 2, 28, 16, 0, tzinfo=UTC)),
        overdue(days=1),
        overdue(principal_minor=60_000),
        overdue(principal_minor=90_000, interest_minor=9_000, fees_minor=1_000),
        overdue(overdue_minor=1, balance_minor=1),
        overdue(overdue_minor=900_001),
    ],
    ids=["a day ahead", "a day ahead in the bank's zone", "one day", "part", "split", "1", "more"],
)
def test_what_only_looks_odd_is_accepted(fact: OverdueFact) -> None:
    assert isinstance(says(UNKNOWN, fact)[0], LoanOverdueRecorded)


def test_money_a_day_ahead_is_accepted() -> None:
    (recorded,) = says(OPEN, repayment(value_on=DAY + timedelta(days=1)))
    assert isinstance(recorded, RepaymentRecorded)


@pytest.mark.parametrize("before", [repayment(currency="TWD"), cured(currency="TWD")])
def test_the_first_overdue_fact_fixes_the_currency_and_nothing_before_it(before: Said) -> None:
    loan = after(before, overdue(NEXT_WEEK))
    assert (loan.currency, loan.episode) == ("CNY", 1)


# --- Episodes


class TestEpisodes:
    def test_the_first_overdue_fact_opens_and_assesses_a_case(self) -> None:
        recorded, opened, assessed = says(UNKNOWN, overdue(product="credit_card"))
        assert recorded == LoanOverdueRecorded(
            case_id=FIRST,
            loan_key=LOAN,
            episode=1,
            borrower_id=BorrowerId("person-1"),
            fact_id="overdue-2026-03-02",
            as_of_on=DAY,
            days_past_due=40,
            due_on=date(2026, 1, 21),
            overdue_minor=100_000,
            principal_minor=None,
            interest_minor=None,
            fees_minor=None,
            balance_minor=900_000,
            currency="CNY",
            product="credit_card",
            bucket="M2",
            stated_at=NOW,
            late=False,
            outdated=False,
            review_on=DAY,
        )
        assert opened == CaseOpened(
            case_id=FIRST,
            loan_key=LOAN,
            episode=1,
            borrower_id=BorrowerId("person-1"),
            opened_on=DAY,
            as_of_on=DAY,
            first_time=True,
            currency="CNY",
            product="credit_card",
        )
        assert isinstance(assessed, CaseAssessed)
        assert (assessed.bucket, assessed.five_tier_class) == ("M2", "special_mention")
        assert (assessed.risk, assessed.reasons) == ("low", ("dpd_30",))
        assert (assessed.policy_id, assessed.policy_version) == ("cn-default", 1)

    def test_the_same_fact_twice_counts_once(self) -> None:
        assert says(OPEN, overdue()) == []
        assert says(CURED, cured(NEXT_WEEK)) == []

    def test_a_second_fact_replaces_the_figures_in_the_same_case(self) -> None:
        (recorded,) = says(OPEN, overdue(NEXT_WEEK, days=47))
        assert isinstance(recorded, LoanOverdueRecorded)
        assert (recorded.case_id, recorded.episode) == (FIRST, 1)
        loan = DECIDER.evolve(OPEN, recorded)
        assert loan.latest is recorded

    def test_fewer_days_past_due_without_a_cure_are_normal(self) -> None:
        recorded, assessed = says(OPEN, overdue(NEXT_WEEK, days=10))
        assert isinstance(recorded, LoanOverdueRecorded)
        assert recorded.episode == 1
        assert isinstance(assessed, CaseAssessed)
        assert assessed.bucket == "M1"

    def test_a_worse_class_is_told_also_where_bucket_and_risk_stay(self) -> None:
        loan = after(overdue(days=270, product="loan"))
        told = overdue(DAY + timedelta(days=1), days=271, product="loan")
        _, assessed = says(loan, told)
        assert isinstance(assessed, CaseAssessed)
        assert (assessed.bucket, assessed.five_tier_class) == ("M7", "doubtful")

    def test_only_the_banks_cure_ends_the_episode(self) -> None:
        recorded, closed = says(OPEN, cured(NEXT_WEEK))
        assert recorded == LoanCuredRecorded(
            loan_key=LOAN,
            case_id=FIRST,
            fact_id="cured-2026-03-09",
            as_of_on=NEXT_WEEK,
            reason="paid_up",
            currency="CNY",
            stated_at=evening(NEXT_WEEK),
            late=False,
            outdated=False,
        )
        assert closed == CaseClosed(
            case_id=FIRST,
            loan_key=LOAN,
            reason="cured",
            closed_at=evening(NEXT_WEEK),
            closed_on=NEXT_WEEK,
        )

    def test_the_next_overdue_fact_after_a_cure_opens_the_next_episode(self) -> None:
        recorded, opened, assessed = says(CURED, overdue(NEXT_MONTH, days=3))
        assert isinstance(recorded, LoanOverdueRecorded)
        assert (recorded.case_id, recorded.episode) == (SECOND, 2)
        assert isinstance(opened, CaseOpened)
        assert (opened.case_id, opened.first_time) == (SECOND, False)
        assert isinstance(assessed, CaseAssessed)
        assert assessed.reasons == ("repeated_arrears",)

    def test_a_cure_without_a_case_leaves_one_event(self) -> None:
        (recorded,) = says(UNKNOWN, cured())
        assert isinstance(recorded, LoanCuredRecorded)
        assert recorded.case_id is None

    @pytest.mark.parametrize("reason", ["uncollectible", "settled"])
    def test_a_case_given_up_records_further_facts_in_the_same_episode(self, reason: str) -> None:
        given_up = DECIDER.evolve(OPEN, replace(_given_up(), reason=reason))
        (recorded,) = says(given_up, overdue(NEXT_WEEK, days=147))
        assert isinstance(recorded, LoanOverdueRecorded)
        assert (recorded.case_id, recorded.episode) == (FIRST, 1)
        paid = says(given_up, repayment(NEXT_WEEK))[0]
        assert isinstance(paid, RepaymentRecorded)
        assert paid.case_id == FIRST

    def test_a_cure_of_a_case_given_up_ends_the_episode_and_closes_nothing_again(self) -> None:
        given_up = DECIDER.evolve(OPEN, _given_up())
        (recorded,) = says(given_up, cured(NEXT_WEEK))
        assert isinstance(recorded, LoanCuredRecorded)
        reopened = says(DECIDER.evolve(given_up, recorded), overdue(NEXT_MONTH))
        assert isinstance(reopened[1], CaseOpened)
        assert reopened[1].episode == 2

    def test_another_borrower_is_an_event_and_the_stream_stays(self) -> None:
        events = says(OPEN, overdue(NEXT_WEEK, days=47, borrower_id=BorrowerId("person-2")))
        changed = LoanBorrowerChanged(
            loan_key=LOAN,
            case_id=FIRST,
            was=BorrowerId("person-1"),
            now_is=BorrowerId("person-2"),
        )
        assert events[1] == changed
        assert DECIDER.evolve(DECIDER.evolve(OPEN, events[0]), changed).borrower_id == "person-2"

    def test_a_fact_without_a_borrower_keeps_the_known_one(self) -> None:
        recorded = says(OPEN, overdue(NEXT_WEEK, borrower_id=None))[0]
        assert isinstance(recorded, LoanOverdueRecorded)
        assert recorded.borrower_id == "person-1"


def _given_up() -> CaseClosed:
    return CaseClosed(
        case_id=FIRST,
        loan_key=LOAN,
        reason="uncollectible",
        closed_at=evening(DAY),
        closed_on=DAY,
    )
