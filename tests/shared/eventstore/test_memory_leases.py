"""The memory twin of the leases passes the suite of all leases."""

from collections.abc import Callable

import pytest

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.memory_leases import LeaseTable, MemoryLeases
from arrears.shared.testing.lease_suite import LeaseSuite


class TestMemoryLeases(LeaseSuite):
    now = 0.0

    @pytest.fixture
    def make(self) -> Callable[[str], MemoryLeases]:
        table = LeaseTable(MemoryStore(), lambda: self.now, feed_partitions=5)
        return lambda worker: MemoryLeases(table, worker, seconds=10.0)

    async def let_end(self, worker: str) -> None:
        self.now += 10.1
