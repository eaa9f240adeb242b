"""A real portfolio, folded through the pure decider, ends with the numbers that lie beside it.

The files are read from the shared folder and never copied here; where it is not there, as on a
newcomer's machine, these tests say so and skip.
"""

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from arrears.intake.adapters.policies import load_policies
from arrears.intake.application.feed import fact_to_issue
from arrears.intake.application.projections import loan_list
from arrears.intake.domain.facts import (
    CuredFact,
    LoanFact,
    OverdueFact,
    RepaymentFact,
    read_fact,
)
from arrears.intake.domain.loan.decisions import make_loan_decider
from arrears.intake.domain.loan.events import CaseOpened, LoanEvent, LoanOverdueRecorded
from arrears.intake.domain.loan.state import Loan
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import TenantId
from arrears.shared.kernel.money import format_minor

_NEAR = Path(__file__).parents[3].parent / "shared" / "data" / "uci-taiwan"
FOLDER = Path(os.environ.get("ARREARS_UCI_FOLDER", _NEAR))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no UCI feed at {FOLDER}")

DECIDER = make_loan_decider(load_policies(), BankCalendar("Asia/Shanghai"), TenantId("bank"))
RANK: dict[type, int] = {RepaymentFact: 0, OverdueFact: 1, CuredFact: 2}


def feed(name: str) -> list[LoanFact]:
    facts: list[LoanFact] = []
    for line in gzip.decompress((FOLDER / name).read_bytes()).splitlines():
        fact = read_fact(line)
        assert isinstance(fact, OverdueFact | RepaymentFact | CuredFact)
        facts.append(fact)
    return facts


def in_order(facts: Iterable[LoanFact]) -> list[LoanFact]:
    return sorted(facts, key=lambda fact: (fact.stated_at, RANK[type(fact)], fact.fact_id))


def play(facts: Iterable[LoanFact]) -> tuple[list[LoanEvent], list[LoanFact]]:
    loans: dict[str, Loan] = {}
    events: list[LoanEvent] = []
    refused: list[LoanFact] = []
    for fact in facts:
        issue = fact_to_issue(fact, fact.stated_at, late=False)
        loan = loans.get(issue.key, DECIDER.initial)
        try:
            decided = DECIDER.decide(issue.command, loan)  # type: ignore[arg-type]
        except Refused:
            refused.append(fact)
            continue
        for event in decided:
            loan = DECIDER.evolve(loan, event)
        loans[issue.key] = loan
        events.extend(decided)
    return events, refused


def rows_of(events: Iterable[LoanEvent]) -> list[loan_list.Row]:
    rows: dict[str, loan_list.Row | None] = {}
    for event in events:
        key = loan_list.key_of(event)
        assert key is not None
        rows[key] = loan_list.evolve(rows.get(key), event)
    return [row for row in rows.values() if row is not None]


def figures(events: list[LoanEvent]) -> dict[str, int | str]:
    rows = rows_of(events)
    overdue = [row for row in rows if row.overdue]
    reached: dict[str, int | str] = {
        f"loans_reaching_{days}_plus_dpd": sum(row.days_past_due_max >= days for row in rows)
        for days in (1, 30, 60, 90, 120, 180)
    }
    return reached | {
        "loans_seen": len(rows),
        "overdue_facts": sum(isinstance(event, LoanOverdueRecorded) for event in events),
        "repayment_facts": sum(row.repayment_count for row in rows),
        "cured_facts": sum(row.cured_fact_count for row in rows),
        "episodes_opened": sum(isinstance(event, CaseOpened) for event in events),
        "loans_with_2_plus_episodes": sum(row.episode_count >= 2 for row in rows),
        "loans_ever_cured": sum(row.cured_count > 0 for row in rows),
        "loans_ending_cured": len(rows) - len(overdue),
        "loans_ending_overdue": len(overdue),
        "loans_ending_90_plus_dpd": sum(row.days_past_due >= 90 for row in overdue),
        "dpd_decreases_without_cure": sum(row.fall_count for row in rows),
        "max_dpd": max(row.days_past_due_max for row in rows),
        "total_repaid": format_minor(sum(row.paid_minor for row in rows), "TWD"),
        "total_overdue_at_end": format_minor(sum(row.overdue_minor for row in overdue), "TWD"),
    }


def expected(name: str) -> dict[str, Any]:
    numbers: dict[str, Any] = json.loads((FOLDER / f"{name}_expected.json").read_text())
    return numbers


@pytest.mark.parametrize("name", ["taiwan_every20", "taiwan"])
def test_the_feed_ends_with_every_expected_number(name: str) -> None:
    wanted = expected(name)
    facts = feed(f"{name}.jsonl.gz")
    events, refused = play(facts)
    found = figures(events)
    assert refused == []
    assert len(facts) == wanted["events"]
    elsewhere = {"source_rows", "events", "dirty_facts_to_park"}
    assert found == {key: wanted[key] for key in wanted.keys() - elsewhere}


@pytest.mark.parametrize("name", ["taiwan_every20", "taiwan"])
def test_exactly_the_dirty_facts_are_refused_and_nothing_else_changes(name: str) -> None:
    clean, dirty = feed(f"{name}.jsonl.gz"), feed(f"{name}_dirty.jsonl.gz")
    events, refused = play(in_order([*clean, *dirty]))
    undisturbed, _ = play(in_order(clean))
    assert {fact.fact_id for fact in refused} == {fact.fact_id for fact in dirty}
    assert len(dirty) == expected(name)["dirty_facts_to_park"]
    assert events == undisturbed
