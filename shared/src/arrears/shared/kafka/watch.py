"""Which consumers are deaf: their topic has grown, and nothing arrives.

The broker answers a connection's requests in turn, so the question waits behind a fetch that waits
for records. It is asked beside the reading, which waits for no answer.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from aiokafka import TopicPartition as Place

from arrears.shared.runtime.bus import TopicPartition

Missed = Mapping[TopicPartition, int]
"""How many records lie beyond what a consumer has reached, by partition."""


class Watch:
    """Of one listener's topics. A topic is silent `stall_seconds` after it was last noted."""

    def __init__(self, stall_seconds: float, request_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        self._request_seconds = request_seconds
        self._noted_at: dict[str, float] = {}
        self._asked_at: dict[str, float] = {}
        self._asking: asyncio.Task[dict[str, Missed]] | None = None

    def note(self, topic: str) -> None:
        """The topic has brought something, or nobody had room for what it has."""
        self._noted_at[topic] = time.monotonic()

    def deaf(
        self, consumers: Mapping[str, Any], positions: Mapping[TopicPartition, int]
    ) -> dict[str, Missed]:
        """What the last question has found, once; the next is asked when a topic is silent.

        Raises what the broker answered, or TimeoutError where it did not.
        """
        found = self._found()
        if self._asking is None:
            now = time.monotonic()
            for topic in consumers:
                if now - self._noted_at.setdefault(topic, now) >= self._stall_seconds:
                    self._noted_at[topic] = self._asked_at[topic] = now
            if self._asked_at:
                asked = {topic: consumers[topic] for topic in self._asked_at}
                self._asking = asyncio.create_task(self._ask(asked, positions))
        return found

    async def stop(self) -> None:
        """Forget everything: consumers are about to be placed anew, or ended."""
        asking, self._asking = self._asking, None
        self._noted_at.clear()
        self._asked_at.clear()
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    def _found(self) -> dict[str, Missed]:
        if self._asking is None or not self._asking.done():
            return {}
        asking, self._asking = self._asking, None
        asked_at, self._asked_at = self._asked_at, {}
        return {
            topic: missed
            for topic, missed in asking.result().items()
            if missed and self._noted_at[topic] == asked_at[topic]
        }

    async def _ask(
        self, consumers: Mapping[str, Any], positions: Mapping[TopicPartition, int]
    ) -> dict[str, Missed]:
        async with asyncio.timeout(self._request_seconds):
            return {
                topic: await _missed(topic, consumer, positions)
                for topic, consumer in consumers.items()
            }


async def _missed(topic: str, consumer: Any, positions: Mapping[TopicPartition, int]) -> Missed:
    places = {Place(*place): at for place, at in positions.items() if place.topic == topic}
    ends = await consumer.end_offsets(list(places))
    found = {}
    for place, position in places.items():
        reached = max(position, await consumer.position(place))
        if ends[place] > reached:
            found[TopicPartition(topic, place.partition)] = ends[place] - reached
    return found
