"""Records of the feed as tests need them: where a key goes, and how a day is closed."""

from datetime import UTC, date, datetime
from hashlib import sha256

from msgspec.json import encode

from arrears.shared.contracts.corebanking import BUSINESS_DAY_CLOSED


def partition_of(key: str, count: int) -> int:
    return int.from_bytes(sha256(key.encode()).digest()[:4], "big") % count


def closing(day: date, first_day: date, partitions: int) -> bytes:
    return encode(
        {
            "specversion": "1.0",
            "id": f"close-{day.isoformat()}",
            "source": "/core-banking/test",
            "type": BUSINESS_DAY_CLOSED,
            "time": datetime(day.year, day.month, day.day, 23, tzinfo=UTC),
            "data": {"day": day, "first_day": first_day, "partition_count": partitions},
        }
    )
