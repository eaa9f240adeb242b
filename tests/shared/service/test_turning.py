"""Protocol 3.10 on PostgreSQL: from the feed's clock to the wall clock, once, by a plan."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from arrears.shared.eventstore.leases import make_rows
from arrears.shared.eventstore.port import Change, PendingEffect
from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.eventstore.tables import metadata
from arrears.shared.kafka.settings import BadSetting
from arrears.shared.kernel.ids import (
    SHARD_COUNT,
    BorrowerId,
    CaseId,
    EventId,
    LoanKey,
    Shard,
    StreamName,
    shard_of,
)
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.transact import transact
from arrears.shared.runtime.workbench import Cause
from arrears.shared.service.turning import Spread, Turn, TurnPlan, keep_clock, spread_of
from arrears.shared.testing.toy import toy_stages
from arrears.shared.testing.toy_desk import NoticePlanned, Plan

pytestmark = pytest.mark.live
OPEN = date(2024, 3, 2)
NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
TODAY = date(2026, 3, 2)
CONTACT = toy_stages()[1]
BORROWERS = [BorrowerId(f"b{number}") for number in range(5)]
EFFECT = PendingEffect(
    shard=shard_of(BORROWERS[0]),
    event_id=EventId("e"),
    stream=StreamName("contact.borrower-b0"),
    borrower_id=BORROWERS[0],
    kind="letter",
    at=NOW,
)


@pytest.fixture(scope="module")
def dsn(service_database: Callable[[str], str]) -> str:
    return service_database("contact")


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[PostgresStore]:
    """Five borrowers with a notice that fell due two years ago, and one that is due next year."""
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=4)
    await pool.execute(f"TRUNCATE {', '.join(sorted(metadata.tables))} RESTART IDENTITY")
    await make_rows(pool, 0)
    made = PostgresStore(pool)
    for number in range(SHARD_COUNT):
        await made.open_first_day(Shard(number), OPEN)
    for borrower in BORROWERS:
        await _plan(made, borrower, datetime(2024, 3, 2, 10, tzinfo=UTC))
    await _plan(made, BorrowerId("later"), NOW + timedelta(days=300))
    await pool.execute(
        "UPDATE cursors SET published_seq = s.last_seq FROM shards AS s"
        " WHERE s.shard = cursors.shard"
    )
    await keep_clock(pool, "feed")
    yield made
    await pool.close()


async def _plan(store: PostgresStore, borrower: BorrowerId, due_at: datetime) -> None:
    planned = NoticePlanned(
        case_id=CaseId(f"case-{borrower}"), loan_key=LoanKey("l"), referral=1, send_at=due_at
    )
    await transact(
        CONTACT,
        store,
        Issue("contact.borrower", borrower, Plan(planned=planned)),
        borrower,
        cause=Cause(id=f"plan-{borrower}"),
        at=datetime(2024, 3, 1, 16, tzinfo=UTC),
        recorded_at=NOW,
    )


def _turn(store: PostgresStore, per_hour: int = 2) -> Turn:
    return Turn(CONTACT, store, store.pool, NOW, per_hour)


async def _timers(store: PostgresStore) -> dict[str, datetime]:
    return {
        row["stream"]: row["due_at"]
        for row in await store.pool.fetch("SELECT stream, due_at FROM timers")
    }


class TestPlan:
    async def test_it_says_what_is_overdue_and_what_would_follow(
        self, store: PostgresStore
    ) -> None:
        plan = await _turn(store).plan()
        assert (plan.clock, plan.open_day, plan.to_day) == ("feed", OPEN, TODAY)
        assert (plan.overdue, plan.obstacles) == (5, [])
        assert plan.follows == {"arrears.contact.notice_sent.v1": 5}
        assert plan.asks == {"letter": 5}
        assert (plan.first_at, plan.last_at) == (NOW, NOW + timedelta(hours=2))

    async def test_it_writes_nothing(self, store: PostgresStore) -> None:
        before = await _timers(store), await store.shard_states()
        await _turn(store).plan()
        assert (await _timers(store), await store.shard_states()) == before
        assert await spread_of(store.pool) is None


class TestTurn:
    async def test_overdue_timers_take_turns_and_others_stay(self, store: PostgresStore) -> None:
        plan = await _turn(store).carry_out("li.wei")
        assert (plan.turned, plan.moved_meanwhile) == (True, 0)
        timers = await _timers(store)
        half = timedelta(minutes=30)
        assert sorted(timers.values()) == [
            *(NOW + number * half for number in range(5)),
            NOW + timedelta(days=300),
        ]
        assert {state.open_day for state in await store.shard_states()} == {TODAY}
        kept = await spread_of(store.pool)
        assert kept is not None
        assert (kept.approved_by, kept.per_hour) == ("li.wei", 2)

    async def test_a_timer_that_moved_since_it_was_planned_stays_where_it_is(
        self, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A person's command is carried out while the plan is made."""
        turn, later = _turn(store), NOW + timedelta(days=9)

        async def commands_come(_plan: TurnPlan) -> None:
            move = "UPDATE timers SET due_at = $2 WHERE stream = $1"
            await store.pool.execute(move, "contact.borrower-b1", later)
            await store.pool.execute("DELETE FROM timers WHERE stream = 'contact.borrower-b2'")

        monkeypatch.setattr(turn, "_look_ahead", commands_come)
        plan = await turn.carry_out("li.wei")
        assert (plan.turned, plan.overdue, plan.moved_meanwhile) == (True, 5, 2)
        timers = await _timers(store)
        assert timers["contact.borrower-b1"] == later
        half = timedelta(minutes=30)
        assert [timers[f"contact.borrower-b{number}"] for number in (0, 3, 4)] == [
            NOW,
            NOW + 3 * half,
            NOW + 4 * half,
        ]

    async def test_a_worker_starts_under_the_new_clock_only(self, store: PostgresStore) -> None:
        with pytest.raises(BadSetting, match="arrears clock live"):
            await keep_clock(store.pool, "live")
        await _turn(store).carry_out("li.wei")
        await keep_clock(store.pool, "live")
        with pytest.raises(BadSetting, match="ARREARS_CLOCK=live"):
            await keep_clock(store.pool, "feed")

    async def test_twice_is_once(self, store: PostgresStore) -> None:
        await _turn(store).carry_out("li.wei")
        before = await _timers(store)
        again = await _turn(store, per_hour=9).carry_out("wang.fang")
        assert (again.clock, again.turned) == ("live", False)
        assert await _timers(store) == before

    @pytest.mark.parametrize(
        ("trouble", "words"),
        [
            ("INSERT INTO workers VALUES ('w', now() + interval '1 hour')", "1 workers run"),
            ("UPDATE shards SET open_day = open_day + 1 WHERE shard = 3", "shards stand at"),
            ("UPDATE cursors SET published_seq = 0", "6 events are not published"),
        ],
    )
    async def test_a_service_that_is_not_at_rest_stays(
        self, store: PostgresStore, trouble: str, words: str
    ) -> None:
        await store.pool.execute(trouble)
        before = await _timers(store)
        plan = await _turn(store).carry_out("li.wei")
        assert not plan.turned
        assert [words in one for one in plan.obstacles] == [True]
        assert await _timers(store) == before
        assert await store.pool.fetchval("SELECT value FROM settings WHERE name='clock'") == "feed"

    async def test_unanswered_effects_are_in_the_way(self, store: PostgresStore) -> None:
        await store.commit(Change(effects_added=[EFFECT]))
        assert (await _turn(store).plan()).obstacles == ["1 effects have no answer"]


def test_a_rebuild_knows_why_a_spread_timer_is_late() -> None:
    spread = Spread(
        first_at=NOW, last_at=NOW + timedelta(hours=2), per_hour=2, approved_by="x", made_at=NOW
    )
    computed = NOW - timedelta(days=700)
    assert spread.explains(NOW + timedelta(hours=1), computed)
    assert not spread.explains(NOW + timedelta(hours=3), computed)
    assert not spread.explains(None, computed)
    assert not spread.explains(NOW, NOW + timedelta(hours=1))


async def test_a_rebuild_goes_on_today_and_wakes_what_is_overdue_in_turn(
    store: PostgresStore,
) -> None:
    """It knows of no turn, and an effect without its answer is no reason to stay."""
    await store.pool.execute("DELETE FROM settings")
    await store.pool.execute("UPDATE shards SET open_day = $1 WHERE shard = 3", TODAY)
    await store.commit(Change(effects_added=[EFFECT]))
    plan = await Turn(CONTACT, store, store.pool, NOW, 3600).go_on()
    assert (plan.turned, plan.overdue) == (True, len(BORROWERS))
    assert {state.open_day for state in await store.shard_states()} == {TODAY}
    assert not await store.timers([Shard(n) for n in range(SHARD_COUNT)], NOW)
    await keep_clock(store.pool, "live")
    spread = await spread_of(store.pool)
    assert spread is not None
    assert spread.approved_by == "rebuild"
