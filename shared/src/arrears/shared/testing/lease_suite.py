"""What leases must do, whoever keeps them (protocol 1.5). Subclasses make them and let them end."""

from collections.abc import Callable

from arrears.shared.kernel.ids import SHARD_COUNT
from arrears.shared.service.worker import Leasing

MakeLeases = Callable[[str], Leasing]


class LeaseSuite:
    """`make` gives one worker's view, with 5 feed partitions; fixtures of the subclass."""

    async def let_end(self, worker: str) -> None:
        """The worker was not heard from for longer than its leases."""
        raise NotImplementedError

    async def test_one_worker_takes_all_under_a_new_epoch(self, make: MakeLeases) -> None:
        turnover = await make("one").step()
        assert [state.shard for state in turnover.gained] == list(range(SHARD_COUNT))
        assert {(state.epoch, state.owner) for state in turnover.gained} == {(1, "one")}
        assert sorted(turnover.feed_gained) == list(range(5))

    async def test_what_is_held_is_renewed_and_nothing_changes(self, make: MakeLeases) -> None:
        one = make("one")
        await one.step()
        assert not await one.step()

    async def test_a_second_worker_gets_what_the_first_gives_up(self, make: MakeLeases) -> None:
        one, two = make("one"), make("two")
        await one.step()
        assert not (await two.step()).gained
        given = await one.step()
        assert len(given.lost) == SHARD_COUNT // 2
        assert len(given.feed_lost) == 2
        taken = await two.step()
        assert sorted(state.shard for state in taken.gained) == sorted(given.lost)
        assert sorted(taken.feed_gained) == sorted(given.feed_lost)
        assert not await one.step()

    async def test_leases_that_ran_out_are_claimed_and_lost(self, make: MakeLeases) -> None:
        one, two = make("one"), make("two")
        await one.step()
        await self.let_end("one")
        gained = (await two.step()).gained
        assert len(gained) == SHARD_COUNT
        assert {state.epoch for state in gained} == {2}
        assert len((await one.step()).lost) == SHARD_COUNT

    async def test_who_forgot_claims_anew_under_another_epoch(self, make: MakeLeases) -> None:
        one = make("one")
        await one.step()
        assert len(one.forget()) == SHARD_COUNT
        assert {state.epoch for state in (await one.step()).gained} == {2}

    async def test_what_is_released_is_free_at_once(self, make: MakeLeases) -> None:
        one, two = make("one"), make("two")
        await one.step()
        await one.release()
        turnover = await two.step()
        assert len(turnover.gained) == SHARD_COUNT
        assert len(turnover.feed_gained) == 5
