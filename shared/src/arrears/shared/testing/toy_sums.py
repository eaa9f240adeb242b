"""A toy projection of sums, and the events it is folded from, for the tests of the projector."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

import asyncpg
from msgspec import Struct
from msgspec.json import decode, encode

from arrears.shared.eventstore.codec import Codec
from arrears.shared.eventstore.folding import Folding
from arrears.shared.eventstore.port import EventData
from arrears.shared.eventstore.projector import Projector
from arrears.shared.eventstore.rows import projected_rows
from arrears.shared.kernel.ids import Shard

ONE, TWO = Shard(1), Shard(2)


class Said(Struct, frozen=True):
    n: int


class Heard(Struct, frozen=True):
    """Of no concern to the projection: it has no key."""


class Row(Struct, frozen=True):
    count: int
    total: int


def _evolve(row: Row | None, said: Said) -> Row | None:
    if said.n < 0:
        return None
    return Row(count=1, total=said.n) if row is None else Row(row.count + 1, row.total + said.n)


def _key(said: Said) -> str:
    """Shard TWO says numbers from 100 on: a row has its events in one shard."""
    return f"{'far' if said.n >= 100 else 'parity'} {said.n % 2}"


SUMS: Final[Any] = SimpleNamespace(
    NAME="sums",
    VERSION=1,
    HEARS={Said},
    Row=Row,
    key_of=_key,
    evolve=_evolve,
)


def folding(projection: Any = SUMS) -> Folding:
    return Folding(projection, Codec({Said: "toy.said.v1", Heard: "toy.heard.v1"}))


class Told:
    """The events of a shard as a store gives them back; it counts how often it was asked."""

    def __init__(self) -> None:
        self.events: dict[Shard, list[Said]] = {ONE: [], TWO: []}
        self.asked = 0

    def say(self, shard: Shard, *numbers: int) -> tuple[int, list[Said]]:
        """Append; the first number and the events, as a commit tells them."""
        first, said = len(self.events[shard]) + 1, [Said(n) for n in numbers]
        self.events[shard].extend(said)
        return first, said

    def last(self) -> dict[Shard, int]:
        return {shard: len(said) for shard, said in self.events.items()}

    async def data_after(self, shard: Shard, seq: int, *, limit: int) -> Sequence[EventData]:
        self.asked += 1
        told = list(enumerate(self.events[shard], start=1))[seq : seq + limit]
        return [(number, "toy.said.v1", encode(said)) for number, said in told]


async def projector_of(
    pool: asyncpg.Pool, told: Told, projection: Any = SUMS, *, step_max: int = 9
) -> Projector:
    made = Projector(pool, told, [folding(projection)], step_max=step_max)  # type: ignore[arg-type]
    await made.take([ONE, TWO])
    return made


async def rows(pool: asyncpg.Pool, name: str = "sums") -> dict[str, Row]:
    return {key: decode(row, type=Row) for key, row in await projected_rows(pool, name, None, 100)}


async def caught_up(projector: Projector, told: Told) -> None:
    while await projector.step(told.last()):
        pass


NEWER: Final[Any] = SimpleNamespace(
    **{**vars(SUMS), "VERSION": 2, "key_of": lambda said: "far" if said.n >= 100 else "near"}
)
