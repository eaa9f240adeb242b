"""How long people wait: single commands to intake, and one case's history out of a million."""

import asyncio
import time
from collections.abc import Sequence
from random import Random
from statistics import median
from typing import Final

from arrears.cli.bench.bareweb import bare_api
from arrears.cli.bench.crowd import fill_history, many_case, templates
from arrears.cli.bench.ground import BenchGround, watch
from arrears.cli.bench.lines import SEED, case_of, new_loans
from arrears.cli.bench.peers.running import saves
from arrears.cli.bench.row import Row, percentile
from arrears.cli.bench.web import Answer, Line, request, until_it_answers
from arrears.cli.client.trouble import Trouble
from arrears.shared.service.clock import wall_clock

WRITERS: Final = 16
COMMANDS: Final = 6000
CASES: Final = 1_000_000
ASKED: Final = 1000
WARM_UP: Final = 50
SAMPLE_LOANS: Final = 200
_HOLD: Final = b'{"reason":"dispute"}'


async def http_commands(ground: BenchGround) -> list[Row]:
    """Cases are put on hold, each once, by 16 writers at once; API and worker in one process."""
    count = ground.sized(COMMANDS, 3 * WRITERS)
    await asyncio.to_thread(ground.prepare, "live")
    await ground.fill_feed(new_loans(range(count), wall_clock()))
    pool = await ground.pool("intake")
    base = ground.installation.url("intake")
    rates: list[float] = []
    seconds: list[float] = []
    try:
        ground.start("intake", "run", "intake")
        await watch(pool, records=count)
        await ground.filled_list(pool, count)
        await until_it_answers(base)
        size = count // ground.rounds
        for number in range(ground.rounds):
            ground.say(f"http_commands: {size} commands, {number + 1} of {ground.rounds}")
            rate, answers = await _hold(base, range(number * size, (number + 1) * size))
            rates.append(rate)
            seconds += [answer.seconds for answer in answers]
    finally:
        await pool.close()
        await asyncio.to_thread(ground.stop)
    ground.say(f"http_commands: {count} to an endpoint with nothing behind it")
    async with bare_api() as base:
        bare, _ = await _hold(base, range(count))
    return await _commands_told(ground, median(rates), bare, seconds)


async def _commands_told(
    ground: BenchGround, rate: float, bare: float, seconds: Sequence[float]
) -> list[Row]:
    peer = await saves(ground)
    ratio, ceiling = (None, None) if isinstance(peer, str) else (rate / peer, bare / peer)
    told = (
        f"no eventsourcing: {peer}"
        if isinstance(peer, str)
        else f"eventsourcing app.save by 8 threads {peer:,.0f}/s"
    )
    return [
        Row("http_commands", rate, "commands/s", ratio, told, ">= 3"),
        Row("http_commands_p50", percentile(seconds, 0.5) * 1000, "ms"),
        Row("http_commands_p99", percentile(seconds, 0.99) * 1000, "ms"),
        Row("http_bare", bare, "requests/s", ceiling, f"{told}; an endpoint that only answers"),
    ]


async def _hold(base: str, numbers: range) -> tuple[float, list[Answer]]:
    """Commands a second. The writers share the cases; each has one connection and one command
    under way."""
    requests = [
        request(
            "POST", f"/cases/{case_of(number)}/hold", _HOLD, {"Idempotency-Key": f"hold-{number}"}
        )
        for number in numbers
    ]
    lines = [await Line.to(base) for _ in range(WRITERS)]
    begun = time.perf_counter()
    try:
        parts = await asyncio.gather(
            *(_ask_all(line, requests[part::WRITERS]) for part, line in enumerate(lines))
        )
        rate = len(requests) / (time.perf_counter() - begun)
    finally:
        for line in lines:
            await line.close()
    return rate, [answer for part in parts for answer in part]


async def _ask_all(line: Line, requests: Sequence[bytes]) -> list[Answer]:
    answers = []
    for one in requests:
        answer = await line.ask(one)
        if answer.status != 200:
            raise Trouble(f"answered {answer.status}: {answer.body[:200]!r}")
        answers.append(answer)
    return answers


async def one_history(ground: BenchGround) -> list[Row]:
    """The history of a case, chosen at random out of a million, one question after the other."""
    await asyncio.to_thread(ground.prepare, "live")
    stories = await templates(ground, ground.sized(SAMPLE_LOANS, 50))
    cases, asked = ground.sized(CASES, len(stories)), ground.sized(ASKED, 100)
    pool = await ground.pool("history")
    base = ground.installation.url("history")
    try:
        ground.say(f"one_history: writing the events of {cases:,} cases")
        events = await fill_history(pool, stories, cases)
        ground.start("history", "api", "history")
        await until_it_answers(base)
        ground.say(f"one_history: {asked} questions among {events:,} events")
        chance = Random(SEED)
        chosen = [chance.randrange(cases) for _ in range(asked + WARM_UP)]
        line = await Line.to(base)
        paths = [f"/cases/{many_case(number)}/history" for number in chosen]
        answers = await _ask_all(line, [request("GET", path) for path in paths])
        await line.close()
        await pool.execute("TRUNCATE history_events")
    finally:
        await pool.close()
        await asyncio.to_thread(ground.stop)
    seconds = [answer.seconds for answer in answers[WARM_UP:]]
    told = f"{cases:,} cases, {events:,} events"
    return [
        Row("one_history_p50", percentile(seconds, 0.5) * 1000, "ms", beside=told),
        Row("one_history_p99", percentile(seconds, 0.99) * 1000, "ms", beside=told, must="< 20"),
    ]
