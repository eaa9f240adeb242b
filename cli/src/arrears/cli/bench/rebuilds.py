"""The service's own `rebuild`, phase by phase, beside the least that each phase must do."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Final, Literal

from msgspec import Struct
from msgspec.json import decode

from arrears.cli.bench.apart import Moved, apart
from arrears.cli.bench.bare import bare_fold
from arrears.cli.bench.ground import BenchGround
from arrears.cli.bench.lines import portfolio
from arrears.cli.bench.peers.running import rebuilds
from arrears.cli.bench.pipeline import INTAKE_TOPIC, through_intake
from arrears.cli.bench.rawpipe import quick_pipe
from arrears.cli.bench.row import Pair, Row, beside, left_out
from arrears.cli.client.installation import entry_point
from arrears.cli.client.trouble import Trouble

LOANS: Final = 8000
Source = Literal["store", "kafka"]


class Rebuilt(Struct):
    """What the program says with `--json`: seconds by phase, and whether it is equal."""

    events: int
    differences: int
    seconds: dict[str, float]


async def rebuild_projection(ground: BenchGround) -> list[Row]:
    """intake's list of cases from its store: the projector of the service, in one process."""
    rounds = await _rounds(
        ground, "store", "project", lambda: apart(bare_fold, ground.dsn("intake"))
    )
    what = "bare fetch, decode and fold"
    row = beside("rebuild_projection", "events/s", rounds, what, ">= 0.7")
    ours, name = median(one.ours for one in rounds), "rebuild_projection_beside_peer"
    peer = await rebuilds(ground)
    if isinstance(peer, str):
        return [row, left_out(name, peer)]
    told = f"eventsourcing {peer:,.0f} events/s"
    return [row, Row(name, ours, "events/s", ours / peer, told, ">= 10")]


async def rebuild_from_kafka(ground: BenchGround) -> list[Row]:
    """The events of intake from its topic into an empty database."""
    rounds = await _rounds(
        ground,
        "kafka",
        "fill",
        lambda: apart(quick_pipe, ground.kafka, ground.dsn("intake"), INTAKE_TOPIC, False),
    )
    what = "bare consume, decode and COPY"
    return [beside("rebuild_from_kafka", "events/s", rounds, what, ">= 0.5")]


async def _rounds(
    ground: BenchGround, source: Source, phase: str, least: Callable[[], Awaitable[Moved]]
) -> list[Pair]:
    """A phase of the program, each time with the `least` that must be done right after it."""
    await through_intake(ground, portfolio(ground.sized(LOANS)))
    rounds = []
    for number in range(1, ground.rounds + 1):
        ground.say(f"rebuild from {source}, {number} of {ground.rounds}")
        found = await asyncio.to_thread(_rebuild, ground, source)
        rounds.append(Pair(found.events / found.seconds[phase], (await least()).per_second))
    return rounds


def _rebuild(ground: BenchGround, source: Source) -> Rebuilt:
    done = subprocess.run(
        [entry_point("intake"), "rebuild", "--from", source, "--json"],
        env=ground.program_env(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        raise Trouble(f"intake cannot be rebuilt from {source}, or differs: {words}")
    return decode(done.stdout, type=Rebuilt)
