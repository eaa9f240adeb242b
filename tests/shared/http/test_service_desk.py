"""The desk of a running service asks the store whose a loan is."""

import asyncio
from datetime import UTC, datetime
from typing import cast

import asyncpg

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.service.desk import ServiceDesk
from arrears.shared.testing.toy import toy_stages

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
