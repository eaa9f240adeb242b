"""Processes that are ours: how one is known again, and how it is ended.

A process id alone proves nothing: after a reboot or a long night it may belong to a stranger. A
process is ours only where its id and its start both match what was written down when it was
started.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil


class Running(msgspec.Struct, frozen=True):
    """What is written down of a process: `birth` names its start, unique on this machine."""

    pid: int
    birth: str


def birth_of(pid: int) -> str | None:
    """Where a process began; None where there is none, or only its unburied remains."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE and not _threads_left(pid):
            return None
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists():
            # Ticks since the boot do not move when somebody sets the clock; a wall-clock start
            # would.
            ticks = stat.read_text().rpartition(")")[2].split()[19]
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            return f"{boot}:{ticks}"
        return f"{process.create_time():.2f}"
    except (psutil.Error, OSError, IndexError):
        return None


def _threads_left(pid: int) -> bool:
    """A process whose first thread has ended holds its ports until the others have."""
    try:
        return len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


def running(pid: int) -> Running | None:
    birth = birth_of(pid)
    return None if birth is None else Running(pid=pid, birth=birth)


def is_alive(process: Running | None) -> bool:
    if process is None:
        return False
    _bury(process.pid)
    return birth_of(process.pid) == process.birth


def find_ours(program: Path, argument: str) -> Running | None:
    """A server of this checkout that outlived its record.

    Our program, with our own file as an argument.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            line = process.cmdline()
            if line and line[0] == str(program) and argument in line[1:]:
                parent = process.parent()
                if parent is None or parent.cmdline()[:1] != line[:1]:
                    return running(process.pid)
    return None


def send(process: Running, number: signal.Signals) -> bool:
    """False where the process is gone, or its id belongs to another by now."""
    if not is_alive(process):
        return False
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def end(
    process: Running,
    patience: float,
    polite: tuple[signal.Signals, ...] = (signal.SIGTERM,),
) -> bool:
    """Ask politely, wait, insist. True where it went without SIGKILL."""
    for number in (*polite, signal.SIGKILL):
        if not send(process, number):
            return True
        if wait_gone(process, patience):
            return number is not signal.SIGKILL
    return False


def wait_gone(process: Running, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while is_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def spawn(
    arguments: list[str],
    log: Path,
    *,
    cwd: Path,
    env: dict[str, str] | None = None,
    user: int | None = None,
    group: int | None = None,
) -> Running:
    """Start in a session of its own: a Ctrl-C meant for the caller must not end it half-way."""
    with log.open("ab") as out:
        child = subprocess.Popen(
            arguments,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )
    # The child is followed by its id from here on; without this, Popen would warn that it still
    # runs.
    child.returncode = 0
    return running(child.pid) or Running(pid=child.pid, birth="gone")


def last_words(log: Path, lines: int = 3) -> str:
    """The end of a log on one line: enough to see why a start failed."""
    try:
        text = log.read_text(errors="replace")[-4000:]
    except OSError:
        return "no log"
    return " / ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip())


def _bury(pid: int) -> None:
    """A child of ours that ended stays a zombie until its parent looks."""
    with suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)
