"""What routes ask of a service: carry out a command, tell the business time, give rows.

The runtime implements it over the one write path. Routes know nothing of stores and shards.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from arrears.shared.eventstore.port import CommandTurn
from arrears.shared.kernel.ids import BorrowerId, EventId, StreamName
from arrears.shared.kernel.reaction import Issue


class IssuedEvent(Struct, frozen=True, kw_only=True):
    """An event that the command has appended, by its wire name and place in its stream."""

    id: EventId
    type: str
    stream: StreamName
    version: int


class Issued(Struct, frozen=True, kw_only=True):
    """What the command led to. No events: it was already in effect."""

    events: tuple[IssuedEvent, ...]


class Kept(Struct, frozen=True):
    """What is answered, where the commit of a command has kept it with its key."""

    body: bytes


class CommandDesk(Protocol):
    async def issue(
        self,
        build: Callable[[datetime], Issue],
        borrower_id: BorrowerId,
        *,
        turn: CommandTurn,
    ) -> Issued | Kept:
        """Carries out the command that `build` makes for the business time.

        Raises Refused, and NotNow or Busy where it may be tried again. The actor and key of the
        `turn` are the cause: tried again after a crash, the same ids come out. Where another has
        taken the key over, so that the turn is lost, nothing is carried out.
        """

    async def now(self, borrower_id: BorrowerId) -> datetime:
        """The business time for a command to this borrower: never before what is decided."""

    async def home(self, loan_key: str, borrower_id: BorrowerId) -> BorrowerId:
        """Whose the loan's stream is: fixed when its borrower was first known (protocol 1.1).

        `borrower_id` is who it is said to be now.
        """

    async def row(self, projection: str, key: str) -> bytes | None:
        """A row of a projection as JSON."""

    async def rows(
        self, projection: str, after: str | None, limit: int
    ) -> Sequence[tuple[str, bytes]]:
        """Rows in order of key, from the first one after `after`."""
