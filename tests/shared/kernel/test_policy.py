"""Versions of a policy are checked when they are loaded; a day has at most one in force."""

from datetime import date

import pytest

from arrears.shared.kernel.policy import BadPolicy, EndlessBook, PolicyBook, decode_policy
from arrears.shared.testing.toy_policy import Policy, version

TEXT = """
id: test
version: 1
valid_from: 2020-01-01
sources: [bank practice]
grace: {days: 5}
"""


FIRST = version(1, "2020-01-01")
SECOND = version(2, "2025-01-01")
ENDED = version(1, "2020-01-01", "2024-11-30")


@pytest.mark.parametrize(
    ("line", "wrong", "field"),
    [
        ("id: test", "id: [", "$"),
        ("id: test", "id: The Test", "id"),
        ("id: test\n", "", "$"),
        ("version: 1", "version: 0", "version"),
        ("version: 1", "versoin: 1", "$"),
        ("2020-01-01", "2020-02-30", "$"),
        ("2020-01-01", "soon", "valid_from"),
        ("2020-01-01", "2020-01-01\nvalid_until: 2019-12-31", "valid_until"),
        ("[bank practice]", "[]", "sources"),
        ("bank practice", "x" * 501, "sources[0]"),
        ("days: 5", "days: 5, nights: 4", "grace"),
        ("days: 5", "days: few", "grace.days"),
    ],
)
def test_what_is_wrong_is_named(line: str, wrong: str, field: str) -> None:
    assert line in TEXT
    with pytest.raises(BadPolicy) as refusal:
        decode_policy(TEXT.replace(line, wrong), Policy)
    assert refusal.value.field == field
    assert refusal.value.rule


def test_a_sound_file_is_read() -> None:
    assert decode_policy(TEXT, Policy) == FIRST


@pytest.mark.parametrize("book", [PolicyBook, EndlessBook])
@pytest.mark.parametrize(
    ("day", "number"),
    [
        ("1995-06-01", 1),  # Older feeds are judged by the first version.
        ("2020-01-01", 1),
        ("2024-12-31", 1),
        ("2025-01-01", 2),
        ("2030-06-01", 2),
    ],
)
def test_the_newest_version_that_has_begun_is_in_force(
    book: type[PolicyBook[Policy]], day: str, number: int
) -> None:
    policy = book([SECOND, FIRST]).on(date.fromisoformat(day))
    assert policy is not None
    assert policy.version == number


def test_a_gap_has_no_policy_and_knows_when_it_ends() -> None:
    book = PolicyBook([ENDED, SECOND])
    assert book.on(date(2024, 11, 30)) == ENDED
    assert book.on(date(2024, 12, 1)) is None
    assert book.next_start(date(2024, 12, 1)) == date(2025, 1, 1)
    assert book.next_start(date(2025, 1, 1)) is None


def test_after_the_last_version_there_is_none() -> None:
    book = PolicyBook([ENDED])
    assert book.on(date(2024, 12, 1)) is None
    assert book.last() == ENDED


@pytest.mark.parametrize("book", [PolicyBook, EndlessBook])
@pytest.mark.parametrize(
    ("policies", "field"),
    [
        ([], "$"),
        ([FIRST, FIRST], "valid_from"),
        ([FIRST, version(1, "2025-01-01")], "version"),
        ([version(3, "2020-01-01"), SECOND], "version"),
        ([FIRST, version(2, "2025-01-01", name="other")], "id"),
        ([version(1, "2020-01-01", "2025-01-01"), SECOND], "valid_until"),
    ],
)
def test_versions_that_contradict_each_other_are_refused(
    book: type[PolicyBook[Policy]], policies: list[Policy], field: str
) -> None:
    with pytest.raises(BadPolicy) as refusal:
        book(policies)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "policies", [[ENDED, SECOND], [FIRST, version(2, "2025-01-01", "2026-01-01")]]
)
def test_an_endless_book_has_neither_gap_nor_end(policies: list[Policy]) -> None:
    with pytest.raises(BadPolicy, match="valid_until"):
        EndlessBook(policies)
    day_after_day = EndlessBook([version(1, "2020-01-01", "2024-12-31"), SECOND])
    assert day_after_day.on(date(2024, 12, 31)).version == 1
