"""A policy is checked when it is loaded; what is wrong is named."""

from datetime import date, time

import pytest
from msgspec.json import encode

from arrears.mediation.adapters.policies import load_policies
from arrears.mediation.domain.plan import months_later
from arrears.mediation.domain.policy import Policy, parse
from arrears.shared.kernel.policy import BadPolicy

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


def with_hours(begins_at: str, ends_at: str) -> str:
    return f'{TEXT}writing_hours: {{begins_at: "{begins_at}", ends_at: "{ends_at}"}}'


def test_the_shipped_policy_grants_15_days_to_answer_10_to_sign_and_5_of_grace() -> None:
    policy = load_policies().on(date(2026, 3, 2))
    assert policy.invitation.answer_within_days == 15
    assert policy.signing.sign_within_days == 10
    assert policy.performance.grace_days == 5
    assert policy.plan.term_months_max == 60
    assert policy.offer.discount_percent_max == 30


@pytest.mark.parametrize("policy", [load_policies().on(date(2026, 3, 2)), parse(TEXT)])
def test_borrowers_are_written_to_from_9_to_18_unless_a_policy_says_otherwise(
    policy: Policy,
) -> None:
    assert (policy.writing_hours.begins, policy.writing_hours.ends) == (time(9), time(18))


@pytest.mark.parametrize(
    ("begins_at", "ends_at", "field", "rule"),
    [
        ("07:59", "18:00", "writing_hours.begins_at", "must not lie before 08:00"),
        ("00:00", "23:59", "writing_hours.begins_at", "must not lie before 08:00"),
        ("09:00", "22:01", "writing_hours.ends_at", "must not lie after 22:00"),
        ("18:00", "09:00", "writing_hours", "must end after they begin"),
        ("09:00", "09:00", "writing_hours", "must end after they begin"),
        ("9:00", "18:00", "writing_hours.begins_at", "Expected `str` matching regex"),
        ("09:00", "24:00", "writing_hours.ends_at", "Expected `str` matching regex"),
    ],
)
def test_hours_that_leave_the_day_of_the_law_are_refused(
    begins_at: str, ends_at: str, field: str, rule: str
) -> None:
    with pytest.raises(BadPolicy) as refused:
        parse(with_hours(begins_at, ends_at))
    assert refused.value.field == field
    assert refused.value.rule.startswith(rule)


def test_the_whole_day_of_the_law_is_allowed() -> None:
    hours = parse(with_hours("08:00", "22:00")).writing_hours
    assert (hours.begins, hours.ends) == (time(8), time(22))


def test_a_policy_of_before_these_rules_has_the_same_content_as_ever() -> None:
    """A database knows a version by its content (decision 0017)."""
    for policy in (parse(TEXT), load_policies().on(date(2026, 3, 2))):
        assert b"writing_hours" not in encode(policy)
        assert b"discount_percent_max" not in encode(policy)


@pytest.mark.parametrize(
    ("line", "wrong", "named"),
    [
        ("term_months_max: 60", "term_months_max: 61", "term_months_max"),
        ("settle_within_days: 15", "settle_within_days: 15, discount_percent_max: 91", "discount"),
        ("settle_within_days: 15", "settle_within_days: 15, discount_percent_max: -1", "discount"),
        ("grace_days: 5", "grace_days: -1", "grace_days"),
        ("sign_within_days: 10", "sign_within_days: ten", "sign_within_days"),
        ("sources: [bank practice]", "sources: []", "sources"),
        ("version: 1", "versoin: 1", "versoin"),
        ("valid_from: 2020-01-01", "valid_from: soon", "valid_from"),
        ("id: test", "id: [", "must be YAML"),
    ],
)
def test_a_bad_file_is_refused_with_its_field(line: str, wrong: str, named: str) -> None:
    with pytest.raises(BadPolicy, match=named):
        parse(TEXT.replace(line, wrong))


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
