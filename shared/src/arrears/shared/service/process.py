"""A stage service as processes: `api`, `worker`, `run` (both), and what is done once by hand."""

import asyncio
import hmac
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import asyncpg
import structlog
import typer
from fastapi import FastAPI

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.leases import Leases, make_rows
from arrears.shared.eventstore.pool import open_pool
from arrears.shared.eventstore.projector import Projector
from arrears.shared.http.actors import actors_from_env
from arrears.shared.http.app import make_app
from arrears.shared.http.edge import Edge
from arrears.shared.http.idempotency import PostgresAnswers
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.failures import Unfit
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kafka.topics import event_topic, feed_topic
from arrears.shared.keyring.schema import migrate as migrate_keystore
from arrears.shared.runtime.bus import Bus
from arrears.shared.runtime.owner import Owner
from arrears.shared.runtime.stage import STAGES
from arrears.shared.service.clock import wall_clock
from arrears.shared.service.desk import ServiceDesk
from arrears.shared.service.doubts import doubt_routes
from arrears.shared.service.erasing import erasing_routes
from arrears.shared.service.housekeeping import Housekeeping
from arrears.shared.service.leaving import leaving_plainly
from arrears.shared.service.looping import on_signals, run_loop
from arrears.shared.service.migrating import make_database, migrate
from arrears.shared.service.opening import Running, Service, foldings_of, opened
from arrears.shared.service.operations import operations_routes, repair_routes
from arrears.shared.service.patience import once_there
from arrears.shared.service.policy_record import keep_policies, tell_policies
from arrears.shared.service.rebuilding import rebuild_service
from arrears.shared.service.refused_input import refused_routes
from arrears.shared.service.serving import serve, take_port
from arrears.shared.service.settings import Settings, database_of, database_url
from arrears.shared.service.turning import keep_clock, turn_clock
from arrears.shared.service.worker import MUST_STOP, Worker

log = structlog.get_logger(__name__)


def main_of(service: Service) -> Callable[[], None]:
    """The command line. Wrong use and wrong settings exit 2, what must stop exits 1."""

    def main() -> None:
        with leaving_plainly(service.name, MUST_STOP):
            _commands(service)()

    return main


def _commands(service: Service) -> typer.Typer:
    app = typer.Typer(
        help=f"The {service.name} service.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.command("migrate")
    def migrate_command() -> None:
        """Create the database if it is missing, and bring its tables to the newest form."""
        settings = Settings.from_env(service.name, os.environ)
        kafka = KafkaSettings.from_env(os.environ)
        made = asyncio.run(make_database(settings.server, settings.database))
        migrate(service.migrations, settings.dsn)
        asyncio.run(_prepare(service, settings, kafka))
        print(f"{settings.database}: {'created' if made else 'found'}, migrated")

    @app.command()
    def api() -> None:
        """Answer questions and take commands over HTTP."""
        run_loop(_serve(service, hears=False))

    @app.command()
    def worker() -> None:
        """Hear, decide, act and publish."""
        run_loop(_work(service))

    @app.command()
    def run() -> None:
        """Both in one process."""
        run_loop(_serve(service, hears=True))

    @app.command()
    def rebuild(
        source: Annotated[
            Literal["store", "kafka"], typer.Option("--from", help="What to rebuild it from.")
        ],
        keep: Annotated[bool, typer.Option(help="Keep the rebuilt database.")] = False,
        as_json: Annotated[bool, typer.Option("--json")] = False,
    ) -> None:
        """Rebuild into a new database and compare; exits 1 where anything differs."""
        sys.exit(run_loop(rebuild_service(service, source, keep=keep, as_json=as_json)))

    @app.command()
    def policies(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
        """What is decided by, and whether a start would take it: exits 2 if not. Writes nothing."""
        asyncio.run(tell_policies(service, as_json=as_json))

    @app.command()
    def clock(
        per_hour: Annotated[int, typer.Option(min=1, max=100_000, help="Timers an hour.")],
        turn: Annotated[bool, typer.Option("--turn", help="Do it; else only the plan.")] = False,
        approved_by: Annotated[str, typer.Option(help="Who approved the plan.")] = "",
    ) -> None:
        """The plan for going from the feed's clock to the wall clock, as JSON; or do it."""
        asyncio.run(turn_clock(service, per_hour, approved_by=approved_by if turn else None))

    return app


async def _prepare(service: Service, settings: Settings, kafka: KafkaSettings) -> None:
    """Rows, topics and the key store's tables: everything that a start relies on."""
    pool = await open_pool(settings.dsn, max_size=1)
    try:
        is_intake = service.name == STAGES[0]
        await make_rows(pool, kafka.feed_partitions if is_intake else 0)
    finally:
        await pool.close()
    bus = KafkaBus(kafka)
    try:
        wanted = [event_topic(name) for name in STAGES]
        wanted.append(feed_topic(kafka.feed_partitions, kafka.feed_retention_days))
        for topic in wanted:
            await bus.ensure_topic(
                topic.name, partitions=topic.partitions, retention_ms=topic.retention_ms
            )
    finally:
        await bus.close()
    keystore = settings.keystore
    await make_database(database_url(keystore, "postgres"), database_of(keystore))
    await migrate_keystore(keystore)


async def _work(service: Service) -> None:
    settings = Settings.from_env(service.name, os.environ)
    async with (
        once_there(lambda: _timed(service, settings)) as running,
        once_there(lambda: _worker(service, running)) as worker,
    ):
        on_signals(worker.stop)
        await worker.run()


@asynccontextmanager
async def _timed(service: Service, settings: Settings) -> AsyncIterator[Running]:
    """What is opened, under the clock and the policies that the database has, and the master key
    that the key store was made with."""
    async with opened(service, settings) as running:
        await running.keyring.check_master_key()
        await keep_clock(running.pool, settings.ground.clock)
        await keep_policies(running.pool, running.stage.policies)
        yield running


async def shared_out(pool: asyncpg.Pool, bus: Bus) -> int:
    """The partitions of the feed, which workers share. Raises Unfit where the topic has more than
    were prepared: nobody would hear them."""
    count = await bus.partition_count(FEED_TOPIC)
    prepared = await pool.fetchval("SELECT count(*) FROM feed_leases")
    if prepared < count:
        raise Unfit(
            f"topic {FEED_TOPIC} has {count} partitions, {prepared} were prepared: "
            "set ARREARS_KAFKA_FEED_PARTITIONS and migrate"
        )
    return count


@asynccontextmanager
async def _worker(service: Service, running: Running) -> AsyncIterator[Worker]:
    kafka = KafkaSettings.from_env(os.environ)
    bus = KafkaBus(kafka)
    ground = running.settings.ground
    publisher = bus.publisher()
    gateway = service.make_gateway(ground, running.keyring) if service.make_gateway else None
    try:
        has_feed = running.stage.feed is not None
        feed_partitions = await shared_out(running.pool, bus) if has_feed else 0
        owner = Owner(
            running.stage,
            running.store,
            bus,
            publisher,
            clock=ground.clock,
            now=wall_clock,
            gateway=gateway,
        )
        leases = Leases(
            running.pool,
            os.environ.get("ARREARS_WORKER") or f"{socket.gethostname()}-{os.getpid()}",
            seconds=running.settings.lease_seconds,
            feed_partitions=feed_partitions,
        )
        projector = Projector(running.pool, running.store, foldings_of(service, running.stage))
        owner.on_commit = projector.offer

        async def renew() -> None:
            await running.pool.expire_connections()
            await running.keyring.renew()
            await bus.renew()

        yield Worker(
            owner,
            leases,
            projector,
            lease_seconds=running.settings.lease_seconds,
            housekeeping=Housekeeping(running.pool),
            renew=renew,
        )
    finally:
        await publisher.close()
        await bus.close()


async def _serve(service: Service, *, hears: bool) -> None:
    settings = Settings.from_env(service.name, os.environ)
    taken = take_port(settings)
    async with once_there(lambda: _timed(service, settings)) as running:
        if not hears:
            await serve(_http(service, running, None), taken, None)
            return
        async with once_there(lambda: _worker(service, running)) as worker:
            await serve(_http(service, running, worker), taken, worker)


def _idempotency_secret() -> bytes:
    """Inputs of commands are remembered as HMAC only; its key comes from the master key."""
    return hmac.digest(os.environ["ARREARS_MASTER_KEY"].encode(), b"idempotency", "sha256")


def _http(service: Service, running: Running, worker: Worker | None) -> FastAPI:
    ground = running.settings.ground
    desk = ServiceDesk(
        running.stage, running.store, running.pool, clock=ground.clock, wall=wall_clock
    )
    edge = Edge(
        desk,
        PostgresAnswers(running.pool),
        actors_from_env(os.environ),
        _idempotency_secret(),
    )

    async def live_facts() -> Mapping[str, Any]:
        return {"clock": ground.clock, **(_waits(worker) if worker is not None else {})}

    async def health() -> Mapping[str, object]:
        if worker is None:
            return {"status": "ok", "worker": "elsewhere"}
        since = round(time.monotonic() - worker.progressed_at, 1)
        ill = worker.stopped or (worker.trouble if since > 30 else None)
        return {
            "status": "stalled" if ill else "ok",
            "reason": ill,
            "seconds_since_progress": since,
            **_waits(worker),
        }

    routers = list(service.make_routes(edge)) if service.make_routes else []
    stage, store, pool = running.stage, running.store, running.pool
    routers.append(operations_routes(service.name, pool, live_facts, edge))
    routers.append(refused_routes(stage, store, pool, edge, running.keyring))
    routers.append(repair_routes(stage, store, edge))
    routers.append(doubt_routes(stage, store, pool, edge))
    if service.name == STAGES[0]:
        routers.append(erasing_routes(stage, store, edge, running.keyring))
    return make_app(f"Arrears {service.name}", routers, health=health)


def _waits(worker: Worker) -> Mapping[str, Any]:
    """What the shards of this process wait for, in words, the same once."""
    owner = worker.owner
    words: set[str] = set()
    for shard, shelf in owner.bench.shelves.items():
        if shelf.open_day is not None and owner.clock == "feed":
            words.update(owner.ears.waits_for(shard, shelf.open_day))
    pending = owner.effects.pending()
    if pending:
        words.add(f"answers to {len(pending)} effects")
    return {
        "shards_held": list(owner.shards),
        "waits_for": sorted(words),
        "trouble": worker.stopped or worker.trouble,
    }
