"""What the feed topic says of itself: its partitions, and which business days are closed on it."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from arrears.cli.feed.importing import Opened, closing_line
from arrears.shared.contracts.corebanking import (
    BUSINESS_DAY_CLOSED,
    FEED_TOPIC,
    BusinessDayClosed,
)
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kafka.topics import feed_topic
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar
from arrears.shared.runtime.bus import Bus, Outgoing, Publisher, Record, TopicPartition

_LOOK_BACK: Final = 256
_CLOSING_MARK: Final = BUSINESS_DAY_CLOSED.encode()


class _Closing(msgspec.Struct, frozen=True):
    type: str
    data: BusinessDayClosed


_DECODER: Final = msgspec.json.Decoder(_Closing)


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
            closing = _closing_of(record)
            if closing is not None:
                return closing
        end, width = start, width * 4
    return None


def _closing_of(record: Record) -> BusinessDayClosed | None:
    if _CLOSING_MARK not in record.value:
        return None
    try:
        found = _DECODER.decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found.data if found.type == BUSINESS_DAY_CLOSED else None
