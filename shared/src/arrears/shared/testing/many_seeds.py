"""Many seeds on several processors: shared out one by one, told as they go, stopped by the first
that fails."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from queue import Empty
from typing import Any, Final

from arrears.shared.testing.simulation import Cast, Simulation
from arrears.shared.testing.simulator import Failure, Simulator

TELL_EVERY_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 5.0
FEW: Final = 300
"""So many are played in this process: others would cost more than they save."""


@dataclass(frozen=True)
class Played:
    seeds: int
    seconds: float
    failure: Failure | None


def play_many(
    make_cast: Callable[[], Cast], seeds: int, *, jobs: int = 0, say: Callable[[str], None] = print
) -> Played:
    """Play seeds 1 to `seeds`. The cast is made in each process anew."""
    jobs = jobs or (1 if seeds <= FEW else os.cpu_count() or 1)
    began = time.monotonic()
    if jobs == 1:
        found = _alone(Simulator(make_cast()), seeds, say)
    else:
        found = _together(make_cast, seeds, jobs, say)
    count, failure = found
    return Played(count, time.monotonic() - began, failure)


def tell_one(cast: Cast, seed: int) -> str:
    """What happens in a seed: its failure, made short, or the whole story of it."""
    simulator = Simulator(cast)
    failure = simulator.seed(seed)
    if failure is not None:
        return str(failure)
    told = Simulation(cast, simulator.story(seed), seed)
    told.run()
    return "\n  ".join([f"seed {seed} holds: {told.story}", *told.trace])


def _alone(
    simulator: Simulator, seeds: int, say: Callable[[str], None]
) -> tuple[int, Failure | None]:
    progress = _Progress(seeds, say)
    for seed in range(1, seeds + 1):
        failure = simulator.seed(seed)
        if failure is not None:
            return seed, failure
        progress.tell(seed)
    return seeds, None


def _together(
    make_cast: Callable[[], Cast], seeds: int, jobs: int, say: Callable[[str], None]
) -> tuple[int, Failure | None]:
    context = get_context("fork")
    following = context.Value("q", 1)
    results: Queue[Failure | None] = context.Queue()
    parent = os.getpid()

    def work() -> None:
        simulator = Simulator(make_cast())
        for seed in _drawn(following, seeds, parent):
            results.put(simulator.seed(seed))

    processes = [context.Process(target=work, daemon=True) for _ in range(jobs)]
    progress = _Progress(seeds, say)
    with _running(processes):
        for done in range(1, seeds + 1):
            failure = _next_result(results, processes)
            if failure is not None:
                return done, failure
            progress.tell(done)
    return seeds, None


def _next_result(results: "Queue[Failure | None]", processes: Sequence[Any]) -> Failure | None:
    while True:
        try:
            return results.get(timeout=LOOK_SECONDS)
        except Empty:
            if any(process.exitcode for process in processes):
                raise RuntimeError("a process that played seeds has died") from None


def _drawn(following: Any, seeds: int, parent: int) -> Iterator[int]:
    """One seed after the other, for as long as somebody wants to know."""
    while os.getppid() == parent:
        with following.get_lock():
            seed = following.value
            following.value += 1
        if seed > seeds:
            return
        yield seed


@contextmanager
def _running(processes: list[Any]) -> Iterator[None]:
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


class _Progress:
    """A line now and then: how many are done, and how long the others will take."""

    def __init__(self, seeds: int, say: Callable[[str], None]) -> None:
        self._seeds = seeds
        self._say = say
        self._began = self._told = time.monotonic()

    def tell(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told < TELL_EVERY_SECONDS:
            return
        self._told = now
        rate = done / (now - self._began)
        left = (self._seeds - done) / rate / 60
        self._say(f"  {done:,} of {self._seeds:,} seeds, {rate:.1f} a second, {left:.0f} min left")
