"""`arrears day close`: the plan that is made before anything is closed."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from arrears.cli.client.installation import Installation
from arrears.cli.client.trouble import WrongUse
from arrears.cli.commands.day import plan_for, planned
from arrears.cli.feed.importer_topic import close_days
from arrears.cli.feed.importing import Opened
from arrears.cli.main import app
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.testing.memory_bus import MemoryBus

OPENED = Opened(first_day=date(2024, 5, 1), open_day=date(2024, 5, 10))


class TestPlan:
    def test_without_a_wish_it_is_the_day_after_the_last_closed_one(self) -> None:
        plan, first_day = plan_for(OPENED, None, 4, yes=False)
        assert (plan.first, plan.last, plan.days) == (date(2024, 5, 10), date(2024, 5, 10), 1)
        assert (plan.last_closed, first_day) == (date(2024, 5, 9), date(2024, 5, 1))

    @pytest.mark.parametrize("days", [30, 31])
    def test_31_days_need_yes(self, days: int) -> None:
        to = OPENED.open_day + timedelta(days=days)
        if days == 30:
            assert plan_for(OPENED, to, 4, yes=False)[0].days == 31
        else:
            with pytest.raises(WrongUse, match="--yes"):
                plan_for(OPENED, to, 4, yes=False)
        assert plan_for(OPENED, to, 4, yes=True)[0].last == to

    def test_a_day_that_is_closed_already_is_wrong_use(self) -> None:
        with pytest.raises(WrongUse, match="closed already"):
            plan_for(OPENED, date(2024, 5, 9), 4, yes=True)

    def test_the_first_day_of_all_must_be_named(self) -> None:
        with pytest.raises(WrongUse, match="name the first one"):
            plan_for(None, None, 4, yes=True)
        plan, first_day = plan_for(None, date(2024, 5, 1), 4, yes=False)
        assert (plan.first, first_day, plan.last_closed) == (date(2024, 5, 1),) * 2 + (None,)

    @pytest.mark.parametrize("to", [date(224, 1, 31), date(2200, 1, 1), date(9999, 12, 31)])
    def test_a_day_that_no_closing_may_name(self, to: date) -> None:
        with pytest.raises(WrongUse, match="is not between 1900-01-01 and 2199-12-31"):
            plan_for(None, to, 4, yes=True)


def test_under_the_wall_clock_nobody_closes_a_day_by_hand(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARREARS_CLOCK", "live")
    monkeypatch.setattr(Installation, "ensured", None)
    result = CliRunner().invoke(app, ["day", "close", "--yes"])
    assert result.exit_code == 1
    assert "midnight" in result.stderr


class TestDryRun:
    def test_it_starts_nothing(self, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Installation, "ensured", None)
        result = CliRunner().invoke(app, ["day", "close", "--dry-run"])
        assert result.exit_code == 1
        assert "a dry run starts none" in result.stderr
        assert list((checkout / ".local").iterdir()) == []

    def test_a_kafka_that_is_down_is_named(
        self, checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Installation, "ensured", None)
        monkeypatch.setenv("ARREARS_KAFKA", "127.0.0.1:1")
        result = CliRunner().invoke(app, ["day", "close", "--dry-run"])
        assert result.exit_code == 1
        assert "127.0.0.1:1" in result.stderr

    async def test_a_topic_that_is_not_there_is_planned_and_not_made(self) -> None:
        bus = MemoryBus()
        settings = KafkaSettings(servers="kafka:9092", feed_partitions=8)
        plan = await planned(bus, settings, date(2024, 5, 1))
        assert (plan.partitions, plan.last_closed, plan.closed) == (8, None, False)
        with pytest.raises(LookupError):
            await bus.partition_count(FEED_TOPIC)

    async def test_a_topic_is_planned_from_its_own_closings(self) -> None:
        bus = MemoryBus()
        await bus.ensure_topic(FEED_TOPIC, partitions=2, retention_ms=-1)
        days = [date(2024, 5, 1), date(2024, 5, 2)]
        await close_days(bus.publisher(), days, days[0], 2, BankCalendar("Asia/Shanghai"))
        plan = await planned(bus, KafkaSettings(servers="kafka:9092"), None)
        assert (plan.partitions, plan.last_closed, plan.first) == (2, days[1], date(2024, 5, 3))
