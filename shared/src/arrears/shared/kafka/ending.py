"""Ending a client of the library, whatever state it is in.

`stop()` of a consumer awaits fetches that it has cancelled, and one that was waiting to try again
lets that cancellation out: it would look like our own and end the whole process. So every ending
runs in a task of its own, for a bounded time, and the connections are closed in any case.
"""

import asyncio
import itertools
from collections.abc import Awaitable
from typing import Any, Final

import structlog
from aiokafka.errors import ProducerClosed

END_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


async def end_consumer(consumer: Any) -> None:
    await _apart(consumer.stop(), "consumer")
    await _apart(consumer._client.close(), "consumer's connections")


async def end_producer(producer: Any) -> None:
    """Its `stop()` alone would wait for a lost broker: an idempotent batch is retried for ever."""
    waiting = producer._message_accumulator
    for batch in [*itertools.chain(*waiting._batches.values()), *waiting._pending_batches]:
        # Nobody is left to hear of these batches, so asyncio must not complain that nobody did.
        batch.future.add_done_callback(_retrieve)
    waiting.fail_all(ProducerClosed())
    sender = producer._sender.sender_task
    if sender is not None:
        sender.cancel()
    await _apart(producer.client.close(), "producer's connections")
    await _apart(producer.stop(), "producer")


def _retrieve(future: "asyncio.Future[object]") -> None:
    if not future.cancelled():
        future.exception()


async def end_client(client: Any) -> None:
    await _apart(client.close(), "client")


async def _apart(ending: Awaitable[None], what: str) -> None:
    task = asyncio.ensure_future(ending)
    done, _ = await asyncio.wait([task], timeout=END_SECONDS)
    if not done:
        task.cancel()
        log.warning("not_ended", what=what, seconds=END_SECONDS)
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.warning("not_ended", what=what, error=type(error).__name__)
