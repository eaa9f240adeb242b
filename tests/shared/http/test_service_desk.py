"""The desk of a running service: whose a loan is, rows, and commands with their answers."""

import asyncio
from datetime import UTC, datetime
from typing import cast

import asyncpg
from starlette.responses import Response

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.http.actors import DevelopmentActors
from arrears.shared.http.edge import REPLAYED_HEADER, Call, Edge
from arrears.shared.http.idempotency import MemoryAnswers
from arrears.shared.kernel.ids import BorrowerId, StaffId
from arrears.shared.kernel.reaction import Issue
from arrears.shared.service.desk import ServiceDesk
from arrears.shared.testing.toy import toy_stages
from arrears.shared.testing.toy_intake import Hold
from arrears.shared.testing.toy_world import ToyWorld

ANNA, BEN = BorrowerId("anna"), BorrowerId("ben")


def _desk(store: MemoryStore, pool: "asyncpg.Pool | None" = None) -> ServiceDesk:
    """Without a pool no rows are asked for."""
    return ServiceDesk(
        toy_stages()[0],
        store,
        cast("asyncpg.Pool", pool),
        clock="feed",
        wall=lambda: datetime(2024, 3, 1, tzinfo=UTC),
    )


async def test_a_loans_home_is_who_was_known_first_and_not_who_has_it_now() -> None:
    store = MemoryStore()
    await store.settle_homes({"loan-1": ANNA})
    desk = _desk(store)
    assert await desk.home("loan-1", BEN) == ANNA
    assert await desk.home("loan-2", BEN) == BEN


class Rows:
    """A pool that has two rows, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    async def fetch(self, _statement: str, name: str, keys: list[str]) -> list[dict[str, object]]:
        self.asked.append((name, keys))
        held = {("list", "a"): b"1", ("list", "b"): b"2"}
        return [{"key": key, "row": held[name, key]} for key in keys if (name, key) in held]


async def test_what_many_ask_at_once_is_asked_of_the_database_once() -> None:
    pool, store = Rows(), MemoryStore()
    desk = _desk(store, cast("asyncpg.Pool", pool))
    places = [("list", "b"), ("list", "c"), ("other", "a"), ("list", "a"), ("list", "b")]
    found = await asyncio.gather(*(desk.row(*place) for place in places))
    assert found == [b"2", None, None, b"1", b"2"]
    assert sorted(pool.asked) == [("list", ["b", "c", "a", "b"]), ("other", ["a"])]


async def test_of_two_who_say_whose_a_loan_is_the_first_is_believed() -> None:
    desk = _desk(MemoryStore())
    homes = await asyncio.gather(desk.home("l", BEN), desk.home("l", ANNA))
    assert list(homes) == [BEN, BEN]


class Counted(MemoryAnswers):
    """Counts the answers that the commit of a command has not kept itself."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store.at_work, store.answers)
        self.finished: list[int] = []

    async def finish(self, key: str, actor: StaffId, turn: str, status: int, body: bytes) -> bool:
        self.finished.append(status)
        return await super().finish(key, actor, turn, status, body)


async def test_what_was_carried_out_is_answered_by_its_own_commit() -> None:
    """What led to nothing, now or again, is answered after it."""
    world = ToyWorld()
    await world.start()
    world.fact(1, "anna", 1)
    await world.run_days(1, 1)
    store = world.stores["intake"]
    desk = ServiceDesk(
        world.stages["intake"], store, cast("asyncpg.Pool", None), clock="feed", wall=world.now
    )
    answers = Counted(store)
    edge = Edge(desk, answers, DevelopmentActors(), b"secret")

    async def hold(key: str, loan: str = "loan-of-anna") -> Response:
        issue = Issue("intake.loan", loan, Hold(reason="dispute"))
        return await edge.carry_out(Call(StaffId("li"), key, b"input"), ANNA, lambda _at: issue)

    first, again = await hold("k-1"), await hold("k-1")
    assert (first.status_code, answers.finished) == (200, [])
    assert again.body == first.body
    assert again.headers[REPLAYED_HEADER] == "true"
    assert (await hold("k-2", "loan-of-nobody")).status_code == 409
    assert answers.finished == [409]
    store.answers.clear()
    answers.kept.clear()
    repeated = await hold("k-1")
    assert (repeated.body, answers.finished) == (first.body, [409, 200])
    assert world.nouns("intake", "anna").count("case_held") == 1
