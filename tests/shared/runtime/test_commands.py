"""A person's command is carried out once, however often it is asked for (http.desk)."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from msgspec.structs import replace

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import (
    EVENT_BYTES_MAX,
    Change,
    EventRepeated,
    Fenced,
    ShardMoved,
    Store,
    StreamMoved,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.transact import ATTEMPTS_MAX, Done, Order, TooBusy, transact_all
from arrears.shared.runtime.workbench import Cause, EventTooLarge
from arrears.shared.testing.toy_intake import Hold
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


class Counting:
    """A store that counts what is committed; `troubles` are raised by the next commits instead."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.commits: list[Change] = []
        self.troubles: list[Exception] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, change: Change) -> None:
        self.commits.append(change)
        if self.troubles:
            raise self.troubles.pop(0)
        await self._store.commit(change)


class TestTogether:
    """Commands that come at the same time are decided in turn and appended in one commit."""

    @pytest.fixture
    async def store(self, world: ToyWorld) -> Counting:
        """Two borrowers with a case each, one that is parked, and one that is not known."""
        for number, who in enumerate(("anna", "ben", "poor"), start=1):
            world.fact(number, who, 1)
        world.fact(4, "poor", 1, what="poison", hour=10)
        await world.run_days(1, 1)
        return Counting(world.stores["intake"])

    def _order(self, who: str, name: str = "hold", build: Any = None) -> Order:
        issue = Issue("intake.loan", f"loan-of-{who}", Hold(reason=name))
        return Order(
            build=build or (lambda _at: issue),
            borrower_id=BorrowerId(who),
            cause=Cause(id=f"{name} {who}", actor="staff"),
            at=None,
            recorded_at=datetime(2024, 3, 2, tzinfo=UTC),
        )

    async def _check_laws(self, world: ToyWorld) -> None:
        await world.intake.refresh()
        await world.settle()
        world.check_laws()

    async def _ask(self, world: ToyWorld, store: Counting, *orders: Order) -> list[object]:
        """How many events each has led to, or what it was refused with."""
        outcomes = await transact_all(world.stages["intake"], cast("Store", store), orders)
        return [
            getattr(one, "reason", type(one)) if isinstance(one, Exception) else len(one.events)
            for one in outcomes
        ]

    async def test_one_commit_carries_them_all(self, world: ToyWorld, store: Counting) -> None:
        asked = [self._order("anna"), self._order("ben"), self._order("anna", "more")]
        assert await self._ask(world, store, *asked) == [1, 1, 1]
        assert len(store.commits) == 1
        held = world.read("intake", "case_held", "anna")
        assert [one["data"]["reason"] for one in held] == ["hold", "more"]
        assert held[0]["streamversion"] + 1 == held[1]["streamversion"]
        assert held[0]["time"] == "2024-03-01T16:00:00Z"  # 00:00 of the open day in Shanghai.
        assert len({(t.shard, t.stream) for t in store.commits[0].timers}) == 2
        assert len(store.commits[0].timers) == 2
        parts = store.commits[0].shards.values()  # Versions protect them, and nothing else.
        assert {(part.expected_seq, part.epoch) for part in parts} == {(None, None)}
        await self._check_laws(world)

    async def test_each_has_its_own_time(self, world: ToyWorld, store: Counting) -> None:
        at = datetime(2024, 3, 2, 9, tzinfo=UTC)
        times: list[datetime] = []

        def build(now: datetime) -> Issue:
            times.append(now)
            return Issue("intake.loan", "loan-of-anna", Hold(reason="late"))

        late = replace(self._order("anna", "late", build), at=at)
        assert await self._ask(world, store, late, self._order("ben")) == [1, 1]
        (anna,) = world.read("intake", "case_held", "anna")
        assert (times, anna["time"]) == ([at], "2024-03-02T09:00:00Z")

    async def test_each_has_its_own_refusal(self, world: ToyWorld, store: Counting) -> None:
        def fails(at: datetime) -> Issue:
            raise ZeroDivisionError

        long = self._order("ben", "x" * EVENT_BYTES_MAX)
        asked = [
            self._order("nobody"),
            self._order("anna"),
            self._order("poor"),
            long,
            self._order("ben", "own", build=fails),
            self._order("ben"),
        ]
        found = await self._ask(world, store, *asked)
        expected = ["no_open_case", 1, "case_is_parked", EventTooLarge, ZeroDivisionError, 1]
        assert found == expected
        assert len(store.commits) == 1
        assert [one["data"]["reason"] for one in world.read("intake", "case_held", "ben")] == [
            "hold"
        ]
        await self._check_laws(world)

    async def test_what_fails_half_way_leaves_nothing_to_the_next(
        self, world: ToyWorld, store: Counting
    ) -> None:
        """Of two events the first was drafted already."""
        stage = world.stages["intake"]
        loans = stage.deciders["intake.loan"]

        def twice(command: object, loan: Any) -> Sequence[Any]:
            (held,) = loans.decide(command, loan)
            much = replace(held, reason="x" * EVENT_BYTES_MAX)
            return [held, much] if held.reason == "both" else [held]

        changed = {**stage.deciders, "intake.loan": dataclasses.replace(loans, decide=twice)}
        object.__setattr__(stage, "deciders", changed)
        found = await self._ask(world, store, self._order("anna", "both"), self._order("anna"))
        assert found == [EventTooLarge, 1]
        assert len(store.commits) == 1
        [held] = world.read("intake", "case_held", "anna")
        assert held["data"]["reason"] == "hold"
        await self._check_laws(world)

    async def test_none_is_taken_before_the_first_business_day(self) -> None:
        world = ToyWorld()
        await world.start()
        store = Counting(world.stores["intake"])
        found = await self._ask(world, store, self._order("anna"), self._order("ben"))
        assert found == ["before_the_first_business_day"] * 2

    @pytest.mark.parametrize("trouble", [StreamMoved(), ShardMoved([]), Fenced(), EventRepeated()])
    async def test_after_a_lost_race_each_is_decided_again_alone(
        self, world: ToyWorld, store: Counting, trouble: Exception
    ) -> None:
        """The refusal too: it may have been for what a neighbour did not come to append."""
        store.troubles.append(trouble)
        asked = [self._order("anna"), self._order("nobody"), self._order("ben")]
        assert await self._ask(world, store, *asked) == [1, "no_open_case", 1]
        assert [len(change.shards) for change in store.commits] == [2, 1, 1]
        await self._check_laws(world)

    async def test_one_that_loses_every_race_is_busy_alone(
        self, world: ToyWorld, store: Counting
    ) -> None:
        store.troubles.extend(StreamMoved() for _ in range(1 + ATTEMPTS_MAX))
        asked = [self._order("anna"), self._order("ben")]
        assert await self._ask(world, store, *asked) == [TooBusy, 1]

    async def test_a_store_that_is_away_is_asked_once(
        self, world: ToyWorld, store: Counting
    ) -> None:
        store.troubles.append(ConnectionError())
        with pytest.raises(ConnectionError):
            await self._ask(world, store, self._order("anna"), self._order("ben"))
        assert len(store.commits) == 1
        assert not world.read("intake", "case_held")

    async def test_repeats_among_them_lead_to_the_events_of_then(
        self, world: ToyWorld, store: Counting
    ) -> None:
        """One was carried out before, one is there twice; a neighbour is carried out once."""
        asked = [self._order("anna"), self._order("ben"), self._order("ben")]
        before = await transact_all(world.stages["intake"], cast("Store", store), asked[:1])
        assert await self._ask(world, store, *asked) == [1, 1, 1]
        again = await transact_all(world.stages["intake"], cast("Store", store), asked)
        ids = [[event.event_id for event in cast("Done", one).events] for one in (*before, *again)]
        assert ids[0] == ids[1]
        assert ids[2] == ids[3]
        assert world.nouns("intake").count("case_held") == 2
        await self._check_laws(world)

    async def test_a_repeat_of_one_that_was_parked_since_stays_a_repeat(
        self, world: ToyWorld, store: Counting
    ) -> None:
        assert await self._ask(world, store, self._order("ben")) == [1]
        world.fact(5, "ben", 2, what="poison")
        await world.run_days(2, 2)
        found = await self._ask(world, store, self._order("ben"), self._order("ben", "new"))
        assert found == [1, "case_is_parked"]
