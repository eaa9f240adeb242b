"""A process that is told to stop ends, whatever holds it up."""

import signal
import subprocess
import sys
import time

HANGS = """
import asyncio
from arrears.shared.service import looping

looping.STOP_SECONDS = 1

async def work():
    looping.on_signals(lambda: None)
    print("ready", flush=True)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

looping.run_loop(work())
"""
ENDS = """
import asyncio
from arrears.shared.service import looping

async def work():
    stopping = asyncio.Event()
    looping.on_signals(stopping.set)
    print("ready", flush=True)
    await stopping.wait()

looping.run_loop(work())
"""


def _told_to_stop(program: str) -> tuple[int, float, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    return process.returncode, time.monotonic() - began, said


def test_who_hangs_is_left_as_it_is_after_a_while() -> None:
    code, seconds, said = _told_to_stop(HANGS)
    assert code == 1
    assert 0.9 < seconds < 10
    assert "did not end within 1 s" in said


def test_who_ends_by_itself_is_not_held_up() -> None:
    code, seconds, said = _told_to_stop(ENDS)
    assert (code, said) == (0, "")
    assert seconds < 1
