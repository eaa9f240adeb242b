"""A Kafka and a PostgreSQL for one purpose alone, in a folder of their own under `.local`.

What a demo left running, or another purpose, is never touched.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import asyncpg

from arrears.cli.client import services
from arrears.cli.client.installation import (
    SERVICES,
    Installation,
    Started,
    entry_point,
    run,
)
from arrears.cli.commands.running import settings_for
from arrears.cli.demo.prepare import empty_everything
from arrears.cli.stack import Supervisor, stop_stack
from arrears.cli.stack.folder import LOOPBACK, Folder, free_ports
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.runtime.bus import Outgoing, TopicPartition
from arrears.shared.service.settings import database_url

Say = Callable[[str], None]


class Ground:
    """The two servers, and the processes started on them."""

    def __init__(self, root: Path, name: str, say: Say) -> None:
        place = root / ".local" / name
        place.mkdir(parents=True, exist_ok=True)
        _lend_jars(Folder(root), Folder(place))
        self.installation = Installation.find(place, env={})
        self.say = say
        self.supervisor = Supervisor(self.installation.root)
        self.env: dict[str, str] = {}

    def prepare(self, clock: str, seed: int = 7) -> None:
        """Everything empty, tables and topics made, nothing running but the two servers."""
        self.supervisor.stop_all()
        self.installation.ensured(lambda _line: None)
        self.installation.make_master_key()
        ports = free_ports(len(SERVICES))
        listen = {name: f"{LOOPBACK}:{port}" for name, port in zip(SERVICES, ports, strict=True)}
        self.installation.remember(Started(listen=listen, settings=settings_for(clock, seed)))
        self.env = self.installation.environment()
        run(empty_everything(self.env))
        services.migrate_all(self.installation, lambda _line: None)

    def start(
        self, service: str, command: str, name: str, laid_over: Mapping[str, str] | None = None
    ) -> None:
        """`laid_over` are settings that this one process gets instead of the common ones."""
        env = {**self.env, **services.compiled_once(self.installation), "ARREARS_WORKER": name}
        self.supervisor.start(name, [entry_point(service), command], {**env, **(laid_over or {})})

    def stop(self) -> None:
        self.supervisor.stop_all()

    def down(self) -> None:
        stop_stack(self.installation.root)

    def bus(self) -> KafkaBus:
        kafka = {name: text for name, text in self.env.items() if name.startswith("ARREARS_KAFKA")}
        return KafkaBus(KafkaSettings.from_env(kafka))

    def dsn(self, service: str) -> str:
        return database_url(self.env["ARREARS_POSTGRES"], f"arrears_{service}")

    async def pool(self, service: str) -> asyncpg.Pool:
        return await asyncpg.create_pool(self.dsn(service), min_size=1, max_size=2)

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


def end_in_order() -> None:
    """Told to end, or with its terminal lost, a command stops its servers first, as where a person
    presses Ctrl-C. Such a command may have been started where Ctrl-C was switched off."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def _lend_jars(owner: Folder, borrower: Folder) -> None:
    """The broker's jars are the same everywhere: fetched once by a checkout, they are enough."""
    if not (owner.kafka / "jars.done").exists() or (borrower.kafka / "jars.done").exists():
        return
    shutil.rmtree(borrower.kafka / "jars", ignore_errors=True)
    shutil.copytree(owner.kafka / "jars", borrower.kafka / "jars", copy_function=_link)
    shutil.copy(owner.kafka / "jars.done", borrower.kafka / "jars.done")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
