"""A crash, and a freeze past the lease, before and after each thing that a worker writes.

Seeds meet these moments by chance; here every service stands at each of them once.
"""

import pytest

from arrears.shared.testing.simulation import Simulation, Story
from arrears.shared.testing.simulation_faults import Fault
from arrears.shared.testing.simulator import Simulator
from arrears.shared.testing.toy_cast import toy_cast

SERVICES = {
    "settle_homes": ["intake"],
    "carry_out": ["contact"],
}
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


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("kind", ["kill", "freeze", "lose request", "lose answer"])
@pytest.mark.parametrize("moment", ["before {}", "after {}, before its answer"])
def test_every_write_may_be_the_last(
    simulator: Simulator, kind: str, moment: str, write: str
) -> None:
    services = SERVICES.get(write, ALL)
    when = moment.format(write)
    faults = [Fault(0.1, kind, f"{kind} {service}", service, when) for service in services]
    run = Simulation(simulator.cast, Story(faults=faults), 1)
    run.run()
    assert simulator.cast.digest(run) == simulator.digest
    struck = [told for told in run.trace if kind in told or "is lost" in told]
    assert len(struck) == len(services), run.trace
