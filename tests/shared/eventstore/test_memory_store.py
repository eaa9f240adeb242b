"""The memory twin passes the suite of all event stores."""

import pytest
from msgspec.structs import replace

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import Store
from arrears.shared.kernel.ids import Shard
from arrears.shared.testing.store_suite import StoreSuite


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class TestMemoryStore(StoreSuite):
    async def raise_epoch(self, store: Store, shard: Shard) -> None:
        assert isinstance(store, MemoryStore)
        state = store.shards[shard]
        store.shards[shard] = replace(state, epoch=state.epoch + 1)

    async def set_aside(self, store: Store) -> dict[str, list[str]]:
        assert isinstance(store, MemoryStore)
        return {
            "refused": [one.origin for one in store.refused],
            "duplicates": [one.origin for one in store.duplicates],
            "parked": [one.row.origin for one in store.parked],
        }
