"""What a service says to its kernel: commands that follow from what was heard, and effects.

All of it is pure data. `react` and `on_answer` of a service return these; the runtime carries
them out in agenda order.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Raw, Struct

from arrears.shared.kernel.ids import BorrowerId, EventId, StreamName


class Issue(Struct, frozen=True):
    """A command for one stream of ours: `<category>-<key>`."""

    category: str
    key: str
    command: object


class Heard(Struct, frozen=True):
    """The envelope of another service's event, as far as a reaction may look at it."""

    id: EventId
    type: str
    service: str
    borrower_id: BorrowerId
    subject: str
    stream: StreamName
    time: datetime
    business_day: date
    data: Raw


class EffectRequest(Struct, frozen=True):
    """Something to be done in the outside world, asked for by one of our events.

    `id` is the event's id and the idempotency key; `event` is the decoded domain event;
    `at` is the event's business time.
    """

    id: EventId
    stream: StreamName
    borrower_id: BorrowerId
    at: datetime
    event: object


class AnswerAt(Struct, frozen=True):
    """One answer of a gateway with the business time at which it becomes known.

    `body` is one of the service's own answer structs (a msgspec tagged union).
    """

    at: datetime
    body: object


class Gateway(Protocol):
    """The outside world of one service. Only the runtime's effects step calls it.

    `honours_key` says that a repeated request with the same id is carried out once; where it is
    False a crash between request and answer leaves the effect in doubt (architecture 4).
    """

    honours_key: bool
    sandbox: bool

    async def carry_out(
        self, requests: Sequence[EffectRequest]
    ) -> Sequence[Sequence[AnswerAt]]: ...
