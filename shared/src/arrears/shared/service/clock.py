"""The one place where a service looks at the wall."""

import time
from datetime import UTC, datetime


def wall_clock() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
