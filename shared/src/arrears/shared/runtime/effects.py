"""Acting: effects asked for by events are carried out and answered, each once.

The idempotency key is the event's id. Where the gateway honours it, a crash between sending and
answer is repaired by asking again; elsewhere the effect stays in doubt until staff decide
(architecture 4). A rebuild never comes here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from msgspec import Raw
from msgspec.json import encode
from msgspec.structs import replace

from arrears.shared.eventstore.codec import Codec, read_envelope
from arrears.shared.eventstore.port import AgendaRow, Change, PendingEffect, Store
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import EventId, Shard, StreamName
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Gateway
from arrears.shared.runtime.handling import StoredAnswer
from arrears.shared.runtime.stage import ANSWER_RANK

BATCH_MAX = 2000


class Effects:
    """The pending effects of the shards that its owner holds."""

    def __init__(
        self,
        store: Store,
        gateway: Gateway | None,
        codec: Codec,
        calendar: BankCalendar,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._codec = codec
        self._calendar = calendar
        self._now = now
        self._pending: dict[EventId, PendingEffect] = {}
        self._events: dict[EventId, object] = {}

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

    async def step(self) -> Sequence[tuple[PendingEffect, Sequence[AgendaRow]]]:
        """Carry out one batch; each effect comes back with the agenda rows of its answers."""
        gateway = self._gateway
        batch = [effect for effect in self._pending.values() if not effect.in_doubt][:BATCH_MAX]
        if gateway is None or not batch:
            return ()
        if not gateway.honours_key:
            batch = await self._without_doubt(batch)
            await self._store.mark_sent(batch, self._now())
        await self._load_events(batch)
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
        answered = [
            (effect, self._rows(effect, given))
            for effect, given in zip(batch, answers, strict=True)
        ]
        change = Change(
            effects_answered=[effect for effect, _ in answered],
            agenda_added=[row for _, rows in answered for row in rows],
        )
        await self._store.commit(change)
        for effect in batch:
            del self._pending[effect.event_id]
            self._events.pop(effect.event_id, None)
        return answered

    async def _without_doubt(self, batch: Sequence[PendingEffect]) -> list[PendingEffect]:
        """Effects that were being sent when a worker died must not be sent again."""
        fresh = [effect for effect in batch if effect.sent_at is None]
        doubtful = [effect for effect in batch if effect.sent_at is not None]
        if doubtful:
            await self._store.mark_in_doubt(doubtful)
        for effect in doubtful:
            self._pending[effect.event_id] = replace(effect, in_doubt=True)
        return fresh

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

    def _rows(self, effect: PendingEffect, answers: Sequence[AnswerAt]) -> Sequence[AgendaRow]:
        return [
            AgendaRow(
                shard=effect.shard,
                day=self._calendar.day_of(max(answer.at, effect.at)),
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
