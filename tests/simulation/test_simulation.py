"""Many seeds, each its own interleaving and its own faults: the laws hold and the digest is one.

`make simulate SEEDS=n` plays as many, `make simulate SEED=n` plays one and prints its story.
"""

import os
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from structlog.testing import capture_logs

from arrears.shared.kernel.ids import Shard
from arrears.shared.testing.simulation import Cast, Simulation
from arrears.shared.testing.simulator import Simulator
from arrears.shared.testing.toy_cast import toy_cast

ONE = int(os.environ.get("SEED") or 0)
SEEDS = int(os.environ.get("SEEDS") or 0)
TOY_SEEDS = SEEDS or 100
REAL_SEEDS = SEEDS // 20 or 6


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


def play(cast: Cast, count: int) -> None:
    simulator = Simulator(cast)
    for seed in [ONE] if ONE else range(1, count + 1):
        failure = simulator.seed(seed)
        assert failure is None, f"make simulate SEED={seed}\n{failure}"
    if ONE:
        told = Simulation(cast, simulator.story(ONE), ONE)
        told.run()
        print("", told.story, *told.trace, sep="\n  ")
    played = "1 seed" if ONE else f"{count} seeds"
    print(f"{played} of {simulator.seconds:.0f} simulated seconds, digest {simulator.digest}")


def test_the_kernel_alone() -> None:
    """Toy stages: every road of the kernel, with poison, refusals and people's commands."""
    play(toy_cast(), TOY_SEEDS)


def test_the_real_stages(
    make_real_cast: Callable[[list[Shard], int, date, int], Cast],
) -> None:
    """Four months of two shards: reminders, refusals, an agreement that is kept, a claim."""
    play(make_real_cast([Shard(8), Shard(13)], 60, date(2024, 4, 1), 125), REAL_SEEDS)
