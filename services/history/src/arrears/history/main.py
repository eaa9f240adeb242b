"""Puts history together and runs it: `api | worker | run | migrate | rebuild | verify`.

`run` is api and worker in one process. Of several workers one hears; the others stand by and take
over when it goes.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Annotated, Any, Final, Literal

import asyncpg
import typer
import uvicorn
from msgspec.json import encode

from arrears.history.adapters import database
from arrears.history.adapters.memory import AlwaysMine
from arrears.history.adapters.postgres import PostgresHistory, PostgresTurn
from arrears.history.adapters.settings import BadSetting, HistorySettings
from arrears.history.adapters.witnesses import Databases
from arrears.history.adapters.witnesses import verify as verify_all
from arrears.history.adapters.words import load_words
from arrears.history.api.app import make_app
from arrears.history.application.desk import Desk
from arrears.history.application.ear import Ear
from arrears.history.application.hearing import Stop
from arrears.history.application.ports import HistoryStore
from arrears.history.application.rebuilding import Comparison, compare, hear_again
from arrears.history.application.verifying import Verification
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import BadSetting as BadKafkaSetting
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.runtime.bus import Bus

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
log = logging.getLogger("arrears.history")
RETRY_SECONDS: Final = 0.5
_TRANSIENT: Final = (ConnectionError, OSError, asyncpg.PostgresConnectionError, TimeoutError)


class Worker:
    """Hears until it is told to stop; remembers how it goes, for `/health`."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._stopping = asyncio.Event()
        self.heard_count = 0
        self.trouble: str | None = None
        self.stopped: str | None = None

    async def run(self) -> None:
        """Raises Stop where going on would hide a loss."""
        try:
            while not self._stopping.is_set():
                await self._step()
        finally:
            with suppress(*_TRANSIENT):
                await self._ear.close()

    async def _step(self) -> None:
        try:
            count = await self._ear.step()
        except Stop as error:
            self.stopped = str(error)
            log.critical("stopped: %s", error)
            raise
        except _TRANSIENT as error:
            self.trouble = str(error)
            log.warning("will try again: %s", error)
            await self._ear.forget()
            await asyncio.sleep(RETRY_SECONDS)
        else:
            self.trouble = None
            self.heard_count += count
            if count == 0:
                # A listener that returned at once, or another worker's turn: do not spin.
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        self._stopping.set()


@app.command()
def migrate() -> None:
    """Create the database if it is missing, and bring its tables to the newest form."""
    settings = _settings()
    made = asyncio.run(database.make_database(settings.server, settings.database))
    database.migrate(settings.dsn)
    print(f"{settings.database}: {'created' if made else 'found'}, migrated")


@app.command()
def api() -> None:
    """Answer questions over HTTP."""
    _go(_serve(_settings(), kafka=None))


@app.command()
def worker() -> None:
    """Hear all topics."""
    _go(_work(_settings(), _kafka()))


@app.command()
def run() -> None:
    """Both in one process."""
    _go(_serve(_settings(), kafka=_kafka()))


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
    name = f"{settings.database}_rebuilt"
    kafka = _kafka() if source == "kafka" else None
    asyncio.run(database.drop_database(settings.server, name))
    asyncio.run(database.make_database(settings.server, name))
    database.migrate(database.database_url(settings.server, name))
    try:
        found = asyncio.run(_rebuild(settings, name, kafka))
    finally:
        if not keep:
            asyncio.run(database.drop_database(settings.server, name))
    _show(found, name if keep else None, as_json=as_json)
    raise typer.Exit(0 if found.equal else 1)


@app.command()
def verify(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Read every store, topic and the history, and compare; exits 1 where the proof is broken."""
    settings = _settings()
    found = asyncio.run(_verify(settings, _kafka()))
    _show_proof(found, as_json=as_json)
    raise typer.Exit(0 if found.holds else 1)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        app()
    except (BadSetting, BadKafkaSetting) as error:
        sys.exit(_said(error, 2))
    except Stop as error:
        sys.exit(_said(error, 1))
    except (*_TRANSIENT, asyncpg.InvalidCatalogNameError, asyncpg.UndefinedTableError) as error:
        sys.exit(_said(error, 1))


def _said(error: BaseException, code: int) -> int:
    hint = ""
    if isinstance(error, (asyncpg.InvalidCatalogNameError, asyncpg.UndefinedTableError)):
        hint = " (run `arrears-history migrate` first)"
    print(f"arrears-history: {error}{hint}", file=sys.stderr)
    return code


# --- Putting it together


def _settings() -> HistorySettings:
    return HistorySettings.from_env(os.environ)


def _kafka() -> KafkaSettings:
    return KafkaSettings.from_env(os.environ)


def _go(work: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop  # noqa: PLC0415 - not to be had on every platform
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


async def _work(settings: HistorySettings, kafka: KafkaSettings) -> None:
    bus, store = KafkaBus(kafka), await PostgresHistory.connect(settings.dsn)
    hearing = Worker(Ear(bus, store, PostgresTurn(settings.dsn)))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, hearing.stop)
    try:
        await hearing.run()
    finally:
        await bus.close()
        await store.close()


async def _serve(settings: HistorySettings, kafka: KafkaSettings | None) -> None:
    store = await PostgresHistory.connect(settings.dsn)
    bus = None if kafka is None else KafkaBus(kafka)
    hearing = None if bus is None else Worker(Ear(bus, store, PostgresTurn(settings.dsn)))
    desk = Desk(store, load_words(zone=settings.zone))

    async def health() -> dict[str, Any]:
        days = await desk.days()
        trouble = None if hearing is None else hearing.stopped or hearing.trouble
        return {
            "status": "ok" if trouble is None else "stopped",
            "reason": trouble,
            "closed_everywhere": days.closed_everywhere,
            "events": days.events,
        }

    config = uvicorn.Config(
        make_app(desk, health), host=settings.host, port=settings.port, log_level="warning"
    )
    server = uvicorn.Server(config)
    try:
        await _together(server, hearing)
    finally:
        if bus is not None:
            await bus.close()
        await store.close()


async def _together(server: uvicorn.Server, hearing: Worker | None) -> None:
    """Ends when either ends; the other is told to stop."""
    tasks = [asyncio.create_task(server.serve())]
    if hearing is not None:
        tasks.append(asyncio.create_task(hearing.run()))
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    if hearing is not None:
        hearing.stop()
    await asyncio.gather(*tasks)


async def _rebuild(settings: HistorySettings, name: str, kafka: KafkaSettings | None) -> Comparison:
    live = await PostgresHistory.connect(settings.dsn)
    rebuilt = await PostgresHistory.connect(database.database_url(settings.server, name))
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
        while True:
            places = await rebuilt.places()
            if all(place.last_seq >= wanted[(place.service, place.shard)] for place in places):
                return
            await ear.step()
    finally:
        await ear.close()
        await bus.close()


async def _verify(settings: HistorySettings, kafka: KafkaSettings) -> Verification:
    bus = KafkaBus(kafka)
    try:
        return await verify_all(Databases(settings.server, os.environ), settings.dsn, bus)
    finally:
        await bus.close()


def _show_proof(found: Verification, *, as_json: bool) -> None:
    if as_json:
        print(encode(found).decode())
        return
    for place in found.places:
        behind = f", {place.behind:,} behind" if place.behind else ""
        print(f"{place.service:<10} {place.place:<28} {place.events:>10,} events{behind}")
    if found.holds:
        print(
            f"the proof holds: {found.event_count:,} events of {found.stream_count:,} streams, "
            "none missing, none twice, none changed"
        )
        return
    print(f"THE PROOF IS BROKEN in {found.break_count:,} places:")
    for broken in found.breaks:
        print(
            f"  {broken.place}: {broken.service} shard {broken.shard} seq {broken.seq} stream "
            f"{broken.stream} version {broken.version}: {broken.says} [{broken.kind}]"
        )


def _show(found: Comparison, kept: str | None, *, as_json: bool) -> None:
    if as_json:
        print(encode(found).decode())
        return
    verdict = "equal" if found.equal else "DIFFERENT"
    print(f"{verdict}: {found.event_count} events, {found.case_count} cases")
    for broken in found.breaks:
        print(
            f"  {broken.place}: {broken.service} shard {broken.shard} seq {broken.seq} "
            f"stream {broken.stream} version {broken.version}: {broken.says}"
        )
    for different in found.events:
        print(f"  {different.service} shard {different.shard} seq {different.seq}: differs")
    for name in found.cases:
        print(f"  case {name}: row differs")
    if kept is not None:
        print(f"kept as database {kept}")


if __name__ == "__main__":
    main()
