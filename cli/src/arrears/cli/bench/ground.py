"""A Kafka and a PostgreSQL of the bench's own, emptied before every row.

They live in `.local/bench`, so that a bench never touches what a demo left running.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import asyncpg

from arrears.cli.client import services
from arrears.cli.client.installation import Installation, Started, entry_point, run
from arrears.cli.commands.running import settings_for
from arrears.cli.demo.prepare import empty_everything
from arrears.cli.stack import Supervisor, stop_stack
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.service.settings import database_url

Say = Callable[[str], None]
PATIENCE_SECONDS = 600.0
LOOK_SECONDS = 0.02
_PROGRESS = """
    SELECT (SELECT sum(last_seq) FROM shards)::bigint AS events,
           (SELECT sum(published_seq) FROM cursors)::bigint AS published,
           (SELECT coalesce(sum(position), 0) FROM positions WHERE topic = $1)::bigint AS heard,
           (SELECT count(*) FROM agenda)::bigint AS waiting,
           (SELECT min(open_day) FROM shards) AS open_day
"""


class BenchGround:
    """The infrastructure of one bench run, and the processes started on it."""

    def __init__(self, root: Path, say: Say) -> None:
        place = root / ".local" / "bench"
        place.mkdir(parents=True, exist_ok=True)
        self.installation = Installation.find(place, env={})
        self.say = say
        self.supervisor = Supervisor(self.installation.root)
        self.env: dict[str, str] = {}

    def prepare(self, clock: str) -> None:
        """Everything empty, tables and topics made, nothing running but the two servers."""
        self.supervisor.stop_all()
        self.installation.ensured(lambda _line: None)
        self.installation.make_master_key()
        listen = services.choose_ports(self.installation, lambda _line: None)
        self.installation.remember(Started(listen=listen, settings=settings_for(clock, 7)))
        self.env = self.installation.environment()
        run(empty_everything(self.env))
        services.migrate_all(self.installation, lambda _line: None)

    def start(self, service: str, command: str, name: str) -> None:
        self.supervisor.start(
            name, [entry_point(service), command], {**self.env, "ARREARS_WORKER": name}
        )

    def stop(self) -> None:
        self.supervisor.stop_all()

    def down(self) -> None:
        stop_stack(self.installation.root)

    def bus(self) -> KafkaBus:
        kafka = {name: text for name, text in self.env.items() if name.startswith("ARREARS_KAFKA")}
        return KafkaBus(KafkaSettings.from_env(kafka))

    async def pool(self, service: str) -> asyncpg.Pool:
        server = self.env["ARREARS_POSTGRES"]
        return await asyncpg.create_pool(
            database_url(server, f"arrears_{service}"), min_size=1, max_size=2
        )

    async def fill_feed(self, batches: Iterable[dict[int, list[Outgoing]]]) -> int:
        """Publish records by partition of the feed topic; how many."""
        bus = self.bus()
        publisher = bus.publisher()
        count = 0
        try:
            for batch in batches:
                await publisher.publish(
                    {TopicPartition(FEED_TOPIC, part): lines for part, lines in batch.items()}
                )
                count += sum(len(lines) for lines in batch.values())
        finally:
            await publisher.close()
            await bus.close()
        return count


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
