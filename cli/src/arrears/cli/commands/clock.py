"""`arrears clock`: what moves time, and the one step from the feed's clock to the wall clock."""

import json
import os
import subprocess
import sys
from typing import Annotated, Any

import typer

from arrears.cli.client import services
from arrears.cli.client.http import staff_name
from arrears.cli.client.installation import SERVICES, STAGES, Installation, Started, entry_point
from arrears.cli.client.trouble import Trouble, told
from arrears.cli.commands.output import AsJson, console, print_json, table
from arrears.cli.stack import Supervisor
from arrears.shared.service.turning import PER_HOUR

clock_app = typer.Typer(
    help="What moves time: the bank's closings, or the wall clock.", no_args_is_help=True
)
Plan = dict[str, Any]


@clock_app.command()
def live(
    per_hour: Annotated[
        int,
        typer.Option(min=1, max=100_000, help="Overdue timers an hour, from 9 to 18 o'clock."),
    ] = PER_HOUR,
    dry: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="The plan is approved; do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Go from the feed's clock to the wall clock: once, and never back.

    Overdue deadlines are spread over the coming working hours. The services must be stopped.
    """
    with told():
        installation = Installation.find()
        env = installation.as_it_runs() if dry else installation.ensured()
        plans = [_ask(installation, service, env, per_hour) for service in STAGES]
        obstacles = _obstacles(installation, plans)
        if not dry:
            if obstacles:
                raise Trouble(f"the clock cannot be turned: {'; '.join(obstacles)}")
            _approve(plans, yes=yes, as_json=as_json)
            name = staff_name(installation.given)
            plans = [_ask(installation, service, env, per_hour, name) for service in STAGES]
            if found := _obstacles(installation, plans):
                raise Trouble(f"not every service turned: {'; '.join(found)}; try again")
            _remember(installation)
    if as_json:
        print_json({"services": plans, "obstacles": obstacles})
    else:
        _show(plans, obstacles)


def _ask(
    installation: Installation,
    service: str,
    env: dict[str, str],
    per_hour: int,
    approved_by: str | None = None,
) -> Plan:
    command = [entry_point(service), "clock", "--per-hour", str(per_hour)]
    if approved_by is not None:
        command += ["--turn", "--approved-by", approved_by]
    done = subprocess.run(
        command,
        env={**os.environ, **env, **services.compiled_once(installation)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Trouble(f"{service}: {(done.stderr.strip() or done.stdout.strip())[-500:]}")
    plan: Plan = json.loads(done.stdout)
    return plan


def _obstacles(installation: Installation, plans: list[Plan]) -> list[str]:
    """What forbids the step. A service that has turned already stands in nobody's way."""
    found = [f"{plan['service']}: {words}" for plan in plans for words in plan["obstacles"]]
    supervisor = Supervisor(installation.root)
    running = [name for name in SERVICES if supervisor.alive(name)]
    if running:
        found.append(f"{', '.join(running)} run: `arrears down` stops them")
    days = {str(plan["open_day"]) for plan in plans if plan["clock"] == "feed"}
    if len(days) > 1:
        found.append(f"the services stand at different days: {', '.join(sorted(days))}")
    return found


def _approve(plans: list[Plan], *, yes: bool, as_json: bool) -> None:
    """A program that asks nobody has --yes; a person at a terminal sees the plan and is asked."""
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise Trouble("the plan needs an approval: look at it with --dry-run, then add --yes")
    _show(plans, [])
    if not typer.confirm("There is no way back. Go on?", err=True):
        raise Trouble("nothing was changed")


def _remember(installation: Installation) -> None:
    """The next `arrears up` starts the services under the clock that they now have."""
    started = installation.started
    if started.settings:
        settings = {**started.settings, "ARREARS_CLOCK": "live"}
        installation.remember(Started(listen=started.listen, settings=settings))


def _show(plans: list[Plan], obstacles: list[str]) -> None:
    shown = console()
    shown.print(
        table(
            ["service", "clock", "open day", "becomes", "overdue", "first woken", "last woken"],
            [
                [
                    plan["service"],
                    "turned to live" if plan["turned"] else plan["clock"],
                    plan["open_day"] or "none",
                    plan["to_day"] if plan["clock"] == "feed" else "",
                    plan["overdue"],
                    plan["first_at"] or "",
                    plan["last_at"] or "",
                ]
                for plan in plans
            ],
            numbers="overdue",
        )
    )
    for plan in plans:
        for title, counts in (
            ("asks the outside world", plan["asks"]),
            ("would fail and be parked", plan["fails"]),
            ("would follow", plan["follows"]),
        ):
            for name, count in sorted(counts.items(), key=lambda one: -one[1]):
                shown.print(f"{plan['service']}: {title}: {count} x {name}")
    for words in obstacles:
        shown.print(f"in the way: {words}")
