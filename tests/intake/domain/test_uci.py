"""A real portfolio, folded through the pure decider, ends with the numbers that lie beside it.

The files are read from the shared folder and never copied here; where it is not there, as on a
newcomer's machine, these tests say so and skip.
"""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from arrears.intake.adapters.policies import load_policies
from arrears.intake.application.feed import fact_to_issue
from arrears.intake.domain.facts import (
    CuredFact,
    LoanFact,
    OverdueFact,
    RepaymentFact,
    read_fact,
)
from arrears.intake.domain.loan.decisions import make_loan_decider
from arrears.intake.domain.loan.events import (
    CaseOpened,
    LoanCuredRecorded,
    LoanEvent,
    LoanOverdueRecorded,
    RepaymentRecorded,
)
from arrears.intake.domain.loan.state import Loan
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import TenantId
from arrears.shared.kernel.money import format_minor

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "uci-taiwan"
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
        assert fact.borrower_id is not None
        issue = fact_to_issue(fact, fact.borrower_id, fact.stated_at, late=False)
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


@dataclass
class Tally:
    """One loan, counted from its events alone."""

    days: int = 0
    days_max: int = 0
    overdue_minor: int = 0
    episodes: int = 0
    cures: int = 0
    falls: int = 0
    paid_minor: int = 0

    def count(self, event: LoanEvent) -> None:
        match event:
            case LoanOverdueRecorded():
                self.falls += 0 < event.days_past_due < self.days
                self.days, self.overdue_minor = event.days_past_due, event.overdue_minor
                self.days_max = max(self.days_max, self.days)
            case CaseOpened():
                self.episodes += 1
            case LoanCuredRecorded():
                self.cures += 1
                self.days = self.overdue_minor = 0
            case RepaymentRecorded():
                self.paid_minor += event.amount_minor


def figures(events: list[LoanEvent]) -> dict[str, int | str]:
    tallies: dict[str, Tally] = defaultdict(Tally)
    for event in events:
        tallies[event.loan_key].count(event)
    loans = tallies.values()
    kinds = Counter(type(event) for event in events)
    reached: dict[str, int | str] = {
        f"loans_reaching_{days}_plus_dpd": sum(loan.days_max >= days for loan in loans)
        for days in (1, 30, 60, 90, 120, 180)
    }
    return reached | {
        "loans_seen": len(loans),
        "overdue_facts": kinds[LoanOverdueRecorded],
        "repayment_facts": kinds[RepaymentRecorded],
        "cured_facts": kinds[LoanCuredRecorded],
        "episodes_opened": kinds[CaseOpened],
        "loans_with_2_plus_episodes": sum(loan.episodes >= 2 for loan in loans),
        "loans_ever_cured": sum(loan.cures > 0 for loan in loans),
        "loans_ending_cured": sum(loan.days == 0 for loan in loans),
        "loans_ending_overdue": sum(loan.days > 0 for loan in loans),
        "loans_ending_90_plus_dpd": sum(loan.days >= 90 for loan in loans),
        "dpd_decreases_without_cure": sum(loan.falls for loan in loans),
        "max_dpd": max(loan.days_max for loan in loans),
        "total_repaid": format_minor(sum(loan.paid_minor for loan in loans), "TWD"),
        "total_overdue_at_end": format_minor(sum(loan.overdue_minor for loan in loans), "TWD"),
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
