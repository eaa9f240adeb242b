"""What is done to the installation, drawn from a seed: the same seed gives the same plan.

Timing is not part of the plan: where in its work a fault meets a process differs from run to run.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from arrears.cli.client.installation import SERVICES

Direction: TypeAlias = Literal["to", "from"]
KAFKA: Final = "kafka"
POSTGRESQL: Final = "postgresql"
LEASE_SECONDS: Final = 3.0
DAYS_PER_VOLLEY: Final = 2
"""One is in work when faults strike, and one is closed to show that everything goes on."""
DISK_ROOM_MAX: Final = 4_000
LINES_MAX: Final = 40

PROCESSES: Final[Mapping[str, tuple[str, str]]] = {
    "intake-1": ("intake", "worker"),
    "intake-2": ("intake", "worker"),
    "intake-api": ("intake", "api"),
    "contact-1": ("contact", "worker"),
    "contact-2": ("contact", "worker"),
    "contact-api": ("contact", "api"),
    "mediation": ("mediation", "run"),
    "legal": ("legal", "run"),
    "history": ("history", "run"),
}
"""The processes under faults by name, each with its service and command."""
ALONE: Final[Mapping[str, tuple[str, str]]] = {name: (name, "run") for name in SERVICES}
"""The processes of the undisturbed run: how many there are must not show in the digest."""

_WORKERS: Final = [name for name in PROCESSES if not name.endswith("-api")]
_SHARED: Final = [name for name in _WORKERS if name[-1].isdigit()]


class Kind(Struct, frozen=True):
    """`weight` is how often it is drawn, `short` the same where a run must not take long."""

    name: str
    told: str
    weight: int
    short: int
    victims: Sequence[str]
    seconds: tuple[float, float] = (0.0, 0.0)


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("worker_killed", "a worker killed (SIGKILL)", 18, 7, _WORKERS, (0.0, 0.5)),
        Kind(
            "worker_away",
            "a worker killed and away longer than its lease",
            5,
            0,
            _SHARED,
            (1.2 * LEASE_SECONDS, 2 * LEASE_SECONDS),
        ),
        Kind(
            "worker_frozen",
            "a worker frozen past its lease, then woken (a zombie)",
            10,
            2,
            _SHARED,
            (1.2 * LEASE_SECONDS, 2 * LEASE_SECONDS),
        ),
        Kind("worker_moved", "a worker told to stop, started again", 10, 3, _WORKERS),
        Kind("api_killed", "an API killed (SIGKILL)", 2, 1, ["intake-api", "contact-api"]),
        Kind("database_killed", "PostgreSQL killed (SIGKILL)", 8, 2, [POSTGRESQL], (0.0, 2.0)),
        Kind("broker_killed", "the broker killed (SIGKILL)", 6, 1, [KAFKA], (0.0, 2.0)),
        Kind("disk_full", "the broker's disk full", 3, 0, [KAFKA], (6.0, 6.0)),
        Kind("cut", "all connections reset", 12, 6, [KAFKA, POSTGRESQL], (0.0, 1.0)),
        Kind("one_way", "one direction held up", 8, 3, [KAFKA, POSTGRESQL], (0.5, 4.0)),
        Kind("slow", "connections slow", 6, 2, [KAFKA, POSTGRESQL], (0.5, 3.0)),
        Kind("lost", "connections that never answer again", 2, 0, [KAFKA, POSTGRESQL]),
        Kind("repeated", "lines of the feed sent again", 10, 3, ["feed"]),
    )
}


class Fault(Struct, frozen=True, kw_only=True):
    """`after` is how long the day before it has been in work; `amount` is lines or bytes."""

    number: int
    kind: str
    victim: str
    seconds: float
    after: float
    direction: Direction
    amount: int


def plan(
    seed: int, count: int, *, only: Sequence[str] = (), short: bool = False
) -> Sequence[Fault]:
    """Every kind once, as far as they fit, then by weight; in an order of the seed's own."""
    chance = Random(seed)
    kinds = [kind for kind in KINDS.values() if kind.name in (only or KINDS)]
    weights = [kind.short if short and not only else kind.weight for kind in kinds]
    drawn = [kind for kind, weight in zip(kinds, weights, strict=True) if weight][:count]
    drawn += chance.choices(kinds, weights, k=count - len(drawn))
    chance.shuffle(drawn)
    return [_fault(chance, number, kind) for number, kind in enumerate(drawn, start=1)]


def volleys(faults: Sequence[Fault], together: int) -> Iterator[Sequence[Fault]]:
    """The same faults, up to `together` at once: of different victims each time."""
    left = list(faults)
    while left:
        volley = [left.pop(0)]
        for fault in list(left):
            if len(volley) >= together:
                break
            if all(fault.victim != other.victim for other in volley):
                left.remove(fault)
                volley.append(fault)
        yield volley


def _fault(chance: Random, number: int, kind: Kind) -> Fault:
    return Fault(
        number=number,
        kind=kind.name,
        victim=chance.choice(kind.victims),
        seconds=round(chance.uniform(*kind.seconds), 2),
        after=round(chance.uniform(0.0, 0.25), 3),
        direction=chance.choice(("to", "from")),
        amount=chance.randrange(1, LINES_MAX)
        if kind.name == "repeated"
        else chance.randrange(DISK_ROOM_MAX),
    )
