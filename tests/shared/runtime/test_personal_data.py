"""Architecture 2 and 6: personal data is read for a purpose and erased on a ground, on record."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, cast

import asyncpg
import httpx
import pytest
from msgspec.json import decode
from prometheus_client import CollectorRegistry

from arrears.shared.eventstore.port import CommandTurn, RefusedInput
from arrears.shared.http.actors import Actor, DevelopmentActors
from arrears.shared.http.app import make_app
from arrears.shared.http.edge import Edge
from arrears.shared.http.health import ProgressBoard
from arrears.shared.http.idempotency import MemoryAnswers
from arrears.shared.kernel.ids import BorrowerId, StaffId, shard_of
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.keyring.sealing import ERASED, DataKey
from arrears.shared.runtime.personal_data import put_on_record
from arrears.shared.runtime.stage import PersonalDataRead, privacy_place
from arrears.shared.service.desk import ServiceDesk
from arrears.shared.service.erasing import erasing_routes
from arrears.shared.service.refusals import sealed
from arrears.shared.service.refused_input import refused_routes
from arrears.shared.testing.toy_world import ToyWorld

ANNA = BorrowerId("anna")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
PATH = "/refused/1/read"
SAID = {"purpose": "the bank asks which number it sent"}


class OneRow:
    """The table of refused input, with one row in it, if any."""

    def __init__(self, row: RefusedInput | None) -> None:
        self._row = row

    async def fetchrow(self, _statement: str, number: int) -> Mapping[str, Any] | None:
        if self._row is None:
            return None
        known = self._row.borrower_id
        return {"number": number, "origin": self._row.origin, "borrower_id": known, "bytes": 20}

    async def fetchval(self, _statement: str, _number: int) -> bytes | None:
        assert self._row is not None
        return self._row.value


class Collectors(DevelopmentActors):
    def writer(self, request: Any) -> Actor:
        return Actor(super().writer(request).staff_id, frozenset({"collector"}))


class NobodyElse(DevelopmentActors):
    def is_known(self, staff_id: StaffId, role: str) -> bool:
        return (staff_id, role) == ("li.wei", "ops")


class Office:
    """Intake of the toy world with one refused input of Anna's, or of nobody's."""

    def __init__(self, world: ToyWorld, pool: OneRow, keyring: Any, actors: Any) -> None:
        self.world, self.keyring = world, keyring
        stage, self.store = world.stages["intake"], world.stores["intake"]
        desk = ServiceDesk(
            stage, self.store, cast("asyncpg.Pool", pool), clock="feed", wall=world.now
        )
        self.answers = MemoryAnswers(self.store.at_work, self.store.answers)
        edge = Edge(desk, self.answers, actors, b"secret")
        routers = [
            refused_routes(stage, self.store, cast("asyncpg.Pool", pool), edge, keyring),
            erasing_routes(stage, self.store, edge, keyring),
        ]
        board = ProgressBoard()
        self.app = make_app("Toy", routers, health=board.health, registry=CollectorRegistry())

    async def ask(
        self, method: str, path: str, key: str = "k-1", body: Any = SAID
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"X-Staff-Id": "li.wei", "Idempotency-Key": key}
            return await client.request(
                method, path, json=None if method == "GET" else body, headers=headers
            )

    async def records(self, whose: BorrowerId) -> list[dict[str, Any]]:
        stream = privacy_place("intake", whose)[0]
        stored = await self.store.load({shard_of(whose): [stream]})
        return [decode(event.value) for event in stored]


async def office(
    borrower: BorrowerId | None = ANNA, actors: Any = None, keys: MemoryKeyStore | None = None
) -> Office:
    world = ToyWorld()
    await world.start()
    await world.run_days(1, 1)
    keyring = (keys or MemoryKeyStore()).keyring("intake")
    refused = RefusedInput(
        origin="feed/0/1",
        reason="nothing_owed",
        field="total",
        fact_id=None,
        borrower_id=borrower,
        day=date(2026, 1, 2),
        value=b"call 13800000000",
        refused_at=NOW,
    )
    [kept] = await sealed(keyring, [refused])
    return Office(world, OneRow(kept), keyring, actors or DevelopmentActors())


async def test_without_a_purpose_there_is_no_text() -> None:
    here = await office()
    answer = await here.ask("GET", "/refused/1")
    assert answer.status_code == 200
    assert "text" not in answer.json()
    assert not await here.records(ANNA)


async def test_for_a_purpose_it_is_shown_and_recorded_once_for_each_key() -> None:
    here = await office()
    for key in ("k-1", "k-1", "k-2"):
        answer = await here.ask("POST", PATH, key)
        assert (answer.status_code, answer.json()["text"]) == (200, "call 13800000000")
    first, _second = await here.records(ANNA)
    assert first["type"] == "arrears.intake.personal_data_read.v1"
    assert first["actor"] == "li.wei"
    assert first["data"] == {"what": "refused/feed/0/1", **SAID}
    await here.world.intake.refresh()
    await here.world.settle()
    here.world.check_laws()


async def test_the_answer_that_is_kept_for_the_key_holds_no_text() -> None:
    here = await office()
    await here.ask("POST", PATH)
    _, status, body = here.answers.kept["k-1", StaffId("li.wei")]
    assert status == 200
    assert b"138" not in body


async def test_what_names_nobody_is_recorded_under_its_own_place() -> None:
    here = await office(borrower=None)
    assert (await here.ask("POST", PATH)).json()["text"] == "call 13800000000"
    assert len(await here.records(BorrowerId("feed/0/1"))) == 1


async def test_what_was_sealed_under_a_lost_key_was_not_read() -> None:
    keys = MemoryKeyStore()
    here = await office(keys=keys)
    keys.keys[ANNA, "contact"] = DataKey(bytes(32))
    answer = await here.ask("POST", PATH)
    assert (answer.status_code, answer.json()["reason"]) == (409, "text_cannot_be_opened")
    assert not await here.records(ANNA)


async def test_another_role_reads_nothing() -> None:
    here = await office(actors=Collectors())
    answer = await here.ask("POST", PATH)
    assert (answer.status_code, answer.json()["reason"]) == (403, "role_missing")
    assert not await here.records(ANNA)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_number_that_is_not_there(method: str) -> None:
    here = await office()
    nothing = Office(here.world, OneRow(None), None, DevelopmentActors())
    path = PATH if method == "POST" else "/refused/1"
    answer = await nothing.ask(method, path)
    assert (answer.status_code, answer.json()["reason"]) == (404, "refused_input_not_found")


async def test_a_request_that_is_taken_over_in_the_middle_is_answered_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another process has the key by now, and recorded it after ours had looked for that."""
    here = await office()
    stage, store, loads = here.world.stages["intake"], here.store, count(1)
    load = store.load

    async def slow(wanted: Any) -> Any:
        if next(loads) == 2:
            turn = CommandTurn("k-1", StaffId("li.wei"), "another")
            store.at_work[turn.key, turn.actor] = turn.turn
            said = PersonalDataRead(what="refused/feed/0/1", purpose=SAID["purpose"])
            await put_on_record(stage, store, ANNA, said, turn=turn, at=NOW, recorded_at=NOW)
        return await load(wanted)

    monkeypatch.setattr(store, "load", slow)
    answer = await here.ask("POST", PATH)
    assert (answer.status_code, answer.json()["reason"]) == (409, "in_progress")
    assert answer.headers["Retry-After"] == "1"
    assert len(await here.records(ANNA)) == 1


ERASE = "/borrowers/anna/erase"
ERASED_FOR = {"basis": "she asked, PIPL art. 47", "approved_by": "wang"}


async def test_erasing_destroys_the_keys_and_certifies_it() -> None:
    here = await office()
    answers = [await here.ask("POST", ERASE, body=ERASED_FOR) for _ in range(2)]
    first, again = (answer.json() for answer in answers)
    assert answers[0].status_code == 200, first
    assert first == again
    assert (first["erased_by"], first["approved_by"]) == ("li.wei", "wang")
    assert first["categories"] == ["contact", "papers", "talks"]
    assert (await here.keyring.keys_for([ANNA], "contact"))[ANNA] is ERASED
    [event] = await here.records(ANNA)
    assert event["type"] == "arrears.intake.personal_data_erased.v1"
    assert event["id"] == first["event_id"]
    assert event["data"] == ERASED_FOR
    assert (await here.ask("POST", PATH, "k-2")).json()["text"] == str(ERASED)


async def test_asked_for_again_after_a_crash_it_is_completed() -> None:
    """The keys were destroyed, and the process died before it was recorded."""
    here = await office()
    await here.keyring.erase(ANNA)
    assert (await here.ask("POST", ERASE, body=ERASED_FOR)).status_code == 200
    assert len(await here.records(ANNA)) == 1


async def test_nobody_erases_alone() -> None:
    here = await office()
    answer = await here.ask("POST", ERASE, body={**ERASED_FOR, "approved_by": "li.wei"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "same_person")
    assert (await here.keyring.find_keys([ANNA], "contact"))[ANNA] is not ERASED


async def test_nobody_erases_with_a_name_that_nobody_knows() -> None:
    here = await office(actors=NobodyElse())
    answer = await here.ask("POST", ERASE, body=ERASED_FOR)
    assert (answer.status_code, answer.json()["field"]) == (422, "approved_by")
    assert (await here.keyring.find_keys([ANNA], "contact"))[ANNA] is not ERASED


async def test_a_name_of_which_nothing_is_kept_is_not_certified() -> None:
    here = await office()
    answer = await here.ask("POST", "/borrowers/ann/erase", body=ERASED_FOR)
    assert (answer.status_code, answer.json()["reason"]) == (409, "nothing_is_kept")
    assert not await here.records(BorrowerId("ann"))


async def test_before_the_first_business_day_nothing_is_destroyed() -> None:
    here = await office()
    fresh = ToyWorld()
    await fresh.start()
    early = Office(fresh, OneRow(None), here.keyring, DevelopmentActors())
    answer = await early.ask("POST", ERASE, body=ERASED_FOR)
    assert answer.json()["reason"] == "before_the_first_business_day"
    assert (await here.keyring.find_keys([ANNA], "contact"))[ANNA] is not ERASED
    await fresh.run_days(1, 1)
    assert (await early.ask("POST", ERASE, body=ERASED_FOR)).status_code == 200
