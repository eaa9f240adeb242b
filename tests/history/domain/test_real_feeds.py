"""The figures of real feeds: every number that the feed's maker states, under the same name."""

import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from arrears.history.domain.portfolio import Portfolio
from arrears.history.domain.portfolio.page import feed_of
from arrears.history.domain.told import keep
from arrears.shared.kernel.money import parse_minor
from arrears.shared.testing.chronicle import Chronicle

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "uci-taiwan"
OF_THE_SOURCE = {"source_rows", "dirty_facts_to_park"}


def _portfolio(chronicle: Chronicle) -> Portfolio:
    portfolio = Portfolio()
    kept = (keep(*record) for record in chronicle.numbered())
    portfolio.hear((one.type, one.business_day, one.value) for one in kept)
    return portfolio


def _facts(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _as_intake_says(path: Path) -> Chronicle:
    """The feed as events of intake: every fact one event, an episode opened where none runs."""
    chronicle = Chronicle()
    episodes: dict[str, int] = {}
    open_loans: set[str] = set()
    for fact in _facts(path):
        data = fact["data"]
        loan, currency = data["loan_id"], data["currency"]
        told: dict[str, object] = {"loan_key": loan, "currency": currency}
        stream = f"intake.loan-{loan}"
        on = date.fromisoformat(fact["time"][:10])
        if fact["type"].endswith("overdue.v1"):
            name = "loan_overdue_recorded"
            if loan not in open_loans:
                open_loans.add(loan)
                episodes[loan] = episodes.get(loan, 0) + 1
                case = {**told, "case_id": f"{loan}/{episodes[loan]}"}
                chronicle.tell("intake.case_opened", case, stream=stream, on=on, borrower=loan)
            told |= {
                "case_id": f"{loan}/{episodes[loan]}",
                "days_past_due": data["days_past_due"],
                "overdue_minor": parse_minor(data["overdue"]["total"], currency),
                "balance_minor": parse_minor(data["outstanding_balance"], currency),
                "bucket": "M1",
            }
        elif fact["type"].endswith("cured.v1"):
            name = "loan_cured_recorded"
            open_loans.discard(loan)
        else:
            name = "repayment_recorded"
            told["amount_minor"] = parse_minor(data["amount"], currency)
        chronicle.tell(f"intake.{name}", told, stream=stream, on=on, borrower=loan)
    return chronicle


@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not here")
@pytest.mark.parametrize("name", ["taiwan_every20", "taiwan"])
def test_every_number_that_the_feeds_maker_states_is_given_under_the_same_name(name: str) -> None:
    stated = json.loads((DATA / f"{name}_expected.json").read_text())
    feed = msgspec.to_builtins(feed_of(_portfolio(_as_intake_says(DATA / f"{name}.jsonl.gz"))))
    assert feed == {key: value for key, value in stated.items() if key not in OF_THE_SOURCE}
