"""A process that starts while a server is away waits for it, for a while."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final, TypeVar

import structlog
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential,
)

from arrears.shared.eventstore import pool

START_SECONDS: Final = 60.0
"""Longer than a broker or a database takes to start; a wrong address is told after it."""
_AWAY: Final = (OSError, *pool.PASSING)
_FIRST_SECONDS: Final = 0.25
_LONGEST_SECONDS: Final = 3.0
Opened = TypeVar("Opened")

log = structlog.get_logger(__name__)


@asynccontextmanager
async def once_there(
    make: Callable[[], AbstractAsyncContextManager[Opened]],
) -> AsyncIterator[Opened]:
    """What `make` opens, tried again while a server is away.

    An attempt that fails must leave nothing open. Raises what the last one raised.
    """
    async with AsyncExitStack() as stack:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_AWAY),
            stop=stop_after_delay(START_SECONDS),
            wait=wait_exponential(_FIRST_SECONDS, max=_LONGEST_SECONDS),
            before_sleep=_tell,
            reraise=True,
        )

        async def attempt() -> Opened:
            return await stack.enter_async_context(make())

        yield await retrying(attempt)


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    log.warning("server_awaited", attempt=state.attempt_number, error=type(error).__name__)
