"""A policy is checked when it is loaded; what is wrong is named."""

from datetime import date
from importlib.resources import files

import msgspec
import pytest

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.policy import FilingRule, parse
from arrears.shared.kernel.policy import BadPolicy

TEXT = (files("arrears.legal") / "policies" / "cn-legal.yaml").read_text("utf-8")


def test_the_shipped_policy_knows_three_years_two_years_and_the_next_day() -> None:
    policy = load_policies().on(date(2026, 3, 2))
    assert policy.limitation.months == 36
    assert policy.limitation.alarm_days == (180, 90, 30)
    assert policy.enforcement.apply_within_months == 24
    assert policy.enforcement.apply_after_days == 1
    assert policy.enforcement.booking_days_max == 2
    assert policy.filing.approval_from_minor is None
    assert policy.filing.days_after_demand == 15
    assert policy.filing.least_minor("CNY") == 100_000


def test_a_file_of_before_these_rules_is_read_as_it_decided() -> None:
    lines = TEXT.splitlines()
    new = ("  days_after_demand", "  amount_minor_min", "  booking_days_max")
    older = parse("\n".join(line for line in lines if not line.startswith(new)))
    assert older.filing == FilingRule(approval_from_minor=None)
    assert older.filing.least_minor("CNY") == 0
    assert older.enforcement.booking_days_max == 0
    assert b"days_after_demand" not in msgspec.json.encode(older)


@pytest.mark.parametrize(
    ("line", "wrong", "named"),
    [
        ("days_after_demand: 15", "days_after_demand: -1", "filing.days_after_demand"),
        ("{default: 100000, JPY", "{JPY", "filing.amount_minor_min: needs an entry `default`"),
        ("JPY: 20000", "XXX: 20000", "filing.amount_minor_min: XXX is no currency"),
        ("JPY: 20000", "JPY: -1", "filing.amount_minor_min"),
        ("booking_days_max: 2", "booking_days_max: 8", "enforcement.booking_days_max"),
        ("months: 36", "months: 0", "limitation.months"),
        ("apply_after_days: 1", "apply_after_days: soon", "apply_after_days"),
        ("currency: CNY", "currency: XXX", "fees.currency"),
        ('rate: "0.025"', 'rate: "-1"', r"fees.acceptance\[1\].rate: must be from 0 to 1"),
        ('rate: "0.025"', 'rate: "2.5"', r"fees.acceptance\[1\].rate: must be from 0 to 1"),
        ('rate: "0.025"', 'rate: "NaN"', r"fees.acceptance\[1\].rate: must be from 0 to 1"),
        ('up_to: "10000", rate: "0"', 'up_to: "Infinity", rate: "0"', r"\[0\].up_to: must be 0"),
        ('up_to: "1000", rate: "0"', 'up_to: "-1", rate: "0"', r"\[0\].up_to: must be 0 or more"),
        ('plus: "-200"', 'plus: "NaN"', r"fees.acceptance\[1\].plus: must be a finite number"),
        (
            'rate: "0", plus: "30"',
            'rate: "0.04", plus: "-10"',
            r"preservation\[0\].plus: must be 0",
        ),
        (
            'preservation_max: "5000"',
            'preservation_max: "-5000"',
            "fees.preservation_max: must be 0",
        ),
        ('per_day: "0.000175"', 'per_day: "-0.5"', "doubled_interest_per_day: must be from 0 to 1"),
        ('per_day: "0.000175"', 'per_day: "Infinity"', "doubled_interest_per_day: must be from"),
        ("version: 1", "versoin: 1", "versoin"),
        ('up_to: "5000000", rate: "0.008"', 'up_to: "5000000", rate: "0.8"', "jumps at 2000000"),
        ('up_to: "200000", rate: "0.02"', 'up_to: "100000", rate: "0.02"', "must rise"),
        ('up_to: null, rate: "0.005", plus: "41800"', 'up_to: "1", rate: "0", plus: "0"', "last"),
        (
            TEXT[TEXT.index("  preservation:") : TEXT.index("  preservation_max:")],
            "  preservation: []\n",
            "fees.preservation: the last tier",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_field(line: str, wrong: str, named: str) -> None:
    assert line in TEXT
    with pytest.raises(BadPolicy, match=named):
        parse(TEXT.replace(line, wrong))
