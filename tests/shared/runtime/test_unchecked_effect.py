"""Our own code fails while it looks at an effect once more: that one alone waits, for staff."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from arrears.shared.testing.live_world import LiveWorld
from arrears.shared.testing.toy_desk import NoticeSent


class Failing:
    """A second look that fails on Anna's loan until it is mended."""

    mended = False

    def __call__(self, sent: NoticeSent, _desk: Any, _at: datetime, _before: bool) -> None:
        if not self.mended and "anna" in sent.loan_key:
            raise KeyError("anna's rule")


@pytest.fixture
async def look() -> Failing:
    return Failing()


@pytest.fixture
async def world(look: Failing) -> LiveWorld:
    world = LiveWorld()
    world.stages["contact"] = replace(world.stages["contact"], recheck=look)
    await world.start()
    world.fact(1, "anna", 1)
    world.fact(2, "ben", 1)
    return world


async def _until_the_letters(world: LiveWorld) -> None:
    for number, hour in ((1, 12), (2, 1), (3, 1), (3, 11)):
        await world.until(number, hour)


async def test_the_others_effects_are_carried_out(world: LiveWorld) -> None:
    with capture_logs() as logs:
        await _until_the_letters(world)
    assert [request.borrower_id for request in world.gateway.asked] == ["ben"]
    [effect] = world.stores["contact"].effect_rows.values()
    assert (effect.borrower_id, effect.in_doubt, effect.sent_at) == ("anna", True, None)
    [told] = [log for log in logs if log["event"] == "effect_not_checked"]
    assert told["effect"] == effect.event_id
    assert told["error"].startswith("KeyError at __call__:")


async def test_once_it_is_mended_staff_send_it(world: LiveWorld, look: Failing) -> None:
    await _until_the_letters(world)
    look.mended = True
    await world.settle_as(carried_out=False)
    await world.until(3, 14)
    assert [request.borrower_id for request in world.gateway.asked] == ["ben", "anna"]
    assert not world.stores["contact"].effect_rows
    world.check_laws()
