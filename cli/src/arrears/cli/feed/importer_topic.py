"""What the feed topic says of itself: its partitions, and which business days are closed on it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from arrears.cli.feed.importing import Opened, closing_line
from arrears.cli.feed.lines import LINE_BYTES_MAX
from arrears.shared.contracts.corebanking import (
    BUSINESS_DAY_CLOSED,
    FEED_TOPIC,
    BusinessDayClosed,
)
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kafka.topics import feed_topic
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar
from arrears.shared.runtime.bus import Bus, Outgoing, Publisher, TopicPartition

_LOOK_BACK: Final = 256
_CLOSING_MARK: Final = BUSINESS_DAY_CLOSED.encode()


PARTITIONS_MAX: Final = 100_000
_YEARS: Final = range(1900, 2200)


class _Closing(msgspec.Struct, frozen=True, tag_field="type", tag=BUSINESS_DAY_CLOSED):
    """What intake takes for one: what it refuses has closed no day."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, max_length=128)]
    source: Annotated[str, Meta(min_length=1, max_length=256)]
    time: Annotated[datetime, Meta(tz=True)]
    data: BusinessDayClosed


class _Other(msgspec.Struct, frozen=True, tag_field="type", tag=""):
    """Never read. Among several types a record must name its own, once or always the same."""


_DECODER: Final = msgspec.json.Decoder(_Closing | _Other)


async def ensure_feed_topic(bus: Bus, settings: KafkaSettings) -> int:
    """The number of its partitions; the topic is made where it is missing."""
    try:
        return await bus.partition_count(FEED_TOPIC)
    except LookupError:
        topic = feed_topic(settings.feed_partitions, settings.feed_retention_days)
        await bus.ensure_topic(
            topic.name, partitions=topic.partitions, retention_ms=topic.retention_ms
        )
        return topic.partitions


async def opened_on(bus: Bus) -> Opened | None:
    """Where the closings of the topic stand; None where no day was ever closed on it.

    The last closing of a partition is looked for backwards from its end. The partition that is
    furthest behind decides: a closing that reached some partitions only is sent again.
    """
    latest: list[BusinessDayClosed] = []
    for place, (first, following) in (await bus.bounds(FEED_TOPIC)).items():
        found = await _last_closing(bus, place, first, following)
        if found is None:
            return None
        latest.append(found)
    furthest_behind = min(latest, key=lambda closing: closing.day)
    return Opened(first_day=furthest_behind.first_day, open_day=furthest_behind.day + ONE_DAY)


async def close_days(
    publisher: Publisher,
    days: Sequence[date],
    first_day: date,
    partitions: int,
    calendar: BankCalendar,
) -> None:
    """Every partition gets every closing, in order."""
    closings = [
        Outgoing(b"closing", closing_line(day, first_day, partitions, calendar)) for day in days
    ]
    await publisher.publish(
        {TopicPartition(FEED_TOPIC, number): closings for number in range(partitions)}
    )


async def _last_closing(
    bus: Bus, place: TopicPartition, first: int, following: int
) -> BusinessDayClosed | None:
    end, width = following, _LOOK_BACK
    while end > first:
        start = max(first, end - width)
        for record in reversed(await bus.read(place, offset=start, count=end - start)):
            closing = closing_of(record.value)
            if closing is not None:
                return closing
        end, width = start, width * 4
    return None


def closing_of(value: bytes) -> BusinessDayClosed | None:
    """The closing that intake reads in a record, if it reads one."""
    if _CLOSING_MARK not in value or len(value) > LINE_BYTES_MAX:
        return None
    try:
        found = _DECODER.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(found, _Other):
        return None
    said, at = found.data, found.time.astimezone(UTC) if found.time.year in _YEARS else None
    good = (
        at is not None
        and f"{found.id}{found.source}".isprintable()
        and "@" not in found.source
        and said.day.year in _YEARS
        and said.first_day.year in _YEARS
        and said.first_day <= said.day <= at.date() + ONE_DAY
        and 1 <= said.partition_count <= PARTITIONS_MAX
    )
    return said if good else None
