"""Late facts change nothing that is newer, and money goes where the law and the split send it."""

from datetime import timedelta

import pytest
from msgspec.structs import asdict, replace

from arrears.intake.domain.facts import RepaymentFact
from arrears.intake.domain.loan.events import (
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
    command,
    cured,
    evening,
    overdue,
    repayment,
    says,
)
from arrears.shared.kernel.ids import case_id

FIRST, SECOND = (case_id("bank", LOAN, episode) for episode in (1, 2))
"""18:00 in the bank's zone, so 23:59 of the same day is still to come."""


TOMORROW = DAY + timedelta(days=1)
NEXT_WEEK, NEXT_MONTH = DAY + timedelta(days=7), DAY + timedelta(days=31)
UNKNOWN = DECIDER.initial
OPEN = after(overdue())
CURED = after(overdue(), cured(NEXT_WEEK))

# --- Late and outdated facts

LATER = after(overdue(NEXT_WEEK, days=47))
OUTDATED: list[tuple[str, Loan, Said]] = [
    ("an older overdue fact", LATER, overdue()),
    (
        "the same day, stated earlier",
        LATER,
        overdue(NEXT_WEEK, days=46, fact_id="x", stated_at=evening(NEXT_WEEK) - timedelta(hours=1)),
    ),
    ("a cure older than the arrears", LATER, cured()),
    ("arrears older than the cure", CURED, overdue(DAY + timedelta(days=1), days=41)),
    ("arrears of the very instant of the cure", CURED, overdue(NEXT_WEEK, days=47)),
    ("a cure older than the cure", CURED, cured(DAY + timedelta(days=1))),
    ("arrears older than a cure that found no case", after(cured(NEXT_WEEK)), overdue()),
]


@pytest.mark.parametrize(("_name", "loan", "fact"), OUTDATED, ids=[row[0] for row in OUTDATED])
def test_an_outdated_fact_leaves_one_event_and_changes_nothing(
    _name: str, loan: Loan, fact: Said
) -> None:
    (recorded,) = says(loan, fact, now=evening(NEXT_MONTH))
    assert isinstance(recorded, LoanOverdueRecorded | LoanCuredRecorded)
    assert (recorded.late, recorded.outdated) == (True, True)
    changed = DECIDER.evolve(loan, recorded)
    assert asdict(replace(changed, last_fact_id=loan.last_fact_id)) == asdict(loan)


def test_an_outdated_fact_belongs_to_the_last_case_where_there_is_one() -> None:
    after_cure = says(CURED, overdue(DAY + timedelta(days=1), days=41))[0]
    without_case = says(after(cured(NEXT_WEEK)), overdue())[0]
    assert isinstance(after_cure, LoanOverdueRecorded)
    assert isinstance(without_case, LoanOverdueRecorded)
    assert (after_cure.case_id, after_cure.episode) == (FIRST, 1)
    assert (without_case.case_id, without_case.episode) == (None, 0)


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize(
    "fact", [overdue(NEXT_WEEK, days=47), repayment(NEXT_WEEK), cured(NEXT_WEEK)]
)
def test_a_fact_says_whether_it_came_late(fact: Said, late: bool) -> None:
    recorded = DECIDER.decide(command(fact, evening(NEXT_MONTH), late), OPEN)[0]
    assert isinstance(recorded, LoanOverdueRecorded | RepaymentRecorded | LoanCuredRecorded)
    assert recorded.late is late


def test_a_late_fact_that_is_still_the_newest_is_applied() -> None:
    recorded = DECIDER.decide(
        command(overdue(NEXT_WEEK, days=47), evening(NEXT_MONTH), True), OPEN
    )[0]
    assert isinstance(recorded, LoanOverdueRecorded)
    assert (recorded.late, recorded.outdated) == (True, False)
    assert DECIDER.evolve(OPEN, recorded).latest is recorded


DAY_AFTER = NEXT_WEEK + timedelta(days=1)
BEFORE_THE_CURE = evening(NEXT_WEEK) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("loan", "fact"),
    [
        (CURED, overdue(DAY_AFTER, days=48, stated_at=BEFORE_THE_CURE)),
        (CURED, cured(DAY_AFTER, stated_at=BEFORE_THE_CURE)),
        (LATER, overdue(DAY_AFTER, days=48, stated_at=BEFORE_THE_CURE)),
    ],
)
def test_a_later_day_is_newer_whenever_it_was_stated(loan: Loan, fact: Said) -> None:
    recorded = says(loan, fact, now=evening(NEXT_MONTH))[0]
    assert isinstance(recorded, LoanOverdueRecorded | LoanCuredRecorded)
    assert not recorded.outdated


def test_a_later_statement_about_the_same_day_replaces() -> None:
    again = overdue(days=40, fact_id="corrected", stated_at=NOW, overdue_minor=5)
    recorded = says(OPEN, again)[0]
    assert isinstance(recorded, LoanOverdueRecorded)
    assert not recorded.outdated


# --- Money

SPLIT = after(overdue(principal_minor=80_000, interest_minor=15_000, fees_minor=5_000))
KNOWN = (80_000, 15_000, 5_000)


@pytest.mark.parametrize(
    ("paid_minor", "costs", "interest", "principal", "suspense"),
    [
        (1_000, 1_000, 0, 0, 0),
        (5_000, 5_000, 0, 0, 0),
        (5_001, 5_000, 1, 0, 0),
        (20_000, 5_000, 15_000, 0, 0),
        (20_001, 5_000, 15_000, 1, 0),
        (100_000, 5_000, 15_000, 80_000, 0),
        (100_007, 5_000, 15_000, 80_000, 7),
    ],
)
def test_money_goes_to_costs_then_interest_then_principal(
    paid_minor: int, costs: int, interest: int, principal: int, suspense: int
) -> None:
    (recorded,) = says(SPLIT, repayment(TOMORROW, amount_minor=paid_minor))
    assert isinstance(recorded, RepaymentRecorded)
    assert (recorded.costs_minor, recorded.interest_minor, recorded.principal_minor) == (
        costs,
        interest,
        principal,
    )
    assert recorded.in_suspense_minor == suspense
    assert (recorded.case_id, recorded.policy_id) == (FIRST, "cn-default")
    assert recorded.policy_version == 1


def test_the_worked_example_of_article_561() -> None:
    """Pay 10,000 against costs 750, interest 1,500, principal 38,000."""
    owed = overdue(
        overdue_minor=4_025_000,
        balance_minor=4_025_000,
        fees_minor=75_000,
        interest_minor=150_000,
        principal_minor=3_800_000,
    )
    (recorded,) = says(after(owed), repayment(TOMORROW, amount_minor=1_000_000))
    assert isinstance(recorded, RepaymentRecorded)
    assert (recorded.costs_minor, recorded.interest_minor) == (75_000, 150_000)
    assert recorded.principal_minor == 775_000
    left = DECIDER.evolve(after(owed), recorded).left
    assert left is not None
    assert left.principal_minor == 3_025_000


def test_a_second_repayment_meets_what_the_first_has_left() -> None:
    first = says(SPLIT, repayment(TOMORROW, amount_minor=18_000))[0]
    later = TOMORROW + timedelta(days=1)
    (second,) = says(DECIDER.evolve(SPLIT, first), repayment(later, amount_minor=4_000))
    assert isinstance(second, RepaymentRecorded)
    assert (second.costs_minor, second.interest_minor, second.principal_minor) == (0, 2_000, 2_000)


UNALLOCATED: list[tuple[str, Loan, RepaymentFact, bool]] = [
    ("the split is not known", OPEN, repayment(), True),
    ("the split is known in part", after(overdue(principal_minor=80_000)), repayment(), True),
    (
        "its value day is older than the split",
        after(
            overdue(),
            overdue(NEXT_WEEK, principal_minor=80_000, interest_minor=20_000, fees_minor=0),
        ),
        repayment(TOMORROW),
        True,
    ),
    ("no episode has begun", UNKNOWN, repayment(), False),
    ("the episode has ended", CURED, repayment(NEXT_MONTH), False),
    ("it came before the case began", OPEN, repayment(DAY - timedelta(days=1)), False),
]


@pytest.mark.parametrize(
    ("_name", "loan", "fact", "belongs"), UNALLOCATED, ids=[row[0] for row in UNALLOCATED]
)
def test_what_cannot_be_allocated_is_in_suspense_and_said_so(
    _name: str, loan: Loan, fact: RepaymentFact, belongs: bool
) -> None:
    (recorded,) = says(loan, fact)
    assert isinstance(recorded, RepaymentRecorded)
    assert recorded.in_suspense_minor == recorded.amount_minor == 1_000
    assert recorded.costs_minor is recorded.interest_minor is recorded.principal_minor is None
    assert (recorded.policy_id, recorded.policy_version) == (None, None)
    assert recorded.case_id == (FIRST if belongs else None)


def test_a_repayment_told_twice_in_a_row_counts_once() -> None:
    paid = after(overdue(), repayment())
    assert says(paid, repayment(fact_id="told-again")) == []
