"""Positions told to Kafka's group coordinator, for lag tools only.

Reading consumers have no group: a coordinator that is away, or a manual assignment that changes at
the wrong moment, can stop a consumer of aiokafka that has one. So commits go their own way, at most
once a second, and never fail anybody.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import structlog
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.commit import OffsetCommitRequest

from arrears.shared.kafka.ending import end_client
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.runtime.bus import TopicPartition

_NO_GENERATION: Final = -1
_NO_MEMBER: Final = ""
_SEND_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 0.1

log = structlog.get_logger(__name__)


class Committer:
    """Keeps the latest position of each partition and sends what changed, in the background."""

    def __init__(self, settings: KafkaSettings, group: str) -> None:
        self._settings = settings
        self._group = group
        self._waiting: dict[TopicPartition, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._client: Any = None

    def note(self, positions: Mapping[TopicPartition, int]) -> None:
        self._waiting.update(positions)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send_later())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._waiting:
            await self._send_quietly()
        await self._end_client()

    async def _send_later(self) -> None:
        await asyncio.sleep(self._settings.commit_seconds)
        await self._send_quietly()

    async def _send_quietly(self) -> None:
        positions, self._waiting = self._waiting, {}
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._send_patiently(positions)
        except Exception as error:
            log.info("offsets_not_committed", group=self._group, error=repr(error))
            # Its connection may be lost in silence: a request given up early does not close it.
            await self._end_client()

    async def _end_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await end_client(client)

    async def _send_patiently(self, positions: Mapping[TopicPartition, int]) -> None:
        """A broker's first group waits until the topic of all groups is made and loaded."""
        while True:
            try:
                await self._send(positions)
            except KafkaError as error:
                if not error.retriable:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _send(self, positions: Mapping[TopicPartition, int]) -> None:
        if self._client is None:
            self._client = AIOKafkaClient(**self._settings.connection())
            await self._client.bootstrap()
        node = await self._client.coordinator_lookup(CoordinationType.GROUP, self._group)
        if not await self._client.ready(node, group=ConnectionGroup.COORDINATION):
            raise ConnectionError("the group's coordinator is away")
        request = self._request(positions)
        response = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
        for _, partitions in response.topics:
            for _, code in partitions:
                if code:
                    raise for_code(code)

    def _request(self, positions: Mapping[TopicPartition, int]) -> OffsetCommitRequest:
        by_topic: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for place, position in positions.items():
            by_topic[place.topic].append((place.partition, position, ""))
        return OffsetCommitRequest(
            self._group,
            _NO_GENERATION,
            _NO_MEMBER,
            OffsetCommitRequest.DEFAULT_RETENTION_TIME,
            list(by_topic.items()),
        )
