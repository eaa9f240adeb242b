"""A library that repeats itself is heard once in a while."""

import logging

from structlog.testing import capture_logs

from arrears.shared.kafka.chatter import Chatter


def _log(handler: Chatter) -> logging.Logger:
    log = logging.Logger("client")
    log.addHandler(handler)
    return log


def test_the_same_place_is_told_once() -> None:
    log = _log(Chatter())
    with capture_logs() as told:
        for number in range(5):
            log.error("cannot connect, try %d", number)
        log.warning("something else")
    lines = [str(line) for line in told]
    assert [("try 0" in line, "something else" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]


def test_what_was_held_back_is_counted() -> None:
    handler = Chatter(quiet_seconds=3600)
    log = _log(handler)

    def complain() -> None:
        log.error("cannot connect")

    with capture_logs() as told:
        for _ in range(4):
            complain()
        handler._quiet_seconds = 0
        complain()
    assert told[-1]["held_back"] == 3


def test_whispers_are_not_told() -> None:
    with capture_logs() as told:
        _log(Chatter()).info("joined")
    assert not told
