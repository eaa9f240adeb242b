"""Protocol 2.5: staff retry parked input on the open day at its 00:00, or skip it with a reason."""

from datetime import UTC, datetime

import pytest

from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, StaffId
from arrears.shared.runtime.parking import retry_parked, skip_parked
from arrears.shared.testing.toy_world import ToyWorld

ANNA = BorrowerId("anna")
OPS = StaffId("ops-1")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


async def _parked(world: ToyWorld) -> None:
    world.fact(1, "anna", 1)
    world.fact(2, "anna", 1, what="poison", hour=10)
    world.fact(3, "anna", 1, what="repayment", hour=11)
    await world.run_days(1, 1)


async def _skip(world: ToyWorld) -> int:
    return await skip_parked(
        world.stages["intake"],
        world.stores["intake"],
        ANNA,
        reason="told twice",
        actor=OPS,
        recorded_at=NOW,
    )


async def test_skipping_is_an_event_and_the_rest_is_handled_after_a_retry(
    world: ToyWorld,
) -> None:
    await _parked(world)
    store = world.stores["intake"]
    assert await _skip(world) == 1
    assert await retry_parked(world.stages["intake"], store, ANNA) == 1
    await world.run_days(2, 2)
    types = [e.type for e in store.events[world.shard("anna")] if e.borrower_id == ANNA]
    assert "arrears.intake.input_skipped.v1" in types
    assert not store.parked
    assert not world.intake.parked
    assert world.nouns("intake", "anna")[-2:] == ["case_referred", "repayment_recorded"]


async def test_a_retry_that_fails_again_parks_again_in_the_same_order(world: ToyWorld) -> None:
    await _parked(world)
    store = world.stores["intake"]
    before = [one.row.origin for one in store.parked]
    assert await retry_parked(world.stages["intake"], store, ANNA) == 2
    await world.run_days(2, 2)
    assert [one.row.origin for one in store.parked] == before


async def test_nothing_parked_is_refused(world: ToyWorld) -> None:
    world.fact(1, "anna", 1)
    await world.run_days(1, 1)
    with pytest.raises(Refused, match="nothing_is_parked"):
        await _skip(world)
