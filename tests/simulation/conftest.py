"""The real stages as a cast: some synthetic loans, over the days that they need."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import date, datetime, timedelta
from typing import Any, TypeVar, cast

import pytest
from msgspec.json import Decoder

import arrears.contact.main as contact
import arrears.history.main as history
import arrears.intake.main as intake
import arrears.legal.main as legal
import arrears.mediation.main as mediation
from arrears.cli.feed.generate import generate
from arrears.history.adapters.memory import MemoryHistory
from arrears.history.application.ear import Ear
from arrears.history.application.ports import HistoryStore
from arrears.history.application.rebuilding import compare, hear_again
from arrears.history.domain.digest import Canonical
from arrears.history.domain.digest import Row as CanonicalRow
from arrears.history.domain.told import SERVICES, Kept
from arrears.shared.kernel.ids import BorrowerId, Shard, shard_of
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.opening import foldings_of
from arrears.shared.service.settings import Ground
from arrears.shared.testing.laws import Broken
from arrears.shared.testing.simulated_loop import Actor, current_actor
from arrears.shared.testing.simulation import Cast, Simulation

SEED = 7
START = date(2024, 1, 1)
GROUND = Ground(sandbox_seed=SEED, clock="feed")
KEYS = MemoryKeyStore()
Found = TypeVar("Found")
_JSON = Decoder(dict[str, Any])


class Turn:
    """The twin of the advisory lock: it is free when its holder is dead, or does not answer."""

    def __init__(self, history: "History") -> None:
        self._history = history
        self._held = False

    async def mine(self) -> bool:
        holder = self._history.holder
        if not self._held and (holder is None or holder.is_dead or holder.is_frozen):
            self._history.holder = current_actor()
            self._held = True
        return self._held

    async def give_up(self) -> None:
        if self._history.holder is current_actor():
            self._history.holder = None
        self._held = False


class History:
    """The history service as a player: its own loop and its own ear over all topics."""

    name = "history"

    def __init__(self, world: Simulation) -> None:
        self.store = MemoryHistory()
        self.holder: Actor | None = None
        self._world = world

    async def main(self) -> None:
        store = cast("HistoryStore", self._world.wire(self.store, self.name))
        await history.Worker(Ear(self._world.bus, store, Turn(self))).run()

    def is_done(self) -> bool:
        places = at_once(self.store.places())
        last = {(place.service, place.shard): place.last_seq for place in places}
        return all(
            last[(service, shard)] == store.shards[shard].last_seq
            for service, store in self._world.stores.items()
            for shard in self._world.cast.shards
        )

    def check(self) -> None:
        """It has every event of every store, byte for byte, and equals its own rebuild."""
        kept = {(SERVICES[k.service], k.shard, k.seq): k.value for k in self._kept()}
        for service, store in self._world.stores.items():
            for shard, events in store.events.items():
                for event in events:
                    if kept.pop((service, shard, event.seq), None) != event.value:
                        raise Broken(f"history does not have {service} shard {shard} {event.seq}")
        if kept:
            raise Broken(f"history has {next(iter(kept))}, which nobody said")
        rebuilt = MemoryHistory()
        at_once(hear_again(self.store, rebuilt))
        found = at_once(compare(self.store, rebuilt))
        if not found.equal:
            raise Broken(f"history is not what its rebuild is: {found}")

    def rows(self) -> list[CanonicalRow]:
        async def gathered() -> list[CanonicalRow]:
            return [row async for page in self.store.canonical(date.max) for row in page]

        return at_once(gathered())

    def _kept(self) -> list[Kept]:
        async def gathered() -> list[Kept]:
            return [kept async for page in self.store.scan() for kept in page]

        return at_once(gathered())


def at_once(coroutine: Coroutine[Any, Any, Found]) -> Found:
    """What a coroutine gives that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        found: Found = end.value
        return found
    raise AssertionError("it waited")


MODULES: Mapping[str, Any] = {
    "intake": intake,
    "contact": contact,
    "mediation": mediation,
    "legal": legal,
}


def real_stages() -> list[Stage]:
    return [module.make_stage(GROUND, KEYS.keyring(name)) for name, module in MODULES.items()]


def real_gateways() -> dict[str, Gateway]:
    made = {
        "contact": contact.make_gateway(GROUND, KEYS.keyring("contact")),
        "mediation": mediation.make_gateway(GROUND, KEYS.keyring("mediation")),
        "legal": legal.make_gateway(GROUND, KEYS.keyring("legal")),
    }
    return {name: gateway for name, gateway in made.items() if gateway is not None}


def real_digest(world: Simulation) -> str:
    """The digest of what the history of this world has heard."""
    heard = world.players["history"]
    assert isinstance(heard, History)
    canonical = Canonical(up_to=None)
    for _ in canonical.chunks(heard.rows()):
        pass
    found = canonical.result()
    assert found.case_count > 0
    return f"{found.sha256[:12]} over {found.case_count} cases, {found.event_count} events"


def real_days(
    shards: set[Shard], loans: int, first: date, count: int
) -> list[tuple[date, list[tuple[str, bytes]]]]:
    """What the synthetic bank says of the borrowers of these shards, day by day."""
    days: dict[date, list[tuple[str, bytes]]] = {
        first + timedelta(days=n): [] for n in range(count)
    }
    for line in generate(SEED, loans, 18, START):
        said = _JSON.decode(line)
        key, borrower_id = said["partitionkey"], said["data"]["borrower_id"]
        on = GROUND.calendar.day_of(datetime.fromisoformat(said["time"]))
        if on in days and shard_of(BorrowerId(borrower_id)) in shards:
            days[on].append((key, line))
    return sorted(days.items())


@pytest.fixture(scope="session")
def make_real_cast() -> Callable[[list[Shard], int, date, int], Cast]:
    """Shards, number of synthetic loans, first day, number of days -> what is played."""

    def make(shards: list[Shard], loans: int, first: date, count: int) -> Cast:
        return Cast(
            stages=real_stages,
            gateways=real_gateways,
            days=real_days(set(shards), loans, first, count),
            shards=shards,
            digest=real_digest,
            players=lambda world: [History(world)],
            foldings=lambda stage: foldings_of(MODULES[stage.name].service, stage),
        )

    return make
