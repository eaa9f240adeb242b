"""A Kafka and a PostgreSQL of the bench's own, emptied before every row.

They live in `.local/bench`, so that a bench never touches what a demo left running.
"""

import asyncio
import time
from pathlib import Path

import asyncpg

from arrears.cli.client.ground import Ground, Say
from arrears.shared.contracts.corebanking import FEED_TOPIC

PATIENCE_SECONDS = 600.0
LOOK_SECONDS = 0.02
_PROGRESS = """
    SELECT (SELECT sum(last_seq) FROM shards)::bigint AS events,
           (SELECT sum(published_seq) FROM cursors)::bigint AS published,
           (SELECT coalesce(sum(position), 0) FROM positions WHERE topic = $1)::bigint AS heard,
           (SELECT count(*) FROM agenda)::bigint AS waiting,
           (SELECT min(open_day) FROM shards) AS open_day
"""


class BenchGround(Ground):
    """The infrastructure of one bench run, and the processes started on it."""

    def __init__(self, root: Path, say: Say) -> None:
        super().__init__(root, "bench", say)


class Rate:
    """How fast a service's events came out, from the first look that saw some to the last one."""

    def __init__(self) -> None:
        self.begun = 0.0
        self.before = 0
        self.ended = 0.0
        self.events = 0

    @property
    def per_second(self) -> float:
        return (self.events - self.before) / max(self.ended - self.begun, 1e-9)


async def watch(pool: asyncpg.Pool, *, records: int, until_closed: bool) -> Rate:
    """Wait until all records are heard and handled and all events published.

    `until_closed`: the service works under the feed's clock and must have closed a day.
    """
    rate = Rate()
    first_day = None
    patience = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < patience:
        row = await pool.fetchrow(_PROGRESS, FEED_TOPIC)
        assert row is not None
        now = time.perf_counter()
        if row["events"] and not rate.begun:
            rate.begun, rate.before = now, row["published"]
            first_day = row["open_day"]
        done = row["heard"] >= records and row["published"] == row["events"] and rate.begun
        closed = row["open_day"] != first_day if until_closed else True
        if done and closed and not (until_closed and row["waiting"]):
            rate.ended, rate.events = now, row["published"]
            return rate
        await asyncio.sleep(LOOK_SECONDS)
    raise TimeoutError("the bench row did not end")
