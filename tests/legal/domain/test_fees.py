"""Fees and deadlines, by the vectors that were worked out by hand and by two programs."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain import fees
from arrears.legal.domain.deadlines import deadline, end_of
from arrears.shared.kernel.money import parse_minor
from arrears.shared.service.workdays import workdays_of

VECTORS = json.loads((Path(__file__).parent / "regulation_vectors.json").read_text("utf-8"))
TABLES = load_policies().on(date(2026, 3, 2)).fees
IS_WORKDAY = workdays_of("CN")
AMOUNTS = st.integers(1, 10**13)


def cny(text: str) -> int:
    return parse_minor(text, "CNY")


@pytest.mark.parametrize("row", VECTORS["fees"], ids=lambda row: row["amount"])
class TestFeeVectors:
    def test_of_the_court(self, row: dict[str, str]) -> None:
        claim = cny(row["amount"])
        assert fees.acceptance_fee(TABLES, claim) == cny(row["acceptance"])
        assert fees.half_acceptance_fee(TABLES, claim) == cny(row["half"])
        assert fees.payment_order_fee(TABLES, claim) == cny(row["payment_order"])
        assert fees.enforcement_fee(TABLES, claim) == cny(row["enforcement"])
        assert fees.preservation_fee(TABLES, claim) == cny(row["preservation"])

    def test_of_an_arbitration_commission(self, row: dict[str, str]) -> None:
        least, most = fees.arbitration_fees(TABLES, cny(row["amount"]))
        assert (least, most) == (cny(row["arbitration_min"]), cny(row["arbitration_max"]))


@pytest.mark.parametrize("row", VECTORS["doubled_interest"], ids=lambda row: row["base"])
def test_doubled_interest(row: dict[str, object]) -> None:
    base, days, amount = row["base"], row["days"], row["amount"]
    assert isinstance(base, str)
    assert isinstance(days, int)
    assert isinstance(amount, str)
    assert fees.doubled_interest(TABLES, cny(base), days) == cny(amount)


@forall(claim=AMOUNTS, more=st.integers(0, 10**9))
def test_a_higher_claim_never_costs_less(claim: int, more: int) -> None:
    for fee in (fees.acceptance_fee, fees.enforcement_fee, fees.preservation_fee):
        assert fee(TABLES, claim) <= fee(TABLES, claim + more)


@forall(claim=AMOUNTS)
def test_preservation_never_costs_more_than_5000(claim: int) -> None:
    assert fees.preservation_fee(TABLES, claim) <= cny("5000")


@pytest.mark.parametrize(
    "row", VECTORS["deadlines"], ids=lambda row: f"{row['rule']}-{row['start']}"
)
def test_deadlines(row: dict[str, str]) -> None:
    found = deadline(row["rule"], date.fromisoformat(row["start"]), IS_WORKDAY)
    assert found.on == date.fromisoformat(row["deadline"])


def test_a_deadline_shows_its_derivation() -> None:
    found = deadline("15d", date(2026, 9, 22), IS_WORKDAY)
    assert (found.rule, found.start_on, found.raw_on) == (
        "15d",
        date(2026, 9, 22),
        date(2026, 10, 7),
    )


def test_a_protection_that_lapses_ends_on_the_raw_day() -> None:
    assert end_of("12m", date(2025, 10, 4)) == date(2026, 10, 4)


@pytest.mark.parametrize("rule", ["", "15", "0d", "-1m", "15y", "1.5m", "１5d"])
def test_a_rule_that_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="15d or 36m"):
        end_of(rule, date(2026, 1, 1))


@forall(
    start=st.dates(date(2004, 1, 1), date(2026, 12, 31)),
    rule=st.builds("{}{}".format, st.integers(1, 400), st.sampled_from("dm")),
)
def test_a_deadline_is_the_first_workday_from_its_raw_day_on(start: date, rule: str) -> None:
    found = deadline(rule, start, IS_WORKDAY)
    assert start < found.raw_on <= found.on
    assert IS_WORKDAY(found.on)
    between = (found.on - found.raw_on).days
    assert not any(
        IS_WORKDAY(date.fromordinal(found.raw_on.toordinal() + n)) for n in range(between)
    )


def test_an_unknown_country_is_refused() -> None:
    with pytest.raises(ValueError, match="'XX'"):
        workdays_of("XX")
