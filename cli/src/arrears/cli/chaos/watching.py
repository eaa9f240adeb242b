"""How far the installation is: a day counts when the end of the chain has heard that it is closed.

For that every shard of every service has closed it, published that, and history has heard it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import asyncpg

from arrears.cli.chaos.plan import LEASE_SECONDS, PROCESSES
from arrears.cli.client.installation import STAGES
from arrears.shared.kernel.ids import SHARD_COUNT

LOOK_SECONDS: Final = 0.03
CONNECT_SECONDS: Final = 5.0
_CLOSED: Final = """
    SELECT min(closed_day) AS day, count(closed_day) AS places FROM positions
"""
_UP: Final = "SELECT EXISTS (SELECT FROM workers WHERE worker = $1 AND alive_until > $2)"
_STATE: Final = """
    SELECT (SELECT min(open_day) FROM shards)::text AS day,
           (SELECT count(*) FROM shards WHERE owner IS NULL OR lease_until < now()) AS free,
           (SELECT count(*) FROM agenda) AS waiting,
           (SELECT sum(last_seq) FROM shards)::bigint
             - (SELECT sum(published_seq) FROM cursors)::bigint AS unpublished,
           (SELECT count(*) FROM parked) AS parked
"""


class Watch:
    """Asks the databases directly. `dsn` gives the address of a service's database, `listen` where
    the service answers."""

    def __init__(self, dsn: Callable[[str], str], listen: Callable[[str], str]) -> None:
        self._dsn = dsn
        self._listen = listen
        self._connection: Any = None

    async def closed_day(self) -> date | None:
        """The last day that everything has arrived of; None while that cannot be said."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(self._dsn("history"))
                row = await self._connection.fetchrow(_CLOSED)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self.close()
            return None
        found: date | None = row["day"]
        return found if row["places"] == len(STAGES) * SHARD_COUNT else None

    async def wait(self, day: date, seconds: float, look: Callable[[], None]) -> bool:
        """Whether the day has arrived within the time; `look` is called now and then."""
        until = time.monotonic() + seconds
        while True:
            closed = await self.closed_day()
            if closed is not None and closed >= day:
                return True
            if time.monotonic() > until:
                return False
            look()
            await asyncio.sleep(LOOK_SECONDS)

    async def is_up(self, name: str, started_at: datetime) -> bool:
        """Whether a process that was started again works: it holds a lease, or answers."""
        service, command = PROCESSES[name]
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if command == "api" or service not in STAGES:
                    return await self._answers(service)
                connection = await asyncpg.connect(self._dsn(service))
                try:
                    # Each look at the leases prolongs a worker's by its term from that moment on.
                    since = started_at + timedelta(seconds=LEASE_SECONDS)
                    return bool(await connection.fetchval(_UP, name, since))
                finally:
                    await connection.close()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    async def _answers(self, service: str) -> bool:
        host, _, port = self._listen(service).rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        return True

    async def state(self) -> Mapping[str, Mapping[str, Any]]:
        """Where each stage stands, for the one who asks why nothing moves."""
        found = {}
        for service in STAGES:
            connection = await asyncpg.connect(self._dsn(service), timeout=CONNECT_SECONDS)
            try:
                row = await connection.fetchrow(_STATE)
                assert row is not None
                found[service] = dict(row)
            finally:
                await connection.close()
        return found

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
