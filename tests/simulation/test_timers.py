"""The contract of `Decider.due`, by every state that the real stages come to in some stories."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.kernel.decider import Decider
from arrears.shared.kernel.ids import Shard
from arrears.shared.testing.simulation import Cast, Simulation, Story

STAGES = ("intake", "contact", "mediation", "legal")


@pytest.fixture(scope="module")
def world(make_real_cast: Callable[[list[Shard], int, date, int], Cast]) -> Simulation:
    cast = make_real_cast([Shard(8), Shard(13)], 60, date(2024, 4, 1), 125)
    made = Simulation(cast, Story(), 0)
    made.run()
    return made


@pytest.mark.parametrize("service", STAGES)
def test_what_has_passed_unserved_is_wanted_still(world: Simulation, service: str) -> None:
    """Another line of the stream may be handled between an instant and its timer."""
    waiting = 0
    for decider, state, at in _states(world, service):
        due = decider.due(state, at)
        if due is None:
            continue
        waiting += 1
        assert due > at
        for late in (timedelta(0), timedelta(minutes=5), timedelta(days=3)):
            wanted = decider.due(state, due + late)
            assert wanted is not None, (state, due, late)
            assert wanted > due + late
    assert waiting


def _states(
    world: Simulation, service: str
) -> list[tuple[Decider[object, object, object], object, datetime]]:
    """Each state of each stream, with the time of the event that made it."""
    stage = world.stages[service]
    codec = stage.codec()
    found = []
    for (_, stream), events in world.stores[service].streams.items():
        decider = stage.deciders.get(stream.partition("-")[0])
        if decider is None:
            continue
        state = decider.initial
        for stored in events:
            envelope = read_envelope(stored.value)
            state = decider.evolve(state, codec.decode(envelope.type, envelope.data))
            found.append((decider, state, envelope.time))
    return found
