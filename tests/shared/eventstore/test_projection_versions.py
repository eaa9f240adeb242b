"""A projection of a new VERSION is built again, also while workers of the older one still run."""

from types import SimpleNamespace

import asyncpg
import pytest

from arrears.shared.eventstore.projector import Projector
from arrears.shared.testing.toy_sums import (
    NEWER,
    ONE,
    SUMS,
    TWO,
    Row,
    Told,
    caught_up,
    folding,
    projector_of,
    rows,
)

pytestmark = pytest.mark.live


async def test_a_new_version_builds_the_rows_again(pool: asyncpg.Pool) -> None:
    told = Told()
    projector = await projector_of(pool, told)
    projector.offer({ONE: told.say(ONE, 1, 3)})
    await caught_up(projector, told)
    projector = await projector_of(pool, told, NEWER)
    assert await rows(pool) == {}
    await caught_up(projector, told)
    assert await rows(pool) == {"near": Row(2, 4)}


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
