"""The event loop of every process of ours."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Coroutine
from threading import Timer
from typing import Any, Final, TypeVar

import uvloop

STOP_SECONDS: Final = 6
Answer = TypeVar("Answer")


def run_loop(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run to the end. What start-up made stays for good, so the collector need not look at it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def on_signals(stop: Callable[[], None]) -> None:
    """SIGTERM and SIGINT ask for an end, and after a while nobody waits for it any more.

    A server that never answers could hold up every goodbye in turn; and a process that is ended
    hard loses nothing, for a crash may happen at any moment.
    """
    loop = asyncio.get_running_loop()

    def told() -> None:
        stop()
        patience = Timer(STOP_SECONDS, _leave)
        patience.daemon = True
        patience.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)


def _leave() -> None:
    os.write(2, f"did not end within {STOP_SECONDS} s of being told to: left as it is\n".encode())
    os._exit(1)
