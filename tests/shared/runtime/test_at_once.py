"""The live clock with a backlog: a batch is decided while the one before is being committed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from arrears.shared.eventstore.port import Change
from arrears.shared.runtime import at_once, ears
from arrears.shared.runtime.inbox import SourceBroken
from arrears.shared.testing.live_world import LiveWorld

LOOKS = 30
"""How often a slow store lets the others run: more than a batch needs to be decided."""


class SlowStore:
    """The store of an owner: a commit takes its time, and something may happen before it lands."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.running = self.most = self.count = 0
        self.before: dict[int, Callable[[], Awaitable[object]]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, change: Change) -> None:
        self.count += 1
        number, self.running = self.count, self.running + 1
        self.most = max(self.most, self.running)
        try:
            for _ in range(LOOKS):
                await asyncio.sleep(0)
            if number in self.before:
                await self.before.pop(number)()
            await self._store.commit(change)
        finally:
            self.running -= 1


class Backlog(LiveWorld):
    """Intake hears one record at a time, and each is a backlog."""

    decided_early = 0

    def begin(self) -> SlowStore:
        intake = self.intake
        slow = SlowStore(intake.store)
        intake.store = slow
        intake.backlog_rows = 1
        decide = intake.draft

        async def draft(*given: Any) -> Any:
            found = await decide(*given)
            self.decided_early += slow.running
            return found

        intake.draft = draft  # type: ignore[assignment,method-assign]
        return slow

    def say_three(self) -> None:
        self.fact(1, "anna", 1)
        self.fact(2, "anna", 1, what="repayment", amount=70)
        self.fact(3, "anna", 1, what="repayment", amount=30)


@pytest.fixture
async def live(monkeypatch: pytest.MonkeyPatch) -> Backlog:
    monkeypatch.setattr(ears, "RECORDS_MAX", 1)
    made = Backlog()
    await made.start()
    made.wall.at, made.wall.tick = made.wall.on(1, 20), timedelta(milliseconds=1)
    return made


async def test_the_next_is_decided_before_the_last_has_landed_and_commits_take_turns(
    live: Backlog,
) -> None:
    slow = live.begin()
    live.say_three()
    await live.intake.hear()
    assert live.decided_early == 2
    assert slow.most == 1
    assert live.nouns("intake", "anna").count("repayment_recorded") == 2
    await live.settle()
    live.check_laws()


async def test_a_command_that_comes_before_a_commit_has_both_decided_again(live: Backlog) -> None:
    live.fact(0, "anna", 1)
    await live.settle()
    slow = live.begin()
    slow.before[1] = lambda: live.hold("anna", 1)
    live.say_three()
    await live.settle()
    nouns = live.nouns("intake", "anna")
    assert live.decided_early > 0
    assert nouns.count("case_held") == 1
    assert nouns.index("case_held") < nouns.index("repayment_recorded")
    assert nouns.count("repayment_recorded") == 2
    assert nouns.count("fact_recorded") == 2
    live.check_laws()


async def test_a_commit_that_fails_takes_back_what_was_decided_after_it(live: Backlog) -> None:
    async def fail() -> None:
        raise ConnectionError

    live.begin().before[1] = fail
    live.say_three()
    with pytest.raises(ConnectionError):
        await live.intake.hear()
    shelf = live.intake.bench.shelves[live.shard("anna")]
    assert shelf.last_seq == 0
    assert {entry.version for entry in shelf.entries.values()} == {0}
    assert not live.nouns("intake", "anna")
    await live.restart("intake")
    await live.settle()
    assert live.nouns("intake", "anna").count("repayment_recorded") == 2
    live.check_laws()


async def test_our_own_failure_leaves_the_batch_before_it_alone(
    live: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = live.begin()
    decide = live.intake.handler.decide
    calls = 0

    def once(*given: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError("ours")
        decide(*given)

    monkeypatch.setattr(live.intake.handler, "decide", once)
    live.say_three()
    await live.intake.hear()
    assert slow.running == 0
    assert live.nouns("intake", "anna")[0] == "fact_recorded"
    assert len(live.stores["intake"].agenda_rows) == 2
    await live.settle()
    assert live.nouns("intake", "anna").count("repayment_recorded") == 2
    heard = [one["inputposition"] for one in live.read("intake", "repayment_recorded")]
    assert heard == sorted(heard)
    live.check_laws()


async def test_the_next_is_heard_while_this_one_is_decided(
    live: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.begin()
    heard: list[int] = []
    heard_by_decision: list[int] = []
    listen, draft = live.intake.ears.listen, live.intake.draft

    async def listening(**given: Any) -> Any:
        found = await listen(**given)
        heard.append(len(found.rows) if found is not None else 0)
        return found

    async def deciding(*given: Any) -> Any:
        for _ in range(LOOKS):
            await asyncio.sleep(0)
        heard_by_decision.append(sum(heard))
        return await draft(*given)

    monkeypatch.setattr(live.intake.ears, "listen", listening)
    monkeypatch.setattr(live.intake, "draft", deciding)
    live.say_three()
    await live.intake.hear()
    assert heard_by_decision == [2, 3, 3]
    await live.settle()
    live.check_laws()


async def test_a_source_that_breaks_ahead_takes_nothing_from_what_was_heard_before(
    live: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = live.begin()
    listen, calls = live.intake.ears.listen, 0

    async def once(**given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise SourceBroken("another topic")
        return await listen(**given)

    monkeypatch.setattr(live.intake.ears, "listen", once)
    live.say_three()
    with pytest.raises(SourceBroken):
        await live.intake.hear()
    assert slow.running == 0
    assert live.nouns("intake", "anna")[0] == "fact_recorded"


async def test_nothing_is_being_heard_any_more_when_a_commit_has_failed(
    live: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> None:
        raise ConnectionError

    listen, calls, ended = live.intake.ears.listen, 0, 0

    async def for_ever_from_the_third(**given: Any) -> Any:
        nonlocal calls, ended
        calls += 1
        try:
            return await listen(**given) if calls < 3 else await asyncio.Event().wait()
        finally:
            ended += 1

    live.begin().before[1] = fail
    monkeypatch.setattr(live.intake.ears, "listen", for_ever_from_the_third)
    live.say_three()
    with pytest.raises(ConnectionError):
        await live.intake.hear()
    assert calls == ended == 3


async def test_a_go_ends_after_a_while_however_much_there_is(live: Backlog) -> None:
    live.begin()
    live.wall.tick = timedelta(seconds=at_once.GO_SECONDS)
    live.say_three()
    await live.intake.hear()
    assert live.nouns("intake", "anna").count("repayment_recorded") == 0
    await live.settle()
    assert live.nouns("intake", "anna").count("repayment_recorded") == 2
    live.check_laws()
