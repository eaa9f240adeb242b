"""A Kafka and a PostgreSQL of the bench's own, emptied before every row.

They live in `.local/bench`, so that a bench never touches what a demo left running.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Final

import asyncpg
import psutil
from msgspec import Struct

from arrears.cli.client import services
from arrears.cli.client.ground import Ground, Say
from arrears.cli.client.installation import run
from arrears.cli.client.trouble import Trouble
from arrears.cli.demo.prepare import empty_everything
from arrears.cli.stack import record
from arrears.shared.contracts.corebanking import FEED_TOPIC

PATIENCE_SECONDS: Final = 1200.0
LOOK_SECONDS: Final = 0.1
_PROGRESS: Final = """
    SELECT (SELECT sum(last_seq) FROM shards)::bigint AS events,
           (SELECT sum(published_seq) FROM cursors)::bigint AS published,
           (SELECT coalesce(sum(position), 0) FROM positions WHERE topic = $1)::bigint AS heard,
           (SELECT min(open_day) FROM shards) AS open_day
"""
_WAITING: Final = "SELECT EXISTS (SELECT FROM agenda WHERE at <= now())"
_LOADED: Final = "SELECT count(*) FROM projections WHERE name = 'case_list'"


class BenchGround(Ground):
    """The infrastructure of one bench run, and the processes started on it.

    `scale` shortens every row, to try it; `million` lets `growth` go on to 1 M cases.
    """

    def __init__(self, root: Path, say: Say, *, scale: float = 1.0, million: bool = False) -> None:
        super().__init__(root, "bench", say)
        self.checkout = root
        self.scale = scale
        self.million = million
        self.peers: dict[str, float | str] = {}
        """What was measured of other libraries in this run; a text says why it was not."""

    def sized(self, full: int, least: int = 1) -> int:
        return max(least, round(full * self.scale))

    @property
    def rounds(self) -> int:
        """A short measure is taken three times; a trial once."""
        return 3 if self.scale >= 1 else 1

    def empty(self) -> None:
        """Stop our processes and give the disk back."""
        self.stop()
        if self.env:
            run(empty_everything(self.env))

    @property
    def kafka(self) -> dict[str, str]:
        return {name: text for name, text in self.env.items() if name.startswith("ARREARS_KAFKA")}

    def program_env(self) -> dict[str, str]:
        """For a program of ours that is waited for."""
        return {**os.environ, **self.env, **services.compiled_once(self.installation)}

    def process(self, name: str) -> psutil.Process:
        """One that was started here and still runs."""
        found = self.supervisor.find(name)
        if found is None:
            raise Trouble(f"{name} has ended: {self.supervisor.why_it_ended(name)}")
        return psutil.Process(found.pid)

    def cpu_seconds(self) -> dict[str, float]:
        """What each process of ours, the broker and the database have used up to now."""
        held = record.read(self.installation.folder)
        found = {name: _cpu(self.process(name)) for name in held.processes}
        if held.kafka is not None:
            found["broker"] = _cpu(psutil.Process(held.kafka.pid))
        if held.postgres is not None:
            server = psutil.Process(held.postgres.pid)
            found["database"] = _cpu(server) + server.cpu_times().children_user
            found["database"] += sum(_cpu(child) for child in server.children())
        return found

    async def filled_list(self, pool: asyncpg.Pool, cases: int) -> None:
        """Wait until intake's list of cases has them all."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while await pool.fetchval(_LOADED) < cases:
            if time.monotonic() > patience:
                raise TimeoutError("the list of cases is not filled")
            await asyncio.sleep(LOOK_SECONDS)


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


class Seen(Struct, frozen=True):
    """How far a stage is, at one look."""

    at: float
    events: int
    published: int
    heard: int
    open_day: object

    def is_out(self, records: int) -> bool:
        return self.heard >= records and self.published == self.events


async def look(pool: asyncpg.Pool, topic: str = FEED_TOPIC) -> Seen:
    """A few small rows: looking costs the measured service nothing that could be seen."""
    row = await pool.fetchrow(_PROGRESS, topic)
    assert row is not None
    return Seen(time.perf_counter(), row[0], row[1], row[2], row[3])


async def is_idle(pool: asyncpg.Pool) -> bool:
    """Nothing heard waits for its turn. Asked only once everything else is done."""
    return not await pool.fetchval(_WAITING)


class Rate(Struct, frozen=True):
    """From the first look that saw new events to the one that saw the last published."""

    first: Seen
    last: Seen

    @property
    def seconds(self) -> float:
        return max(self.last.at - self.first.at, 1e-9)

    @property
    def per_second(self) -> float:
        return (self.last.published - self.first.published) / self.seconds


async def watch(
    pool: asyncpg.Pool, *, records: int, after: int = 0, until_closed: bool = False
) -> Rate:
    """Wait until all records are heard and handled and all events published.

    `after` events were there before. `until_closed`: the service works under the feed's clock and
    must have closed a day.
    """
    first: Seen | None = None
    patience = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < patience:
        seen = await look(pool)
        if first is None and seen.events > after:
            first = seen
        if first is not None and seen.is_out(records):
            closed = seen.open_day != first.open_day or not until_closed
            if closed and await is_idle(pool):
                return Rate(first, seen)
        await asyncio.sleep(LOOK_SECONDS)
    raise TimeoutError("the service did not come to the end of its feed")
