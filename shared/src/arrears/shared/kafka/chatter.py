"""What the client library says, at most once in a while: it repeats itself while a broker is away.

A broker that is gone for a minute makes thousands of equal lines. Each kind is told once in half a
minute, with how often it was held back since.
"""

import logging
import time
from typing import Final

import structlog

QUIET_SECONDS: Final = 30.0
_CLIENT: Final = logging.getLogger("aiokafka")

log = structlog.get_logger("arrears.shared.kafka")


class Chatter(logging.Handler):
    """Equal means: of the same place in the client's code, whatever the numbers in it."""

    def __init__(self, quiet_seconds: float = QUIET_SECONDS) -> None:
        super().__init__(logging.WARNING)
        self._quiet_seconds = quiet_seconds
        self.latest: str | None = None
        self._told: dict[tuple[str, int], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.latest = record.getMessage()
        place, now = (record.pathname, record.lineno), time.monotonic()
        told_at, held_back = self._told.get(place, (-self._quiet_seconds, 0))
        if now - told_at < self._quiet_seconds:
            self._told[place] = (told_at, held_back + 1)
            return
        self._told[place] = (now, 0)
        log.warning("kafka_client", message=self.latest, held_back=held_back)


_CHATTER: Final = Chatter()


def listen() -> None:
    """Once in a process, whoever asks."""
    if _CHATTER not in _CLIENT.handlers:
        _CLIENT.addHandler(_CHATTER)
        _CLIENT.propagate = False


def latest() -> str | None:
    """What it said last: it logs why it cannot connect, and raises only that it cannot."""
    return _CHATTER.latest
