"""Logs as JSON lines without personal data: what we log are names, numbers and kinds of errors.

The text of an exception may repeat what a caller or a feed has sent, so it is left out; where it
was raised is kept.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

_FRAMES_MAX: Final = 12
_FORBIDDEN: Final = frozenset(
    {"name", "phone", "email", "address", "value", "body", "data", "text", "said", "password"}
)


def configure_logs(service: str, stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            lambda _logger, _method, event: {"service": service, **event},
            without_personal_data,
            with_places_only,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, OfLibraries)]
    root.addHandler(OfLibraries(logging.WARNING))


class OfLibraries(logging.Handler):
    """What a library has to say, as lines of ours: where it says it, and not what.

    A task that nobody asked for its outcome, for one, is told with the whole text of its error.
    """

    def emit(self, record: logging.LogRecord) -> None:
        place = f"{record.pathname.rsplit('/site-packages/', 1)[-1]}:{record.lineno}"
        error = record.exc_info[1] if record.exc_info else None
        more = {} if error is None else told(error)
        log = structlog.get_logger(record.name)
        log.log(record.levelno, "library", logger=record.name, place=place, **more)


def without_personal_data(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name in _FORBIDDEN & event.keys():
        event[name] = "withheld"
    return event


def with_places_only(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Turns `exc_info` into the kind of the error and the places it came through."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1]
    if given and error is not None:
        event.update(told(error))
    return event


def told(error: BaseException) -> dict[str, Any]:
    """What may be told of an error whatever the logs are set to: its kind, and its way."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_MAX:]
    return {
        "error": type(error).__name__,
        "places": [
            f"{frame.filename.rsplit('/src/', 1)[-1]}:{frame.lineno} {frame.name}"
            for frame in frames
        ],
    }
