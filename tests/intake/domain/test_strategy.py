"""The ladder as a table: a case as it stands, the bank's figures, the day, and what follows."""

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from arrears.intake.adapters.policies import load_policies
from arrears.intake.domain.loan.state import Case, Done, Hold
from arrears.intake.domain.strategy import (
    Figures,
    GrantGrace,
    NextStep,
    Refer,
    WaitForWord,
    WaitUntil,
    review,
)
from arrears.shared.kernel.ids import CaseId, LoanKey

CASE_ID, LOAN = CaseId("case-1"), LoanKey("loan-1@/bank")
DAY = date(2026, 3, 20)
POLICY = load_policies().on(DAY)
HELD = (Hold("dispute", None),)


def case(*done: str, step_on: date | None = DAY, **other: Any) -> Case:
    """`done` holds treatments, each with its result behind a colon where it matters."""
    ended = tuple(
        Done(treatment, result or "reached")
        for treatment, _, result in (word.partition(":") for word in done)
    )
    new = Case(
        case_id=CASE_ID,
        episode=1,
        since_on=DAY,
        review_on=DAY,
        done=ended,
        referral=len(ended),
        step_on=step_on if ended else None,
    )
    return replace(new, **other)


def stopped(treatment: str, times: int, *done: str, **other: Any) -> Case:
    """`treatment` was stopped so many times, and these are done."""
    standing = case(*done, treatment, **other)
    return replace(standing, done=(*standing.done[:-1], Done(treatment, "stopped", times)))


def owes(
    days: int, risk: str = "low", overdue_minor: int = 500_000, currency: str = "CNY"
) -> Figures:
    return Figures(days, overdue_minor, currency, risk)


def days_ago(days: int) -> date:
    return DAY - timedelta(days=days)


REMIND, CALL, DEMAND = "contact/remind", "contact/call", "contact/demand"
VISIT, MEDIATE, SUE = "contact/visit", "mediation/mediate", "legal/sue"
LONG_AGO = days_ago(100)
TO_DEMAND = ("remind", "call", "demand")
TO_VISIT = (*TO_DEMAND, "visit")
MEDIATED = (*TO_VISIT, "mediate:failed")

SCENARIOS: list[tuple[str, Case, Figures, str]] = [
    # --- grace
    ("first arrears, low risk, few days", case(), owes(1), "grace below 5"),
    ("four days are still grace", case(), owes(4), "grace below 5"),
    ("five days are not", case(), owes(5), REMIND),
    ("no grace for a medium risk", case(), owes(4, "medium"), REMIND),
    ("no grace for a second episode", case(episode=2), owes(1), REMIND),
    ("grace is granted once", case(grace_until=5), owes(4), "waits: grace"),
    ("grace holds when the risk rises", case(grace_until=5), owes(4, "high"), "waits: grace"),
    ("grace ends with its days", case(grace_until=5), owes(5), REMIND),
    ("no grace once somebody worked on it", case(referral=1), owes(2), REMIND),
    # --- one rung after the other
    ("high days begin with the first rung", case(), owes(200, "high"), REMIND),
    ("a call needs fifteen days past due", case("remind"), owes(14), "waits: call"),
    ("and three days since the reminder", case("remind", step_on=days_ago(2)), owes(15), "in 1"),
    ("then it is made", case("remind", step_on=days_ago(3)), owes(15), CALL),
    ("a demand needs thirty", case("remind", "call", step_on=LONG_AGO), owes(29), "waits: demand"),
    ("and three days", case("remind", "call", step_on=days_ago(0)), owes(30), "in 3"),
    ("then it goes out", case("remind", "call", step_on=days_ago(3)), owes(30), DEMAND),
    (
        "a visit needs forty-five",
        case(*TO_DEMAND, step_on=LONG_AGO),
        owes(44, "high"),
        "waits: visit",
    ),
    ("and five days", case(*TO_DEMAND, step_on=days_ago(4)), owes(45, "medium"), "in 1"),
    ("then they go", case(*TO_DEMAND, step_on=days_ago(5)), owes(45, "medium"), VISIT),
    ("nobody visits a low risk", case(*TO_DEMAND, step_on=LONG_AGO), owes(59), "waits: mediate"),
    ("who goes straight to talks", case(*TO_DEMAND, step_on=days_ago(5)), owes(60), MEDIATE),
    ("talks need sixty", case(*TO_VISIT, step_on=LONG_AGO), owes(59, "high"), "waits: mediate"),
    ("and five days", case(*TO_VISIT, step_on=days_ago(1)), owes(60, "high"), "in 4"),
    ("then they begin", case(*TO_VISIT, step_on=days_ago(5)), owes(60, "high"), MEDIATE),
    ("unreachable is an end too", case("remind:unreachable", step_on=LONG_AGO), owes(15), CALL),
    # --- rungs that were only stopped
    ("a stopped rung is taken again", stopped("remind", 1, step_on=days_ago(7)), owes(15), REMIND),
    ("after seven days", stopped("remind", 1, step_on=days_ago(6)), owes(15), "in 1"),
    ("a second time", stopped("remind", 2, step_on=LONG_AGO), owes(15), REMIND),
    ("then it counts as done", stopped("remind", 3, step_on=LONG_AGO), owes(15), CALL),
    ("and the days of the next count", stopped("remind", 3, step_on=days_ago(2)), owes(15), "in 1"),
    (
        "on a higher rung as well",
        stopped("demand", 1, "remind", "call", step_on=days_ago(7)),
        owes(60),
        DEMAND,
    ),
    (
        "not where the risk skips it by now",
        stopped("visit", 1, *TO_DEMAND, step_on=LONG_AGO),
        owes(60, "low"),
        MEDIATE,
    ),
    (
        "not below the highest one done",
        stopped("remind", 1, "demand", step_on=LONG_AGO),
        owes(60),
        MEDIATE,
    ),
    ("nor while the pause lasts", stopped("remind", 1, holds=HELD), owes(15), "waits: held"),
    # --- suits
    ("a suit needs ninety", case(*MEDIATED, step_on=LONG_AGO), owes(89, "high"), "waits: sue"),
    ("and five days", case(*MEDIATED, step_on=days_ago(4)), owes(90, "high"), "in 1"),
    ("then it is filed", case(*MEDIATED, step_on=days_ago(5)), owes(90, "high"), SUE),
    (
        "after a breach as well",
        case(*TO_VISIT, "mediate:breached", agreement="breached", step_on=days_ago(5)),
        owes(90, "high"),
        SUE,
    ),
    (
        "never without talks that came to nothing",
        case(*TO_VISIT, "mediate:taken_back", step_on=LONG_AGO),
        owes(300, "high"),
        "waits: sue",
    ),
    (
        "not for a small sum",
        case(*MEDIATED, step_on=LONG_AGO),
        owes(90, "high", 99_999),
        "waits: sue",
    ),
    ("but from the sum on", case(*MEDIATED, step_on=LONG_AGO), owes(90, "high", 100_000), SUE),
    (
        "in yen the sum is another",
        case(*MEDIATED, step_on=LONG_AGO),
        owes(90, "high", 20_000, "JPY"),
        SUE,
    ),
    (
        "after the last rung nothing",
        case(*MEDIATED, "sue:obeyed", step_on=LONG_AGO),
        owes(900, "high"),
        "waits: ladder_ended",
    ),
    # --- pauses
    ("a stage at work blocks", case("remind", awaiting=True), owes(50), "waits: stage"),
    ("a pending promise blocks", case("remind", promise_id="p"), owes(50), "waits: promise"),
    ("an agreement blocks", case(*TO_VISIT, agreement="in_force"), owes(99), "waits: agreement"),
    (
        "a kept agreement blocks what it settled",
        case(*TO_VISIT, "mediate:fulfilled", agreement="fulfilled", step_on=LONG_AGO),
        owes(99),
        "waits: agreement",
    ),
    ("a hold blocks", case(holds=HELD), owes(50), "waits: held"),
    ("a closed case is closed", case(closed="uncollectible"), owes(50), "waits: closed"),
    # --- what people did
    ("rungs jumped over are not gone back to", case("demand", step_on=LONG_AGO), owes(60), MEDIATE),
    (
        "the order of the reports does not matter",
        case("call", "remind", step_on=LONG_AGO),
        owes(30),
        DEMAND,
    ),
    ("an unknown treatment is no rung", case("serenade", step_on=LONG_AGO), owes(9), REMIND),
]


def told(step: NextStep) -> str:
    match step:
        case Refer():
            return f"{step.stage}/{step.treatment}"
        case GrantGrace():
            return f"grace below {step.until_days_past_due}"
        case WaitUntil():
            return f"in {(step.day - DAY).days}"
        case WaitForWord():
            return f"waits: {step.rule}"


@pytest.mark.parametrize(
    ("_name", "standing", "figures", "wanted"), SCENARIOS, ids=[row[0] for row in SCENARIOS]
)
def test_the_ladder(_name: str, standing: Case, figures: Figures, wanted: str) -> None:
    assert told(review(standing, figures, POLICY, DAY)) == wanted


def test_a_wait_of_days_ends_on_its_day_and_not_before() -> None:
    """What `due` promises is what the review of that day does."""
    for _, standing, figures, _ in SCENARIOS:
        step = review(standing, figures, POLICY, DAY)
        if isinstance(step, WaitUntil):
            assert isinstance(review(standing, figures, POLICY, step.day), Refer)
            eve = step.day - timedelta(days=1)
            assert review(standing, figures, POLICY, eve) == step


def test_a_repeated_rung_asks_for_the_result_of_the_rung_before_it() -> None:
    ladder = [
        replace(step, after_results=("reached",)) if step.treatment == "demand" else step
        for step in POLICY.ladder
    ]
    policy = replace(POLICY, ladder=tuple(ladder))
    again = stopped("demand", 1, "remind", "call", step_on=LONG_AGO)
    assert told(review(again, owes(60), policy, DAY)) == DEMAND


def test_a_bank_may_have_its_own_days_between_two_times() -> None:
    again = stopped("call", 1, "remind", step_on=days_ago(7))
    for days, wanted in ((1, CALL), (8, "in 1")):
        policy = replace(POLICY, stopped_again_after_days=days)
        assert told(review(again, owes(15), policy, DAY)) == wanted
    never = replace(POLICY, stopped_again_max=0)
    assert told(review(again, owes(30), never, DAY)) == DEMAND


def test_a_referral_says_why() -> None:
    stop = review(stopped("remind", 1, step_on=days_ago(9)), owes(32), POLICY, DAY)
    assert isinstance(stop, Refer)
    assert stop.reason == "32 days past due reach 1; 9 days after remind was stopped"
    step = review(case("remind", step_on=days_ago(4)), owes(32), POLICY, DAY)
    assert step == Refer(
        "contact", "call", "call", "32 days past due reach 15; 4 days after remind"
    )
