"""A service behind its API without a runtime: streams, deciders and rows in memory.

For API tests: seed events, send a request, look at the status and at the new events.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.json import encode

from arrears.shared.eventstore.port import CommandTurn
from arrears.shared.http.desk import Issued, IssuedEvent
from arrears.shared.kernel.decider import Decider
from arrears.shared.kernel.ids import (
    BorrowerId,
    EventId,
    StaffId,
    StreamName,
    derived_id,
    stream_name,
)
from arrears.shared.kernel.reaction import Issue


class MemoryDesk:
    """`failures` are raised by the next commands, one each, before anything is decided."""

    def __init__(
        self,
        deciders: Sequence[Decider[Any, Any, Any]],
        wire_names: Mapping[type, str],
        now: datetime,
        *,
        key_of: Callable[[Any], str | None],
        evolve: Callable[[Any, Any], Any],
        projection: str = "case_list",
    ) -> None:
        self.business_time = now
        self.streams: dict[StreamName, list[Any]] = {}
        self.actors: list[StaffId] = []
        self.homes: dict[str, BorrowerId] = {}
        self.asked_of: list[BorrowerId] = []
        """The borrowers to whose shards commands went."""
        self.failures: list[Exception] = []
        self._deciders = {decider.category: decider for decider in deciders}
        self._wire_names = wire_names
        self._key_of = key_of
        self._evolve = evolve
        self._projection = projection

    def seed(self, category: str, key: str, *events: Any) -> None:
        self.streams.setdefault(stream_name(category, key), []).extend(events)

    def events(self, category: str, key: str) -> list[Any]:
        return self.streams.get(stream_name(category, key), [])

    async def issue(
        self,
        build: Callable[[datetime], Issue],
        borrower_id: BorrowerId,
        *,
        turn: CommandTurn,
    ) -> Issued:
        if self.failures:
            raise self.failures.pop(0)
        issue = build(self.business_time)
        name = stream_name(issue.category, issue.key)
        stream = self.streams.setdefault(name, [])
        decider = self._deciders[issue.category]
        events = decider.decide(issue.command, decider.fold(stream))
        first = len(stream) + 1
        stream.extend(events)
        self.actors.append(turn.actor)
        self.asked_of.append(borrower_id)
        return Issued(
            events=tuple(
                IssuedEvent(
                    id=EventId(derived_id(turn.key, name, str(version))),
                    type=self._wire_names[type(event)],
                    stream=name,
                    version=version,
                )
                for version, event in enumerate(events, start=first)
            )
        )

    async def now(self, borrower_id: BorrowerId) -> datetime:
        return self.business_time

    async def home(self, loan_key: str, borrower_id: BorrowerId) -> BorrowerId:
        return self.homes.get(loan_key, borrower_id)

    async def row(self, projection: str, key: str) -> bytes | None:
        return dict(self._rows(projection)).get(key)

    async def rows(
        self, projection: str, after: str | None, limit: int
    ) -> Sequence[tuple[str, bytes]]:
        found = self._rows(projection)
        return [pair for pair in found if after is None or pair[0] > after][:limit]

    def _rows(self, projection: str) -> list[tuple[str, bytes]]:
        assert projection == self._projection, f"no projection {projection}"
        rows: dict[str, Any] = {}
        for stream in self.streams.values():
            for event in stream:
                key = self._key_of(event)
                if key is not None:
                    rows[key] = self._evolve(rows.get(key), event)
        return [(key, encode(row)) for key, row in sorted(rows.items()) if row is not None]
