"""The sandbox borrower on the telephone, at the letter box and at the door.

For a loan of our own feed the story speaks, for any other a hash of seed, case and attempt.
"""

from datetime import date, datetime, timedelta
from typing import Final

from arrears.shared.kernel.ids import derived_id
from arrears.shared.sandbox.dice import between, chance, roll
from arrears.shared.sandbox.hours import at_ten, day_of
from arrears.shared.sandbox.personas import Persona
from arrears.shared.sandbox.spoken import ContactAnswer, Said
from arrears.shared.sandbox.story import Payment, Story, episode_at, story_of

PROMISE_DAYS_MAX: Final = 14
"""Nobody promises, and no bank accepts, a payment further ahead."""
_NOTHING: Final = Said()
_SPEAKS: Final = frozenset({"connected", "met"})
_TALKERS: Final = frozenset({Persona.PROMISE_KEPT, Persona.HARDSHIP_THEN_CURED})
_LIARS: Final = frozenset(
    {
        Persona.AGREEMENT_BREACHED,
        Persona.ENFORCED_IN_FULL,
        Persona.ENFORCED_IN_PART,
        Persona.NO_ASSETS,
        Persona.STILL_OPEN,
    }
)
"""A quarter of these promise on the telephone what does not come."""


def contact_answer(
    seed: int,
    loan_key: str,
    case_id: str,
    attempt_id: str,
    channel: str,
    treatment: str,
    at: datetime,
    overdue_minor: int,
) -> ContactAnswer:
    """`channel` is sms, call, letter or visit; `at` is when the permitted attempt is made."""
    told = story_of(seed, loan_key)
    key = (seed, case_id, attempt_id)
    reached = _foreign_reached(channel, *key)
    if told is not None:
        reached = _story_reached(told, channel, attempt_id, at, *key)
    outcome = _outcome(channel, reached)
    said = _NOTHING
    if outcome in _SPEAKS and overdue_minor > 0:
        if told is None:
            said = _foreign_said(day_of(at), overdue_minor, *key)
        else:
            said = _story_said(told, channel, day_of(at), overdue_minor, *key)
    return ContactAnswer(
        receipt_at=at + timedelta(seconds=between(1, 20, "receipt", *key)),
        receipt_id="sandbox-" + derived_id("receipt", channel, treatment, attempt_id),
        outcome=outcome,
        concluded_at=_concluded_at(channel, at, *key),
        said=said,
    )


def next_payments(told: Story, day: date) -> tuple[Payment, ...]:
    """What the running episode's feed pays after a day."""
    return tuple(payment for payment in episode_at(told, day).payments if payment.on > day)


def _outcome(channel: str, reached: bool) -> str:
    match channel:
        case "call":
            return "connected" if reached else "no_answer"
        case "visit":
            return "met" if reached else "not_home"
        case _:
            return "delivered" if reached else "returned"


def _concluded_at(channel: str, at: datetime, *key: object) -> datetime:
    match channel:
        case "call":
            return at + timedelta(minutes=between(2, 12, "talk", *key))
        case "visit":
            return at + timedelta(minutes=between(15, 55, "talk", *key))
        case "letter":
            return at_ten(day_of(at) + timedelta(days=between(2, 4, "post", *key)))
        case _:
            return at + timedelta(seconds=between(21, 50, "delivery", *key))


# --- A loan of another feed.


def _foreign_reached(channel: str, *key: object) -> bool:
    percent = {"call": 60, "visit": 50, "letter": 90}.get(channel, 97)
    return chance(percent, "reached", channel, *key)


def _foreign_said(day: date, overdue_minor: int, *key: object) -> Said:
    mood = roll(100, "said", *key)
    if mood < 2:
        return Said(kind="hardship", review_on=day + timedelta(days=30))
    if mood < 40:
        return Said(
            kind="promise",
            amount_minor=max(1, overdue_minor * between(2, 10, "share", *key) // 10),
            due_on=day + timedelta(days=between(5, 10, "promised", *key)),
        )
    return Said(kind="refusal") if mood < 60 else _NOTHING


# --- A loan of our own feed.


def _story_reached(told: Story, channel: str, attempt_id: str, at: datetime, *key: object) -> bool:
    persona = episode_at(told, day_of(at)).persona
    match channel:
        case "call" if persona in _TALKERS:
            return _attempt_no(attempt_id) > 2 or chance(70, "reached", *key)
        case "call":
            return chance(55, "reached", *key)
        case "visit":
            return chance(60, "reached", *key)
        case "letter":
            return persona is not Persona.STILL_OPEN or chance(80, "reached", *key)
        case _:
            return True


def _attempt_no(attempt_id: str) -> int:
    """Attempts of a case are numbered: the reminder is 1, so the second call is 3 or later."""
    number = attempt_id.rpartition("/")[2]
    return int(number) if number.isascii() and number.isdigit() else 1


def _story_said(told: Story, channel: str, day: date, overdue_minor: int, *key: object) -> Said:
    episode = episode_at(told, day)
    if episode.persona is Persona.HARDSHIP_THEN_CURED and episode.cured_on is not None:
        if day < episode.cured_on:
            return Said(kind="hardship", review_on=episode.cured_on + timedelta(days=2))
        return _NOTHING
    coming = next_payments(told, day)
    if coming and (coming[0].on - day).days <= PROMISE_DAYS_MAX:
        amount = min(coming[0].amount_minor, overdue_minor)
        return Said(kind="promise", amount_minor=amount, due_on=coming[0].on)
    if channel == "call" and episode.persona in _LIARS and chance(25, "lies", *key):
        due_on = day + timedelta(days=between(5, 7, "promised", *key))
        return Said(kind="promise", amount_minor=max(1, overdue_minor // 2), due_on=due_on)
    return Said(kind="refusal") if chance(35, "refuses", *key) else _NOTHING
