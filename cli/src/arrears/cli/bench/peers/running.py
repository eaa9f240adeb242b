"""Sets the peers' environment up, runs their programs, and keeps what they said for the run.

Where the packages cannot be had a row says so instead of failing.
"""

import asyncio
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import DecodeError
from msgspec.json import decode, encode

from arrears.cli.bench.ground import PATIENCE_SECONDS, BenchGround
from arrears.cli.bench.lines import count_of, portfolio
from arrears.cli.bench.pipeline import LOANS, through_intake
from arrears.cli.bench.row import Row, left_out
from arrears.cli.client.trouble import Trouble
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.topics import FOR_EVER
from arrears.shared.service.migrating import drop_database, make_database
from arrears.shared.service.settings import database_url

DATABASE: Final = "arrears_bench_peers"
TARGET: Final = "arrears.bench-peer.v1"
SAVES: Final = 4000
THREADS: Final = 8
AGGREGATES: Final = 1000
EVENTS_EACH: Final = 20
MESSAGES: Final = 5000
_STAMP: Final = ".of-requirements"


class CannotHave(Exception):
    """Why the packages are not there."""


# --- Rows


async def peer_eventsourcing(ground: BenchGround) -> list[Row]:
    """Single saves by 8 threads, and the rebuild of aggregates one by one."""
    found = []
    for name, measure, unit in (
        ("peer_eventsourcing_save", saves, "saves/s"),
        ("peer_eventsourcing_rebuild", rebuilds, "events/s"),
    ):
        value = await measure(ground)
        found.append(left_out(name, value) if isinstance(value, str) else Row(name, value, unit))
    return found


async def peer_faststream(ground: BenchGround) -> list[Row]:
    """FastStream with SQLAlchemy ORM, message by message, beside intake on the same feed."""
    name = "peer_faststream"
    try:
        await asyncio.to_thread(_python, ground)
    except CannotHave as reason:
        return [left_out(name, str(reason))]
    batch = portfolio(ground.sized(LOANS))
    rate = await through_intake(ground, batch)
    ours = count_of(batch) / rate.seconds
    wanted = {
        "kafka": ground.kafka["ARREARS_KAFKA"],
        "source": FEED_TOPIC,
        "target": TARGET,
        "count": min(ground.sized(MESSAGES), count_of(batch)),
        "patience": PATIENCE_SECONDS,
    }
    bus = ground.bus()
    try:
        await bus.ensure_topic(TARGET, partitions=1, retention_ms=FOR_EVER)
    finally:
        await bus.close()
    ground.say(f"{name}: {wanted['count']} messages")
    found = await _asked(ground, "by_faststream", wanted)
    if isinstance(found, str):
        return [left_out(name, found)]
    theirs = found["messages"]
    beside = f"intake, one worker, live {ours:,.0f} records/s"
    return [Row(name, theirs, "messages/s", theirs / ours, beside)]


async def saves(ground: BenchGround) -> float | str:
    """app.save a second by 8 threads; a text says why there is none."""
    return await _eventsourcing(ground, "saves")


async def rebuilds(ground: BenchGround) -> float | str:
    """Events a second of aggregates read from the store and folded."""
    return await _eventsourcing(ground, "rebuilt")


# --- Running


async def _eventsourcing(ground: BenchGround, name: str) -> float | str:
    """Both figures come from one program, which runs once in a run of the bench."""
    if name not in ground.peers:
        if not ground.env:
            await asyncio.to_thread(ground.prepare, "live")
        ground.say("eventsourcing: saves and rebuilds")
        wanted = {
            "saves": ground.sized(SAVES, THREADS),
            "threads": THREADS,
            "aggregates": ground.sized(AGGREGATES, 10),
            "events": EVENTS_EACH,
        }
        found = await _asked(ground, "by_eventsourcing", wanted)
        both = ("saves", "rebuilt")
        ground.peers |= dict.fromkeys(both, found) if isinstance(found, str) else found
    return ground.peers[name]


async def _asked(
    ground: BenchGround, program: str, wanted: dict[str, Any]
) -> dict[str, float] | str:
    """What the program printed, or in one sentence why it could not be run."""
    try:
        python = await asyncio.to_thread(_python, ground)
    except CannotHave as reason:
        return str(reason)
    server = ground.env["ARREARS_POSTGRES"]
    dsn = database_url(server, DATABASE)
    place = urlsplit(dsn)
    wanted = wanted | {
        "dsn": dsn.replace("postgresql://", "postgresql+asyncpg://"),
        "postgres": {
            "host": place.hostname,
            "port": place.port,
            "user": place.username,
            "password": place.password or "",
            "database": DATABASE,
        },
    }
    await drop_database(server, DATABASE)
    await make_database(server, DATABASE)
    try:
        return await asyncio.to_thread(_run, python, program, wanted)
    finally:
        await drop_database(server, DATABASE)


def _run(python: Path, program: str, wanted: dict[str, Any]) -> dict[str, float]:
    done = subprocess.run(
        [python, Path(__file__).with_name(f"{program}.py")],
        input=encode(wanted).decode(),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return decode(done.stdout, type=dict[str, float])
    except DecodeError as error:
        words = " / ".join(done.stderr.strip().splitlines()[-2:])
        raise Trouble(f"{program} ended with {done.returncode}: {words}") from error


def _python(ground: BenchGround) -> Path:
    """The interpreter of the peers' environment, made when the lock is another one than before."""
    lock = ground.checkout / "requirements" / "bench.txt"
    venv = ground.checkout / ".local" / "bench" / "venv"
    python, stamp = venv / "bin" / "python", venv / _STAMP
    digest = sha256(lock.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == digest:
        return python
    ground.say("peers: their packages, fetched and checked by hash")
    cache = {**os.environ, "PIP_CACHE_DIR": str(ground.checkout / ".local" / "cache" / "pip")}
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        [
            *(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--only-binary", ":all:", "-r", str(lock)),
        ],
    ):
        done = subprocess.run(command, env=cache, capture_output=True, text=True, check=False)
        if done.returncode:
            words = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
            raise CannotHave(f"the packages of {lock.name} could not be fetched: {words}")
    stamp.write_text(digest)
    return python
