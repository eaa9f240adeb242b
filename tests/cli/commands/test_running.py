"""`arrears up`: which settings the services get, and when a start is refused."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from arrears.cli.client import services
from arrears.cli.client.installation import SERVICES, Installation, Started
from arrears.cli.client.trouble import Trouble, WrongUse
from arrears.cli.commands.running import DEFAULT_SEED, chosen_settings, settings_for
from arrears.cli.main import app
from arrears.cli.stack import Supervisor

LISTEN = {name: "127.0.0.1:1" for name in SERVICES}


def chosen(
    given: dict[str, str],
    before: dict[str, str] | None = None,
    clock: str | None = None,
    seed: int | None = None,
) -> tuple[str, str | None]:
    installation = Installation(Path("/none"), given, Started(settings=before or {}))
    found = chosen_settings(installation, clock, seed)
    return found["ARREARS_CLOCK"], found.get("ARREARS_SANDBOX_SEED")


FEED_BEFORE = settings_for("feed", 9)
LIVE_BEFORE = settings_for("live", None)


@pytest.mark.parametrize(
    ("given", "before", "clock", "seed", "wanted"),
    [
        ({}, None, None, None, ("feed", str(DEFAULT_SEED))),
        ({}, FEED_BEFORE, None, None, ("feed", "9")),
        ({}, FEED_BEFORE, "live", None, ("live", None)),
        ({}, FEED_BEFORE, "live", 3, ("live", "3")),
        ({}, LIVE_BEFORE, None, None, ("live", None)),
        ({"ARREARS_CLOCK": "live"}, None, None, None, ("live", None)),
        ({"ARREARS_CLOCK": "live"}, FEED_BEFORE, None, None, ("live", None)),
        ({"ARREARS_CLOCK": "live"}, None, "live", None, ("live", None)),
    ],
)
def test_the_sandbox_answers_in_live_only_where_it_was_asked_for(
    given: dict[str, str],
    before: dict[str, str] | None,
    clock: str | None,
    seed: int | None,
    wanted: tuple[str, str | None],
) -> None:
    assert chosen(given, before, clock, seed) == wanted


@pytest.mark.parametrize(
    ("given", "clock", "seed", "option"),
    [
        ({"ARREARS_CLOCK": "live"}, "feed", None, "--clock"),
        ({"ARREARS_SANDBOX_SEED": "7"}, None, 8, "--seed"),
    ],
)
def test_an_option_and_a_variable_that_differ(
    given: dict[str, str], clock: str | None, seed: int | None, option: str
) -> None:
    with pytest.raises(WrongUse, match=option):
        chosen(given, None, clock, seed)


def test_the_zone_stays_as_it_was() -> None:
    before = settings_for("feed", 7, "Europe/Berlin")
    installation = Installation(Path("/none"), {}, Started(settings=before))
    assert chosen_settings(installation, None, None)["ARREARS_ZONE"] == "Europe/Berlin"


@pytest.fixture
def machine(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A checkout whose services ran before under the feed's clock; nothing real is started."""
    installation = Installation(checkout, {}, Started(listen=LISTEN, settings=FEED_BEFORE))
    monkeypatch.setattr(Installation, "find", lambda: installation)
    monkeypatch.setattr(Installation, "ensured", lambda self, _say: self.environment())
    monkeypatch.setattr(services, "choose_ports", lambda *_: dict(LISTEN))
    for name in ("migrate_all", "start", "wait_until_up"):
        monkeypatch.setattr(services, name, lambda *_: None)
    return installation


def test_services_that_run_are_not_said_to_run_otherwise(
    machine: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "alive", lambda *_: True)
    assert CliRunner().invoke(app, ["up"]).exit_code == 0
    result = CliRunner().invoke(app, ["up", "--clock", "live"])
    assert result.exit_code == 1
    assert "runs under other settings; `arrears down` first" in result.stderr
    assert machine.started.settings == FEED_BEFORE


def test_what_the_services_refuse_is_not_remembered(
    machine: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Trouble("intake ended: the database has another clock")

    monkeypatch.setattr(services, "wait_until_up", refuse)
    result = CliRunner().invoke(app, ["up", "--clock", "live"])
    assert result.exit_code == 1
    assert "another clock" in result.stderr
    assert machine.started.settings == FEED_BEFORE


def test_a_start_is_remembered(machine: Installation) -> None:
    assert CliRunner().invoke(app, ["up", "--clock", "live"]).exit_code == 0
    assert machine.started.settings == settings_for("live", None)


@pytest.mark.parametrize("seed", ["-1", "1" + "0" * 18])
def test_a_seed_that_no_service_takes_is_named_before_anything_is_started(
    checkout: Path, seed: str
) -> None:
    result = CliRunner().invoke(app, ["up", "--seed", seed])
    assert result.exit_code == 2
    assert "--seed" in result.stderr
    assert not list((checkout / ".local").iterdir())
