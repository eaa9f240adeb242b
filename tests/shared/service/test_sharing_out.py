"""A worker starts only where every partition of the feed has somebody who may hear it."""

import asyncpg
import pytest

from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.eventstore.leases import make_rows
from arrears.shared.kafka.failures import Unfit
from arrears.shared.service.process import shared_out
from arrears.shared.testing.memory_bus import MemoryBus

pytestmark = pytest.mark.live


@pytest.mark.parametrize("partitions", [3, 5])
async def test_a_topic_that_has_more_than_were_prepared(
    pool: asyncpg.Pool, partitions: int
) -> None:
    bus = MemoryBus()
    await bus.ensure_topic(FEED_TOPIC, partitions=partitions, retention_ms=-1)
    await make_rows(pool, 3)
    if partitions == 3:
        assert await shared_out(pool, bus) == 3
    else:
        with pytest.raises(Unfit, match=r"has 5 partitions, 3 were prepared"):
            await shared_out(pool, bus)
