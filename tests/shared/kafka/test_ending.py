"""A client that cannot end well takes nobody with it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from arrears.shared.kafka import ending
from arrears.shared.kafka.listener import KafkaListener
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.runtime.bus import TopicPartition


class BrokenConsumer:
    """As met when a broker dies: reading fails, and a cancellation escapes from stopping."""

    def __init__(
        self, stop: Callable[[], Awaitable[None]], failure: BaseException | None = None
    ) -> None:
        self.failure = failure or TimeoutError()
        self.closed = False
        self.stop = stop
        self._client = self

    async def close(self) -> None:
        self.closed = True

    async def getmany(self, **_options: int) -> None:
        raise self.failure


async def _cancelled() -> None:
    sleeping = asyncio.ensure_future(asyncio.sleep(10))
    sleeping.cancel()
    await sleeping


async def _failing() -> None:
    raise RuntimeError("broken")


async def _hanging() -> None:
    await asyncio.sleep(3600)


@pytest.mark.parametrize("stop", [_cancelled, _failing, _hanging])
async def test_a_listener_survives_the_end_of_its_consumer(
    stop: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "END_SECONDS", 0.05)
    listener = KafkaListener(KafkaSettings(servers="127.0.0.1:1"), "g")
    await listener.assign({TopicPartition("a.v1", 0): 0})
    broken = BrokenConsumer(stop)
    listener._consumers["a.v1"] = broken
    with pytest.raises(ConnectionError, match="does not answer"):
        await listener.poll(records_max=1, wait_seconds=0)
    assert broken.closed
    assert not listener._consumers


async def test_a_cancellation_that_is_not_ours_is_a_lost_connection() -> None:
    listener = KafkaListener(KafkaSettings(servers="127.0.0.1:1"), "g")
    await listener.assign({TopicPartition("a.v1", 0): 0})
    listener._consumers["a.v1"] = BrokenConsumer(_failing, asyncio.CancelledError())
    with pytest.raises(ConnectionError, match="does not answer"):
        await listener.poll(records_max=1, wait_seconds=0)


async def test_being_cancelled_ourselves_is_not_held_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ending, "END_SECONDS", 60.0)
    task = asyncio.create_task(ending.end_consumer(BrokenConsumer(_hanging)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 1)
