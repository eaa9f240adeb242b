"""A command that holds servers of its own ends in order, whoever ends it."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
import signal
import sys
from arrears.cli.client.ground import end_in_order
from arrears.cli.client.installation import run

async def hold():
    print("up", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        print("down", flush=True)

signal.signal(signal.SIGHUP, signal.SIG_IGN if "nohup" in sys.argv else signal.SIG_DFL)
end_in_order()
try:
    run(hold())
except KeyboardInterrupt:
    raise SystemExit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_stops_its_servers_first(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(number)
        assert process.stdout.read() == b"down\n"
        assert process.wait(10) == 130


def test_under_nohup_it_outlives_its_terminal() -> None:
    command = [sys.executable, "-c", PROGRAM, "nohup"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b"down\n"
        assert process.wait(10) == 130
