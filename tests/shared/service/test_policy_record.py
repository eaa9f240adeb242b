"""What a database has decided by stays as it was; what is still to come may change."""

from datetime import date

import asyncpg
import pytest
from msgspec.structs import replace

from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.kernel.ids import Shard
from arrears.shared.kernel.policy import BadPolicy
from arrears.shared.service.policy_record import keep_policies
from arrears.shared.testing.toy_policy import Grace, Policy, version

pytestmark = pytest.mark.live
OPEN = date(2025, 7, 1)


FIRST = version(1, "2025-01-01")
NEXT = version(2, "2025-07-03")


async def reaches(pool: asyncpg.Pool, day: date) -> None:
    await PostgresStore(pool).open_first_day(Shard(0), day)


@pytest.mark.parametrize(
    "now",
    [
        [FIRST],
        [FIRST, NEXT],
        [version(1, "2025-01-01", "2025-07-02"), NEXT],
        [version(1, "2025-01-01", "2026-12-31")],
    ],
)
async def test_what_is_still_to_come_may_change(pool: asyncpg.Pool, now: list[Policy]) -> None:
    await keep_policies(pool, [FIRST])
    await reaches(pool, OPEN)
    await keep_policies(pool, now)
    await keep_policies(pool, [FIRST, version(2, "2025-09-01", days=1)])
    await keep_policies(pool, [FIRST])


@pytest.mark.parametrize(
    ("now", "named"),
    [
        ([version(1, "2025-01-01", days=6)], "test version 1: has decided here"),
        ([version(1, "2025-02-01")], "test version 1: has decided here"),
        ([version(2, "2025-01-01")], "test version 2: valid_from: must begin after"),
        ([], "test version 1: has decided here"),
        ([version(1, "2025-01-01", "2025-07-01")], "test version 1: has decided here"),
        ([FIRST, version(2, "2025-07-02")], "version 2: valid_from: must begin after 2025-07-02"),
        ([FIRST, version(2, "2025-03-01")], "test version 2: valid_from: must begin after"),
        ([version(0, "2020-01-01"), FIRST], "test version 0: valid_from: must begin after"),
    ],
)
async def test_what_has_decided_may_not(pool: asyncpg.Pool, now: list[Policy], named: str) -> None:
    await keep_policies(pool, [FIRST])
    await reaches(pool, OPEN)
    for _ in range(2):  # A refused start leaves what was kept as it was.
        with pytest.raises(BadPolicy, match=named):
            await keep_policies(pool, now)
    await keep_policies(pool, [FIRST])


async def test_a_version_that_has_come_into_force_is_kept_too(pool: asyncpg.Pool) -> None:
    await keep_policies(pool, [FIRST, NEXT])
    await reaches(pool, NEXT.valid_from)
    with pytest.raises(BadPolicy, match="test version 2: has decided here"):
        await keep_policies(pool, [FIRST, version(2, "2025-07-03", days=1)])
    with pytest.raises(BadPolicy, match="test version 2: has decided here"):
        await keep_policies(pool, [FIRST])


async def test_the_first_version_holds_for_the_days_before_it(pool: asyncpg.Pool) -> None:
    await keep_policies(pool, [NEXT])
    await reaches(pool, date(2005, 1, 1))
    with pytest.raises(BadPolicy, match="test version 2: has decided here"):
        await keep_policies(pool, [replace(NEXT, grace=Grace(days=6))])
    with pytest.raises(BadPolicy, match="test version 1: valid_from: must begin after"):
        await keep_policies(pool, [version(1, "2000-01-01"), NEXT])


async def test_before_the_first_day_anything_may_change(pool: asyncpg.Pool) -> None:
    await keep_policies(pool, [FIRST])
    await keep_policies(pool, [NEXT])
    await keep_policies(pool, [])


class LaterGrace(Grace, frozen=True, kw_only=True):
    """As a newer release reads it."""

    episode_max: int = 1


async def test_a_rule_that_a_release_adds_changes_nothing_at_its_default(
    pool: asyncpg.Pool,
) -> None:
    await keep_policies(pool, [FIRST])
    await reaches(pool, OPEN)
    await keep_policies(pool, [replace(FIRST, grace=LaterGrace(days=5))])
    with pytest.raises(BadPolicy, match="has decided here"):
        await keep_policies(pool, [replace(FIRST, grace=LaterGrace(days=5, episode_max=2))])
