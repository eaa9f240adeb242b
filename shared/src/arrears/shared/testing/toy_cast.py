"""The toy stages as a cast of the simulation: eight days of a dozen borrowers on three shards."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from random import Random
from typing import Any, Final

from msgspec.json import Decoder, encode

from arrears.shared.kernel.ids import BorrowerId, Shard, shard_of
from arrears.shared.testing.simulation import Cast, Player, Simulation
from arrears.shared.testing.toy import ToyGateway, toy_stages
from arrears.shared.testing.toy_intake import line
from arrears.shared.testing.toy_people import People
from arrears.shared.testing.toy_repairs import Repairs, ever_parked
from arrears.shared.testing.toy_world import day

SHARDS: Final = (Shard(2), Shard(3), Shard(11))
DAYS: Final = 8
_JSON: Final = Decoder(dict[str, Any])
WHATS: Final = ("overdue", "overdue", "overdue", "repayment", "repayment", "cured", "refuse")


@cache
def borrowers(count: int) -> tuple[str, ...]:
    """Borrowers who live on the shards that are played."""
    names = (f"b{number}" for number in range(10_000))
    found = [name for name in names if shard_of(BorrowerId(name)) in SHARDS]
    return tuple(found[:count])


def _days() -> Sequence[tuple[date, Sequence[tuple[str, bytes]]]]:
    """Some facts name nobody, now and then the first ones of a loan, which are refused."""
    chance = Random("the toy bank")
    *people, bad = borrowers(12)
    days = []
    for number in range(1, DAYS + 1):
        said = []
        for who in chance.sample(people, 6):
            on = day(max(1, number + chance.choice((0, 0, 0, 0, -2, 3))))
            told = line(
                f"{number}",
                None if chance.random() < 0.25 else who,
                on,
                what=chance.choice(WHATS),
                hour=chance.randint(0, 23),
                amount=chance.randint(1, 99),
                loan=f"loan-{chance.randint(1, 2)}-of-{who}",
            )
            said.append((who, told))
        if number in (4, 5):
            said.append(
                (bad, line(number, bad, day(number), what="poison" if number == 4 else "overdue"))
            )
        days.append((day(number), said))
    return days


def _players(world: Simulation) -> Sequence[Player]:
    """Somebody holds a case, announced or not. Nothing but that and what is noted of it may differ.

    Others repair what was parked: such borrowers are not in the digest.
    """
    if not world.story.commands:
        return ()
    return [
        People(world, f"people {world.seed}", borrowers(8), seconds=6.0),
        Repairs(world, f"repairs {world.seed}"),
    ]


def digest(world: Simulation) -> str:
    """What happened, without numbers, hashes, recorded times, closings, people's commands and what
    these have caused.

    A parked borrower leaves the promise of the digest (protocol 2.5).
    """
    parked = ever_parked(world)
    by_people: set[str] = set()
    lines = []
    for service, store in world.stores.items():
        for (_, stream), events in sorted(store.streams.items()):
            for event in events:
                seen = _JSON.decode(event.value)
                if "actor" in seen or seen["causationid"] in by_people:
                    by_people.add(event.event_id)
                    continue
                if event.borrower_id in parked or ".shard-" in stream:
                    continue
                kept = [seen[name] for name in ("id", "type", "time", "businessday", "data")]
                lines.append([service, stream, seen["causationid"], *kept])
    lines.sort(key=lambda one: (one[0], one[1]))
    assert lines
    return f"{sha256(encode(lines)).hexdigest()[:12]} over {len(lines)} events"


def toy_cast() -> Cast:
    return Cast(
        stages=toy_stages,
        gateways=lambda: {"contact": ToyGateway()},
        days=_days(),
        shards=SHARDS,
        digest=digest,
        players=_players,
    )
