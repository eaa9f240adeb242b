"""Positions for lag tools: a coordinator that does not answer stops nobody, nor later positions."""

import asyncio
from types import SimpleNamespace
from typing import ClassVar

import pytest
from structlog.testing import capture_logs

from arrears.shared.kafka import committer
from arrears.shared.kafka.committer import Committer
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.runtime.bus import TopicPartition

PLACE = TopicPartition("suite.v1", 0)


class Client:
    """The first one is connected to somebody who says nothing."""

    made: ClassVar[list["Client"]] = []

    def __init__(self, **_arguments: object) -> None:
        self.made.append(self)
        self.is_closed = False
        self.told: list[object] = []

    async def bootstrap(self) -> None: ...

    async def coordinator_lookup(self, _kind: object, _group: str) -> int:
        if self is self.made[0]:
            await asyncio.Event().wait()
        return 1

    async def ready(self, _node: int, group: object) -> bool:
        return True

    async def send(self, _node: int, request: object, group: object) -> SimpleNamespace:
        self.told.append(request)
        return SimpleNamespace(topics=[])

    async def close(self) -> None:
        self.is_closed = True


async def test_a_connection_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(committer, "AIOKafkaClient", Client)
    monkeypatch.setattr(committer, "_SEND_SECONDS", 0.01)
    made = Committer(KafkaSettings(servers="nowhere:1", commit_seconds=0), "group")
    with capture_logs() as logs:
        for position in (1, 2):
            made.note({PLACE: position})
            assert made._task is not None
            await made._task
    first, second = Client.made
    assert [log["event"] for log in logs] == ["offsets_not_committed"]
    assert (first.is_closed, len(second.told)) == (True, 1)
    await made.close()
    assert second.is_closed
