"""The demo itself: the feed is sent, the services are watched, one worker is killed half-way."""

import asyncio
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import httpx
from msgspec import Struct

from arrears.cli.client import services
from arrears.cli.client.installation import KAFKA, SERVICES, STAGES, Installation
from arrears.cli.client.trouble import Trouble, WrongUse
from arrears.cli.feed.importer import Importer, Sent
from arrears.cli.feed.importer_memory import Memory
from arrears.cli.feed.importing import Survey
from arrears.cli.stack import Supervisor
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import SHARD_COUNT

POLL_SECONDS: Final = 0.7
STALL_SECONDS: Final = 120.0
KILL_AT: Final = 0.4
VICTIM: Final = "contact"
_DAY_WEIGHT: Final = 10
"""A business day without any fact costs about as much as so many facts."""


class Counts(Struct, kw_only=True):
    """One service at one moment; `day` is its open day, history's the last closed one."""

    answers: bool = False
    day: str | None = None
    heard: int = 0
    decided: int = 0
    published: int = 0
    set_aside: int = 0


class Killed(Struct, frozen=True, kw_only=True):
    day: str
    pid: int
    seconds: float


class Seen(Struct, kw_only=True):
    """What the screen shows."""

    services: dict[str, Counts]
    stages: dict[str, int]
    sent: Sent
    day: date | None = None
    fraction: float = 0.0
    seconds: float = 0.0
    killed: Killed | None = None
    note: str = ""

    @property
    def seconds_left(self) -> float | None:
        if self.fraction < 0.01 or self.seconds < 1:
            return None
        return self.seconds * (1 - self.fraction) / self.fraction


class Played(Struct, frozen=True, kw_only=True):
    """How it went. Figures are of this run alone; `events` leaves out closings of days."""

    first_day: date
    day: date
    facts: int
    events: int
    closings: int
    seconds: float
    killed: Killed | None


class Play:
    """One run. `watch` is called after each look at the services."""

    def __init__(
        self,
        installation: Installation,
        feed: Path,
        found: Survey,
        watch: Callable[[Seen], None],
    ) -> None:
        if found.first_day is None or found.last_day is None:
            raise WrongUse("--feed", f"{feed}: no line has a time, so there is nothing to play")
        self._installation = installation
        self._feed = feed
        self._watch = watch
        self._last_day = found.last_day
        self._day_before_all = found.first_day - ONE_DAY
        self._days = list(found.days)
        self._work_done = [
            lines + _DAY_WEIGHT * (day - found.first_day).days
            for day, lines in zip(self._days, accumulate(found.days.values()), strict=True)
        ]
        self._seen = Seen(
            services={service: Counts() for service in SERVICES},
            stages={},
            sent=Sent(survey=found),
        )
        self._supervisor = Supervisor(installation.root)
        self._moved_at = time.monotonic()

    async def run(self) -> Played:
        """Return when history has heard the last day closed. Raises Trouble where it does not."""
        async with httpx.AsyncClient(timeout=10.0, trust_env=False) as client:
            await self._look(client)
            before, day_before = self._seen.services["history"].heard, self._seen.day
            began = time.monotonic()
            self._moved_at = began
            sending = asyncio.create_task(self._send())
            try:
                while not (sending.done() and self._has_arrived()):
                    if sending.done():
                        sending.result()
                    await asyncio.sleep(POLL_SECONDS)
                    await self._look(client)
                    self._seen.seconds = time.monotonic() - began
                    self._watch(self._seen)
                    self._check_alive()
                    if self._is_half_way():
                        await self._kill(client)
            finally:
                sending.cancel()
                await asyncio.wait([sending])
            sent = sending.result()
            seconds = time.monotonic() - began
        days = (self._last_day - (day_before or self._day_before_all)).days
        closings = max(0, days) * SHARD_COUNT * len(STAGES)
        return Played(
            first_day=self._day_before_all + ONE_DAY,
            day=self._last_day,
            facts=sent.lines,
            events=self._seen.services["history"].heard - before - closings,
            closings=closings,
            seconds=seconds,
            killed=self._seen.killed,
        )

    async def _send(self) -> Sent:
        env = self._installation.environment()
        kafka = {name: text for name, text in env.items() if name.startswith(KAFKA)}
        settings = KafkaSettings.from_env(kafka)
        bus = KafkaBus(settings)
        memory = Memory.of(self._installation.folder.local / "import", self._feed)

        def watch(sent: Sent) -> None:
            self._seen.sent = sent

        importer = Importer(bus, settings, self._installation.calendar, memory=memory, watch=watch)
        try:
            return await importer.send(self._feed, found=self._seen.sent.survey)
        finally:
            await bus.close()

    # --- Watching

    async def _look(self, client: httpx.AsyncClient) -> None:
        before = [counts.heard for counts in self._seen.services.values()]
        answers = await asyncio.gather(*(self._ask(client, name, "/status") for name in STAGES))
        for service, answer in zip(STAGES, answers, strict=True):
            self._hear_stage(service, answer)
        self._hear_history(await self._ask(client, "history", "/days"))
        stages = await self._ask(client, "history", "/cases/counts")
        if stages is not None:
            self._seen.stages = stages["open_by_stage"] | {"closed": stages["closed"]}
        if before != [counts.heard for counts in self._seen.services.values()]:
            self._moved_at = time.monotonic()

    async def _ask(
        self, client: httpx.AsyncClient, service: str, path: str
    ) -> Mapping[str, Any] | None:
        try:
            answer = await client.get(self._installation.url(service) + path)
        except httpx.TransportError:
            return None
        found: Mapping[str, Any] = answer.json()
        return found if answer.is_success else None

    def _hear_stage(self, service: str, answer: Mapping[str, Any] | None) -> None:
        counts = self._seen.services[service]
        counts.answers = answer is not None
        if answer is not None:
            counts.day = answer["min_open_day"]
            counts.heard, counts.decided = answer["heard"], answer["decided"]
            counts.published = answer["published"]
            counts.set_aside = answer["refused"] + answer["parked"]

    def _hear_history(self, answer: Mapping[str, Any] | None) -> None:
        counts = self._seen.services["history"]
        counts.answers = answer is not None
        if answer is None:
            return
        counts.heard = sum(answer["events"].values())
        counts.day = answer["closed_everywhere"]
        if counts.day is not None:
            self._seen.day = date.fromisoformat(counts.day)
            self._seen.fraction = self.fraction(self._seen.day)

    def fraction(self, day: date) -> float:
        """How much of the work lies on the days up to this one, by facts and by days."""
        place = bisect_right(self._days, day)
        if not place:
            return 0.0
        done = self._work_done[place - 1] + _DAY_WEIGHT * (day - self._days[place - 1]).days
        return min(1.0, done / max(1, self._work_done[-1]))

    def _has_arrived(self) -> bool:
        return self._seen.day is not None and self._seen.day >= self._last_day

    def _check_alive(self) -> None:
        for service in SERVICES:
            if not self._supervisor.alive(service):
                words = self._supervisor.why_it_ended(service)
                raise Trouble(f"{service} has ended: {words} ({self._supervisor.log(service)})")
        if time.monotonic() - self._moved_at > STALL_SECONDS:
            raise Trouble(
                f"nothing has moved for {STALL_SECONDS:.0f} s at {self._seen.day}: "
                "`arrears status` says what each service waits for"
            )

    # --- The crash on purpose

    def _is_half_way(self) -> bool:
        return self._seen.killed is None and KILL_AT <= self._seen.fraction < 1

    async def _kill(self, client: httpx.AsyncClient) -> None:
        """As a crash would, in the middle of work; then started again as an operator would."""
        victim = self._supervisor.find(VICTIM)
        if victim is None:
            return
        began = time.monotonic()
        self._supervisor.kill(VICTIM)
        day = self._seen.services[VICTIM].day or str(self._seen.day)
        self._seen.services[VICTIM].answers = False
        self._seen.note = f"{VICTIM}'s worker was killed on {day}; it starts again"
        self._watch(self._seen)
        services.start(self._installation, [VICTIM])
        while await self._ask(client, VICTIM, "/health") is None:
            self._check_alive()
            await asyncio.sleep(0.1)
        seconds = round(time.monotonic() - began, 1)
        self._seen.killed = Killed(day=day, pid=victim.pid, seconds=seconds)
        self._seen.note = f"{VICTIM}'s worker was killed on {day} and is back after {seconds} s"
