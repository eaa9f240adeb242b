"""Before a demo: empty databases and topics, the services started on them.

Only what was started from this checkout is emptied without a question.
"""

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from arrears.cli.client import services
from arrears.cli.client.installation import (
    KAFKA,
    POSTGRES,
    SERVICES,
    STAGES,
    Installation,
    Started,
    run,
)
from arrears.cli.client.trouble import Trouble, WrongUse
from arrears.cli.commands.running import chosen_settings, running_under
from arrears.cli.stack import Supervisor
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kafka.topics import Topic, event_topic, feed_topic
from arrears.shared.service.settings import database_url

GONE_PATIENCE: Final = 30.0
Say = Callable[[str], None]


def prepare(
    installation: Installation, *, keep: bool, yes: bool, seed: int, say: Say
) -> dict[str, str]:
    """The settings of the services, which run when this returns. Raises WrongUse where a wipe of
    addresses that were given on purpose is not confirmed, or a variable says another clock or seed,
    Trouble where services that are to go on run under other settings."""
    given = installation.given_addresses()
    if given and not keep and not yes:
        raise WrongUse(
            "--yes",
            f"the addresses {', '.join(given)} were given: the demo would empty the arrears "
            "databases and topics there; add --yes if that is meant, or --keep to go on with them",
        )
    chosen = chosen_settings(installation, "feed", seed)
    if keep:
        running_under(installation, chosen)
    installation.ensured(say)
    installation.make_master_key()
    stopped = [] if keep else services.stop(installation)
    if stopped:
        say(f"stopped {', '.join(stopped)} of an earlier run")
    listen = _listen(installation, say)
    installation.remember(Started(listen=listen, settings=chosen))
    env = installation.environment()
    if not keep:
        began = time.monotonic()
        run(empty_everything(env))
        shutil.rmtree(installation.folder.local / "import", ignore_errors=True)
        say(f"emptied databases and topics ({time.monotonic() - began:.1f} s)")
    services.migrate_all(installation, lambda _line: None)
    services.start(installation, SERVICES)
    services.wait_until_up(installation, SERVICES)
    return env


def feed_file(installation: Installation, seed: int, loans: int, months: int) -> Path:
    """Where the synthetic feed of these settings lies."""
    folder = installation.folder.local / "feed"
    folder.mkdir(exist_ok=True)
    return folder / f"synthetic-seed{seed}-{loans}-loans-{months}-months.jsonl.gz"


def _listen(installation: Installation, say: Say) -> dict[str, str]:
    supervisor = Supervisor(installation.root)
    if all(supervisor.alive(service) for service in SERVICES):
        return installation.started.listen
    return services.choose_ports(installation, say)


async def empty_everything(env: dict[str, str]) -> None:
    kafka = {name: text for name, text in env.items() if name.startswith(KAFKA)}
    await asyncio.gather(
        _new_databases(env[POSTGRES], databases_of(env)), _new_topics(KafkaSettings.from_env(kafka))
    )


def databases_of(env: Mapping[str, str]) -> list[str]:
    """Those that the services will run on, and the key store's usual one."""
    names = (env.get(f"ARREARS_{name.upper()}_DATABASE", f"arrears_{name}") for name in SERVICES)
    return [*names, "arrears_keys"]


async def _new_databases(server: str, names: Sequence[str]) -> None:
    connection = await asyncpg.connect(server)
    try:
        rows = await connection.fetch("SELECT datname FROM pg_database")
        found = {row["datname"] for row in rows}
        for name in names:
            if name not in found:
                await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY($1)",
            sorted(found & set(names)),
        )
    finally:
        await connection.close()
    await asyncio.gather(*(_empty(database_url(server, name)) for name in names if name in found))


async def _empty(dsn: str) -> None:
    """Dropping a whole database waits for a checkpoint of the server; dropping what is in it does
    not."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    finally:
        await connection.close()


async def _new_topics(settings: KafkaSettings) -> None:
    topics = [event_topic(service) for service in STAGES]
    topics.append(feed_topic(settings.feed_partitions, settings.feed_retention_days))
    admin: Any = AIOKafkaAdminClient(**settings.connection())
    await admin.start()
    try:
        found = set(await admin.list_topics())
        ours = sorted(name for name in found if _is_ours(name))
        if ours:
            await _delete(admin, ours)
    finally:
        await admin.close()
    bus = KafkaBus(settings)
    try:
        await asyncio.gather(*(_create(bus, topic) for topic in topics))
    finally:
        await bus.close()


def _is_ours(name: str) -> bool:
    return name == FEED_TOPIC or (name.startswith("arrears.") and name.endswith(".v1"))


async def _delete(admin: Any, names: list[str]) -> None:
    response = await admin.delete_topics(names)
    for name, code, *_ in response.topic_error_codes:
        error = for_code(code)
        if code and error is not UnknownTopicOrPartitionError:
            raise Trouble(f"topic {name} cannot be deleted: {error.__name__}")
    until = time.monotonic() + GONE_PATIENCE
    while set(names) & set(await admin.list_topics()):
        if time.monotonic() > until:
            raise Trouble(f"Kafka does not delete the topics {', '.join(names)}")
        await asyncio.sleep(0.05)


async def _create(bus: KafkaBus, topic: Topic) -> None:
    await bus.ensure_topic(topic.name, partitions=topic.partitions, retention_ms=topic.retention_ms)
