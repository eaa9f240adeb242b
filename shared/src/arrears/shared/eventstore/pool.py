"""Connection pools of our own databases."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

import asyncpg
import structlog

ANSWER_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 10.0
GOODBYE_SECONDS: Final = 3.0
PASSING: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.TransactionRollbackError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # A primary that another has replaced.
    asyncpg.ReadOnlySQLTransactionError,
    # The driver loses count of its own states where a server dies while it speaks.
    asyncpg.InternalClientError,
)
"""What the database brings upon us and what passes: begin again, with connections made anew. An API
answers it with 503."""
_CIRCLES_MAX: Final = 3
_NAMED: Final = "arrears-"
_END_LOST: Final = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user
        AND starts_with(application_name, $1)
        AND state = 'active' AND wait_event_type = 'Client' AND query_start < now() - $2::interval
"""


Connection = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection
Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class _Impatient(asyncpg.Connection):
    """Ends itself where a statement was given up, instead of asking the server to cancel it.

    Asking, and rolling back after that, would each wait once more for a server that is silent.
    """

    def _cancel_current_command(
        self, waiter: "asyncio.Future[None]", cancel_waiter: Any = None
    ) -> None:
        asyncio.get_running_loop().call_soon(self.terminate)
        if not waiter.done():
            waiter.set_result(None)


def bounded(name: str, **server: str) -> dict[str, Any]:
    """Settings of a process that must not wait for ever. Proofs and rebuilds do without.

    A connection that a firewall has forgotten stays open and never answers; on the server's side
    it would keep the locks of its transaction. A plan is kept while its table grows: one that was
    made for a few rows would go on reading them all. What must read a table all the same is not
    worth compiling, whatever the server then takes it to cost. `name` is what the server calls us.
    """
    return {
        "connection_class": _Impatient,
        "command_timeout": ANSWER_SECONDS,
        "timeout": CONNECT_SECONDS,
        "server_settings": {
            "application_name": f"{_NAMED}{name}",
            "idle_in_transaction_session_timeout": f"{ANSWER_SECONDS:.0f}s",
            "enable_seqscan": "off",
            "jit": "off",
            **server,
        },
    }


async def open_pool(dsn: str, *, min_size: int = 1, max_size: int, **settings: Any) -> asyncpg.Pool:
    """A pool whose connections are handed back without a statement.

    Nothing here changes a session, and a transaction that was left open is rolled back all the
    same; asyncpg's own reset would be one more round trip after every statement.
    """
    return await asyncpg.create_pool(
        dsn, min_size=min_size, max_size=max_size, reset=_as_it_is, **settings
    )


async def unlocked(attempt: Callable[[], Awaitable[Answer]]) -> Answer:
    """The attempt, again where PostgreSQL ended it because others waited for it in a circle.

    It has changed nothing then, and they have gone on.
    """
    for _ in range(_CIRCLES_MAX):
        try:
            return await attempt()
        except asyncpg.DeadlockDetectedError:
            log.warning("deadlock_broken")
    return await attempt()


async def end_lost(connection: Connection) -> int:
    """End sessions of this database whose client is gone, and say how many.

    No time limit of PostgreSQL ends a COPY that waits for the rest of its rows, and its locks stay
    while the connection seems open. Our clients give a statement up after `ANSWER_SECONDS`; what
    still waits for its client after twice that has lost it.
    """
    patience = timedelta(seconds=2 * ANSWER_SECONDS)
    ended = int(await connection.fetchval(_END_LOST, _NAMED, patience))
    if ended:
        log.warning("lost_sessions_ended", count=ended)
    return ended


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    return None


async def close_pool(pool: asyncpg.Pool) -> None:
    """Say goodbye; a server that does not answer is left without one."""
    with suppress(TimeoutError, OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
        async with asyncio.timeout(GOODBYE_SECONDS):
            await pool.close()
            return
    pool.terminate()
