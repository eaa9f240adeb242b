"""The projector on PostgreSQL: rows and cursors move together, from memory or from the store."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

import asyncpg
import pytest
from msgspec import Struct
from msgspec.json import decode, encode
from structlog.testing import capture_logs

from arrears.shared.eventstore import projector as projecting
from arrears.shared.eventstore.codec import Codec
from arrears.shared.eventstore.folding import Folding
from arrears.shared.eventstore.port import EventData
from arrears.shared.eventstore.projector import Projector
from arrears.shared.eventstore.rows import projected_rows
from arrears.shared.kernel.ids import Shard

pytestmark = pytest.mark.live
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


def test_only_the_types_that_a_projection_hears_touch_a_row() -> None:
    folded = folding()
    said = (1, "toy.said.v1", encode(Said(4)))
    heard = (2, "toy.heard.v1", encode(Said(6)))
    assert list(folded.events([said, heard])) == [("parity 0", Said(4))]
    assert list(folded.decided([Said(4), Heard()])) == [("parity 0", Said(4))]


async def test_what_was_just_committed_is_folded_without_asking_the_store(
    pool: asyncpg.Pool,
) -> None:
    told = Told()
    projector = await projector_of(pool, told)
    projector.offer({ONE: told.say(ONE, 1, 2, 3), TWO: told.say(TWO, 105)})
    projector.offer({ONE: told.say(ONE, 7)})
    await caught_up(projector, told)
    assert told.asked == 0
    assert await rows(pool) == {
        "parity 0": Row(1, 2),
        "parity 1": Row(3, 11),
        "far 1": Row(1, 105),
    }


async def test_what_others_appended_in_between_is_read_from_the_store(pool: asyncpg.Pool) -> None:
    told = Told()
    projector = await projector_of(pool, told)
    projector.offer({ONE: told.say(ONE, 1)})
    told.say(ONE, 3)
    projector.offer({ONE: told.say(ONE, 5)})
    await caught_up(projector, told)
    assert told.asked > 0
    assert await rows(pool) == {"parity 1": Row(3, 9)}
    projector.offer({ONE: told.say(ONE, 7)})
    asked = told.asked
    await caught_up(projector, told)
    assert told.asked == asked
    assert await rows(pool) == {"parity 1": Row(4, 16)}


async def test_a_row_that_is_gone_is_deleted(pool: asyncpg.Pool) -> None:
    told = Told()
    projector = await projector_of(pool, told)
    projector.offer({ONE: told.say(ONE, 1, 2)})
    await caught_up(projector, told)
    projector.offer({ONE: told.say(ONE, -1)})
    await caught_up(projector, told)
    assert await rows(pool) == {"parity 0": Row(1, 2)}


async def test_a_worker_that_lost_its_shard_folds_nothing_twice(pool: asyncpg.Pool) -> None:
    told = Told()
    zombie = await projector_of(pool, told)
    first = told.say(ONE, 1)
    owner = await projector_of(pool, told)
    for projector in (owner, zombie):
        projector.offer({ONE: first})
        await caught_up(projector, told)
    zombie.offer({ONE: told.say(ONE, 3), TWO: told.say(TWO, 102)})
    for projector in (zombie, owner):
        await caught_up(projector, told)
    assert await rows(pool) == {"far 0": Row(1, 102), "parity 1": Row(2, 4)}


async def test_what_its_predecessor_has_folded_late_does_not_stop_the_owner(
    pool: asyncpg.Pool,
) -> None:
    """A commit that was given up may still arrive after the shards were taken anew."""
    told = Told()
    predecessor = await projector_of(pool, told)
    owner = await projector_of(pool, told)
    predecessor.offer({ONE: told.say(ONE, 1)})
    await caught_up(predecessor, told)
    owner.offer({ONE: told.say(ONE, 3), TWO: told.say(TWO, 102)})
    await caught_up(owner, told)
    assert await rows(pool) == {"far 0": Row(1, 102), "parity 1": Row(2, 4)}


@pytest.mark.parametrize("left", ["parity 0", "parity 1", "stale"])
async def test_a_row_whose_cursor_was_deleted_by_hand_is_not_gone_on_with(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """Wherever its key comes, and though it is gone by the end."""
    monkeypatch.setattr(projecting, "READ", 2)
    monkeypatch.setattr(projecting, "PAGE", 1)
    told = Told()
    told.say(ONE, 1, 3, 5, 7, 2, 4, 9, -1)
    await caught_up(await projector_of(pool, told), told)
    good = await rows(pool)
    assert good == {"parity 0": Row(2, 6)}
    await pool.execute("DELETE FROM projection_cursors")
    await pool.execute("UPDATE projections SET key = $1", left)
    with capture_logs() as logs:
        await caught_up(await projector_of(pool, told), told)
    assert await rows(pool) == good
    assert [line["event"] for line in logs] == ["rows_without_cursor_dropped"]


async def test_a_key_in_two_shards_is_a_defect_and_not_folded(pool: asyncpg.Pool) -> None:
    told = Told()
    projector = await projector_of(pool, told)
    told.say(ONE, 1)
    told.say(TWO, 3)
    with pytest.raises(asyncpg.UniqueViolationError):
        await projector.step(told.last())
    assert await rows(pool) == {}


NEWER: Final[Any] = SimpleNamespace(
    **{**vars(SUMS), "VERSION": 2, "key_of": lambda said: "far" if said.n >= 100 else "near"}
)


async def test_a_new_version_builds_the_rows_again(pool: asyncpg.Pool) -> None:
    told = Told()
    projector = await projector_of(pool, told)
    projector.offer({ONE: told.say(ONE, 1, 3)})
    await caught_up(projector, told)
    projector = await projector_of(pool, told, NEWER)
    assert await rows(pool) == {}
    await caught_up(projector, told)
    assert await rows(pool) == {"near": Row(2, 4)}


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projecting, "READ", 2)
    monkeypatch.setattr(projecting, "PAGE", 3)


@pytest.mark.usefixtures("few_at_once")
class TestFarBehind:
    async def test_every_event_is_folded_once_in_many_pages(self, pool: asyncpg.Pool) -> None:
        told = Told()
        told.say(ONE, *range(1, 26))
        told.say(TWO, 100, 102, 104)
        projector = await projector_of(pool, told)
        await caught_up(projector, told)
        assert await rows(pool) == {
            "parity 0": Row(12, 156),
            "parity 1": Row(13, 169),
            "far 0": Row(3, 306),
        }

    async def test_a_step_ends_and_what_is_little_comes_first(self, pool: asyncpg.Pool) -> None:
        told = Told()
        told.say(ONE, *[1] * 40)
        told.say(TWO, 102)
        projector = await projector_of(pool, told)
        assert await projector.step(told.last())
        found = await rows(pool)
        assert found["far 0"] == Row(1, 102)
        assert 8 <= found["parity 1"].count < 12

    async def test_what_was_read_ahead_of_a_page_taken_back_is_read_again(
        self, pool: asyncpg.Pool
    ) -> None:
        told = Told()
        zombie, owner = await projector_of(pool, told), await projector_of(pool, told)
        told.say(ONE, 1)
        await caught_up(owner, told)
        told.say(TWO, *[102] * 8)
        await caught_up(zombie, told)
        assert await rows(pool) == {"far 0": Row(8, 816), "parity 1": Row(1, 1)}


async def test_rows_that_another_version_dropped_are_not_gone_on_with(
    pool: asyncpg.Pool,
) -> None:
    told = Told()
    older = await projector_of(pool, told)
    older.offer({ONE: told.say(ONE, 1)})
    await caught_up(older, told)
    newer = await projector_of(pool, told, SimpleNamespace(**{**vars(SUMS), "VERSION": 2}))
    older.offer({ONE: told.say(ONE, 3)})
    await caught_up(older, told)
    assert await rows(pool) == {}
    await caught_up(newer, told)
    assert await rows(pool) == {"parity 1": Row(2, 4)}


async def cleared(pool: asyncpg.Pool) -> None:
    """What programs before this one did to a projection of any other version."""
    await pool.execute("DELETE FROM projections WHERE name = 'sums'")
    await pool.execute("DELETE FROM projection_cursors WHERE name = 'sums'")


class TestRollingUpgrade:
    """Workers of two versions of a projection, beside one another."""

    async def test_an_older_worker_that_gains_a_shard_leaves_a_newer_projection_alone(
        self, pool: asyncpg.Pool
    ) -> None:
        told = Told()
        told.say(ONE, 1, 3)
        newer = await projector_of(pool, told, NEWER)
        await caught_up(newer, told)
        older = await projector_of(pool, told)
        older.offer({ONE: told.say(ONE, 5), TWO: told.say(TWO, 102)})
        await caught_up(older, told)
        assert await rows(pool) == {"near": Row(2, 4)}
        await caught_up(newer, told)
        assert await rows(pool) == {"near": Row(3, 9), "far": Row(1, 102)}

    async def test_an_older_worker_begins_no_shard_of_a_newer_projection(
        self, pool: asyncpg.Pool
    ) -> None:
        told = Told()
        older = await projector_of(pool, told)
        told.say(ONE, 1)
        newer = Projector(pool, told, [folding(NEWER)])  # type: ignore[arg-type]
        await newer.take([ONE])
        await caught_up(newer, told)
        older.offer({TWO: told.say(TWO, 103)})
        await caught_up(older, told)
        assert await rows(pool) == {"near": Row(1, 1)}

    async def test_an_older_worker_keeps_nothing_for_a_projection_that_it_leaves_alone(
        self, pool: asyncpg.Pool
    ) -> None:
        told = Told()
        told.say(ONE, 1)
        await caught_up(await projector_of(pool, told, NEWER), told)
        older = await projector_of(pool, told)
        older.offer({ONE: told.say(ONE, 3)})
        await caught_up(older, told)
        assert older._fresh == {ONE: (3, [])}

    async def test_a_newer_worker_takes_all_shards_from_the_older_version_at_once(
        self, pool: asyncpg.Pool
    ) -> None:
        told = Told()
        told.say(ONE, 1)
        told.say(TWO, 102)
        older = await projector_of(pool, told)
        await caught_up(older, told)
        newer = Projector(pool, told, [folding(NEWER)])  # type: ignore[arg-type]
        await newer.take([ONE])
        older.offer({TWO: told.say(TWO, 104)})
        await caught_up(older, told)
        assert await rows(pool) == {}
        await newer.take([TWO])
        await caught_up(newer, told)
        assert await rows(pool) == {"near": Row(1, 1), "far": Row(2, 206)}

    async def test_a_shard_that_an_older_worker_begins_late_is_the_newer_ones_all_the_same(
        self, pool: asyncpg.Pool
    ) -> None:
        told = Told()
        told.say(ONE, 1, 2)
        newer = await projector_of(pool, told, NEWER)
        older = await projector_of(pool, told)
        await caught_up(older, told)
        told.say(ONE, 3)
        await caught_up(newer, told)
        assert await rows(pool) == {"near": Row(3, 6)}

    async def test_a_shard_whose_cursor_has_gone_is_read_again_with_its_next_event(
        self, pool: asyncpg.Pool
    ) -> None:
        told = Told()
        projector = await projector_of(pool, told)
        projector.offer({ONE: told.say(ONE, 1), TWO: told.say(TWO, 102)})
        await caught_up(projector, told)
        await cleared(pool)
        projector.offer({ONE: told.say(ONE, 3)})
        await caught_up(projector, told)
        assert await rows(pool) == {"parity 1": Row(2, 4), "far 0": Row(1, 102)}

    async def test_a_quiet_shard_whose_cursor_has_gone_is_found(self, pool: asyncpg.Pool) -> None:
        told = Told()
        projector = await projector_of(pool, told)
        projector.offer({ONE: told.say(ONE, 1), TWO: told.say(TWO, 102)})
        await caught_up(projector, told)
        await cleared(pool)
        await caught_up(projector, told)
        assert await rows(pool) == {"parity 1": Row(1, 1), "far 0": Row(1, 102)}

    async def test_a_shard_that_was_given_up_is_not_read_again(self, pool: asyncpg.Pool) -> None:
        told = Told()
        projector = await projector_of(pool, told)
        projector.offer({ONE: told.say(ONE, 1), TWO: told.say(TWO, 102)})
        await caught_up(projector, told)
        projector.drop([TWO])
        await cleared(pool)
        await caught_up(projector, told)
        assert await rows(pool) == {"parity 1": Row(1, 1)}

    async def test_whoever_comes_and_goes_the_newer_version_has_every_row_in_the_end(
        self, pool: asyncpg.Pool
    ) -> None:
        told = Told()
        told.say(ONE, *range(1, 6))
        told.say(TWO, *range(100, 106))
        first, second, newer = (
            Projector(pool, told, [folding(one)])  # type: ignore[arg-type]
            for one in (SUMS, SUMS, NEWER)
        )
        await first.take([ONE])
        await second.take([TWO])
        for projector in (first, second):
            await caught_up(projector, told)
        first.drop([ONE])
        await newer.take([ONE])
        await caught_up(newer, told)
        await second.take([ONE])
        await caught_up(second, told)
        second.drop([ONE, TWO])
        await newer.take([TWO])
        await caught_up(newer, told)
        assert await rows(pool) == {"near": Row(5, 15), "far": Row(6, 615)}
