"""The feed of a run, a business day at a time: published by the clock of the faults."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from random import Random
from typing import Final

from msgspec import Struct
from msgspec.json import decode

from arrears.cli.feed.generate import DEFAULT_START_ON, generate
from arrears.cli.feed.importing import closing_line, partition_of
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar
from arrears.shared.runtime.bus import Outgoing, TopicPartition

PARTITIONS: Final = 4
RETRY_SECONDS: Final = 0.2
_DAYS_IN_MONTH: Final = 28
_CALENDAR: Final = BankCalendar("Asia/Shanghai")


class _Outline(Struct):
    partitionkey: str
    time: str


class Day(Struct, frozen=True):
    day: date
    lines: Sequence[tuple[int, Outgoing]]
    """With the partition of each."""


def make_days(seed: int, loans: int, count: int) -> Sequence[Day]:
    """The first days of the seed's feed, also those on which nothing happens."""
    by_day: dict[date, list[tuple[int, Outgoing]]] = {}
    last = DEFAULT_START_ON + (count - 1) * ONE_DAY
    for day, line in _lines(seed, loans, count // _DAYS_IN_MONTH + 1):
        if day > last:
            break
        by_day.setdefault(day, []).append(line)
    days = (DEFAULT_START_ON + number * ONE_DAY for number in range(count))
    return [Day(day, by_day.get(day, [])) for day in days]


def _lines(seed: int, loans: int, months: int) -> Iterator[tuple[date, tuple[int, Outgoing]]]:
    for value in generate(seed, loans, months):
        outline = decode(value, type=_Outline)
        key = outline.partitionkey.encode()
        day = date.fromisoformat(outline.time[:10])
        yield day, (partition_of(key, PARTITIONS), Outgoing(key=key, value=value))


class Feeder:
    """Publishes days in order. A broker that is away is waited for: the bank's feed is patient."""

    def __init__(self, bus: KafkaBus, days: Sequence[Day], seed: int) -> None:
        self._publisher = bus.publisher()
        self._days = days
        self._chance = Random(seed)
        self._one = asyncio.Lock()
        self.released = 0
        self.repeated = 0

    @property
    def day(self) -> date | None:
        """The last day that was closed on the feed."""
        return self._days[self.released - 1].day if self.released else None

    @property
    def is_done(self) -> bool:
        return self.released == len(self._days)

    async def release(self) -> date:
        """The next day: its lines, and after their acknowledgement its closing."""
        async with self._one:
            day = self._days[self.released]
            await self._publish(day.lines)
            closing = closing_line(day.day, self._days[0].day, PARTITIONS, _CALENDAR)
            await self._publish(
                [(part, Outgoing(key=b"closing", value=closing)) for part in range(PARTITIONS)]
            )
            self.released += 1
            return day.day

    async def repeat(self, count: int) -> None:
        """Lines of any earlier day once more, as a bank does that is not sure."""
        async with self._one:
            before = [line for day in self._days[: self.released] for line in day.lines]
            again = self._chance.choices(before, k=count) if before else []
            await self._publish(again)
            self.repeated += len(again)

    async def close(self) -> None:
        await self._publisher.close()

    async def _publish(self, lines: Sequence[tuple[int, Outgoing]]) -> None:
        batches: dict[TopicPartition, list[Outgoing]] = {}
        for part, line in lines:
            batches.setdefault(TopicPartition(FEED_TOPIC, part), []).append(line)
        while batches:
            try:
                return await self._publisher.publish(batches)
            except ConnectionError:
                await asyncio.sleep(RETRY_SECONDS)
