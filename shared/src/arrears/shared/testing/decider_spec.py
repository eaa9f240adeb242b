"""Given these events, when this command arrives, then these events (or this refusal)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from arrears.shared.kernel.decider import Command, Decider, Event, Refused, State


@dataclass(frozen=True, slots=True)
class When(Generic[State, Command, Event]):
    decider: Decider[State, Command, Event]
    state: State
    command: Command

    def then(self, *expected: Event) -> None:
        assert tuple(self.decider.decide(self.command, self.state)) == expected

    def then_nothing_happens(self) -> None:
        self.then()

    def then_refused(self, reason: str) -> None:
        try:
            events = self.decider.decide(self.command, self.state)
        except Refused as refusal:
            assert refusal.reason == reason, f"expected {reason!r}, refused by {refusal.reason!r}"
        else:
            raise AssertionError(f"expected refusal {reason!r}, got {list(events)}")


@dataclass(frozen=True, slots=True)
class Given(Generic[State, Command, Event]):
    decider: Decider[State, Command, Event]
    events: Sequence[Event]

    def when(self, command: Command) -> When[State, Command, Event]:
        return When(self.decider, self.decider.fold(self.events), command)

    def is_due(self, after: datetime) -> datetime | None:
        return self.decider.due(self.decider.fold(self.events), after)


@dataclass(frozen=True, slots=True)
class DeciderSpec(Generic[State, Command, Event]):
    decider: Decider[State, Command, Event]

    def given(self, *events: Event) -> Given[State, Command, Event]:
        return Given(self.decider, events)
