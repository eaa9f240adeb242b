"""Names of the topics and the settings that keep their records.

`arrears.<service>.v1` holds every event of a service for ever: `cleanup.policy=delete` with no
limit of time or size, checked at start, because a default retention deletes records whose event
time is years ago. `corebanking.loans.v1` is the bank's feed; it holds personal data in the clear,
so its retention is finite and stated (30 days unless set; a day more until the last record of a
segment is as old), and intake must not fall behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kernel.ids import SHARD_COUNT

FOR_EVER: Final = -1
RECORD_BYTES_MAX: Final = 1_048_576
"""The largest value that is published; the broker is asked for room beyond it."""
_BATCH_BYTES_MAX: Final = 2 * RECORD_BYTES_MAX
MS_PER_DAY: Final = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    partitions: int
    retention_ms: int


def event_topic(service: str) -> Topic:
    """All events of a service: one partition per shard, kept for ever."""
    return Topic(f"arrears.{service}.v1", SHARD_COUNT, FOR_EVER)


def feed_topic(partitions: int = 4, retention_days: int = 30) -> Topic:
    return Topic(FEED_TOPIC, partitions, retention_days * MS_PER_DAY)


def wanted_config(retention_ms: int, min_insync: int) -> dict[str, str]:
    """What a new topic is created with.

    A record is deleted with its whole segment, so a segment of what is to be forgotten takes in a
    day at most.
    """
    forgets = {} if retention_ms == FOR_EVER else {"segment.ms": str(MS_PER_DAY)}
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(retention_ms),
        "retention.bytes": "-1",
        "min.insync.replicas": str(min_insync),
        "max.message.bytes": str(_BATCH_BYTES_MAX),
        **forgets,
    }


def broken_promises(
    found: Mapping[str, str], retention_ms: int, min_insync: int
) -> tuple[str, ...]:
    """What an existing topic does not keep, each as `name is x, must be y`."""
    wanted = wanted_config(retention_ms, min_insync)
    broken = [
        f"{name} is {found.get(name)}, must be {wanted[name]}"
        for name in ("cleanup.policy", "retention.ms", "retention.bytes")
        if found.get(name) != wanted[name]
    ]
    broken.extend(
        f"{name} is {found.get(name)}, must be at least {least}"
        for name, least in (
            ("min.insync.replicas", min_insync),
            ("max.message.bytes", RECORD_BYTES_MAX),
        )
        if int(found.get(name, "0")) < least
    )
    return tuple(broken)
