"""Who the borrowers are: one ending each, and the days on which they act.

Days count from the due date (days past due). They leave slack for what the services need: an
attempt is made the day after it is decided, a letter takes days, a report is heard the next
morning. So a borrower who keeps a promise pays a week after the call, not a day after it.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from arrears.shared.sandbox.dice import between, chance, roll


class Persona(StrEnum):
    CURED_IN_GRACE = "cured_in_grace"
    AFTER_A_REMINDER = "after_a_reminder"
    PROMISE_KEPT = "promise_kept"
    HARDSHIP_THEN_CURED = "hardship_then_cured"
    AGREEMENT_FULFILLED = "agreement_fulfilled"
    AGREEMENT_BREACHED = "agreement_breached_then_sued"
    JUDGMENT_OBEYED = "judgment_obeyed"
    ENFORCED_IN_FULL = "enforced_in_full"
    ENFORCED_IN_PART = "enforced_in_part"
    NO_ASSETS = "no_assets"
    STILL_OPEN = "still_open"


class Step(Struct, frozen=True, kw_only=True):
    """A payment: `share` per mille of what was owed at first; None is all that is left.

    `rolls` is by how many days it moves the due date: it has paid the oldest instalment, so the
    days past due fall without a cure.
    """

    day: int
    share: int | None
    rolls: int = 0


class Plot(Struct, frozen=True, kw_only=True):
    """What happens in one episode, in days past due.

    `planned` is what the borrower agrees to pay, `paid` what comes. They differ only where an
    agreement is breached. `life` is the day by which the ending has been reached.
    """

    paid: tuple[Step, ...] = ()
    planned: tuple[Step, ...] = ()
    cured_after: int | None = None
    judged: int | None = None
    life: int


WEIGHTS: Final = (
    (Persona.CURED_IN_GRACE, 27),
    (Persona.AFTER_A_REMINDER, 28),
    (Persona.PROMISE_KEPT, 14),
    (Persona.HARDSHIP_THEN_CURED, 7),
    (Persona.AGREEMENT_FULFILLED, 5),
    (Persona.AGREEMENT_BREACHED, 3),
    (Persona.JUDGMENT_OBEYED, 4),
    (Persona.ENFORCED_IN_FULL, 3),
    (Persona.ENFORCED_IN_PART, 2),
    (Persona.NO_ASSETS, 2),
    (Persona.STILL_OPEN, 5),
)
_TABLE: Final = tuple(persona for persona, weight in WEIGHTS for _ in range(weight))
_STRIDES: Final = (37, 39, 41, 43, 57, 59, 61, 63)
_EASY: Final = (Persona.CURED_IN_GRACE, Persona.AFTER_A_REMINDER, Persona.PROMISE_KEPT)
_RELAPSES: Final = (
    *(Persona.AFTER_A_REMINDER,) * 9,
    *(Persona.PROMISE_KEPT,) * 5,
    Persona.HARDSHIP_THEN_CURED,
    *(Persona.AGREEMENT_FULFILLED,) * 2,
    Persona.JUDGMENT_OBEYED,
    Persona.ENFORCED_IN_PART,
    Persona.NO_ASSETS,
)
RELAPSE_PERCENT: Final = 18
MAY_RELAPSE: Final = frozenset({*_EASY, Persona.HARDSHIP_THEN_CURED})

OWED: Final = {
    Persona.CURED_IN_GRACE: (20_000, 150_000),
    Persona.AFTER_A_REMINDER: (30_000, 400_000),
    Persona.PROMISE_KEPT: (50_000, 600_000),
    Persona.HARDSHIP_THEN_CURED: (80_000, 800_000),
    Persona.AGREEMENT_FULFILLED: (300_000, 2_000_000),
    Persona.AGREEMENT_BREACHED: (500_000, 2_500_000),
    Persona.JUDGMENT_OBEYED: (400_000, 3_000_000),
    Persona.ENFORCED_IN_FULL: (500_000, 5_000_000),
    Persona.ENFORCED_IN_PART: (500_000, 5_000_000),
    Persona.NO_ASSETS: (500_000, 5_000_000),
    Persona.STILL_OPEN: (50_000, 2_000_000),
}
"""What is overdue when the episode begins, lowest and highest, in minor units."""


def persona_of(seed: int, index: int) -> Persona:
    """Each hundred loans holds each persona by its weight, in an order of its own."""
    block, place = divmod(index, 100)
    stride = _STRIDES[roll(len(_STRIDES), seed, "stride", block)]
    return _TABLE[(place * stride + roll(100, seed, "shift", block)) % 100]


def easy_persona_of(seed: int, index: int) -> Persona:
    """For a second loan: its borrower's other loan may hold all contact for months."""
    return _EASY[roll(len(_EASY), seed, "easy", index)]


def relapse_of(seed: int, index: int) -> Persona | None:
    """How the second episode ends, for those who fall behind again."""
    if not chance(RELAPSE_PERCENT, seed, "relapse", index):
        return None
    return _RELAPSES[roll(len(_RELAPSES), seed, "relapsed", index)]


def plot_of(persona: Persona, *key: object) -> Plot:
    """The days of one episode; `key` names the episode (seed, loan, episode)."""
    return _PLOTS[persona](*key)


def _cured_in_grace(*key: object) -> Plot:
    paid = (Step(day=between(2, 4, "pay", *key), share=None),)
    return Plot(paid=paid, cured_after=0, life=8)


def _after_a_reminder(*key: object) -> Plot:
    last = Step(day=between(11, 13, "pay", *key), share=None)
    if chance(20, "parts", *key):
        first = Step(day=between(8, 10, "first", *key), share=between(300, 600, "share", *key))
        return Plot(paid=(first, last), cured_after=0, life=18)
    return Plot(paid=(Step(day=between(8, 13, "once", *key), share=None),), cured_after=0, life=18)


def _promise_kept(*key: object) -> Plot:
    if chance(25, "parts", *key):
        first = Step(day=between(21, 22, "first", *key), share=between(300, 600, "share", *key))
        last = Step(day=between(26, 28, "pay", *key), share=None)
        return Plot(paid=(first, last), cured_after=1, life=32)
    return Plot(paid=(Step(day=between(22, 27, "once", *key), share=None),), cured_after=1, life=32)


def _hardship_then_cured(*key: object) -> Plot:
    share = between(200, 500, "share", *key)
    first = Step(day=between(31, 38, "first", *key), share=share, rolls=30)
    last = Step(day=between(42, 78, "pay", *key), share=None)
    return Plot(paid=(first, last), cured_after=1, life=86)


def _instalments(count: int, rolls: int, *key: object) -> tuple[Step, ...]:
    """Monthly from the 80th day on: weeks after talks begin. Equal but for the last."""
    first = 80 + roll(5, "shift", *key)
    last = Step(day=first + 30 * (count - 1), share=None)
    return (
        *(
            Step(day=first + 30 * number, share=1000 // count, rolls=rolls)
            for number in range(count - 1)
        ),
        last,
    )


def _agreement_fulfilled(*key: object) -> Plot:
    steps = _instalments(between(3, 5, "count", *key), 30, *key)
    return Plot(paid=steps, planned=steps, cured_after=1, life=steps[-1].day + 5)


def _agreement_breached(*key: object) -> Plot:
    """Pays the first instalment only; half obey the judgment that follows, half have nothing.

    The second falls due about day 112; grace, a time to cure and the court's days come after it.
    """
    steps = _instalments(between(4, 5, "count", *key), 0, *key)
    if chance(50, "obeys", *key):
        last = Step(day=between(176, 180, "pay", *key), share=None)
        return Plot(paid=(steps[0], last), planned=steps, cured_after=1, judged=168, life=190)
    return Plot(paid=steps[:1], planned=steps, judged=168, life=245)


def _judgment_obeyed(*key: object) -> Plot:
    last = Step(day=between(137, 143, "pay", *key), share=None)
    return Plot(paid=(last,), cured_after=1, judged=130, life=152)


def _enforced_in_full(*key: object) -> Plot:
    first = Step(day=between(176, 182, "first", *key), share=between(400, 700, "share", *key))
    last = Step(day=between(190, 200, "pay", *key), share=None)
    return Plot(paid=(first, last), cured_after=4, judged=130, life=210)


def _enforced_in_part(*key: object) -> Plot:
    some = Step(day=between(178, 190, "pay", *key), share=between(200, 600, "share", *key))
    return Plot(paid=(some,), judged=130, life=225)


def _no_assets(*_key: object) -> Plot:
    return Plot(judged=130, life=215)


def _still_open(*key: object) -> Plot:
    """Some pay a little now and then; none is ever paid up. `life` is the longest time open."""
    paid = tuple(
        Step(day=day + roll(3, "little", day, *key), share=between(30, 120, "share", day, *key))
        for day in (24, 51, 82, 110, 141)
        if chance(30, "pays", day, *key)
    )
    return Plot(paid=paid, judged=130, life=170)


_PLOTS: Final = {
    Persona.CURED_IN_GRACE: _cured_in_grace,
    Persona.AFTER_A_REMINDER: _after_a_reminder,
    Persona.PROMISE_KEPT: _promise_kept,
    Persona.HARDSHIP_THEN_CURED: _hardship_then_cured,
    Persona.AGREEMENT_FULFILLED: _agreement_fulfilled,
    Persona.AGREEMENT_BREACHED: _agreement_breached,
    Persona.JUDGMENT_OBEYED: _judgment_obeyed,
    Persona.ENFORCED_IN_FULL: _enforced_in_full,
    Persona.ENFORCED_IN_PART: _enforced_in_part,
    Persona.NO_ASSETS: _no_assets,
    Persona.STILL_OPEN: _still_open,
}
