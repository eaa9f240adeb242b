"""The run under faults mostly waits, so it goes on beside the other tests and is asked last."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from arrears.cli.stack import checkout_root

SHORT = ("chaos", "--faults", "30", "--seed", "4", "--short", "--json")
ENDS_SECONDS = 60


class ChaosRun:
    """`arrears chaos` in its short form, with servers of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [Path(sys.executable).parent / "arrears", *SHORT],
            cwd=checkout_root(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._answer = ThreadPoolExecutor(1).submit(self._process.communicate)

    def result(self) -> tuple[bytes, bytes]:
        """What it printed, and what it said on the error stream."""
        return self._answer.result()

    def end(self) -> None:
        """Told to end, it stops its servers itself."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(ENDS_SECONDS)


_RUNNING: pytest.StashKey[ChaosRun] = pytest.StashKey()


def _is_last(item: pytest.Item) -> bool:
    return "chaos_result" in getattr(item, "fixturenames", ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_is_last)


def pytest_collection_finish(session: pytest.Session) -> None:
    if any(map(_is_last, session.items)) and not session.config.option.collectonly:
        session.config.stash[_RUNNING] = ChaosRun()


def pytest_sessionfinish(session: pytest.Session) -> None:
    run = session.config.stash.get(_RUNNING, None)
    if run is not None:
        run.end()


@pytest.fixture
def chaos_result(request: pytest.FixtureRequest) -> Callable[[], tuple[bytes, bytes]]:
    return request.config.stash[_RUNNING].result
