"""A policy is checked when it is loaded; what is wrong is named."""

from datetime import date

import pytest
from msgspec.structs import replace

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.domain.plan import months_later
from arrears.mediation.domain.policy import BadPolicy, Policy, PolicyBook, parse

TEXT = """
id: test
version: 1
valid_from: 2020-01-01
sources: [bank practice]
invitation: {answer_within_days: 15}
offer: {settle_within_days: 15}
plan: {term_months_max: 60, instalments_max: 60}
signing: {sign_within_days: 10}
performance: {grace_days: 5, cure_days: 10}
"""
FIRST = parse(TEXT)
SECOND = replace(FIRST, version=2, valid_from=date(2025, 1, 1))


def test_the_shipped_policy_grants_15_days_to_answer_10_to_sign_and_5_of_grace() -> None:
    policy = load_policies().on(date(2026, 3, 2))
    assert policy.invitation.answer_within_days == 15
    assert policy.signing.sign_within_days == 10
    assert policy.performance.grace_days == 5
    assert policy.plan.term_months_max == 60


@pytest.mark.parametrize(
    ("line", "wrong", "named"),
    [
        ("term_months_max: 60", "term_months_max: 61", "term_months_max"),
        ("grace_days: 5", "grace_days: -1", "grace_days"),
        ("sign_within_days: 10", "sign_within_days: ten", "sign_within_days"),
        ("sources: [bank practice]", "sources: []", "sources"),
        ("version: 1", "versoin: 1", "versoin"),
        ("valid_from: 2020-01-01", "valid_from: soon", "valid_from"),
        ("id: test", "id: [", "mediation policy"),
    ],
)
def test_a_bad_file_is_refused_with_its_field(line: str, wrong: str, named: str) -> None:
    with pytest.raises(BadPolicy, match=named):
        parse(TEXT.replace(line, wrong))


def test_each_day_is_judged_by_the_version_in_force() -> None:
    book = PolicyBook([SECOND, FIRST])
    assert [book.on(date(year, 6, 1)).version for year in (2005, 2024, 2025, 2026)] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    "policies",
    [
        [],
        [FIRST, FIRST],
        [FIRST, replace(SECOND, version=1)],
        [FIRST, replace(SECOND, id="other")],
        [replace(FIRST, valid_until=date(2025, 1, 1)), SECOND],
        [FIRST, replace(SECOND, valid_until=date(2026, 1, 1))],
    ],
)
def test_versions_that_contradict_each_other_are_refused(policies: list[Policy]) -> None:
    with pytest.raises(BadPolicy):
        PolicyBook(policies)


def test_a_policy_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadPolicy, match="valid_until"):
        parse(TEXT + "valid_until: 2019-12-31\n")


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2024, 2, 29), 60, date(2029, 2, 28)),
    ],
)
def test_months_end_on_the_corresponding_day_or_the_months_end(
    day: date, months: int, end: date
) -> None:
    assert months_later(day, months) == end
