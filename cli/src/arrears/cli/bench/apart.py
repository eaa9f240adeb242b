"""Work in a process of its own, under the very loop and collector settings of our services.

What runs beside a service must not be slowed by the bench's own look at things, nor by a slower
event loop: a ratio would flatter us.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

from msgspec import Struct

from arrears.shared.service.looping import run_loop

Answer = TypeVar("Answer")


class Moved(Struct, frozen=True):
    """How many events went through, between two readings of the machine's steady clock."""

    count: int
    begun: float
    ended: float

    @property
    def per_second(self) -> float:
        return self.count / max(self.ended - self.begun, 1e-9)


def moved_since(count: int, begun: float) -> Moved:
    return Moved(count, begun, time.perf_counter())


def together(parts: Sequence[Moved]) -> Moved:
    """Several that ran at once, as one."""
    return Moved(
        sum(part.count for part in parts),
        min(part.begun for part in parts),
        max(part.ended for part in parts),
    )


async def apart(work: Callable[..., Coroutine[Any, Any, Answer]], *arguments: object) -> Answer:
    """`work` is a function of a module, and its arguments are plain data."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, _in_loop, work, *arguments)


def _in_loop(work: Callable[..., Coroutine[Any, Any, Answer]], *arguments: object) -> Answer:
    found: list[Answer] = []

    async def go() -> None:
        found.append(await work(*arguments))

    run_loop(go())
    return found[0]
