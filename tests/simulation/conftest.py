"""The real stages as a cast: some synthetic loans, over the days that they need."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from msgspec.json import Decoder

import arrears.contact.main as contact
import arrears.intake.main as intake
import arrears.legal.main as legal
import arrears.mediation.main as mediation
from arrears.cli.feed.generate import generate
from arrears.history.domain.digest import Canonical
from arrears.history.domain.told import keep
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.ids import BorrowerId, Shard, shard_of
from arrears.shared.kernel.reaction import Gateway
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.settings import Ground
from arrears.shared.testing.simulation import Cast

SEED = 7
START = date(2024, 1, 1)
GROUND = Ground(sandbox_seed=SEED, clock="feed")
KEYS = MemoryKeyStore()
_JSON = Decoder(dict[str, Any])


def real_stages() -> list[Stage]:
    return [
        module.make_stage(GROUND, KEYS.keyring(name))
        for name, module in (
            ("intake", intake),
            ("contact", contact),
            ("mediation", mediation),
            ("legal", legal),
        )
    ]


def real_gateways() -> dict[str, Gateway]:
    made = {
        "contact": contact.make_gateway(GROUND, KEYS.keyring("contact")),
        "mediation": mediation.make_gateway(GROUND, KEYS.keyring("mediation")),
        "legal": legal.make_gateway(GROUND, KEYS.keyring("legal")),
    }
    return {name: gateway for name, gateway in made.items() if gateway is not None}


def real_digest(stores: Mapping[str, MemoryStore]) -> str:
    """The digest of the history service, over what the stores hold."""
    kept = [
        keep(service, shard, event.seq, event.value)
        for service, store in stores.items()
        for shard, events in store.events.items()
        for event in events
    ]
    canonical = Canonical(up_to=None)
    rows = sorted((k.subject, k.service, k.stream, k.version, k.type, k.value) for k in kept)
    for _ in canonical.chunks(rows):
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
        )

    return make
