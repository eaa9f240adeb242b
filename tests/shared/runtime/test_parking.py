"""Protocol 2.5: staff retry parked input on the open day at its 00:00, or skip it with a reason."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from msgspec.json import decode
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from arrears.shared.eventstore.port import Change, ShardMoved
from arrears.shared.http.actors import DevelopmentActors
from arrears.shared.http.app import make_app
from arrears.shared.http.edge import Edge
from arrears.shared.http.health import ProgressBoard
from arrears.shared.http.idempotency import MemoryAnswers
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, StaffId, shard_of
from arrears.shared.runtime.parking import retry_parked, skip_parked
from arrears.shared.runtime.stage import parking_place
from arrears.shared.runtime.transact import TooBusy
from arrears.shared.service.desk import ServiceDesk
from arrears.shared.service.operations import repair_routes
from arrears.shared.testing import toy_intake
from arrears.shared.testing.toy_intake import Loan, Record
from arrears.shared.testing.toy_world import ToyWorld, day, drain

ANNA = BorrowerId("anna")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


async def _parked(world: ToyWorld) -> None:
    world.fact(1, "anna", 1)
    world.fact(2, "anna", 1, what="poison", hour=10)
    world.fact(3, "anna", 1, what="repayment", hour=11)
    await world.run_days(1, 1)


async def _skip(world: ToyWorld, origin: str = "", key: str = "", approver: str = "ops-2") -> int:
    first = [one.row.origin for one in world.stores["intake"].parked][:1]
    return await skip_parked(
        world.stages["intake"],
        world.stores["intake"],
        ANNA,
        origin=origin or first[0],
        reason="told twice",
        approved_by=StaffId(approver),
        turn=world.turn("intake", key),
        recorded_at=NOW,
    )


async def _retry(world: ToyWorld, key: str = "") -> int:
    return await retry_parked(
        world.stages["intake"],
        world.stores["intake"],
        ANNA,
        turn=world.turn("intake", key),
        recorded_at=NOW,
    )


def _told(world: ToyWorld) -> list[str]:
    """What the others are told of Anna's input, in order."""
    events = world.stores["intake"].streams[(world.shard("anna"), parking_place("intake", ANNA)[0])]
    return [event.type.split(".")[2] for event in events]


async def test_skipping_is_an_event_and_the_rest_is_handled_after_a_retry(
    world: ToyWorld,
) -> None:
    await _parked(world)
    store = world.stores["intake"]
    assert await _skip(world) == 1
    assert await _retry(world) == 1
    await world.run_days(2, 2)
    types = [e.type for e in store.events[world.shard("anna")] if e.borrower_id == ANNA]
    assert "arrears.intake.input_skipped.v1" in types
    assert _told(world) == ["input_parked", "input_skipped", "input_released"]
    assert not store.parked
    assert not world.intake.parked
    assert world.nouns("intake", "anna")[-2:] == ["repayment_recorded", "case_referred"]


async def test_a_retry_that_fails_again_parks_again_in_the_same_order(world: ToyWorld) -> None:
    await _parked(world)
    store = world.stores["intake"]
    before = [one.row.origin for one in store.parked]
    assert await _retry(world) == 2
    await world.run_days(2, 2)
    assert [one.row.origin for one in store.parked] == before
    assert _told(world) == ["input_parked", "input_released", "input_parked"]
    assert await _retry(world) == 2
    await world.run_days(3, 3)
    assert _told(world) == ["input_parked", "input_released"] * 2 + ["input_parked"]


async def test_a_retry_keeps_the_order_in_which_it_came(
    world: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over ranks, over days, and of one loan against the order of its partition."""
    world.fact(1, "anna", 1)
    await world.run_days(1, 1)
    world.fact("ahead", "anna", 4, what="repayment", amount=40)
    world.fact("bad", "anna", 2, what="poison")
    await world.run_days(2, 3)
    world.fact("before", "anna", 3, what="repayment", amount=30)
    await world.run_days(4, 4)
    world.fact("cured", "anna", 5, what="cured")
    await world.run_days(5, 5)
    world.fact("again", "anna", 6)
    await world.run_days(6, 6)
    store = world.stores["intake"]
    parked = [one.row.origin for one in store.parked]
    assert len({one.row.rank for one in store.parked}) == 2
    _mend(monkeypatch)
    await _retry(world)
    world.fact("new", "anna", 7, what="repayment", amount=70)
    await world.run_days(7, 7)
    released = [e for e in _recorded(world) if e["inputposition"] in parked]
    assert [event["inputposition"] for event in released] == parked
    assert {event["time"] for event in released} == {"2024-03-06T16:00:00Z"}
    assert _recorded(world)[-1]["data"]["amount_minor"] == 70
    world.check_laws()


async def test_a_retry_that_fails_again_further_on_keeps_the_order_too(
    world: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _parked(world)
    world.fact("ahead", "anna", 4, what="repayment")
    world.fact("worse", "anna", 2, what="poison_too")
    await world.run_days(2, 4)
    before = [one.row.origin for one in world.stores["intake"].parked]
    record = toy_intake._record

    def fail(command: Record, loan: Loan) -> Sequence[object]:
        if command.line.what == "poison_too":
            raise ZeroDivisionError
        return record(command, loan)

    monkeypatch.setattr(toy_intake, "_record", fail)
    _mend(monkeypatch)
    await _retry(world)
    await world.run_days(5, 5)
    left = [one.row.origin for one in world.stores["intake"].parked]
    assert left == before[before.index(left[0]) :]
    assert len(left) == 2


async def test_a_timer_comes_where_it_would_have_come(
    world: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what was parked before and after it, though all is tried on another day."""
    world.fact(1, "anna", 1)
    world.fact(2, "anna", 1, what="poison", hour=10, loan="another")
    world.fact(3, "anna", 2, what="cured")
    await world.run_days(1, 3)
    _mend(monkeypatch)
    await _retry(world)
    await world.run_days(4, 4)
    nouns = world.nouns("intake", "anna")[3:]
    assert nouns == ["repayment_recorded", "case_referred", "fact_recorded", "case_closed"]
    world.check_laws()


async def test_a_timer_does_not_come_before_what_came_before_it(
    world: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case was closed by the hour at which it would have been referred."""
    world.fact(1, "anna", 1)
    world.fact(2, "anna", 1, what="poison", hour=10)
    world.fact(3, "anna", 1, what="cured", hour=11)
    await world.run_days(1, 3)
    _mend(monkeypatch)
    await _retry(world)
    await world.run_days(4, 4)
    nouns = world.nouns("intake", "anna")[3:]
    assert nouns == ["repayment_recorded", "fact_recorded", "case_closed"]
    world.check_laws()


def _mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our code is repaired: what it failed on is a repayment to it."""
    record = toy_intake._record

    def mended(command: Record, loan: Loan) -> Sequence[object]:
        if command.line.what == "poison":
            command = replace(command, line=replace(command.line, what="repayment"))
        return record(command, loan)

    monkeypatch.setattr(toy_intake, "_record", mended)


def _recorded(world: ToyWorld) -> list[dict[str, Any]]:
    """What intake says of each input of Anna's, in order."""
    return [
        seen
        for event in world.stored("intake", "anna")
        if (seen := decode(event.value)).get("inputposition")
        and event.type.split(".")[2] in ("fact_recorded", "repayment_recorded", "stage_reported")
    ]


async def test_twice_on_one_day_is_told_twice(world: ToyWorld) -> None:
    """The same input at the same agenda time: the second telling is no repetition of the first."""
    await _parked(world)
    await _retry(world)
    world.close(day(2))
    await drain(world.intake.hear)
    await drain(world.intake.handle)
    await _retry(world)
    await drain(world.intake.handle)
    assert _told(world)[:3] == ["input_parked", "input_released", "input_parked"]
    assert len(set(world.stores["intake"].event_ids)) == sum(
        len(events) for events in world.stores["intake"].events.values()
    )


async def test_the_last_one_skipped_is_told(world: ToyWorld) -> None:
    await _parked(world)
    assert await _skip(world) == 1
    assert _told(world)[-1] == "input_skipped"
    assert await _skip(world) == 0
    assert _told(world)[-1] == "input_released"


async def test_nothing_parked_is_refused(world: ToyWorld) -> None:
    world.fact(1, "anna", 1)
    await world.run_days(1, 1)
    with pytest.raises(Refused, match="nothing_is_parked"):
        await _skip(world, "anything")


async def test_nobody_gives_input_up_alone(world: ToyWorld) -> None:
    await _parked(world)
    with pytest.raises(Refused, match="same_person"):
        await _skip(world, approver="ops-1")
    assert len(world.stores["intake"].parked) == 2
    await _skip(world)
    stream, _, _ = parking_place("intake", ANNA)
    stored = await world.stores["intake"].load({shard_of(ANNA): [stream]})
    said = [decode(event.value)["data"] for event in stored if "skipped" in event.type]
    assert [one["approved_by"] for one in said] == ["ops-2"]


async def test_only_what_was_seen_is_skipped(world: ToyWorld) -> None:
    """Two people looked at the same input, or one asked again: the next one is not given up."""
    await _parked(world)
    seen = world.stores["intake"].parked[0].row.origin
    assert await _skip(world, seen) == 1
    with pytest.raises(Refused, match="not_the_first_parked"):
        await _skip(world, seen)
    assert len(world.stores["intake"].parked) == 1


async def test_asked_for_again_under_its_key_a_repair_is_told_and_made_once(
    world: ToyWorld,
) -> None:
    """As after a crash between commit and answer."""
    await _parked(world)
    store = world.stores["intake"]
    seen = store.parked[0].row.origin
    assert await _skip(world, seen, "one") == await _skip(world, seen, "one") == 1
    assert await _retry(world, "two") == await _retry(world, "two") == 1
    assert _told(world) == ["input_parked", "input_skipped", "input_released"]


async def test_nothing_is_repaired_where_the_turn_is_lost(world: ToyWorld) -> None:
    """Another process has taken the key over, and answers for it."""
    await _parked(world)
    store = world.stores["intake"]
    turn = world.turn("intake")
    store.at_work.clear()
    with pytest.raises(TooBusy):
        await retry_parked(world.stages["intake"], store, ANNA, turn=turn, recorded_at=NOW)
    assert len(store.parked) == 2


@pytest.mark.parametrize(("repair", "left"), [(_skip, 1), (_retry, 0)])
async def test_a_repair_that_lost_a_race_begins_again(
    world: ToyWorld,
    monkeypatch: pytest.MonkeyPatch,
    repair: Callable[[ToyWorld], Awaitable[int]],
    left: int,
) -> None:
    await _parked(world)
    store = world.stores["intake"]
    commit, lost = store.commit, [ShardMoved([world.shard("anna")])]

    async def race(change: Change) -> None:
        if lost:
            raise lost.pop()
        await commit(change)

    monkeypatch.setattr(store, "commit", race)
    await repair(world)
    assert not lost
    assert len(store.parked) == left


async def test_what_comes_while_staff_send_back_is_handled_behind_it(
    world: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking whose input is parked and putting the new line aside, staff retry."""
    world.fact(1, "anna", 1, what="poison")
    await world.run_days(1, 1)
    look = world.intake.look
    record = toy_intake._record

    def mended(command: Record, loan: Loan) -> Sequence[object]:
        line = command.line
        what = "overdue" if line.what == "poison" else line.what
        return record(replace(command, line=replace(line, what=what)), loan)

    async def retry_meanwhile() -> None:
        await look()
        if world.stores["intake"].parked:
            await _retry(world)

    monkeypatch.setattr(toy_intake, "_record", mended)
    monkeypatch.setattr(world.intake, "look", retry_meanwhile)
    world.fact(2, "anna", 2, what="cured")
    await world.run_days(2, 3)
    assert not world.stores["intake"].parked
    assert not world.stores["intake"].agenda_rows
    kept = [noun for noun in world.nouns("intake", "anna") if noun.startswith(("case", "fact"))]
    assert kept == ["fact_recorded", "case_opened", "fact_recorded", "case_closed"]
    assert _told(world) == ["input_parked", "input_released"]


class NobodyElse(DevelopmentActors):
    def is_known(self, staff_id: StaffId, role: str) -> bool:
        return (staff_id, role) == ("li.wei", "ops")


def _api(world: ToyWorld, actors: DevelopmentActors) -> FastAPI:
    stage, store = world.stages["intake"], world.stores["intake"]
    desk = ServiceDesk(stage, store, cast("asyncpg.Pool", None), clock="feed", wall=world.now)
    edge = Edge(desk, MemoryAnswers(store.at_work, store.answers), actors, b"secret")
    health = ProgressBoard().health
    routers = [repair_routes(stage, store, edge)]
    return make_app("Toy", routers, health=health, registry=CollectorRegistry())


async def _skips(world: ToyWorld, app: FastAPI, *keys: str) -> list[httpx.Response]:
    seen = world.stores["intake"].parked[0].row.origin
    said = {"origin": seen, "reason": "told twice", "approved_by": "wang"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://test"
    ) as client:
        return [
            await client.post(
                "/parked/anna/skip",
                json=said,
                headers={"X-Staff-Id": "li.wei", "Idempotency-Key": key},
            )
            for key in keys
        ]


async def test_over_http_each_key_repairs_once(world: ToyWorld) -> None:
    await _parked(world)
    app = _api(world, DevelopmentActors())
    answers = await _skips(world, app, "k-1", "k-1", "k-2")
    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert answers[1].json() == answers[0].json() == {"borrower_id": "anna", "still_parked": 1}
    assert answers[2].json()["reason"] == "not_the_first_parked"
    assert len(world.stores["intake"].parked) == 1
    told = app.openapi()["paths"]["/parked/{borrower_id}/skip"]["post"]["responses"]["200"]
    assert told["content"]["application/json"]["schema"]["required"] == [*answers[0].json()]


async def test_nobody_gives_input_up_with_a_name_that_nobody_knows(world: ToyWorld) -> None:
    await _parked(world)
    before = len(world.stores["intake"].parked)
    [answer] = await _skips(world, _api(world, NobodyElse()), "k-1")
    assert (answer.status_code, answer.json()["field"]) == (422, "approved_by")
    assert len(world.stores["intake"].parked) == before
