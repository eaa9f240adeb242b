"""The event store as the runtime sees it. PostgreSQL and memory both pass `testing.store_suite`.

There is one way to write: `commit(Change)`. It moves everything that a step moves - position,
agenda, events, timers, effects, cursor of the day - in one transaction, or nothing. What makes a
woken zombie harmless is that every change names what it expects (protocol 1.3): the position it
moves from, the agenda rows it deletes, the `last_seq` it numbers from.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct, field

from arrears.shared.kernel.ids import BorrowerId, EventId, Shard, StaffId, StreamName

EVENT_BYTES_MAX = 900_000


class ShardMoved(Exception):
    """Someone else appended to a shard since we read it. Read what is new and decide again."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        super().__init__(f"shards {list(shards)} moved")
        self.shards = tuple(shards)


class Fenced(Exception):
    """Our lease, position or agenda rows are no longer ours. Drop what was prepared."""


class StreamMoved(Exception):
    """A command decided on an old version of its stream. Load and decide again."""


class EventRepeated(Exception):
    """An event id is already in the shard: the same cause was handled before."""


class StoredEvent(Struct, frozen=True, gc=False):
    """`value` is the exact CloudEvents JSON that is published; `seq` is None before the append."""

    shard: Shard
    stream: StreamName
    version: int
    event_id: EventId
    type: str
    borrower_id: BorrowerId
    business_day: date
    value: bytes
    seq: int = 0


EventData = tuple[int, str, bytes]
"""What a fold reads of a stored event: its `seq`, its `type` and its `data` as JSON."""


class AgendaRow(Struct, frozen=True, gc=False):
    """Something heard, or answered, that waits for its turn (protocol 3.2).

    `rank` orders sources, `order` is the source's own order (seq; for facts loan, then position).
    `origin` is the place it came from, such as `arrears.intake.v1/3/17`.
    """

    shard: Shard
    day: date
    at: datetime
    rank: int
    borrower_id: BorrowerId
    order: str
    origin: str
    value: bytes
    row_id: int = 0


class Timer(Struct, frozen=True, gc=False):
    """A copy of what `Decider.due` said, kept so that an owner need not load sleeping streams."""

    shard: Shard
    stream: StreamName
    borrower_id: BorrowerId
    due_at: datetime | None


class PendingEffect(Struct, frozen=True, gc=False):
    """An effect asked for by an event and not answered yet. `sent_at` is set before sending."""

    shard: Shard
    event_id: EventId
    stream: StreamName
    borrower_id: BorrowerId
    kind: str
    at: datetime
    sent_at: datetime | None = None
    in_doubt: bool = False


class PositionMove(Struct, frozen=True, gc=False):
    """Compare-and-set of one topic partition's position; `last_hash` names the last record."""

    topic: str
    partition: int
    expected: int
    position: int
    last_seq: int = 0
    last_hash: bytes = b""
    closed_day: date | None = None
    first_day: date | None = None


class Position(Struct, frozen=True, gc=False):
    topic: str
    partition: int
    position: int
    last_seq: int
    last_hash: bytes
    closed_day: date | None
    first_day: date | None


class RefusedInput(Struct, frozen=True, gc=False):
    """An input set aside alone: where it came from, why, and its bytes (sealed or expiring)."""

    origin: str
    reason: str
    field: str | None
    fact_id: str | None
    borrower_id: BorrowerId | None
    day: date | None
    value: bytes
    refused_at: datetime


class Duplicate(Struct, frozen=True, gc=False):
    origin: str
    event_id: EventId


class ParkedInput(Struct, frozen=True, gc=False):
    """Input of a borrower whose handling failed in our code, in the order it came."""

    row: AgendaRow
    error: str
    first: bool
    parked_at: datetime


class ShardState(Struct, frozen=True, gc=False):
    shard: Shard
    last_seq: int
    epoch: int
    owner: str | None
    open_day: date | None


class ShardChange(Struct, gc=False):
    """What happens to one shard.

    `epoch` None: an HTTP command, which holds no lease; it leaves `expected_seq` None as well and
    relies on the versions of its stream. `idle_until`: it stands only where no row of the open day
    and no timer falls due before that instant.
    """

    shard: Shard
    expected_seq: int | None
    epoch: int | None
    open_day: date | None
    events: list[StoredEvent] = field(default_factory=list)
    next_open_day: date | None = None
    idle_until: datetime | None = None


class CommandTurn(Struct, frozen=True):
    """Who carries a person's command out (table `idempotency`): another may take it over.

    The commit that holds the turn keeps the `answer` with the key; None: it is given later.
    """

    key: str
    actor: StaffId
    turn: str
    answer: bytes | None = None


class Change(Struct):
    """Everything that one step moves, in one transaction."""

    shards: dict[Shard, ShardChange] = field(default_factory=dict)
    positions: list[PositionMove] = field(default_factory=list)
    agenda_added: list[AgendaRow] = field(default_factory=list)
    agenda_deleted: list[AgendaRow] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    effects_added: list[PendingEffect] = field(default_factory=list)
    effects_answered: list[PendingEffect] = field(default_factory=list)
    effects_sent_again: list[PendingEffect] = field(default_factory=list)
    """In doubt until now; they wait again as if they had never been sent."""
    refused: list[RefusedInput] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    parked: list[ParkedInput] = field(default_factory=list)
    unparked: list[int] = field(default_factory=list)
    turns: list[CommandTurn] = field(default_factory=list)
    """Nothing is moved where one of these was lost: another answers for that command."""


class Store(Protocol):
    async def shard_states(self) -> Sequence[ShardState]: ...

    async def load(self, streams: Mapping[Shard, Iterable[StreamName]]) -> Sequence[StoredEvent]:
        """All events of the streams, in order of (shard, stream, version)."""

    async def event(self, event_id: EventId) -> StoredEvent | None:
        """The event of that id, in whichever shard."""

    async def after(self, shard: Shard, seq: int, *, limit: int) -> Sequence[StoredEvent]:
        """Events with a higher seq, in order of seq. Contiguous, or the store lost one."""

    async def data_after(self, shard: Shard, seq: int, *, limit: int) -> Sequence[EventData]:
        """The same events as `after`, with less of each."""

    async def open_first_day(self, shard: Shard, day: date) -> date:
        """Set the shard's open day unless it has one; says which it has."""

    async def settle_homes(
        self, homes: Mapping[str, BorrowerId | None]
    ) -> Mapping[str, BorrowerId]:
        """Give each loan its borrower unless it has one; says which each has (protocol 1.1).

        None gives none, so a loan that has none yet is not among the answers.
        """

    async def prepare_positions(self, places: Sequence[tuple[str, int]]) -> None:
        """Make sure that every (topic, partition) has a row to compare and set."""

    async def positions(self) -> Sequence[Position]: ...

    async def due(self, shards: Sequence[Shard], up_to: date, before: datetime) -> Sequence[Shard]:
        """The shards that have rows or timers for `agenda` and `timers` to return."""

    async def agenda(
        self,
        shards: Sequence[Shard],
        up_to: date,
        before: datetime,
        *,
        limit: int,
        free_only: bool = False,
    ) -> Sequence[AgendaRow]:
        """Rows with `day <= up_to` and `at < before`, of as many whole shards as `limit` allows.

        `free_only`: but for borrowers that wait for the answer to an effect.
        """

    async def waiting(
        self, whose: Sequence[tuple[Shard, BorrowerId]], up_to: date, before: datetime
    ) -> Collection[BorrowerId]:
        """Which of these have such rows in `agenda`, however many."""

    async def timers(self, shards: Sequence[Shard], before: datetime) -> Sequence[Timer]: ...

    async def effects(self, shards: Sequence[Shard]) -> Sequence[PendingEffect]: ...

    async def effect(self, event_id: EventId) -> PendingEffect | None:
        """The effect of that id while it is not answered."""

    async def parked_borrowers(self, shards: Sequence[Shard]) -> Mapping[BorrowerId, datetime]:
        """Who has parked input, and when the first of what is there was parked."""

    async def mark_sent(self, effects: Sequence[PendingEffect], at: datetime) -> None:
        """Remember that we are about to send, so that a crash leaves doubt and not silence.

        Compare-and-set from each effect's own `sent_at`: raises Fenced and marks none where another
        has sent or answered one since, or left it in doubt.
        """

    async def mark_in_doubt(self, effects: Sequence[PendingEffect]) -> None:
        """Remember that nobody knows whether they were carried out; staff must decide."""

    async def commit(self, change: Change) -> None:
        """Append and move, or raise: ShardMoved (decide again), Fenced (drop everything)."""

    async def parked_inputs(self, borrower_id: BorrowerId) -> Sequence[tuple[int, AgendaRow]]:
        """The parked input of a borrower, numbered, in the order it came."""

    async def cursors(self, shards: Sequence[Shard]) -> Mapping[Shard, int]:
        """The highest seq of each shard that the relay has published."""

    async def move_cursors(self, moves: Mapping[Shard, tuple[int, int]]) -> None:
        """Compare-and-set (from, to) per shard. Raises Fenced and moves none if one differs."""

    def scan(self, shard: Shard) -> AsyncIterator[Sequence[StoredEvent]]:
        """All events of a shard in order of seq, in pages."""
