"""A process is ours only where its id and its start both match what was written down."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from arrears.cli.stack import processes
from arrears.cli.stack.processes import Running

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); "
    "time.sleep(60)",
]


def _start(arguments: list[str], folder: Path) -> Running:
    return processes.spawn(arguments, folder / "log", cwd=folder)


class TestEnd:
    def test_a_process_of_ours_ends_when_asked(self, tmp_path: Path) -> None:
        process = _start(SLEEPER, tmp_path)
        assert processes.is_alive(process)
        assert processes.end(process, 5.0)
        assert not processes.is_alive(process)

    def test_one_that_does_not_listen_is_ended_all_the_same(self, tmp_path: Path) -> None:
        process = _start(STUBBORN, tmp_path)
        _wait_for((tmp_path / "log"), "up")
        assert not processes.end(process, 0.3)
        assert not processes.is_alive(process)

    def test_a_recycled_id_is_left_alone(self) -> None:
        stranger = subprocess.Popen(SLEEPER)
        try:
            claimed = Running(pid=stranger.pid, birth="another boot:1")
            assert not processes.is_alive(claimed)
            assert not processes.send(claimed, signal.SIGKILL)
            processes.end(claimed, 0.1)
            time.sleep(0.1)
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()


class TestBirth:
    def test_it_is_the_same_whenever_it_is_asked(self) -> None:
        assert processes.birth_of(os.getpid()) == processes.birth_of(os.getpid()) is not None

    def test_there_is_none_without_a_process(self) -> None:
        assert processes.birth_of(2**22 + 1) is None


class TestFindOurs:
    def test_a_server_is_known_by_program_and_argument(self, tmp_path: Path) -> None:
        mark = str(tmp_path / "server.properties")
        # A child of the same program is no server, so it is not the one that runs the tests.
        program = tmp_path / "server"
        program.symlink_to(sys.executable)
        process = _start([str(program), *SLEEPER[1:], mark], tmp_path)
        try:
            assert processes.find_ours(program, mark) == process
            assert processes.find_ours(Path("/usr/bin/vi"), mark) is None
            assert processes.find_ours(program, mark + "x") is None
        finally:
            processes.end(process, 5.0)


def _wait_for(log: Path, word: str) -> None:
    deadline = time.monotonic() + 10
    while word not in log.read_text():
        if time.monotonic() > deadline:
            pytest.fail(f"{word!r} never came")
        time.sleep(0.01)
