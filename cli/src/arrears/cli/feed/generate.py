"""The synthetic portfolio as a feed: the stories of many loans, merged by time.

Same seed, same bytes. Within one instant a loan's facts stand as the bank writes them: repayment,
overdue, cured; loans stand in the order of their numbers. Lines carry no line end.
"""

import heapq
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias, assert_never

from arrears.cli.feed.wire import (
    Loan,
    Owed,
    cured_line,
    overdue_line,
    profile_line,
    repayment_line,
)
from arrears.shared.sandbox.facts import (
    Fact,
    MoneyCame,
    PaidUp,
    ProfileKnown,
    StillOverdue,
    facts,
)
from arrears.shared.sandbox.story import Story, first_due_on, story

DEFAULT_LOANS: Final = 2_000
DEFAULT_MONTHS: Final = 18
DEFAULT_START_ON: Final = date(2024, 1, 1)
LOANS_MAX: Final = 10_000_000
MONTHS_MAX: Final = 600
SEED_MAX: Final = 10**18 - 1

Placed: TypeAlias = tuple[datetime, int, int, Story, Fact]
"""Time, number of the loan, number of the fact in its story: unique, so no story is compared."""


class BadFeedSetting(ValueError):
    """`field` names the setting, the message the rule it breaks."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field


def generate(
    seed: int,
    loans: int = DEFAULT_LOANS,
    months: int = DEFAULT_MONTHS,
    start_on: date = DEFAULT_START_ON,
) -> Iterator[bytes]:
    """The lines of the feed, in order of time. Settings are checked at the call."""
    until_on = last_day(seed, loans, months, start_on)
    return (told_line(told, fact) for told, fact in told_facts(seed, loans, until_on, start_on))


def last_day(seed: int, loans: int, months: int, start_on: date) -> date:
    """The last day of the feed; raises BadFeedSetting where there can be no such feed."""
    for field, value, low, high in (
        ("seed", seed, 0, SEED_MAX),
        ("loans", loans, 1, LOANS_MAX),
        ("months", months, 1, MONTHS_MAX),
        ("start_on.year", start_on.year, 1970, 2100),
    ):
        if not low <= value <= high:
            raise BadFeedSetting(field, f"must lie between {low} and {high}, got {value}")
    years, month = divmod(start_on.month - 1 + months, 12)
    year = start_on.year + years
    day = min(start_on.day, monthrange(year, month + 1)[1])
    return date(year, month + 1, day) - timedelta(days=1)


def told_facts(
    seed: int, loans: int, until_on: date, start_on: date
) -> Iterator[tuple[Story, Fact]]:
    """The facts of all stories in order of time, each with its story.

    A story is told from its first day on and forgotten after its last, so that a feed of a million
    loans needs memory for those only that are running.
    """
    begins = ((first_due_on(seed, start_on, index), index) for index in range(loans))
    waiting = sorted(begins, reverse=True)
    running: list[tuple[Placed, Iterator[Placed]]] = []
    while waiting or running:
        while waiting and (not running or waiting[-1][0] < running[0][0][0].date()):
            _, index = waiting.pop()
            _push(running, _placed(story(seed, start_on, index), until_on))
        if running:
            (_, _, _, told, fact), stream = heapq.heappop(running)
            yield told, fact
            _push(running, stream)


def _push(running: list[tuple[Placed, Iterator[Placed]]], stream: Iterator[Placed]) -> None:
    placed = next(stream, None)
    if placed is not None:
        heapq.heappush(running, (placed, stream))


def told_line(told: Story, fact: Fact) -> bytes:
    loan = loan_of(told)
    match fact:
        case StillOverdue():
            split = (fact.principal_minor, fact.interest_minor, fact.fees_minor)
            owed = Owed(total_minor=sum(split), balance_minor=fact.balance_minor, split=split)
            return overdue_line(loan, fact.at, fact.as_of_on, fact.due_on, owed)
        case MoneyCame():
            return repayment_line(loan, fact.at, fact.value_on, fact.amount_minor)
        case PaidUp():
            return cured_line(loan, fact.at, fact.as_of_on)
        case ProfileKnown():
            return profile_line(loan, fact.at, told.contact_points, told.zone, told.language)
        case _:
            assert_never(fact)


def loan_of(told: Story) -> Loan:
    return Loan(
        source=told.source,
        loan_id=told.loan_id,
        borrower_id=told.borrower_id,
        product=told.product,
        currency=told.currency,
        lent_minor=told.lent_minor,
    )


def _placed(told: Story, until_on: date) -> Iterator[Placed]:
    for number, fact in enumerate(facts(told, until_on)):
        yield fact.at, told.index, number, told, fact
