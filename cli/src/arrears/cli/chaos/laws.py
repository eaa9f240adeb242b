"""What must hold after the faults: the proof, the digest, and that everything can be ended."""

import asyncio
import inspect
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
from arrears.cli.chaos.plan import PROCESSES
from arrears.cli.client.installation import STAGES
from arrears.cli.client.trouble import Trouble
from arrears.cli.commands import proof

ANSWER_SECONDS: Final = 30.0
ENDS_SECONDS: Final = 10.0


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
    """Every API answers by itself: whoever survived all that must not need a restart."""
    silent = []
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
        for service in STAGES:
            try:
                base = f"http://{ground.installation.started.listen[service]}"
                answer = await client.get(f"{base}/status")
            except httpx.TransportError as error:
                silent.append(f"{service}: {error!r}")
                continue
            if not answer.is_success:
                silent.append(f"{service}: {answer.status_code}")
    return Verdict("every API answers", not silent, "; ".join(silent) or "all four stages")


async def proofs(ground: ChaosGround) -> list[Verdict]:
    """`arrears verify`, and its second checker where there is one."""
    found = [await _verify(ground, [], "`arrears verify` finds no break")]
    if "deep" in inspect.signature(proof.verify).parameters:
        found.append(await _verify(ground, ["--deep"], "`arrears verify --deep` finds no break"))
    return found


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
    return Verdict(law, process.returncode == 0, " / ".join(lines[-4:]))


async def ends_without_servers(ground: ChaosGround) -> Verdict:
    """With both servers gone for good, SIGTERM still ends every process in a few seconds."""
    await ground.kill_database()
    await ground.kill_broker()
    # Each has to meet the loss first: a process that has not noticed would end too easily.
    await asyncio.sleep(1.0)
    took = await asyncio.gather(*(_end(ground, name) for name in PROCESSES))
    slowest = max(took)
    late = [name for name, one in zip(PROCESSES, took, strict=True) if one > ENDS_SECONDS]
    return Verdict(
        "SIGTERM ends every process while both servers are gone",
        not late,
        f"the slowest after {slowest:.1f} s" + (f"; too late: {', '.join(late)}" if late else ""),
    )


async def _end(ground: ChaosGround, name: str) -> float:
    began = time.monotonic()
    ended = await asyncio.to_thread(ground.supervisor.stop, name, ENDS_SECONDS)
    return time.monotonic() - began if ended else float("inf")
