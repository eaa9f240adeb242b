"""A database that is gone: its service is filled from its topic again and takes over (4.2)."""

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import Change, Store
from arrears.shared.runtime.resuming import Resuming
from arrears.shared.runtime.stage import Clock, closing_type
from arrears.shared.service.filling import fill, from_topic
from arrears.shared.service.rederiving import rederive
from arrears.shared.testing.world import World


async def refill(world: World, name: str, store: Store, *, clock: Clock) -> None:
    """Fill an empty store with all that the service has published."""
    stage = world.stages[name]
    await fill(store, from_topic(world.bus, stage.topic), closing_type(name))
    derived = await rederive(stage, store)
    await store.commit(Change(timers=derived.timers, effects_added=derived.effects))
    await store.mark_sent(derived.effects, world.now())
    await Resuming(stage, store, world.bus, clock=clock, now=world.now).run()


async def lose_database(world: World, name: str, *, clock: Clock) -> MemoryStore:
    """The service goes on with a new store."""
    store = world.stores[name] = MemoryStore()
    await refill(world, name, store, clock=clock)
    await world.restart(name)
    return store
