"""Bugs planted in the kernel: the simulation finds each, by the seeds named here.

A simulation that cannot fail proves nothing. Each test breaks one rule of the protocol and names
a seed that sees it; where a change of the kernel gave that seed another story, others are tried.
"""

from collections.abc import Sequence
from dataclasses import replace as replace_story
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import (
    Change,
    EventRepeated,
    Fenced,
    PendingEffect,
    PositionMove,
    ShardChange,
    ShardState,
)
from arrears.shared.kernel.ids import EventId, Shard
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.runtime.ears import Ears, Hearing
from arrears.shared.runtime.effects import Effects
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.relay import Relay
from arrears.shared.runtime.shelves import Draft, Shelf
from arrears.shared.runtime.workbench import Cause, Workbench
from arrears.shared.testing import simulation
from arrears.shared.testing.simulation import Story
from arrears.shared.testing.simulation_faults import Fault
from arrears.shared.testing.simulator import Simulator
from arrears.shared.testing.toy_cast import toy_cast
from arrears.shared.testing.toy_live import live_cast

SEEDS_MAX = 60


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator(toy_cast())


@pytest.fixture(scope="module")
def live() -> Simulator:
    return Simulator(live_cast())


@pytest.fixture(scope="module")
def live_without_keys() -> Simulator:
    return Simulator(live_cast(honours_key=False))


def caught(simulator: Simulator, *named: int) -> int | None:
    """The first seed that sees the bug. The named ones come first: they saw it when written."""
    seeds: list[int] = [*named, *range(1, SEEDS_MAX)]
    for seed in seeds:
        if simulator.play(seed, simulator.story(seed)) is not None:
            return seed
    return None


def test_the_seeds_of_this_file_pass_where_nothing_is_planted(simulator: Simulator) -> None:
    failures = [simulator.play(seed, simulator.story(seed)) for seed in (1, 2, 6, 7, 8, 11)]
    assert failures == [None] * 6


def test_a_position_moved_without_its_agenda_rows(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protocol 2.1, the offset committed first: a crash in between loses what was heard."""

    write = Owner._write

    async def write_twice(self: Owner, change: Change) -> None:
        rows, change.agenda_added = change.agenda_added, []
        await write(self, change)
        if rows:
            await self.store.commit(Change(agenda_added=rows))

    monkeypatch.setattr(Owner, "_write", write_twice)
    assert caught(simulator, 8)


def test_a_counter_outside_the_transaction(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protocol 1.2: a number that a failing change has taken is a hole."""
    commit = MemoryStore.commit

    async def spend(self: MemoryStore, change: Change) -> None:
        try:
            await commit(self, change)
        except Exception:
            for shard, part in change.shards.items():
                last_seq = self.shards[shard].last_seq + len(part.events)
                self.shards[shard] = replace(self.shards[shard], last_seq=last_seq)
            raise

    monkeypatch.setattr(MemoryStore, "commit", spend)
    assert caught(simulator, 11)


def test_a_zombie_that_is_not_fenced(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protocol 1.3: neither epoch nor number is compared; only the rows it deletes stop it."""
    monkeypatch.setattr(MemoryStore, "_is_moved", lambda _self, _part: False)
    assert caught(simulator, 11)


def test_a_listener_error_swallowed(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was polled when the commit failed is never polled again."""
    hear = Owner.hear

    async def swallow(self: Owner, *, wait_seconds: float = 0.0) -> bool:
        try:
            return await hear(self, wait_seconds=wait_seconds)
        except ConnectionError:
            return False

    monkeypatch.setattr(Owner, "hear", swallow)
    assert caught(simulator, 8)


def test_a_place_that_is_not_moved_while_another_learns_its_first_day(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is heard again, the store says no and the worker begins anew: nothing is lost, so only a
    run that nobody disturbs shows it."""
    move, reread = Ears._move, Ears._reread
    held: dict[Ears, Sequence[PositionMove]] = {}

    def late(self: Ears, moves: Sequence[PositionMove]) -> None:
        move(self, held.pop(self, ()))
        held[self] = moves

    async def forgotten(self: Ears) -> None:
        held.pop(self, None)
        await reread(self)

    async def listen(self: Ears, *, wait_seconds: float) -> Hearing | None:
        hearing = await heard(self, wait_seconds=wait_seconds)
        move(self, held.pop(self, ()))
        return hearing

    heard = Ears.listen
    monkeypatch.setattr(Ears, "_move", late)
    monkeypatch.setattr(Ears, "_reread", forgotten)
    monkeypatch.setattr(Ears, "listen", listen)
    failure = simulator.play(4, replace_story(simulator.story(4), faults=()))
    assert failure is not None
    assert "started over undisturbed" in failure.error


def test_what_is_kept_for_the_next_round_is_forgotten_when_shards_change_hands(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records before a name are heard first; the listener will not bring the others again."""
    assign = Ears._assign

    async def forget(self: Ears) -> None:
        self._kept.clear()
        await assign(self)

    monkeypatch.setattr(Ears, "_assign", forget)
    assert caught(simulator, 864) == 864


def test_a_timer_forgotten(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Due times live in memory only: the next owner knows of none."""
    finish = Draft.finish

    def forget(self: Draft) -> Change:
        change = finish(self)
        change.timers.clear()
        return change

    monkeypatch.setattr(Draft, "finish", forget)
    assert caught(simulator, 1)


def test_a_cursor_moved_before_sending(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protocol 2.6: a crash in between never sends."""

    async def step(self: Relay) -> bool:
        batches = {
            shard: await self._store.after(shard, cursor, limit=50)
            for shard, cursor in self._cursors.items()
        }
        batches = {shard: batch for shard, batch in batches.items() if batch}
        moves = {shard: (self._cursors[shard], batch[-1].seq) for shard, batch in batches.items()}
        await self._store.move_cursors(moves)
        self._cursors.update({shard: after for shard, (_, after) in moves.items()})
        outgoing = {
            TopicPartition(self._topic, shard): [
                Outgoing(event.borrower_id.encode(), event.value, event.seq) for event in batch
            ]
            for shard, batch in batches.items()
        }
        await self._publisher.publish(outgoing)
        return bool(batches)

    monkeypatch.setattr(Relay, "step", step)
    assert caught(simulator, 6)


def test_a_stale_cache_trusted(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protocol 1.4: what a command appended is not learnt before the next decision."""

    async def refresh(self: Workbench, state: ShardState) -> None:
        self.shelves[state.shard].last_seq = state.last_seq
        self.shelves[state.shard].open_day = state.open_day

    monkeypatch.setattr(Workbench, "refresh", refresh)
    assert caught(simulator, 11)


def test_a_decision_without_an_event_that_is_not_compared(
    live: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protocol 1.4: somebody announces a hold in mediation, is answered, and holds the case. Heard
    on a state without the announcement the hold asks for nothing, and is gone."""
    decide = Workbench.decide

    def forget(self: Workbench, draft: Draft, shelf: Shelf, *what: Any) -> Sequence[object]:
        was_there = shelf.shard in draft.change.shards
        events = decide(self, draft, shelf, *what)
        if not events and not was_there:
            del draft.change.shards[shelf.shard]
        return events

    monkeypatch.setattr(Workbench, "decide", forget)
    seed = caught(live, 2)
    assert seed
    failure = live.play(seed, live.story(seed))
    assert failure is not None
    assert "was noted 0 times" in failure.error


def test_a_relay_that_never_rests(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sending more than it knew of left a backlog below zero: it went round and blocked all."""
    step = Relay.step

    async def forget(self: Relay) -> bool:
        known = dict(self._known_seq)
        moved = await step(self)
        for shard, cursor in self._cursors.items():
            if self._known_seq[shard] == cursor:
                self._known_seq[shard] = known.get(shard, cursor)
        return moved

    monkeypatch.setattr(Relay, "step", forget)
    # A turn of the loop takes milliseconds; who plays ten thousand seeds has more patience.
    monkeypatch.setattr(simulation, "SPIN_SECONDS", 3.0)
    assert caught(simulator, 2)


def test_an_epoch_that_is_not_compared_but_only_numbers(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a bug: what makes a zombie harmless is what each transaction moves (protocol 1.3).

    At worst it decides again what its heir has decided, and stops at the event that is there.
    """
    moved = MemoryStore._is_moved

    def forgiving(self: MemoryStore, part: ShardChange) -> bool:
        return moved(self, replace(part, epoch=None))

    monkeypatch.setattr(MemoryStore, "_is_moved", forgiving)
    played = [simulator.play(seed, simulator.story(seed)) for seed in range(1, 9)]
    assert {one.error.partition(":")[0] for one in played if one} <= {EventRepeated.__name__}
    assert played.count(None) >= 7


def test_an_epoch_alone(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protocol 1.3, 1.4: a command moves the numbers and leaves the epoch, so nothing is seen."""

    def only_epoch(self: MemoryStore, part: ShardChange) -> bool:
        state = self.shards[part.shard]
        if part.epoch is not None and part.epoch != state.epoch:
            raise Fenced(f"shard {part.shard} has another owner")
        return False

    monkeypatch.setattr(MemoryStore, "_is_moved", only_epoch)
    assert caught(simulator, 11)


def test_a_command_known_by_its_time(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked again after a crash that lost its answer it was another command: held twice."""
    event_id = Workbench._event_id

    def with_time(self: Workbench, cause: Cause, *place: Any) -> EventId:
        stream, event, at, ordinal = place
        if cause.actor is not None:
            cause = replace(cause, id=cause.id + at.isoformat())
        return event_id(self, cause, stream, event, at, ordinal)

    monkeypatch.setattr(Workbench, "_event_id", with_time)
    monkeypatch.setattr(MemoryStore, "_keep_answers", lambda *_: None)
    moment = "after commit, before its answer"
    kills = [Fault(number / 4, "kill", f"kill {number}", "people", moment) for number in range(20)]
    story = Story(commands=12, faults=kills)
    assert any(simulator.play(seed, story) is not None for seed in range(1, 9))


def test_an_effect_sent_again_after_its_answer_was_lost(
    live_without_keys: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the gateway knows no keys, what was sent and not answered is in doubt."""

    async def trusting(self: Effects, batch: Sequence[PendingEffect]) -> list[PendingEffect]:
        return [replace(effect, sent_at=None) for effect in batch]

    monkeypatch.setattr(Effects, "_without_doubt", trusting)
    monkeypatch.setattr(MemoryStore, "mark_sent", mark_sent_blindly)
    assert caught(live_without_keys, 8)


def test_what_may_have_left_is_taken_back(live: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that gives way although it was being sent when its worker died (decision 0031)."""
    look = Effects._second_look

    async def forgetting(self: Effects, batch: Sequence[PendingEffect], recheck: Any) -> Any:
        return await look(self, [replace(effect, sent_at=None) for effect in batch], recheck)

    monkeypatch.setattr(Effects, "_second_look", forgetting)
    assert caught(live, 55)


def test_an_effect_marked_without_comparing(
    live_without_keys: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker frozen before it marks what it sends, and woken when its heir has sent it."""
    monkeypatch.setattr(MemoryStore, "mark_sent", mark_sent_blindly)
    freezes = [Fault(at, "freeze", f"long {at}", "contact", "before mark_sent") for at in (12, 24)]
    story = Story(faults=freezes)
    assert any(live_without_keys.play(seed, story) is not None for seed in range(1, 9))


async def mark_sent_blindly(
    self: MemoryStore, effects: Sequence[PendingEffect], at: datetime
) -> None:
    for effect in effects:
        if effect.event_id in self.effect_rows:
            self.effect_rows[effect.event_id] = replace(effect, sent_at=at)


def test_a_relay_that_skips_after_a_crash(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An heir that believes that everything committed was published."""
    take = Relay.take

    async def believe(self: Relay, shards: Sequence[Shard]) -> None:
        await take(self, shards)
        for state in await self._store.shard_states():
            if state.shard in self._cursors and state.last_seq > self._cursors[state.shard]:
                moves = {state.shard: (self._cursors[state.shard], state.last_seq)}
                await self._store.move_cursors(moves)
                self._cursors[state.shard] = self._known_seq[state.shard] = state.last_seq

    monkeypatch.setattr(Relay, "take", believe)
    assert caught(simulator, 7)
