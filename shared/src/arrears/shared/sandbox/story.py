"""The story of one synthetic loan: who owes it, when it fell behind, what was paid, how it ended.

A story is a function of (seed, first day, number of the loan) and of nothing else. The feed
generator tells it to the bank's topic; the sandbox borrower and court speak from it. So what they
say is what the feed then pays.
"""

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from msgspec import Struct

from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.sandbox.dice import between, chance, roll
from arrears.shared.sandbox.people import points_of
from arrears.shared.sandbox.personas import (
    MAY_RELAPSE,
    OWED,
    Persona,
    Plot,
    Step,
    easy_persona_of,
    persona_of,
    plot_of,
    relapse_of,
)

SPAN_DAYS: Final = 546
"""The stories fill 18 months from the first day; the shortest 18 months have 546 days."""
CURRENCY: Final = "CNY"
_PRODUCTS: Final = ("consumer_loan", "consumer_loan", "credit_card", "car_loan")
_OTHER_ZONES: Final = ("Asia/Urumqi", "Asia/Urumqi", "Asia/Tokyo", "Europe/London")
_SOURCE: Final = re.compile(r"/core-banking/synthetic/seed-(\d{1,18})/(\d{4}-\d\d-\d\d)\Z")
_LOAN: Final = re.compile(r"syn-(\d{5,12})\Z")
LOANS_PER_SECOND_LOAN: Final = 20
"""Every twentieth loan belongs to the borrower of the loan before it."""


class Payment(Struct, frozen=True, kw_only=True):
    """`rolls_days` is by how much it moves the due date, having paid the oldest instalment."""

    on: date
    amount_minor: int
    rolls_days: int = 0


class Episode(Struct, frozen=True, kw_only=True):
    """One time of falling behind. The split is what is overdue on the first day of it.

    `planned` is what the borrower would sign in mediation, `judged_on` when a court would judge.
    """

    persona: Persona
    due_on: date
    balance_minor: int
    principal_minor: int
    interest_minor: int
    fees_minor: int
    payments: tuple[Payment, ...]
    planned: tuple[Payment, ...]
    cured_on: date | None
    judged_on: date | None

    @property
    def owed_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.fees_minor


class Story(Struct, frozen=True, kw_only=True):
    seed: int
    start_on: date
    index: int
    source: str
    loan_id: str
    borrower_id: BorrowerId
    product: str
    currency: str
    lent_minor: int
    zone: str | None
    language: str
    contact_points: tuple[tuple[str, str], ...]
    episodes: tuple[Episode, ...]

    @property
    def persona(self) -> Persona:
        """How the loan's last episode ends."""
        return self.episodes[-1].persona


def source_of(seed: int, start_on: date) -> str:
    """The CloudEvents source of the synthetic feed: it says all that a story needs but the loan."""
    return f"/core-banking/synthetic/seed-{seed}/{start_on.isoformat()}"


@lru_cache(maxsize=8192)
def story(seed: int, start_on: date, index: int) -> Story:
    owner = index - 1 if _is_second_loan(index) else index
    episodes = _episodes(seed, start_on, index)
    borrower_id = BorrowerId(f"syn-borrower-{owner:05d}")
    return Story(
        seed=seed,
        start_on=start_on,
        index=index,
        source=source_of(seed, start_on),
        loan_id=f"syn-{index:05d}",
        borrower_id=borrower_id,
        product=_PRODUCTS[roll(len(_PRODUCTS), seed, "product", index)],
        currency=CURRENCY,
        lent_minor=_round_up(episodes[0].balance_minor, 100_000),
        zone=_zone(seed, owner),
        language="en" if chance(12, seed, "language", owner) else "zh",
        contact_points=points_of(seed, borrower_id, phone=not _without_phone(seed, owner)),
        episodes=episodes,
    )


@lru_cache(maxsize=8192)
def story_of(seed: int, loan_key: str) -> Story | None:
    """The story behind a loan of our own feed with this seed; None for any other loan."""
    loan_id, at_sign, source = loan_key.partition("@")
    told = _SOURCE.match(source)
    loan = _LOAN.match(loan_id)
    if not at_sign or told is None or loan is None or int(told[1]) != seed:
        return None
    try:
        start_on = date.fromisoformat(told[2])
        return story(seed, start_on, int(loan[1]))
    except (ValueError, OverflowError):
        return None


def first_due_on(seed: int, start_on: date, index: int) -> date:
    """The day on which the story begins, found without telling it."""
    return _opening(seed, start_on, index)[2]


def episode_at(told: Story, day: date) -> Episode:
    """The episode that is running on a day, or the last one before it."""
    for episode in reversed(told.episodes):
        if episode.due_on <= day:
            return episode
    return told.episodes[0]


def _is_second_loan(index: int) -> bool:
    return index % LOANS_PER_SECOND_LOAN == LOANS_PER_SECOND_LOAN - 1


def _zone(seed: int, owner: int) -> str | None:
    if chance(4, seed, "elsewhere", owner):
        return _OTHER_ZONES[roll(len(_OTHER_ZONES), seed, "zone", owner)]
    return None if chance(3, seed, "no zone", owner) else "Asia/Shanghai"


def _without_phone(seed: int, owner: int) -> bool:
    """Only who stays open may lack a phone: other endings need the call that leads to them."""
    return persona_of(seed, owner) is Persona.STILL_OPEN and chance(12, seed, "phone", owner)


def _opening(seed: int, start_on: date, index: int) -> tuple[Persona, Plot, date]:
    """The first episode's persona and plot, and the day on which it falls due."""
    second = _is_second_loan(index)
    persona = easy_persona_of(seed, index) if second else persona_of(seed, index)
    plot = plot_of(persona, seed, index, 1)
    if persona is Persona.STILL_OPEN:
        first_day = SPAN_DAYS - between(6, plot.life, seed, "due", index)
    else:
        first_day = between(0, SPAN_DAYS - plot.life, seed, "due", index)
    return persona, plot, start_on + timedelta(days=first_day)


def _episodes(seed: int, start_on: date, index: int) -> tuple[Episode, ...]:
    persona, plot, due_on = _opening(seed, start_on, index)
    first = _episode(persona, plot, due_on, None, (seed, index, 1))
    again = relapse_of(seed, index)
    if again is None or _is_second_loan(index) or persona not in MAY_RELAPSE:
        return (first,)
    assert first.cured_on is not None
    plot = plot_of(again, seed, index, 2)
    due_on = first.cured_on + timedelta(days=between(35, 130, seed, "again", index))
    if (due_on - start_on).days + plot.life > SPAN_DAYS:
        return (first,)
    rest = first.balance_minor - first.owed_minor
    return (first, _episode(again, plot, due_on, rest, (seed, index, 2)))


def _episode(
    persona: Persona,
    plot: Plot,
    due_on: date,
    balance_minor: int | None,
    key: tuple[object, ...],
) -> Episode:
    """`balance_minor` is what an earlier episode left of the loan; None for the first one."""
    low, high = OWED[persona]
    principal = between(low, high, "principal", *key)
    interest = principal * between(40, 140, "interest", *key) // 1000
    fees = between(0, 3, "fees", *key) * 1000
    owed = principal + interest + fees
    if balance_minor is None:
        balance_minor = owed + principal * between(8, 24, "rest", *key)
    balance_minor = max(balance_minor, owed)
    payments = _payments(plot.paid, due_on, owed)
    cured_on = None
    if plot.cured_after is not None:
        cured_on = payments[-1].on + timedelta(days=plot.cured_after)
    return Episode(
        persona=persona,
        due_on=due_on,
        balance_minor=balance_minor,
        principal_minor=principal,
        interest_minor=interest,
        fees_minor=fees,
        payments=payments,
        planned=_payments(plot.planned, due_on, owed),
        cured_on=cured_on,
        judged_on=None if plot.judged is None else due_on + timedelta(days=plot.judged),
    )


def _payments(steps: tuple[Step, ...], due_on: date, owed_minor: int) -> tuple[Payment, ...]:
    left = owed_minor
    payments = []
    for step in steps:
        amount = left if step.share is None else owed_minor * step.share // 1000
        left -= amount
        on = due_on + timedelta(days=step.day)
        payments.append(Payment(on=on, amount_minor=amount, rolls_days=step.rolls))
    return tuple(payments)


def _round_up(amount: int, unit: int) -> int:
    return -(-amount // unit) * unit
