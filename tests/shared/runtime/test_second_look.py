"""Under the wall clock a worker hears what came meanwhile, and fetches the keys for it."""

from collections.abc import Mapping, Sequence

import pytest

from arrears.shared.runtime import ears
from arrears.shared.runtime.bus import Record, TopicPartition
from arrears.shared.runtime.stage import FeedFact
from arrears.shared.testing.live_world import LiveWorld
from arrears.shared.testing.toy_world import ToyWorld

FACTS = 4


class Dripping:
    """A listener of ears: each poll brings the facts of the next of `sips`, and is written down."""

    def __init__(self, world: ToyWorld, sips: Sequence[Sequence[int]]) -> None:
        self.place = max(world.intake.ears.feed, key=lambda place: len(world.bus.records(place)))
        self.records = world.bus.records(self.place)[-FACTS:]
        self.sips = list(sips)
        self.waited: list[float] = []

    async def poll(
        self, *, records_max: int, wait_seconds: float
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        self.waited.append(wait_seconds)
        offsets = self.sips.pop(0) if self.sips else ()
        return {self.place: [self.records[at] for at in offsets]} if offsets else {}


def dripping(world: ToyWorld, monkeypatch: pytest.MonkeyPatch, *sips: Sequence[int]) -> Dripping:
    for number in range(FACTS):
        world.fact(number, "anna", 1, what="repayment" if number else "overdue")
    made = Dripping(world, sips)
    monkeypatch.setattr(world.intake.ears, "_listener", made)
    return made


@pytest.fixture
async def live() -> LiveWorld:
    made = LiveWorld()
    await made.start()
    return made


async def test_both_are_one_hearing_in_order(
    live: LiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = dripping(live, monkeypatch, [0, 1], [2, 3])
    hearing = await live.intake.ears.listen(wait_seconds=0.0)
    assert hearing is not None
    assert listener.waited == [0.0, ears.SECOND_LOOK_SECONDS]
    assert [row.row_id & 0xFF for row in hearing.rows] == [0, 1, 2, 3]
    assert [move.position for move in hearing.change.positions] == [4]


async def test_what_is_brought_again_is_heard_once(
    live: LiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    dripping(live, monkeypatch, [0, 1], [0, 1, 2])
    hearing = await live.intake.ears.listen(wait_seconds=0.0)
    assert hearing is not None
    assert [row.row_id & 0xFF for row in hearing.rows] == [0, 1, 2]


@pytest.mark.parametrize(
    ("sips", "wait_seconds"),
    [
        ([[0], [1]], 0.2),  # Nobody was busy: nothing can have come meanwhile.
        ([[], [1]], 0.0),
        ([[0, 1, 2], [3]], 0.0),  # Enough to do.
    ],
)
async def test_a_second_look_is_for_a_busy_worker_with_little_to_do(
    live: LiveWorld,
    monkeypatch: pytest.MonkeyPatch,
    sips: Sequence[Sequence[int]],
    wait_seconds: float,
) -> None:
    monkeypatch.setattr(ears, "FEW_RECORDS", 3)
    listener = dripping(live, monkeypatch, *sips)
    await live.intake.ears.listen(wait_seconds=wait_seconds)
    assert listener.waited == [wait_seconds]


async def test_the_feeds_clock_waits_for_days_and_not_for_milliseconds(
    world: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.run_days(1, 1)
    listener = dripping(world, monkeypatch, [0], [1])
    await world.intake.ears.listen(wait_seconds=0.0)
    assert listener.waited == [0.0]


def unlocking(world: ToyWorld, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many facts each unlocking is asked for."""
    asked: list[int] = []

    async def unlock(facts: Sequence[FeedFact]) -> None:
        asked.append(len(facts))

    monkeypatch.setattr(world.intake.stage.feed, "unlock", unlock)
    return asked


async def test_the_keys_of_what_was_heard_are_fetched_at_once(
    live: LiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = unlocking(live, monkeypatch)
    dripping(live, monkeypatch, [0, 1, 2])
    await live.intake.ears.listen(wait_seconds=0.0)
    assert asked == [3]


async def test_under_the_feeds_clock_keys_wait_for_the_day(
    world: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.run_days(1, 1)
    asked = unlocking(world, monkeypatch)
    dripping(world, monkeypatch, [0, 1])
    await world.intake.ears.listen(wait_seconds=0.0)
    assert asked == []
