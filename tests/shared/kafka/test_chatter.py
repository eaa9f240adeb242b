"""A library that repeats itself is heard once in a while."""

import logging

import pytest

from arrears.shared.kafka.chatter import Chatter


def _log(handler: Chatter) -> logging.Logger:
    log = logging.Logger("client")
    log.addHandler(handler)
    return log


def test_the_same_place_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    log = _log(Chatter())
    for number in range(5):
        log.error("cannot connect, try %d", number)
    log.warning("something else")
    lines = capsys.readouterr().out.splitlines()
    assert [("try 0" in line, "something else" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]


def test_what_was_held_back_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    handler = Chatter(quiet_seconds=3600)
    log = _log(handler)

    def complain() -> None:
        log.error("cannot connect")

    for _ in range(4):
        complain()
    handler._quiet_seconds = 0
    complain()
    assert "held_back=3" in capsys.readouterr().out.splitlines()[-1]


def test_whispers_are_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    _log(Chatter()).info("joined")
    assert not capsys.readouterr().out
