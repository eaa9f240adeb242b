"""`arrears clock live`: a plan first, an approval, all four services or a clear word."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from arrears.cli.client.installation import STAGES, Installation
from arrears.cli.commands import clock
from arrears.cli.main import app
from arrears.cli.stack import Supervisor
from arrears.cli.stack.folder import free_ports


class Services:
    """The four services' `clock` programs; `asked` is who approved what, None for a plan."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.open_days = dict.fromkeys(STAGES, "2024-03-02")
        self.obstacles: dict[str, list[str]] = {}

    def ask(
        self,
        _installation: Installation,
        service: str,
        _env: dict[str, str],
        per_hour: int,
        approved_by: str | None = None,
    ) -> dict[str, Any]:
        self.asked.append((service, approved_by))
        return {
            "service": service,
            "clock": "feed",
            "open_day": self.open_days[service],
            "to_day": "2026-03-02",
            "overdue": 3,
            "oldest": None,
            "first_at": "2026-03-02T01:00:00Z",
            "last_at": "2026-03-02T02:00:00Z",
            "per_hour": per_hour,
            "follows": {"arrears.contact.attempt_permitted.v1": 3},
            "asks": {"sms": 3},
            "fails": {},
            "obstacles": self.obstacles.get(service, []),
            "turned": approved_by is not None,
        }


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    made = Services()
    monkeypatch.setattr(clock, "_ask", made.ask)
    monkeypatch.setattr(Installation, "ensured", lambda *_: {})
    monkeypatch.setattr(Installation, "as_it_runs", lambda *_: {})
    monkeypatch.setattr(clock, "_remember", lambda _installation: None)
    monkeypatch.setattr(Supervisor, "alive", lambda *_: False)
    monkeypatch.setenv("ARREARS_STAFF", "li.wei")
    return made


def _run(*words: str) -> Any:
    return CliRunner().invoke(app, ["clock", "live", *words])


def test_a_dry_run_shows_the_plan_and_asks_for_nothing(services: Services) -> None:
    done = _run("--dry-run", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert [plan["overdue"] for plan in said["services"]] == [3] * 4
    assert services.asked == [(name, None) for name in STAGES]


def test_a_dry_run_starts_nothing(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Installation, "ensured", None)
    done = _run("--dry-run")
    assert done.exit_code == 1
    assert "`arrears stack up`" in done.stderr
    assert list((checkout / ".local").iterdir()) == []
    monkeypatch.setenv("ARREARS_POSTGRES", f"postgresql://a:sesame@127.0.0.1:{free_ports(1)[0]}/p")
    done = _run("--dry-run")
    assert (done.exit_code, "sesame" in done.output) == (1, False)
    assert "`arrears stack up`" in done.stderr


def test_an_approved_plan_is_carried_out_in_every_service(services: Services) -> None:
    done = _run("--yes", "--per-hour", "50")
    assert done.exit_code == 0, done.output
    assert services.asked[4:] == [(name, "li.wei") for name in STAGES]
    assert "turned to live" in done.output
    assert "3 x sms" in done.output


def test_nobody_turns_it_without_an_approval(services: Services) -> None:
    done = _run()
    assert done.exit_code == 1
    assert all(approved is None for _, approved in services.asked)


def test_running_services_are_in_the_way(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "alive", lambda _self, name: name == "legal")
    done = _run("--yes")
    assert done.exit_code == 1
    assert "legal run: `arrears down` stops them" in " ".join(done.output.split())
    assert all(approved is None for _, approved in services.asked)


@pytest.mark.parametrize("dry", [True, False])
def test_one_service_in_the_way_stops_all(services: Services, *, dry: bool) -> None:
    services.obstacles["legal"] = ["2 effects have no answer"]
    services.open_days["legal"] = "2024-03-01"
    done = _run("--dry-run" if dry else "--yes")
    assert done.exit_code == (0 if dry else 1)
    assert "2 effects have no answer" in done.output
    assert "different days" in done.output
    assert all(approved is None for _, approved in services.asked)
