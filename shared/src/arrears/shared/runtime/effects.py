"""Acting: effects asked for by events are carried out and answered, each once.

The idempotency key is the event's id. Where the gateway honours it, a crash between sending and
answer is repaired by asking again; elsewhere the effect stays in doubt until staff decide
(architecture 4). A rebuild never comes here.

Under the live clock time passes between the event and its effect, so the stage is asked once more
whether it may still be carried out (protocol 3.7). It is asked on the stream, in which people's
commands are, but not what others said: that waits behind the effect. So a stage may have its
effects give way to such input (decision 0031). Under the feed's clock no time passes: nothing else
of the borrower is handled meanwhile.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import structlog
from msgspec import Raw
from msgspec.json import encode
from msgspec.structs import replace

from arrears.shared.eventstore.codec import Codec, read_envelope
from arrears.shared.eventstore.port import AgendaRow, Change, PendingEffect, Store, StoredEvent
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import BorrowerId, EventId, Shard, StreamName
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Gateway
from arrears.shared.runtime.agenda import before_what_waits
from arrears.shared.runtime.handling import StoredAnswer, short
from arrears.shared.runtime.stage import ANSWER_RANK, Clock, Recheck, Stage

log = structlog.get_logger(__name__)

BATCH_MAX = 2000
RECHECKED_MAX = 50
"""Few enough that the last of a batch is still what was checked when it is carried out."""
LOOK_EVERY = timedelta(seconds=1)
Answered = tuple[PendingEffect, Sequence[AgendaRow]]


class Effects:
    """The pending effects of the shards that its owner holds."""

    def __init__(
        self,
        stage: Stage,
        store: Store,
        gateway: Gateway | None,
        codec: Codec,
        now: Callable[[], datetime],
        *,
        clock: Clock,
        caught_up: Callable[[Shard], bool] = lambda _shard: True,
    ) -> None:
        """`caught_up`: whether what lay there when the shard was taken has been heard."""
        self._caught_up = caught_up
        self._stage = stage
        self._store = store
        self._gateway = gateway
        self._codec = codec
        self._now = now
        self._recheck: Recheck | None = stage.recheck if clock == "live" else None
        self._pending: dict[EventId, PendingEffect] = {}
        self._events: dict[EventId, object] = {}
        self._looked_at = datetime.min.replace(tzinfo=UTC)

    async def take(self, shards: Sequence[Shard]) -> None:
        self.drop(shards)
        for effect in await self._store.effects(shards):
            self._pending[effect.event_id] = effect

    def drop(self, shards: Sequence[Shard]) -> None:
        gone = [key for key, effect in self._pending.items() if effect.shard in shards]
        for key in gone:
            del self._pending[key]
            self._events.pop(key, None)

    def add(self, effects: Sequence[PendingEffect], events: Mapping[EventId, object]) -> None:
        for effect in effects:
            self._pending[effect.event_id] = effect
            if effect.event_id in events:
                self._events[effect.event_id] = events[effect.event_id]

    def pending(self) -> Sequence[PendingEffect]:
        return tuple(self._pending.values())

    async def step(self) -> Sequence[Answered]:
        """Carry out one batch; each effect comes back with the agenda rows of its answers."""
        settled = await self._settled_doubts()
        if settled:
            return settled
        gateway = self._gateway
        most = BATCH_MAX if self._recheck is None else RECHECKED_MAX
        batch = [
            effect
            for effect in self._pending.values()
            if not effect.in_doubt and self._caught_up(effect.shard)
        ][:most]
        if gateway is None or not batch:
            return ()
        if not gateway.honours_key:
            batch = await self._without_doubt(batch)
        await self._load_events(batch)
        answered: list[Answered] = []
        if self._recheck is not None:
            answered, batch = await self._second_look(batch, self._recheck)
        if self._recheck is not None or not gateway.honours_key:
            await self._mark_sent(batch)
        answered.extend(await self._carry_out(gateway, batch))
        change = Change(
            effects_answered=[effect for effect, _ in answered],
            agenda_added=[row for _, rows in answered for row in rows],
        )
        await self._store.commit(change)
        for effect, _ in answered:
            del self._pending[effect.event_id]
            self._events.pop(effect.event_id, None)
        return answered

    async def _carry_out(
        self, gateway: Gateway, batch: Sequence[PendingEffect]
    ) -> Sequence[Answered]:
        if not batch:
            return ()
        requests = [
            EffectRequest(
                id=effect.event_id,
                stream=effect.stream,
                borrower_id=effect.borrower_id,
                at=effect.at,
                event=self._events[effect.event_id],
            )
            for effect in batch
        ]
        answers = await gateway.carry_out(requests)
        return [
            (effect, answer_rows(self._stage, effect, given))
            for effect, given in zip(batch, answers, strict=True)
        ]

    async def _second_look(
        self, batch: Sequence[PendingEffect], recheck: Recheck
    ) -> tuple[list[Answered], list[PendingEffect]]:
        """What must not leave any more, answered by the stage instead of the gateway; the rest.

        Judged on the streams as the store has them: a person's command may be there that the
        shelves have not seen.
        """
        streams, gives_way = await self._streams(batch), self._stage.gives_way
        behind = await self._behind(batch) if gives_way is not None else ()
        found: list[Answered] = []
        rest: list[PendingEffect] = []
        doubtful: list[PendingEffect] = []
        for effect in batch:
            event, at = self._events[effect.event_id], max(self._now(), effect.at)
            try:
                state = self._state(effect.stream, streams[(effect.shard, effect.stream)])
                body = recheck(event, state, at, effect.sent_at is not None)
                if body is None and gives_way is not None and effect.borrower_id in behind:
                    body = gives_way(event, at)
            except Exception as error:
                # Ours, and of this borrower alone: staff look at it, the others go on.
                log.error("effect_not_checked", effect=effect.event_id, error=short(error))
                doubtful.append(effect)
                continue
            if body is None:
                rest.append(effect)
            elif gives_way is None:
                found.append((effect, answer_rows(self._stage, effect, [AnswerAt(at, body)])))
            elif effect.sent_at is None:
                rows = answer_rows(self._stage, effect, [AnswerAt(effect.at, body)])
                found.append((effect, [before_what_waits(row) for row in rows]))
            else:
                doubtful.append(effect)
        await self._doubt(doubtful)
        return found, rest

    async def _behind(self, batch: Sequence[PendingEffect]) -> Collection[BorrowerId]:
        """Of whose borrowers something has been heard that waits for the answer."""
        now = self._now()
        tomorrow = self._stage.calendar.day_of(now) + ONE_DAY
        whose = sorted({(effect.shard, effect.borrower_id) for effect in batch})
        return set(await self._store.waiting(whose, tomorrow, now))

    async def _streams(
        self, batch: Sequence[PendingEffect]
    ) -> Mapping[tuple[Shard, StreamName], Sequence[StoredEvent]]:
        wanted: dict[Shard, set[StreamName]] = {}
        for effect in batch:
            wanted.setdefault(effect.shard, set()).add(effect.stream)
        streams: dict[tuple[Shard, StreamName], list[StoredEvent]] = {}
        for stored in await self._store.load(wanted):
            streams.setdefault((stored.shard, stored.stream), []).append(stored)
        return streams

    def _state(self, stream: StreamName, events: Sequence[StoredEvent]) -> Any:
        decider = self._stage.deciders[stream.partition("-")[0]]
        envelopes = [read_envelope(stored.value) for stored in events]
        return decider.fold([self._codec.decode(one.type, one.data) for one in envelopes])

    async def _mark_sent(self, batch: Sequence[PendingEffect]) -> None:
        """From here on nobody can say that it has not left, until the answer is stored."""
        if not batch:
            return
        at = self._now()
        await self._store.mark_sent(batch, at)
        for effect in batch:
            self._pending[effect.event_id] = replace(effect, sent_at=at)

    async def _settled_doubts(self) -> Sequence[Answered]:
        """Doubts that an answer has ended since: its row is in the agenda already.

        A slow gateway may answer whoever asked it after its lease has run out, and staff may say
        that it was carried out. What they say was not is sent again.
        """
        doubtful = [effect for effect in self._pending.values() if effect.in_doubt]
        if not doubtful or abs(self._now() - self._looked_at) < LOOK_EVERY:
            return ()
        self._looked_at = self._now()
        stored = await self._store.effects(sorted({effect.shard for effect in doubtful}))
        waiting = {effect.event_id: effect for effect in stored}
        self._pending.update({e.event_id: waiting.get(e.event_id, e) for e in doubtful})
        settled = [effect for effect in doubtful if effect.event_id not in waiting]
        for effect in settled:
            del self._pending[effect.event_id]
            self._events.pop(effect.event_id, None)
        return [(effect, ()) for effect in settled]

    async def _without_doubt(self, batch: Sequence[PendingEffect]) -> list[PendingEffect]:
        """Effects that were being sent when a worker died must not be sent again."""
        fresh = [effect for effect in batch if effect.sent_at is None]
        doubtful = [effect for effect in batch if effect.sent_at is not None]
        await self._doubt(doubtful)
        return fresh

    async def _doubt(self, effects: Sequence[PendingEffect]) -> None:
        if effects:
            await self._store.mark_in_doubt(effects)
        for effect in effects:
            self._pending[effect.event_id] = replace(effect, in_doubt=True)

    async def _load_events(self, batch: Sequence[PendingEffect]) -> None:
        """After a take-over the events are read back from the store."""
        wanted: dict[Shard, set[StreamName]] = {}
        for effect in batch:
            if effect.event_id not in self._events:
                wanted.setdefault(effect.shard, set()).add(effect.stream)
        if not wanted:
            return
        for stored in await self._store.load(wanted):
            if stored.event_id in self._pending:
                envelope = read_envelope(stored.value)
                self._events[stored.event_id] = self._codec.decode(envelope.type, envelope.data)


def answer_rows(
    stage: Stage, effect: PendingEffect, answers: Sequence[AnswerAt]
) -> Sequence[AgendaRow]:
    """The answers as they wait in the agenda, each at its own business time."""
    return [
        AgendaRow(
            shard=effect.shard,
            day=stage.calendar.day_of(max(answer.at, effect.at)),
            at=max(answer.at, effect.at),
            rank=ANSWER_RANK,
            borrower_id=effect.borrower_id,
            order=f"{effect.event_id}/{number}",
            origin=f"effect/{effect.event_id}/{number}",
            value=encode(
                StoredAnswer(
                    effect_id=effect.event_id,
                    stream=effect.stream,
                    body=Raw(encode(answer.body)),
                )
            ),
            row_id=_row_id(effect.event_id, number),
        )
        for number, answer in enumerate(answers)
    ]


def _row_id(event_id: EventId, number: int) -> int:
    digest = sha256(f"{event_id}/{number}".encode()).digest()
    return (1 << 62) | int.from_bytes(digest[:7], "big")
