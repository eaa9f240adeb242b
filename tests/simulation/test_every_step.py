"""A crash, and a freeze past the lease, before and after each thing that a worker writes.

Seeds meet these moments by chance; here every service stands at each of them once.
"""

from collections.abc import Sequence

import pytest

from arrears.shared.testing.simulation import Simulation, Story
from arrears.shared.testing.simulation_faults import Fault
from arrears.shared.testing.simulator import Simulator
from arrears.shared.testing.toy_cast import toy_cast
from arrears.shared.testing.toy_live import live_cast

SERVICES = {
    "settle_homes": ["intake"],
    "carry_out": ["contact"],
}
KINDS = ("kill", "freeze", "lose request", "lose answer")
MOMENTS = ("before {}", "after {}, before its answer")
ALL = ["intake", "contact", "mediation", "legal"]
WRITES = (
    "turn",
    "open_first_day",
    "settle_homes",
    "commit",
    "carry_out",
    "publish",
    "move_cursors",
)


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator(toy_cast())


@pytest.fixture(scope="module")
def keyless() -> Simulator:
    """Under the wall clock, with a gateway that does not know keys."""
    return Simulator(live_cast(honours_key=False))


def played(simulator: Simulator, story: Story, seed: int = 1) -> None:
    """Everything that is planned strikes, and nothing comes of it."""
    run = Simulation(simulator.cast, story, seed)
    run.run()
    assert simulator.cast.digest(run) == simulator.digest
    kinds = {fault.kind for fault in story.faults}
    struck = [
        told for told in run.trace if "is lost" in told or any(kind in told for kind in kinds)
    ]
    assert len(struck) == len(story.faults), run.trace


def faults_at(kind: str, services: Sequence[str], when: str) -> list[Fault]:
    return [Fault(0.1, kind, f"{kind} {service}", service, when) for service in services]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_every_write_may_be_the_last(
    simulator: Simulator, kind: str, moment: str, write: str
) -> None:
    faults = faults_at(kind, SERVICES.get(write, ALL), moment.format(write))
    played(simulator, Story(faults=faults))


@pytest.mark.parametrize("write", ["begin", "commit", "finish"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("seed", [1, 4])
def test_every_write_for_a_person_may_be_the_last(
    simulator: Simulator, kind: str, moment: str, write: str, seed: int
) -> None:
    """Commands and repairs: made once where the answer says so, or not at all. In seed 1 what is
    parked is given up, in seed 4 it is tried again first.
    """
    faults = faults_at(kind, ["people", "repairs"], moment.format(write))
    played(simulator, Story(commands=3, faults=faults), seed)


@pytest.mark.parametrize("write", ["commit", "finish"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("sent", MOMENTS)
def test_every_write_that_settles_a_doubt_may_be_the_last(
    keyless: Simulator, sent: str, kind: str, moment: str, write: str
) -> None:
    """A letter had left or not when its worker was killed: staff find out, and it leaves once."""
    doubt = faults_at("kill", ["contact"], sent.format("carry_out"))
    faults = [*doubt, *faults_at(kind, ["doubts"], moment.format(write))]
    played(keyless, Story(commands=3, faults=faults))
