"""`arrears day close`: the plan that is made before anything is closed."""

from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from arrears.cli.client.installation import Installation
from arrears.cli.client.trouble import WrongUse
from arrears.cli.commands.day import plan_for
from arrears.cli.feed.importing import Opened
from arrears.cli.main import app

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


def test_under_the_wall_clock_nobody_closes_a_day_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Installation, "ensured", lambda _: {"ARREARS_CLOCK": "live"})
    result = CliRunner().invoke(app, ["day", "close", "--yes"])
    assert result.exit_code == 1
    assert "midnight" in result.stderr
