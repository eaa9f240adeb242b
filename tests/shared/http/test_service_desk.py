"""The desk of a running service asks the store whose a loan is."""

from datetime import UTC, datetime
from typing import cast

import asyncpg

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.service.desk import ServiceDesk
from arrears.shared.testing.toy import toy_stages

ANNA, BEN = BorrowerId("anna"), BorrowerId("ben")


async def test_a_loans_home_is_who_was_known_first_and_not_who_has_it_now() -> None:
    store = MemoryStore()
    await store.settle_homes({"loan-1": ANNA})
    desk = ServiceDesk(
        toy_stages()[0],
        store,
        cast("asyncpg.Pool", None),  # Rows are not asked for.
        clock="feed",
        wall=lambda: datetime(2024, 3, 1, tzinfo=UTC),
    )
    assert await desk.home("loan-1", BEN) == ANNA
    assert await desk.home("loan-2", BEN) == BEN
