"""A person's command is carried out once, however often it is asked for (http.desk)."""

import pytest

from arrears.shared.kernel.decider import Refused
from arrears.shared.testing.toy_world import ToyWorld


class TestAskedAgain:
    """The first answer was lost; meanwhile time went on and the stream with it."""

    async def test_it_leads_to_the_events_of_then(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        assert await world.hold("anna", 2) == 1
        world.fact(2, "anna", 2, what="repayment")
        await world.run_days(2, 2)
        assert await world.hold("anna", 3) == 1
        assert world.nouns("intake", "anna").count("case_held") == 1
        world.check_laws()

    async def test_it_is_not_refused_for_what_happened_since(self, world: ToyWorld) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        await world.hold("anna", 2)
        world.fact(2, "anna", 2, what="cured")
        await world.run_days(2, 2)
        assert await world.hold("anna", 3) == 1
        with pytest.raises(Refused):
            await world.hold("anna", 3, "another")

    async def test_it_is_not_refused_where_the_borrower_was_parked_since(
        self, world: ToyWorld
    ) -> None:
        world.fact(1, "anna", 1)
        await world.run_days(1, 1)
        await world.hold("anna", 2)
        world.fact(2, "anna", 2, what="poison")
        await world.run_days(2, 2)
        assert await world.hold("anna", 3) == 1
