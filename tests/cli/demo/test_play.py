"""How far a demo is, what its screen says, and what it refuses to empty."""

from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from arrears.cli.client.installation import Installation, Started
from arrears.cli.client.trouble import Trouble, WrongUse
from arrears.cli.commands.running import settings_for
from arrears.cli.demo.play import Counts, Play, Seen
from arrears.cli.demo.prepare import prepare
from arrears.cli.demo.screen import Screen
from arrears.cli.feed.importer import Sent
from arrears.cli.feed.importing import Survey
from arrears.cli.stack import Supervisor

FIRST = date(2024, 5, 1)


def found(days: dict[date, int]) -> Survey:
    return Survey(
        lines=sum(days.values()),
        undecodable=0,
        too_long=0,
        far=0,
        closings=0,
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        types={},
        days=days,
    )


def installation(root: Path, **env: str) -> Installation:
    return Installation(root, env, Started())


class TestFraction:
    def test_it_grows_with_every_day_and_ends_with_1(self, tmp_path: Path) -> None:
        days = {FIRST: 5, FIRST + timedelta(days=3): 500, FIRST + timedelta(days=40): 1}
        play = Play(installation(tmp_path), Path("f"), found(days), lambda _seen: None)
        shares = [play.fraction(FIRST + timedelta(days=number)) for number in range(-1, 42)]
        assert shares == sorted(shares)
        assert shares[0] == 0.0
        assert shares[41] == shares[42] == 1.0
        assert shares[3] < 0.1
        assert shares[4] > 0.5

    def test_a_feed_without_a_day_cannot_be_played(self, tmp_path: Path) -> None:
        with pytest.raises(WrongUse, match="nothing to play"):
            Play(installation(tmp_path), Path("f"), found({}), lambda _seen: None)


class TestScreen:
    def test_elsewhere_than_on_a_terminal_lines_come_now_and_then(self) -> None:
        out = StringIO()
        seen = Seen(
            services={"intake": Counts(decided=1_000), "history": Counts(heard=900)},
            stages={"contact": 7},
            sent=Sent(survey=found({FIRST: 5})),
            day=FIRST,
            fraction=0.25,
            seconds=10.0,
        )
        with Screen(Console(file=out, width=200)) as screen:
            screen.draws(seen)
            screen.draws(seen)
            seen.note = "killed"
            screen.draws(seen)
        lines = out.getvalue().splitlines()
        assert len(lines) == 2
        assert "2024-05-01   25%  1,000 events decided, 900 in the history" in lines[0]
        assert "contact 7" in lines[0]
        assert "0:30 left" in lines[0]
        assert lines[1] == "killed"


class TestPrepare:
    @pytest.mark.parametrize(
        "address",
        [
            "postgresql://user:secret@db.bank:5432/postgres",
            "postgresql://db.bank:5432?user=user&password=secret",
        ],
    )
    def test_given_addresses_are_never_emptied_without_a_word(
        self, tmp_path: Path, address: str
    ) -> None:
        given = installation(tmp_path, ARREARS_KAFKA="kafka.bank:9092", ARREARS_POSTGRES=address)
        with pytest.raises(WrongUse, match=r"kafka\.bank:9092, db\.bank:5432") as caught:
            prepare(given, keep=False, yes=False, seed=7, say=lambda _line: None)
        assert "secret" not in str(caught.value)


class TestInstallation:
    def test_given_settings_come_before_what_was_started_here(self, tmp_path: Path) -> None:
        (tmp_path / ".local").mkdir()
        here = installation(tmp_path, ARREARS_CLOCK="live")
        here.remember(Started(listen={"intake": "127.0.0.1:9"}, settings={"ARREARS_CLOCK": "feed"}))
        again = Installation.find(tmp_path, {"ARREARS_ZONE": "Asia/Tokyo", "PATH": "x"})
        assert again.environment() == {
            "ARREARS_CLOCK": "feed",
            "ARREARS_ZONE": "Asia/Tokyo",
            "ARREARS_INTAKE_LISTEN": "127.0.0.1:9",
        }
        assert here.environment()["ARREARS_CLOCK"] == "live"
        assert again.url("intake") == "http://127.0.0.1:9"
        assert again.url("history") == "http://127.0.0.1:8105"

    def test_the_master_key_is_made_once_and_is_ours_alone(self, tmp_path: Path) -> None:
        (tmp_path / ".local").mkdir()
        here = installation(tmp_path)
        here.make_master_key()
        key = tmp_path / ".local" / "master-key"
        before = key.read_text()
        here.make_master_key()
        assert key.read_text() == before
        assert key.stat().st_mode & 0o777 == 0o600
        assert here.environment()["ARREARS_MASTER_KEY"] == before


@pytest.mark.parametrize(
    ("env", "option"),
    [({"ARREARS_CLOCK": "live"}, "--clock"), ({"ARREARS_SANDBOX_SEED": "8"}, "--seed")],
)
def test_a_variable_that_the_services_would_follow_instead_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str], option: str
) -> None:
    """Before anything is emptied: under another clock the days of the feed would never close."""
    monkeypatch.setattr(Installation, "ensured", None)
    with pytest.raises(WrongUse, match=option):
        prepare(installation(tmp_path, **env), keep=False, yes=False, seed=7, say=print)


def test_services_of_another_seed_are_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their sandbox would say other things than the feed then pays."""
    monkeypatch.setattr(Installation, "ensured", None)
    monkeypatch.setattr(Supervisor, "alive", lambda *_: True)
    given = Installation(tmp_path, {}, Started(settings=settings_for("feed", 7)))
    with pytest.raises(Trouble, match="runs under other settings"):
        prepare(given, keep=True, yes=False, seed=8, say=print)
