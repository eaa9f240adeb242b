"""What the bank says of a story, in order: a profile, overdue facts, repayments, the cure.

The core bank reports at 1, 5, 15 and 30 days past due, then every 15 days, and after each
repayment; a nightly run at 23:30 of its day stamps them. A repayment is stamped at noon, so it
comes before the overdue fact of its day.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias

from msgspec import Struct

from arrears.shared.sandbox.story import Episode, Story

FIRST_DAYS: Final = (1, 5, 15)
EVERY_DAYS: Final = 15
_MORNING: Final = time(1, tzinfo=UTC)
_NOON: Final = time(4, tzinfo=UTC)
_NIGHT: Final = time(15, 30, tzinfo=UTC)


class ProfileKnown(Struct, frozen=True, kw_only=True):
    at: datetime


class StillOverdue(Struct, frozen=True, kw_only=True):
    """The current state: what is left of each part, and of the whole loan."""

    at: datetime
    as_of_on: date
    due_on: date
    days_past_due: int
    principal_minor: int
    interest_minor: int
    fees_minor: int
    balance_minor: int


class MoneyCame(Struct, frozen=True, kw_only=True):
    at: datetime
    value_on: date
    amount_minor: int


class PaidUp(Struct, frozen=True, kw_only=True):
    at: datetime
    as_of_on: date


Fact: TypeAlias = ProfileKnown | StillOverdue | MoneyCame | PaidUp


def facts(told: Story, until_on: date) -> Iterator[Fact]:
    """Every fact of the story up to and including a day, in order of time."""
    first_on = told.episodes[0].due_on + timedelta(days=1)
    if first_on > until_on:
        return
    yield ProfileKnown(at=datetime.combine(first_on, _MORNING))
    for episode in told.episodes:
        yield from _episode_facts(episode, until_on)


def _episode_facts(episode: Episode, until_on: date) -> Iterator[Fact]:
    payments = {payment.on: payment for payment in episode.payments}
    paid, due_on = 0, episode.due_on
    for day in _days(episode, until_on):
        payment = payments.get(day)
        if payment is not None:
            paid += payment.amount_minor
            due_on += timedelta(days=payment.rolls_days)
            at = datetime.combine(day, _NOON)
            yield MoneyCame(at=at, value_on=day, amount_minor=payment.amount_minor)
        if paid == episode.owed_minor:
            break
        yield _still_overdue(episode, day, due_on, paid)
    if episode.cured_on is not None and episode.cured_on <= until_on:
        yield PaidUp(at=datetime.combine(episode.cured_on, _NIGHT), as_of_on=episode.cured_on)


def _days(episode: Episode, until_on: date) -> list[date]:
    """The days on which the bank has something to say, payments included."""
    last = (until_on - episode.due_on).days
    if episode.cured_on is not None:
        last = min(last, (episode.cured_on - episode.due_on).days)
    offsets = {day for day in FIRST_DAYS if day <= last}
    offsets.update(range(2 * EVERY_DAYS, last + 1, EVERY_DAYS))
    days = {episode.due_on + timedelta(days=offset) for offset in offsets}
    days.update(payment.on for payment in episode.payments if payment.on <= until_on)
    return sorted(days)


def _still_overdue(episode: Episode, day: date, due_on: date, paid: int) -> StillOverdue:
    """Money pays fees first, then interest, then principal."""
    fees = min(paid, episode.fees_minor)
    interest = min(paid - fees, episode.interest_minor)
    return StillOverdue(
        at=datetime.combine(day, _NIGHT),
        as_of_on=day,
        due_on=due_on,
        days_past_due=(day - due_on).days,
        principal_minor=episode.principal_minor - (paid - fees - interest),
        interest_minor=episode.interest_minor - interest,
        fees_minor=episode.fees_minor - fees,
        balance_minor=episode.balance_minor - paid,
    )
