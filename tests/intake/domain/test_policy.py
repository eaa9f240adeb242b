"""A policy is checked when it is loaded; what is wrong is named by field and rule."""

from datetime import date

import pytest

from arrears.intake.adapters.policies import load_policies
from arrears.intake.domain.policy import parse
from arrears.shared.kernel.policy import BadPolicy

TEXT = """
id: cn-test
version: 1
valid_from: 2020-01-01
sources: [bank]
allocation: [costs, interest, principal]
buckets:
  - {name: M0, days_from: 0, days_to: 0}
  - {name: M1, days_from: 1, days_to: null}
classifications:
  - id: T
    source: law
    in_force_from: 2020-01-01
    tiers: [{tier: special_mention, days_above: 0}, {tier: loss, days_above: 90}]
risk:
  medium_from: 2
  high_from: 3
  rules:
    - {id: dpd_30, measure: days_past_due, at_least: 30, points: 1}
    - {id: refused, flag: refused, points: 2}
grace: {days_past_due_below: 5, episode_max: 1, risks: [low]}
ladder:
  - {treatment: remind, stage: contact, days_past_due_min: 1}
  - {treatment: sue, stage: legal, days_past_due_min: 90, overdue_minor_min: {default: 1}}
"""
POLICY = parse(TEXT)
LATEST = date(2026, 3, 2)


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("a: [", "$"),
        ("[]", "$"),
        (changed("id: cn-test", "id: CN test"), "id"),
        (changed("version: 1", "version: 0"), "version"),
        (changed("version: 1", "versoin: 1"), "$"),
        (changed("valid_from: 2020-01-01", "valid_from: soon"), "valid_from"),
        (changed("sources: [bank]", "sources: []"), "sources"),
        (changed("[costs, interest, principal]", "[costs, interest]"), "allocation"),
        (changed("[costs, interest, principal]", "[costs, costs, principal]"), "allocation"),
        (changed("days_from: 0, days_to: 0", "days_from: 1, days_to: 1"), "buckets[0].days_from"),
        (
            changed("days_from: 1, days_to: null", "days_from: 2, days_to: null"),
            "buckets[1].days_from",
        ),
        (
            changed("days_from: 1, days_to: null", "days_from: 0, days_to: null"),
            "buckets[1].days_from",
        ),
        (changed("days_from: 1, days_to: null", "days_from: 1, days_to: 9"), "buckets[1].days_to"),
        (changed("days_from: 0, days_to: 0", "days_from: 0, days_to: null"), "buckets[0].days_to"),
        (changed("name: M1", "name: M0"), "buckets"),
        (changed("tier: loss", "tier: awful"), "classifications[0].tiers[1].tier"),
        (
            changed("tier: loss, days_above: 90", "tier: loss, days_above: 0"),
            "classifications[0].tiers",
        ),
        (changed("special_mention", "loss"), "classifications[0].tiers"),
        (changed("high_from: 3", "high_from: 2"), "risk.high_from"),
        (changed("flag: refused", "flag: rude"), "risk.rules[1].flag"),
        (changed("flag: refused, ", ""), "risk.rules[1]"),
        (changed("at_least: 30, ", ""), "risk.rules[0].at_least"),
        (changed("id: refused", "id: dpd_30"), "risk.rules"),
        (changed("points: 1", "points: many"), "risk.rules[0].points"),
        (changed("treatment: sue", "treatment: visit"), "ladder[1].treatment"),
        (changed("days_past_due_min: 90", "days_past_due_min: 0"), "ladder[1].days_past_due_min"),
        (changed("{default: 1}", "{CNY: 1}"), "ladder[1].overdue_minor_min"),
        (changed("stage: legal", "stage: police"), "ladder[1].stage"),
        (
            changed("{treatment: sue, stage: legal,", "{treatment: remind, stage: contact,"),
            "ladder",
        ),
        (changed("episode_max: 1", "episode_max: -1"), "grace.episode_max"),
        (changed("episode_max: 1", "episode_max: 0"), "grace.episode_max"),
        (changed("days_past_due_below: 5", "days_past_due_below: 1"), "grace.days_past_due_below"),
        (changed("risks: [low]", "risks: []"), "grace.risks"),
        (changed("high_from: 3", "high_from: 30"), "risk.high_from"),
        (changed("at_least: 30", "at_least: 0"), "risk.rules[0].at_least"),
        (changed("source: law", "source: law\n    products: []"), "classifications[0].products"),
        (changed("source: law", "source: law\n    products: [credit_card]"), "classifications"),
        (
            changed(
                "risk:\n",
                "  - {id: T, source: law, in_force_from: 2020-01-01, "
                "tiers: [{tier: loss, days_above: 9}]}\nrisk:\n",
            ),
            "classifications",
        ),
        (changed("min: 90,", "min: 90, after_results: [faild],"), "ladder[1].after_results"),
        (changed("min: 90,", "min: 90, after_results: [breached],"), "ladder[1].after_results"),
        (changed("min: 1}", "min: 1, after_results: [reached]}"), "ladder[0].after_results"),
        (
            changed("min: 90,", "min: 90, skip_at_risk: [low, high, medium],"),
            "ladder[1].skip_at_risk",
        ),
        (changed("min: 90,", "min: 90, days_after: 366,"), "ladder[1].days_after"),
        (changed("{default: 1}", "{default: 1, jpy: 1}"), "ladder[1].overdue_minor_min"),
        (changed("{default: 1}", "{default: 1, XXX: 1}"), "ladder[1].overdue_minor_min"),
        (changed("version: 1", "version: 1\nstopped_again_max: 11"), "stopped_again_max"),
        (
            changed("version: 1", "version: 1\nstopped_again_after_days: 0"),
            "stopped_again_after_days",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, field: str) -> None:
    with pytest.raises(BadPolicy) as refusal:
        parse(text)
    assert refusal.value.field.replace("[...]", "[0]") == field
    assert refusal.value.rule


@pytest.mark.parametrize(
    "text",
    [
        changed("min: 90,", "min: 90, after_results: [unreachable, taken_back],"),
        changed("{default: 1}", "{default: 1, JPY: 1}"),
        changed("min: 90,", "min: 90, skip_at_risk: [low, medium], days_after: 365,"),
    ],
)
def test_what_a_ladder_may_ask_for_is_accepted(text: str) -> None:
    assert len(parse(text).ladder) == 2


def test_the_default_policy_is_the_ladder_that_the_handbook_shows() -> None:
    ladder = load_policies().on(LATEST).ladder
    assert [(step.treatment, step.days_past_due_min, step.days_after) for step in ladder] == [
        ("remind", 1, 0),
        ("call", 15, 3),
        ("demand", 30, 3),
        ("visit", 45, 5),
        ("mediate", 60, 5),
        ("sue", 90, 5),
    ]
