"""Sends a feed file to Kafka: its lines as they are, and the closings of the days between them.

Bad lines are sent too, so that intake sets them aside where people look for them. A closing goes
out only after everything before it is acknowledged (protocol 3.9).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from arrears.cli.feed.importer_memory import Mark, Memory, Progress, still_there
from arrears.cli.feed.importer_topic import close_days, ensure_feed_topic, opened_on
from arrears.cli.feed.importing import (
    JUMP_DAYS_MAX,
    CloseDays,
    Opened,
    Send,
    Step,
    Survey,
    partition_of,
    steps,
    survey,
)
from arrears.cli.feed.lines import BadFeedFile, read_feed
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar
from arrears.shared.runtime.bus import Bus, Outgoing, Publisher, TopicPartition

BATCH_LINES: Final = 2_000
ATTEMPTS_MAX: Final = 5
RETRY_SECONDS: Final = 1.0


class Sent(Struct, kw_only=True):
    """How an import goes, for a bar; `line` is the last acknowledged line of the file."""

    survey: Survey
    begun_after: int = 0
    line: int = 0
    lines: int = 0
    days: int = 0
    bytes: int = 0
    seconds: float = 0.0
    already: bool = False

    @property
    def rate(self) -> float:
        return self.lines / self.seconds if self.seconds else 0.0


Watch = Callable[[Sent], None]


class Importer:
    """One file to one topic. `watch` is called after each acknowledgement.

    `live`: the wall clock moves the days of who listens, so no day is closed.
    """

    def __init__(
        self,
        bus: Bus,
        settings: KafkaSettings,
        calendar: BankCalendar,
        *,
        live: bool = False,
        memory: Memory | None = None,
        watch: Watch = lambda _sent: None,
    ) -> None:
        self._bus = bus
        self._settings = settings
        self._calendar = calendar
        self._live = live
        self._memory = memory
        self._watch = watch
        self._progress = Progress()
        self._waiting: dict[int, list[Outgoing]] = {}
        self._waiting_count = 0
        self._last_line = 0

    async def send(
        self, feed: Path, *, found: Survey | None = None, again: bool = False, close: bool = True
    ) -> Sent:
        """Raises BadFeedFile where the file breaks off; what was sent until then is remembered.

        `again` sends a file anew that was sent whole; `close` False leaves its last day open.
        """
        found = found or survey(read_feed(feed), self._calendar)
        partitions = await ensure_feed_topic(self._bus, self._settings)
        opened = await opened_on(self._bus)
        if not self._live:
            _check_near(feed, found, opened)
        await self._remember(again=again)
        sent = Sent(survey=found, begun_after=self._progress.line, line=self._progress.line)
        if self._progress.done:
            sent.already = True
            return sent
        todo: Iterable[Step] = steps(
            read_feed(feed),
            found,
            self._calendar,
            after_line=self._progress.line,
            opened=opened,
            close_last=close,
        )
        if self._live:
            todo = (step for step in todo if isinstance(step, Send))
        publisher = self._bus.publisher()
        try:
            await self._carry_out(todo, publisher, partitions, sent)
        finally:
            await publisher.close()
        self._keep(replace(self._progress, done=close))
        return sent

    async def _carry_out(
        self, todo: Iterable[Step], publisher: Publisher, partitions: int, sent: Sent
    ) -> None:
        began = time.monotonic()
        for step in todo:
            if isinstance(step, Send):
                number = partition_of(step.key, partitions)
                self._waiting.setdefault(number, []).append(Outgoing(step.key, step.value))
                self._waiting_count += 1
                self._last_line = step.line
                sent.bytes += len(step.value)
                if self._waiting_count < BATCH_LINES:
                    continue
            await self._flush(publisher, sent)
            if isinstance(step, CloseDays):
                await self._close(publisher, step, partitions)
                sent.days += len(step.days)
            sent.seconds = time.monotonic() - began
            self._watch(sent)
        await self._flush(publisher, sent)
        sent.seconds = time.monotonic() - began
        self._watch(sent)

    async def _flush(self, publisher: Publisher, sent: Sent) -> None:
        if not self._waiting_count:
            return
        batches = {
            TopicPartition(FEED_TOPIC, number): outgoing
            for number, outgoing in self._waiting.items()
        }
        mark = self._progress.mark or await self._first_mark(batches)
        await _patiently(lambda: publisher.publish(batches))
        sent.lines += self._waiting_count
        sent.line = self._last_line
        self._waiting, self._waiting_count = {}, 0
        self._keep(Progress(line=self._last_line, mark=mark))

    async def _close(self, publisher: Publisher, step: CloseDays, partitions: int) -> None:
        await _patiently(
            lambda: close_days(publisher, step.days, step.first_day, partitions, self._calendar)
        )

    async def _first_mark(self, batches: dict[TopicPartition, list[Outgoing]]) -> Mark:
        """Where the first record will stand, unless somebody else writes at the same moment."""
        place, outgoing = next(iter(batches.items()))
        _, following = (await self._bus.bounds(FEED_TOPIC))[place]
        name = sha256(outgoing[0].value).hexdigest()
        return Mark(partition=place.partition, offset=following, sha256=name)

    async def _remember(self, *, again: bool) -> None:
        known = Progress() if self._memory is None else self._memory.read()
        if known.mark is None or not await still_there(self._bus, known.mark):
            known = Progress()
        if again and known.done:
            known = Progress()
        self._progress = known
        self._last_line = known.line

    def _keep(self, progress: Progress) -> None:
        self._progress = progress
        if self._memory is not None:
            self._memory.write(progress)


def _check_near(feed: Path, found: Survey, opened: Opened | None) -> None:
    """Facts far ahead of the open day would all be refused: better to say it before."""
    if opened is None or found.first_day is None:
        return
    ahead = (found.first_day - opened.open_day).days
    if ahead > JUMP_DAYS_MAX:
        raise BadFeedFile(
            f"{feed}: begins on {found.first_day}, {ahead} days after the open day of the topic, "
            f"{opened.open_day}; at most {JUMP_DAYS_MAX} are closed on the way: close them by "
            f"`arrears day close --to {found.first_day - ONE_DAY} --yes`"
        )


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    """A broker that is away for a moment is no reason to stop; what is sent twice is known."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return await work()
        except ConnectionError:
            if attempt == ATTEMPTS_MAX:
                raise
            await asyncio.sleep(RETRY_SECONDS * attempt)
