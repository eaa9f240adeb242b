"""The broker's full disk: written on until it is met, and not endured where it never was."""

from typing import cast

import pytest

from arrears.cli.chaos import faults
from arrears.cli.chaos.command import summary
from arrears.cli.chaos.course import Endured, Result
from arrears.cli.chaos.faults import Faults
from arrears.cli.chaos.feeding import Feeder
from arrears.cli.chaos.ground import ChaosGround
from arrears.cli.chaos.plan import Fault

FAULT = Fault(
    number=1, kind="disk_full", victim="kafka", seconds=0.3, after=0.0, direction="to", amount=10
)


class Broker:
    """Both ground and feeder: a broker that dies of the write that meets its limit."""

    def __init__(self, ends_after: float) -> None:
        self.ends_after = ends_after
        self.written = 0
        self.limited = self.dead = False
        self.started = 0

    def fill_disk(self, room: int) -> None:
        assert room == FAULT.amount
        self.limited = True

    def empty_disk(self) -> None:
        self.limited = False

    def broker_lives(self) -> bool:
        return not self.dead

    async def start_broker(self) -> None:
        self.dead = False
        self.started += 1

    async def release(self) -> None:
        self._write(4)

    async def repeat(self, count: int) -> None:
        self._write(count)

    def _write(self, lines: int) -> None:
        self.written += lines
        self.dead = self.limited and self.written > self.ends_after


@pytest.mark.parametrize(
    ("ends_after", "met"),
    [(3, True), (4, True), (2_000, True), (float("inf"), False)],
)
async def test_a_full_disk_is_written_on_until_it_is_met(
    ends_after: float, met: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "_LOOK_SECONDS", 0.001)
    broker = Broker(ends_after)
    struck = Faults(cast("ChaosGround", broker), cast("Feeder", broker))
    assert await struck.carry_out(FAULT) is met
    assert broker.started == met
    assert broker.broker_lives()
    assert not broker.limited


def test_what_met_nothing_is_told_and_not_counted() -> None:
    endured = [Endured(FAULT, 1.0, 2.0)]
    result = Result(seed=1, days=1, records=1, endured=endured, verdicts=[], missed=[FAULT, FAULT])
    found = summary(result)
    assert (found["faults"], found["kinds"][0]["count"]) == (1, 1)
    assert found["missed"] == {"disk_full": 2}
