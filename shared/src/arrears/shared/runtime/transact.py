"""The write path of people's commands: load, decide, append; on a concurrent append start over.

It is the batch path: the same workbench decides, the same commit appends. A command holds no lease;
the versions of its stream protect it, and its business day comes from the shard row (protocol 1.3).
Those that come together are decided in turn and appended in one commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.pool import PASSING
from arrears.shared.eventstore.port import (
    Change,
    CommandTurn,
    EventRepeated,
    Fenced,
    ShardMoved,
    ShardState,
    Store,
    StoredEvent,
    StreamMoved,
    Timer,
)
from arrears.shared.kernel.decider import Busy, NotNow, Refused
from arrears.shared.kernel.ids import (
    BorrowerId,
    Shard,
    StreamName,
    derived_id,
    shard_of,
    stream_name,
)
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.shelves import Draft, Shelf
from arrears.shared.runtime.stage import Stage
from arrears.shared.runtime.workbench import Cause, Workbench

ATTEMPTS_MAX: Final = 5
Attempted = TypeVar("Attempted")


class TooBusy(Busy):
    """Others appended to the stream at every attempt. Nothing was written; try again."""


def _untold(_events: Sequence[StoredEvent]) -> None:
    return None


class Order(Struct, frozen=True, kw_only=True):
    """A person's command. `build` makes it for the business time.

    `at` is that time; None: 00:00 of the open day of the borrower's shard. Where its `turn` is lost
    before the commit nothing is appended; otherwise it keeps what `answer` tells of the events.
    """

    build: Callable[[datetime], Issue]
    borrower_id: BorrowerId
    cause: Cause
    at: datetime | None
    recorded_at: datetime
    turn: CommandTurn | None = None
    answer: Callable[[Sequence[StoredEvent]], bytes | None] = _untold


class Done(Struct, frozen=True):
    """What an order has led to; no events where it was in effect already.

    `answer` is what the commit of the events has kept; None: they are of an earlier one.
    """

    events: Sequence[StoredEvent]
    answer: bytes | None = None


Outcome: TypeAlias = Done | Exception
_IN_EFFECT: Final = Done(())


def asked_by(turn: CommandTurn) -> Cause:
    """A person's request as a cause: asked for again after a crash, the same ids come out."""
    return Cause(id=derived_id("command", turn.actor, turn.key), actor=turn.actor)


async def begun_again(what: str, attempt: Callable[[], Awaitable[Attempted]]) -> Attempted:
    """The attempt, again while others move what it read. Raises TooBusy after five lost races."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return await attempt()
        except (ShardMoved, StreamMoved, Fenced):
            continue
    raise TooBusy(what)


async def open_desk(stage: Stage, store: Store, borrower_id: BorrowerId) -> tuple[Workbench, Shelf]:
    """A fresh bench with the borrower's shard. Raises NotNow before the first business day."""
    bench = Workbench(stage, store)
    return bench, _open_shelf(bench, await _states(store), borrower_id)


async def transact(
    stage: Stage,
    store: Store,
    issue: Issue,
    borrower_id: BorrowerId,
    *,
    cause: Cause,
    at: datetime,
    recorded_at: datetime,
) -> Sequence[StoredEvent]:
    """Decide and append one command; no events where it was already in effect.

    A command that was carried out before, and whose answer was lost, leads to the events of then.
    Raises Refused from the domain, NotNow for a parked borrower, TooBusy after five lost races.
    """
    order = Order(
        build=lambda _at: issue,
        borrower_id=borrower_id,
        cause=cause,
        at=at,
        recorded_at=recorded_at,
    )
    (outcome,) = await transact_all(stage, store, [order])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome.events


async def transact_all(stage: Stage, store: Store, orders: Sequence[Order]) -> list[Outcome]:
    """Decide the orders in turn, and append what follows in one commit; each as by `transact`.

    Whatever fails for all of them, but for a store that is away, is tried one by one: it is the
    trouble of one alone.
    """
    if len(orders) > 1:
        try:
            return await _Attempt(stage, store, orders).outcomes()
        except (OSError, *PASSING):
            raise
        except Exception:
            return [await _alone(stage, store, order) for order in orders]
    return [await _alone(stage, store, order) for order in orders]


async def _alone(stage: Stage, store: Store, order: Order) -> Outcome:
    async def attempt() -> Outcome:
        (outcome,) = await _Attempt(stage, store, [order]).outcomes()
        return outcome

    try:
        return await begun_again(order.cause.id, attempt)
    except (OSError, *PASSING):
        raise
    except Exception as error:
        return error


class _Placed(Struct):
    """An order that was made a command of a stream on an open shelf."""

    order: Order
    shelf: Shelf
    at: datetime
    issue: Issue
    stream: StreamName


class _Attempt:
    """Orders decided on one bench for one commit."""

    def __init__(self, stage: Stage, store: Store, orders: Sequence[Order]) -> None:
        self._bench = Workbench(stage, store)
        self._store = store
        self._orders = orders
        self._change = Change()
        self._timers: dict[tuple[Shard, StreamName], Timer] = {}

    async def outcomes(self) -> list[Outcome]:
        """Raises what a commit raises, and has then changed nothing."""
        shards = sorted({shard_of(order.borrower_id) for order in self._orders})
        states, parked = await asyncio.gather(
            _states(self._store), self._store.parked_borrowers(shards)
        )
        placed = [self._place(states, order) for order in self._orders]
        await self._bench.load(_by_shard([one for one in placed if isinstance(one, _Placed)]))
        found: list[Outcome] = [
            self._decide(one, parked) if isinstance(one, _Placed) else one for one in placed
        ]
        if self._change.shards:
            self._change.timers = list(self._timers.values())
            try:
                await self._store.commit(self._change)
            except EventRepeated:
                if len(found) > 1:
                    raise
                found = [_IN_EFFECT]
        return await self._with_repeats(placed, found)

    def _place(self, states: Mapping[Shard, ShardState], order: Order) -> _Placed | Exception:
        bench = self._bench
        try:
            shelf = _open_shelf(bench, states, order.borrower_id)
            assert shelf.open_day is not None
            at = order.at or bench.stage.calendar.start_of(shelf.open_day)
            issue = order.build(at)
        except Exception as error:
            return error
        return _Placed(order, shelf, at, issue, stream_name(issue.category, issue.key))

    def _decide(self, placed: _Placed, parked: Collection[BorrowerId]) -> Outcome:
        """What fails is undone, so that it leaves nothing to those that come after it."""
        order, shelf = placed.order, placed.shelf
        if order.borrower_id in parked:
            return NotNow("case_is_parked")
        time = shelf.entries[placed.stream].time
        at = placed.at if time is None else max(placed.at, time)
        draft = Draft(order.recorded_at)
        try:
            decided = self._bench.decide(
                draft, shelf, placed.stream, placed.issue.command, order.cause, at
            )
        except Exception as error:
            draft.undo()
            return error
        if not decided:
            return _IN_EFFECT
        events = self._add(draft.finish(every_timer=True))
        if order.turn is None:
            return Done(events)
        turn = replace(order.turn, answer=order.answer(events))
        self._change.turns.append(turn)
        return Done(events, turn.answer)

    def _add(self, drafted: Change) -> Sequence[StoredEvent]:
        events: list[StoredEvent] = []
        for shard, part in drafted.shards.items():
            events.extend(part.events)
            known = self._change.shards.get(shard)
            if known is None:
                part.expected_seq = None
                self._change.shards[shard] = part
            else:
                known.events.extend(part.events)
        self._change.effects_added.extend(drafted.effects_added)
        self._timers.update({(timer.shard, timer.stream): timer for timer in drafted.timers})
        return events

    async def _with_repeats(
        self, placed: Sequence[_Placed | Exception], found: list[Outcome]
    ) -> list[Outcome]:
        """A command that was carried out before led to its events of then, whatever it is now."""
        idle = {
            number: one
            for number, (one, outcome) in enumerate(zip(placed, found, strict=True))
            if isinstance(one, _Placed) and (isinstance(outcome, Refused) or outcome == _IN_EFFECT)
        }
        if idle:
            streams: dict[Shard, list[StreamName]] = {}
            for one in idle.values():
                streams.setdefault(one.shelf.shard, []).append(one.stream)
            stored = await self._store.load(streams)
            for number, one in idle.items():
                told = carried_out(stored, one.shelf.shard, one.stream, one.order.cause)
                if told:
                    found[number] = Done(told)
        return found


async def _states(store: Store) -> Mapping[Shard, ShardState]:
    return {state.shard: state for state in await store.shard_states()}


def _open_shelf(
    bench: Workbench, states: Mapping[Shard, ShardState], borrower_id: BorrowerId
) -> Shelf:
    """The shelf of the borrower's shard, opened once. Raises NotNow before the first day."""
    state = states[shard_of(borrower_id)]
    if state.open_day is None:
        raise NotNow("before_the_first_business_day")
    shelf = bench.shelves.get(state.shard) or bench.open_shelf(state)
    shelf.epoch = None
    return shelf


def _by_shard(
    placed: Sequence[_Placed],
) -> Mapping[Shard, Sequence[tuple[StreamName, str, BorrowerId]]]:
    wanted: dict[Shard, list[tuple[StreamName, str, BorrowerId]]] = {}
    for one in placed:
        place = (one.stream, one.issue.category, one.order.borrower_id)
        wanted.setdefault(one.shelf.shard, []).append(place)
    return wanted


def carried_out(
    stored: Sequence[StoredEvent], shard: Shard, stream: StreamName, cause: Cause
) -> Sequence[StoredEvent]:
    """Those of the stream's events that this very cause has led to."""
    mark = cause.id.encode()
    return [
        event
        for event in stored
        if event.stream == stream
        and event.shard == shard
        and mark in event.value
        and read_envelope(event.value).causationid == cause.id
    ]
