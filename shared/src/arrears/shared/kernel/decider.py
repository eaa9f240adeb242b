"""The one shape every aggregate and process has: initial, evolve, decide, and when to wake."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Final, Generic, TypeVar

State = TypeVar("State")
Command = TypeVar("Command")
Event = TypeVar("Event")

SOON: Final = timedelta(microseconds=1)
"""How long after `after` a decider wants what has passed unserved."""


class Refused(Exception):
    """The command is well formed but the rules forbid it now. The API answers 409.

    `reason` is a stable, lower-case code that clients may branch on; `field` names the part of the
    command that the rule is about, where there is one.
    """

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason if field is None else f"{field}: {reason}")
        self.reason = reason
        self.field = field


class NotNow(Refused):
    """Refused for where the service stands, whatever the command says. Asked again it may be taken,
    under the same key too."""


class Busy(Exception):
    """The command could not be carried out now, through no fault of its own. Try again."""


def never(_state: object, _after: datetime) -> datetime | None:
    """A stream that waits for nobody and nothing."""
    return None


@dataclass(frozen=True, slots=True)
class Decider(Generic[State, Command, Event]):
    """What the kernel needs to run an aggregate. The functions are pure: no clock, no I/O.

    `due(state, after)` is the first instant strictly later than `after` at which the stream wants
    to be woken. It is a function of the state alone, so a timer needs no row that could be lost: a
    rebuild finds the same timers again. An instant that has passed unserved is wanted soon after
    `after`, not forgotten: something else of the stream may be handled before its timer fires.
    `wake(now)` makes the command that the timer issues.
    """

    category: str
    initial: State
    evolve: Callable[[State, Event], State]
    decide: Callable[[Command, State], Sequence[Event]]
    due: Callable[[State, datetime], datetime | None] = never
    wake: Callable[[datetime], Command] | None = None

    def fold(self, events: Iterable[Event]) -> State:
        return reduce(self.evolve, events, self.initial)
