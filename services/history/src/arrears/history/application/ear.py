"""The hearing of all topics: one `step()` reads what has come and keeps it."""

from collections.abc import Mapping, Sequence
from typing import Final

from arrears.history.application.hearing import (
    Heard,
    Lost,
    Place,
    Stop,
    check_place,
    hear,
    topic_of,
)
from arrears.history.application.ports import HistoryStore, Moved, Turn
from arrears.history.domain.told import SERVICES
from arrears.shared.kernel.ids import SHARD_COUNT
from arrears.shared.runtime.bus import Bus, Listener, OutOfRetention, Record, TopicPartition

GROUP: Final = "arrears-history"
RECORDS_MAX: Final = 4000


class Ear:
    """Drive it with `step()`. A Stop that it raises is for a person: the process must end."""

    def __init__(self, bus: Bus, store: HistoryStore, turn: Turn) -> None:
        self._bus = bus
        self._store = store
        self._turn = turn
        self._listener: Listener | None = None
        self._places: dict[TopicPartition, Place] = {}

    async def step(self, *, wait_seconds: float = 0.2) -> int:
        """Hear one batch. The number of events kept; 0 too where another worker has the turn."""
        if not await self._turn.mine():
            await self.forget()
            return 0
        listener = self._listener or await self._begin()
        try:
            batches = await listener.poll(records_max=RECORDS_MAX, wait_seconds=wait_seconds)
        except OutOfRetention as error:
            raise Lost(str(error)) from None
        if not batches:
            return 0
        heard = self._judge(batches)
        try:
            await self._store.hear(heard)
        except Moved:
            await self.forget()
            return 0
        for one in heard:
            self._places[_spot(one.after)] = one.after
        await listener.commit({_spot(one.after): one.after.position for one in heard})
        return sum(len(one.events) for one in heard)

    async def close(self) -> None:
        await self.forget()
        await self._turn.give_up()

    def _judge(self, batches: Mapping[TopicPartition, Sequence[Record]]) -> Sequence[Heard]:
        return [hear(self._places[spot], records) for spot, records in batches.items() if records]

    async def _begin(self) -> Listener:
        """Check that every topic is the one read before (protocol 2.2), then listen."""
        places = {_spot(place): place for place in await self._store.places()}
        bounds: dict[TopicPartition, tuple[int, int]] = {}
        for service in SERVICES:
            try:
                count = await self._bus.partition_count(topic_of(service))
            except LookupError:
                # The stage that owns it has not been migrated yet: that passes.
                raise ConnectionError(f"{topic_of(service)} does not exist yet") from None
            if count != SHARD_COUNT:
                raise Stop(f"{topic_of(service)} has {count} partitions, not {SHARD_COUNT}")
            bounds.update(await self._bus.bounds(topic_of(service)))
        for spot, place in places.items():
            last = None
            first, following = bounds[spot]
            if first < place.position <= following:
                records = await self._bus.read(spot, offset=place.position - 1, count=1)
                last = records[0] if records else None
            check_place(place, bounds[spot], last)
        listener = self._bus.listener(GROUP)
        await listener.assign({spot: place.position for spot, place in places.items()})
        self._places, self._listener = places, listener
        return listener

    async def forget(self) -> None:
        """Drop what is known of the places: the next step reads them again from the store."""
        if self._listener is not None:
            await self._listener.close()
        self._listener = None
        self._places = {}


def _spot(place: Place) -> TopicPartition:
    return TopicPartition(place.topic, place.shard)
