"""A failure is told only where it is one: a machine that stands still spins nothing."""

import pytest

from arrears.shared.testing.simulation import Story
from arrears.shared.testing.simulator import Failure, Simulator
from arrears.shared.testing.toy_cast import toy_cast

SPUN = Failure(1, "Spinning: intake-1 has not waited for 20 s", Story(), 1, ())
BROKEN = Failure(1, "Broken: a law", Story(), 1, ())


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([SPUN, None], None),
        ([SPUN, SPUN], SPUN),
        ([BROKEN], BROKEN),
        ([None], None),
    ],
    ids=["spins once", "spins again", "breaks", "holds"],
)
def test_what_spins_must_spin_again(
    monkeypatch: pytest.MonkeyPatch, found: list[Failure | None], told: Failure | None
) -> None:
    simulator = Simulator(toy_cast())
    plays = iter(found)
    monkeypatch.setattr(simulator, "play", lambda *_: next(plays))
    monkeypatch.setattr(simulator, "reduced", lambda failure: failure)
    assert simulator.seed(1) is told
    assert next(plays, "no more") == "no more"
