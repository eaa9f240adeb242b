"""The same feed gives the same digest, whatever the processes, the order and the speed (3.8).

The real stages on all sixteen shards, with a digest of the history service. Nothing fails here but
processes that are killed; the faults are for the simulation beside it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random

import pytest

from arrears.shared.kernel.ids import SHARD_COUNT, Shard
from arrears.shared.testing.simulation import Cast, Simulation, Story
from arrears.shared.testing.simulation_faults import Fault
from arrears.shared.testing.simulator import Simulator

STORIES = {
    "again": Story(),
    "one feed partition": Story(feed_partitions=1),
    "five feed partitions": Story(feed_partitions=5),
    "two workers": Story(workers=2),
    "lines of different loans shuffled": Story(shuffled=True, feed_partitions=3),
    "lines said twice": Story(repeated=True),
}


@pytest.fixture(scope="module")
def simulator(make_real_cast: Callable[[list[Shard], int, date, int], Cast]) -> Simulator:
    shards = [Shard(number) for number in range(SHARD_COUNT)]
    return Simulator(make_real_cast(shards, 40, date(2024, 4, 25), 40))


def test_the_digest_covers_cases_and_events(simulator: Simulator) -> None:
    _, _, cases, _, events, _ = str(simulator.digest).split()
    assert int(cases) >= 5
    assert int(events) >= 50


@pytest.mark.parametrize("name", STORIES)
def test_the_digest_is_the_same(simulator: Simulator, name: str) -> None:
    failure = simulator.play(sum(map(ord, name)), STORIES[name])
    assert failure is None, str(failure)


def test_the_digest_is_the_same_when_every_service_is_killed_on_the_way(
    simulator: Simulator,
) -> None:
    chance = Random("kills")
    moments = sorted(chance.uniform(0, simulator.seconds) for _ in range(24))
    kills = [Fault(at, "kill", f"kill {number}") for number, at in enumerate(moments)]
    failure = simulator.play(5, Story(repeated=True, shuffled=True, faults=kills))
    assert failure is None, str(failure)


def test_another_feed_gives_another_digest(simulator: Simulator) -> None:
    """A digest that cannot differ would prove nothing."""
    cast = simulator.cast
    said = [index for index, (_, lines) in enumerate(cast.days) if lines]
    days = list(cast.days)
    days[said[0]] = (days[said[0]][0], days[said[0]][1][1:])
    run = Simulation(replace(cast, days=days), Story(), 0)
    run.run()
    assert cast.digest(run) != simulator.digest
