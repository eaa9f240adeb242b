"""Puts history together and runs it: `api | worker | run | migrate | rebuild | verify`.

`run` is api and worker in one process. Of several workers one hears; the others stand by and take
over when it goes.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import structlog
import typer
from fastapi import FastAPI
from msgspec.json import encode

from arrears.history.adapters.memory import AlwaysMine
from arrears.history.adapters.postgres import PostgresHistory, PostgresTurn
from arrears.history.adapters.terminal import proof_lines, rebuild_lines
from arrears.history.adapters.witnesses import Databases
from arrears.history.adapters.witnesses import verify as verify_all
from arrears.history.adapters.words import load_words
from arrears.history.api.routes import routes
from arrears.history.application.desk import Desk
from arrears.history.application.ear import Ear
from arrears.history.application.hearing import Stop
from arrears.history.application.ports import HistoryStore
from arrears.history.application.rebuilding import Comparison, compare, hear_again
from arrears.history.application.verifying import Verification
from arrears.shared.eventstore import pool
from arrears.shared.http.actors import actors_from_env
from arrears.shared.http.app import make_app
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.runtime.bus import Bus
from arrears.shared.service import migrating
from arrears.shared.service.drafts import draft
from arrears.shared.service.leaving import leaving_plainly
from arrears.shared.service.looping import on_signals, run_loop
from arrears.shared.service.patience import once_there
from arrears.shared.service.serving import serve, take_port
from arrears.shared.service.settings import Settings

app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
log = structlog.get_logger(__name__)
MIGRATIONS: Final = Path(__file__).resolve().parents[3] / "migrations"
RETRY_SECONDS: Final = 0.5
FEW: Final = 500
PAUSE_SECONDS: Final = 0.2
STALLED_SECONDS: Final = 30.0
PASSING: Final = (
    ConnectionError,
    OSError,
    TimeoutError,
    *pool.PASSING,
)


class Worker:
    """Hears until it is told to stop; remembers how it goes, for `/health`."""

    def __init__(self, ear: Ear, renew: Callable[[], Awaitable[None]] | None = None) -> None:
        self._ear = ear
        self._renew = renew
        self._stopping = asyncio.Event()
        self.progressed_at = time.monotonic()
        self.trouble: str | None = None

    async def run(self) -> None:
        """Raises Stop where going on would hide a loss."""
        try:
            while not self._stopping.is_set():
                await self._step()
        finally:
            with suppress(*PASSING):
                await self._ear.close()

    def stop(self) -> None:
        self._stopping.set()

    def health(self) -> Mapping[str, object]:
        """Silence is well; trouble that lasts is not."""
        since = time.monotonic() - self.progressed_at
        ill = self.trouble if since > STALLED_SECONDS else None
        return {
            "status": "stalled" if ill else "ok",
            "reason": ill,
            "seconds_since_progress": round(since, 1),
        }

    async def _step(self) -> None:
        try:
            count = await self._ear.step()
        except PASSING as error:
            self.trouble = type(error).__name__
            log.warning("starting_over", error=type(error).__name__)
            with suppress(*PASSING):
                await self._ear.close()
            if self._renew is not None:
                with suppress(*PASSING):
                    await self._renew()
            await asyncio.sleep(RETRY_SECONDS)
            return
        self.trouble = None
        self.progressed_at = time.monotonic()
        if count < FEW:
            # Many small reads cost more than few larger ones, and nobody waits for history.
            await asyncio.sleep(PAUSE_SECONDS)


# --- Commands


@app.command()
def migrate() -> None:
    """Create the database if it is missing, and bring its tables to the newest form."""
    settings = _settings()
    made = asyncio.run(migrating.make_database(settings.server, settings.database))
    migrating.migrate(MIGRATIONS, settings.dsn)
    print(f"{settings.database}: {'created' if made else 'found'}, migrated")


@app.command()
def api() -> None:
    """Answer questions over HTTP."""
    _go(_serve(_settings(), None))


@app.command()
def worker() -> None:
    """Hear all topics."""
    _go(_work(_settings(), _kafka()))


@app.command()
def run() -> None:
    """Both in one process."""
    _go(_serve(_settings(), _kafka()))


@app.command()
def rebuild(
    source: Annotated[
        Literal["store", "kafka"], typer.Option("--from", help="What to rebuild it from.")
    ],
    keep: Annotated[bool, typer.Option(help="Keep the rebuilt database.")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Rebuild into a new database and compare; exits 1 where anything differs."""
    settings = _settings()
    kafka = _kafka() if source == "kafka" else None
    name = f"{settings.database}_rebuilt"
    found = asyncio.run(_rebuilt(settings, name, kafka, keep=keep))
    lines = [encode(found).decode()] if as_json else rebuild_lines(found, name if keep else None)
    print("\n".join(lines))
    sys.exit(0 if found.equal else 1)


@app.command()
def verify(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Read every store, topic and the history, and compare; exits 1 where the proof is broken."""
    found = asyncio.run(_verify(_settings(), _kafka()))
    print("\n".join([encode(found).decode()] if as_json else proof_lines(found)))
    sys.exit(0 if found.holds else 1)


def main() -> None:
    """Wrong use and wrong settings exit 2; what must stop, and what cannot be reached, exits 1."""
    with leaving_plainly("history", (Stop,)):
        app()


# --- Putting it together


def _settings() -> Settings:
    return Settings.from_env("history", os.environ)


def _kafka() -> KafkaSettings:
    return KafkaSettings.from_env(os.environ)


def _go(work: Coroutine[Any, Any, None]) -> None:
    run_loop(work)


async def _work(settings: Settings, kafka: KafkaSettings) -> None:
    async with once_there(lambda: _opened(settings, kafka)) as (_, hearing):
        assert hearing is not None
        on_signals(hearing.stop)
        await hearing.run()


def _gathering(kafka: KafkaSettings) -> KafkaSettings:
    """Nobody waits for history within a quarter of a second, and a few large reads cost less."""
    return replace(kafka, fetch_min_bytes=64_000, fetch_wait_ms=200)


@asynccontextmanager
async def _opened(
    settings: Settings, kafka: KafkaSettings | None
) -> AsyncIterator[tuple[PostgresHistory, Worker | None]]:
    store = await PostgresHistory.connect(settings.dsn, **pool.bounded("history"))
    bus = None if kafka is None else KafkaBus(_gathering(kafka))
    try:
        turn = PostgresTurn(settings.dsn)
        if bus is None:
            yield store, None
            return
        readers = bus

        async def renew() -> None:
            await readers.renew()
            await store.renew()

        yield store, Worker(Ear(bus, store, turn), renew)
    finally:
        if bus is not None:
            await bus.close()
        await store.close()


async def _serve(settings: Settings, kafka: KafkaSettings | None) -> None:
    taken = take_port(settings)
    async with once_there(lambda: _opened(settings, kafka)) as (store, hearing):
        await serve(_http(settings, store, hearing), taken, hearing)


def _http(settings: Settings, store: HistoryStore, hearing: Worker | None) -> FastAPI:
    desk = Desk(store, load_words(zone=settings.ground.calendar.zone.key))

    async def health() -> Mapping[str, object]:
        days = await desk.days(None)
        heard = {"status": "ok", "worker": "elsewhere"} if hearing is None else hearing.health()
        return {**heard, "closed_everywhere": days.closed_everywhere, "events": days.events}

    actors = actors_from_env(os.environ)
    return make_app("Arrears history", [routes(desk, actors)], health=health)


async def _rebuilt(
    settings: Settings, name: str, kafka: KafkaSettings | None, *, keep: bool
) -> Comparison:
    async with draft(settings, name, keep=keep) as url:
        await migrating.migrate_async(MIGRATIONS, url)
        return await _rebuild(settings.dsn, url, kafka)


async def _rebuild(dsn: str, url: str, kafka: KafkaSettings | None) -> Comparison:
    live, rebuilt = await PostgresHistory.connect(dsn), await PostgresHistory.connect(url)
    try:
        if kafka is None:
            await hear_again(live, rebuilt)
        else:
            await _hear_topics(KafkaBus(kafka), live, rebuilt)
        return await compare(live, rebuilt)
    finally:
        await live.close()
        await rebuilt.close()


async def _hear_topics(bus: Bus, live: HistoryStore, rebuilt: HistoryStore) -> None:
    """Hear from the first record until as far as the live history has heard."""
    wanted = {(place.service, place.shard): place.last_seq for place in await live.places()}
    ear = Ear(bus, rebuilt, AlwaysMine())
    try:
        while any(
            place.last_seq < wanted[(place.service, place.shard)]
            for place in await rebuilt.places()
        ):
            await ear.step()
    finally:
        await ear.close()
        await bus.close()


async def _verify(settings: Settings, kafka: KafkaSettings) -> Verification:
    bus = KafkaBus(kafka)
    try:
        return await verify_all(Databases(settings.server, os.environ), settings.dsn, bus)
    finally:
        await bus.close()


if __name__ == "__main__":
    main()
