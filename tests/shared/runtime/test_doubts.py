"""Architecture 4: staff settle an effect in doubt. It goes out again, or the stage goes on."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import asyncpg
import httpx
import pytest
from msgspec.json import decode
from prometheus_client import CollectorRegistry

from arrears.shared.eventstore.port import CommandTurn, StoredEvent
from arrears.shared.http.actors import DevelopmentActors
from arrears.shared.http.app import make_app
from arrears.shared.http.edge import Edge
from arrears.shared.http.health import ProgressBoard
from arrears.shared.http.idempotency import MemoryAnswers
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, EventId, StaffId
from arrears.shared.runtime.doubts import Finding, settle_doubt
from arrears.shared.runtime.stage import doubt_place
from arrears.shared.runtime.transact import TooBusy
from arrears.shared.service.desk import ServiceDesk
from arrears.shared.service.doubts import doubt_routes
from arrears.shared.testing.toy import ToyGateway
from arrears.shared.testing.toy_intake import CALENDAR
from arrears.shared.testing.toy_world import ToyWorld, day

ANNA = BorrowerId("anna")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
async def doubtful() -> ToyWorld:
    """Anna's notice left on the second day, and the worker died before the receipt."""
    world = ToyWorld(gateway=ToyGateway(honours_key=False))
    await world.start()
    await world.lose_the_answer_to("anna")
    assert world.stores["contact"].shards[world.shard("anna")].open_day == day(2)
    return world


async def _settle(world: ToyWorld, *, carried_out: bool, key: str = "") -> StoredEvent:
    async def now(_borrower_id: BorrowerId) -> datetime:
        return CALENDAR.start_of(day(2))

    [request] = {request.id: request for request in world.gateway.asked}.values()
    return await settle_doubt(
        world.stages["contact"],
        world.stores["contact"],
        Finding(event_id=EventId(request.id), carried_out=carried_out, note="the printer's log"),
        turn=world.turn("contact", key),
        now=now,
        recorded_at=NOW,
    )


async def test_what_was_not_carried_out_is_sent_again_under_its_key(doubtful: ToyWorld) -> None:
    world = doubtful
    said = await _settle(world, carried_out=False)
    await world.settle()
    first, second = world.gateway.asked
    assert first == second
    assert world.nouns("contact", "anna")[-1] == "treatment_completed"
    assert not world.stores["contact"].effect_rows
    envelope = decode(said.value)
    assert (envelope["actor"], envelope["stream"]) == ("ops-1", doubt_place("contact", ANNA)[0])
    assert envelope["data"] == {
        "effect_id": first.id,
        "kind": "letter",
        "carried_out": False,
        "note": "the printer's log",
    }
    world.check_laws()


async def test_what_was_carried_out_is_not_sent_and_the_stage_goes_on(doubtful: ToyWorld) -> None:
    """On the open day: the worker that holds the shard puts the answer into its agenda."""
    world = doubtful
    said = await _settle(world, carried_out=True)
    assert said.type == "arrears.contact.doubt_settled.v1"
    await world.settle()
    assert len(world.gateway.asked) == 1
    [completed] = world.read("contact", "treatment_completed", "anna")
    assert completed["businessday"] == day(2).isoformat()
    contact = world.stores["contact"]
    assert contact.shards[world.shard("anna")].open_day == day(3)
    assert not contact.effect_rows
    world.check_laws()


async def test_a_worker_that_takes_over_goes_on_as_well(doubtful: ToyWorld) -> None:
    await _settle(doubtful, carried_out=True)
    await doubtful.restart("contact")
    await doubtful.settle()
    assert doubtful.nouns("contact", "anna")[-1] == "treatment_completed"


async def test_a_second_doubt_of_one_effect_is_settled_as_well(doubtful: ToyWorld) -> None:
    world = doubtful
    await _settle(world, carried_out=False)
    world.gateway.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await world.settle()
    await world.restart("contact")
    await world.settle()
    assert (await _settle(world, carried_out=True)).version == 2


async def test_what_is_not_in_doubt_is_refused(doubtful: ToyWorld) -> None:
    await _settle(doubtful, carried_out=False)
    with pytest.raises(Refused, match="not_in_doubt"):
        await _settle(doubtful, carried_out=True)
    await doubtful.settle()
    with pytest.raises(Refused, match="not_in_doubt"):
        await _settle(doubtful, carried_out=False)


@pytest.mark.parametrize("carried_out", [True, False])
async def test_asked_for_again_under_its_key_it_is_told_and_settled_once(
    doubtful: ToyWorld, carried_out: bool
) -> None:
    """As after a crash between commit and answer, before and after the stage has gone on."""
    world = doubtful
    first = await _settle(world, carried_out=carried_out, key="one")
    again = await _settle(world, carried_out=carried_out, key="one")
    await world.settle()
    later = await _settle(world, carried_out=carried_out, key="one")
    assert first.event_id == again.event_id == later.event_id
    assert len(world.gateway.asked) == (1 if carried_out else 2)
    assert world.nouns("contact", "anna").count("treatment_completed") == 1
    world.check_laws()


async def test_nothing_is_settled_where_the_turn_is_lost(
    doubtful: ToyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has taken the key over, and answers for it."""
    contact = doubtful.stores["contact"]
    monkeypatch.setattr(contact, "at_work", {})
    monkeypatch.setattr(doubtful, "turn", lambda *_: CommandTurn("k", StaffId("ops-1"), "past"))
    with pytest.raises(TooBusy):
        await _settle(doubtful, carried_out=True)
    [effect] = contact.effect_rows.values()
    assert effect.in_doubt


async def test_an_event_that_nobody_knows_is_in_no_doubt(doubtful: ToyWorld) -> None:
    stage, store = doubtful.stages["contact"], doubtful.stores["contact"]
    finding = Finding(event_id=EventId("nobody"), carried_out=False, note="")
    turn = doubtful.turn("contact")
    with pytest.raises(Refused, match="not_in_doubt"):
        await settle_doubt(stage, store, finding, turn=turn, now=_no_time, recorded_at=NOW)


async def _no_time(_borrower_id: BorrowerId) -> datetime:
    raise AssertionError("nothing is decided")


async def test_a_stage_that_needs_the_answer_says_so(doubtful: ToyWorld) -> None:
    doubtful.stages["contact"] = replace(doubtful.stages["contact"], unanswered=lambda _event: None)
    with pytest.raises(Refused, match="answer_needed"):
        await _settle(doubtful, carried_out=True)
    [effect] = doubtful.stores["contact"].effect_rows.values()
    assert effect.in_doubt


async def test_staff_settle_it_over_http_once_for_each_key(doubtful: ToyWorld) -> None:
    world = doubtful
    stage, store = world.stages["contact"], world.stores["contact"]
    no_tables = cast("asyncpg.Pool", None)
    desk = ServiceDesk(stage, store, no_tables, clock="feed", wall=world.now)
    edge = Edge(desk, MemoryAnswers(store.at_work, store.answers), DevelopmentActors(), b"secret")
    board = ProgressBoard()
    routers = [doubt_routes(stage, store, no_tables, edge)]
    app = make_app("Toy", routers, health=board.health, registry=CollectorRegistry())
    path = f"/in_doubt/{world.gateway.asked[0].id}/settle"
    said = {"carried_out": False, "note": "the printer's log"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://test"
    ) as client:
        for key in ("k-1", "k-1", "k-2"):
            headers = {"X-Staff-Id": "li.wei", "Idempotency-Key": key}
            answer = await client.post(path, json=said, headers=headers)
            if key == "k-1":
                assert answer.status_code == 200, answer.text
                assert answer.json()["events"][0]["type"] == "arrears.contact.doubt_settled.v1"
            else:
                assert (answer.status_code, answer.json()["reason"]) == (409, "not_in_doubt")
    await world.settle()
    assert len(world.gateway.asked) == 2
    assert world.nouns("contact", "anna")[-1] == "treatment_completed"
    world.check_laws()
