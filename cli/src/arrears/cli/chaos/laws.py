"""What must hold after the faults: the proof, the digest, and that everything can be ended."""

import asyncio
import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import Final

import httpx
from msgspec import Struct
from msgspec.json import decode

from arrears.cli.chaos.ground import ChaosGround
from arrears.cli.chaos.plan import PROCESSES, Direction
from arrears.cli.client.installation import STAGES
from arrears.cli.client.trouble import Trouble

ANSWER_SECONDS: Final = 30.0
ENDS_SECONDS: Final = 10.0
LOST_SECONDS: Final = 1.0
QUESTIONS_MAX: Final = 3
DIRECTIONS: Final[tuple[Direction, ...]] = ("to", "from")


class Digest(Struct, frozen=True):
    sha256: str
    case_count: int
    event_count: int


class Verdict(Struct, frozen=True):
    """`said` is one line for people."""

    law: str
    holds: bool
    said: str


async def digest(ground: ChaosGround, day: date) -> Digest:
    """History's digest up to the day, as soon as it answers."""
    base = f"http://{ground.installation.started.listen['history']}"
    until = time.monotonic() + ANSWER_SECONDS
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
        while True:
            try:
                answer = await client.get(f"{base}/digest", params={"as_of": day.isoformat()})
            except httpx.TransportError as error:
                if time.monotonic() > until:
                    raise Trouble(f"history does not answer: {error!r}") from error
                await asyncio.sleep(0.1)
                continue
            answer.raise_for_status()
            return decode(answer.content, type=Digest)


def same_digest(undisturbed: Digest, disturbed: Digest) -> Verdict:
    said = (
        f"{disturbed.sha256[:16]}… over {disturbed.case_count:,} cases and "
        f"{disturbed.event_count:,} events"
    )
    same = undisturbed == disturbed
    if not same:
        said += (
            f"; undisturbed {undisturbed.sha256[:16]}… over {undisturbed.case_count:,} cases and "
            f"{undisturbed.event_count:,} events"
        )
    return Verdict("the digest is that of the undisturbed run", same, said)


async def apis_answer(ground: ChaosGround) -> Verdict:
    """Every API answers by itself: whoever survived all that must not need a restart.

    A first question may find that a connection is dead, and be asked to come again.
    """
    silent = []
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
        for service in STAGES:
            base = f"http://{ground.installation.started.listen[service]}"
            said = [await _asked(client, f"{base}/status") for _ in range(QUESTIONS_MAX)]
            if "200" not in said:
                silent.append(f"{service}: {', '.join(said)}")
    return Verdict("every API answers", not silent, "; ".join(silent) or "all four stages")


async def _asked(client: httpx.AsyncClient, url: str) -> str:
    try:
        return str((await client.get(url)).status_code)
    except httpx.TransportError as error:
        return repr(error)


async def proofs(
    ground: ChaosGround, undisturbed: Digest, day: date, *, rebuilds: bool
) -> list[Verdict]:
    """Both checkers; `rebuilds` leaves nothing out of the second."""
    deep = ["--deep", "--expect-digest", undisturbed.sha256, "--as-of", day.isoformat()]
    law = "`arrears verify --deep`: all ten laws" if rebuilds else "`arrears verify --deep --fast`"
    return [
        await _verify(ground, [], "`arrears verify`"),
        await _verify(ground, deep if rebuilds else [*deep, "--fast"], law),
    ]


async def _verify(ground: ChaosGround, options: list[str], law: str) -> Verdict:
    program = Path(sys.executable).parent / "arrears"
    process = await asyncio.create_subprocess_exec(
        program,
        "verify",
        *options,
        env={**os.environ, **ground.env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return Verdict(law, process.returncode == 0, (lines or ["no word"])[-1])


async def ends_without_servers(ground: ChaosGround) -> Verdict:
    """SIGTERM ends every process in a few seconds, whatever its servers do.

    Half of them are told while both servers are silent, the others when both are gone for good.
    """
    names = list(PROCESSES)
    silence = [
        asyncio.create_task(proxy.hold_up(direction, LOST_SECONDS + ENDS_SECONDS))
        for proxy in (ground.kafka_proxy, ground.database_proxy)
        for direction in DIRECTIONS
    ]
    # Each has to meet the loss first: a process that has not noticed would end too easily.
    await asyncio.sleep(LOST_SECONDS)
    took = await asyncio.gather(*(_end(ground, name) for name in names[::2]))
    for one in silence:
        one.cancel()
    await ground.kill_database()
    await ground.kill_broker()
    await asyncio.sleep(LOST_SECONDS)
    took += await asyncio.gather(*(_end(ground, name) for name in names[1::2]))
    slowest = max(took)
    late = [
        name for name, one in zip(names[::2] + names[1::2], took, strict=True) if one > ENDS_SECONDS
    ]
    return Verdict(
        "SIGTERM ends every process whose servers are silent or gone",
        not late,
        f"the slowest after {slowest:.1f} s" + (f"; too late: {', '.join(late)}" if late else ""),
    )


async def _end(ground: ChaosGround, name: str) -> float:
    began = time.monotonic()
    ended = await asyncio.to_thread(ground.supervisor.stop, name, ENDS_SECONDS)
    return time.monotonic() - began if ended else float("inf")
