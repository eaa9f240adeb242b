"""The event loop of every process of ours."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import uvloop


def run_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end. What start-up made stays for good, so the collector need not look at it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
