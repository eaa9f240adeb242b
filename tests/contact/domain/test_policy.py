"""A policy is checked when it is loaded; what is wrong with it is named."""

from datetime import date

import pytest
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.policy import PolicyBook, parse
from arrears.shared.kernel.policy import BadPolicy

TEXT = """
id: cn-bank
version: 1
title: for tests
valid_from: 2026-01-30
sources: ["bank policy"]
quiet_hours:
  begins_at: "21:00"
  ends_at: "08:00"
  last_start_at: "20:30"
  channels: [sms, call, visit]
  source: bank
connected_per_day: {max: 3, channels: [sms, call, letter, visit], source: standard}
unanswered_per_number: {max: 6, source: guideline}
contact_points:
  needed: {sms: phone, call: phone, letter: address, visit: address}
  wait_days_max: 3
treatments:
  remind: {channel: sms, attempts_max: 1, outcome_days_max: 3}
  call: {channel: call, attempts_max: 3, outcome_days_max: 3}
  demand: {channel: letter, attempts_max: 2, outcome_days_max: 30}
  visit: {channel: visit, attempts_max: 2, outcome_days_max: 7}
promise: {days_max: 60, silences: [call, visit]}
hardship: {review_days_max: 180, review_days_default: 30}
"""


def _with(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new)


def _hours(begins_at: str, ends_at: str) -> str:
    begin_later = _with('begins_at: "21:00"', f'begins_at: "{begins_at}"')
    return begin_later.replace('ends_at: "08:00"', f'ends_at: "{ends_at}"')


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "$: Expected `object`"),
        ("[1, 2]", "$: Expected `object`"),
        ("a: b: c", "$: must be YAML"),
        (_with("id: cn-bank\n", ""), "`id`"),
        (_with("version: 1", "version: 0"), "version: Expected"),
        (_with("valid_from: 2026-01-30", "valid_from: yesterday"), "valid_from: "),
        (_with("days_max: 60, s", "days_max: 60, booking_days_max: 8, s"), "promise.booking"),
        (_with("days_max: 60, s", "days_max: 60, booking_days_max: -1, s"), "promise.booking"),
        (_with('begins_at: "21:00"', "begins_at: 21:00"), "quiet_hours.begins_at: "),
        (_with('begins_at: "21:00"', 'begins_at: "24:00"'), "quiet_hours.begins_at: "),
        (_with('begins_at: "21:00"', 'begins_at: "07:00"'), "quiet_hours"),
        (_with('last_start_at: "20:30"', 'last_start_at: "21:00"'), "quiet_hours"),
        (_hours("22:01", "08:00"), "quiet_hours.begins_at: must be 22:00 or earlier, by law"),
        (_hours("22:00", "07:59"), "quiet_hours.ends_at: must be 08:00 or later, by law"),
        (_hours("23:59", "00:01"), "quiet_hours.begins_at: must be 22:00 or earlier, by law"),
        (_with("channels: [sms, call, visit]", "channels: [sms, call]"), "quiet_hours.channels"),
        (
            _with("channels: [sms, call, visit]", "channels: [sms, call, visit, letter]"),
            "letters have no quiet hours",
        ),
        (_with("{max: 3, channels", "{max: 4, channels"), "connected_per_day.max: "),
        (_with("channels: [sms, call, letter, visit]", "channels: [sms]"), "must name call"),
        (_with("{max: 6, source", "{max: 7, source"), "unanswered_per_number.max: "),
        (_with("letter: address, ", ""), "contact_points.needed"),
        (_with("  remind: {", "  nudge: {"), "treatments: must name remind"),
        (_with("  call: {", "  ring: {"), "treatments: must name call"),
        (_with("  demand: {", "  write: {"), "treatments: must name demand"),
        (_with("  visit: {", "  go: {"), "treatments: must name visit"),
        (_with("channel: letter", "channel: sms"), "treatments.demand.channel"),
        (_with("attempts_max: 3", "attempts_max: 0"), "attempts_max"),
        (_with("channel: visit", "channel: pigeon"), "channel"),
        (_with("days_max: 60", "days_max: 60, forever: true"), "forever"),
        (_with("review_days_default: 30", "review_days_default: 181"), "review_days_default"),
        (_with("2026-01-30\n", "2026-01-30\nvalid_until: 2026-01-29\n"), "valid_until"),
    ],
)
def test_a_bad_policy_names_what_is_wrong(text: str, named: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        parse(text)
    assert named in str(refused.value)


def test_the_laws_own_quiet_hours_will_do() -> None:
    hours = parse(_hours("22:00", "08:00")).quiet_hours
    assert (hours.begins_at, hours.ends_at) == ("22:00", "08:00")


def test_the_policies_that_ship_are_sound() -> None:
    policies = load_policies()
    book = PolicyBook(policies)
    policy = book.on(date(2026, 2, 1))
    assert policy is not None
    assert (policy.id, policy.version) == ("cn-bank", 1)
    assert (policy.quiet_hours.begins_at, policy.quiet_hours.ends_at) == ("21:00", "08:00")
    assert policy.connected_per_day.max == 3
    assert policy.unanswered_per_number.max == 6


def test_an_old_portfolio_names_a_version_that_was_valid_then() -> None:
    day = date(2005, 4, 1)
    policy = PolicyBook(load_policies()).on(day)
    assert policy is not None
    assert policy.valid_from <= day


def test_a_later_version_must_know_the_treatments_of_the_one_before() -> None:
    first = parse(
        _with(
            "  visit: {",
            "  talk: {channel: call, attempts_max: 1, outcome_days_max: 3}\n  visit: {",
        )
    )
    second = replace(parse(TEXT), version=2, valid_from=date(2026, 7, 1))
    with pytest.raises(BadPolicy, match="treatments: must name talk"):
        PolicyBook([first, second])
