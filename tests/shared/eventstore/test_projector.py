"""The projector on PostgreSQL: rows and cursors move together, from memory or from the store."""

import asyncpg
import pytest
from msgspec.json import encode
from structlog.testing import capture_logs

from arrears.shared.eventstore import projector as projecting
from arrears.shared.testing.toy_sums import (
    ONE,
    TWO,
    Heard,
    Row,
    Said,
    Told,
    caught_up,
    folding,
    projector_of,
    rows,
)

pytestmark = pytest.mark.live


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
