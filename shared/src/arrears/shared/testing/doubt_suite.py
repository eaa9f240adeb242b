"""The part of the store's suite about effects in doubt: who settles one does so alone."""

import pytest
from msgspec.structs import replace

from arrears.shared.eventstore.port import Change, Fenced, Store
from arrears.shared.testing.store_material import AT, effect


class DoubtSuite:
    async def test_a_doubt_is_settled_by_one(self, store: Store) -> None:
        sent = replace(effect(1), sent_at=AT)
        await store.commit(Change(effects_added=[effect(1)]))
        with pytest.raises(Fenced):
            await store.commit(Change(effects_sent_again=[effect(1)]))
        await store.mark_sent([effect(1)], AT)
        await store.mark_in_doubt([sent])
        assert await store.effect(sent.event_id) == replace(sent, in_doubt=True)
        await store.commit(Change(effects_sent_again=[sent]))
        assert await store.effect(sent.event_id) == effect(1)
        with pytest.raises(Fenced):
            await store.commit(Change(effects_sent_again=[sent]))
        await store.commit(Change(effects_answered=[effect(1)]))
        assert await store.effect(sent.event_id) is None
