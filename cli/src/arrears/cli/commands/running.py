"""`arrears up | down | migrate | status`: the services on this machine, and how they are doing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Final, Literal

import typer

from arrears.cli.client import services
from arrears.cli.client.http import Api
from arrears.cli.client.installation import SERVICES, STAGES, Installation, Started
from arrears.cli.client.trouble import Trouble, WrongUse, told
from arrears.cli.commands.output import AsJson, console, foreign, print_json, table
from arrears.cli.feed.generate import SEED_MAX
from arrears.cli.stack import Supervisor, stop_stack

DEFAULT_SEED: Final = 7
_MOVES: Final = ("ARREARS_CLOCK", "ARREARS_SANDBOX_SEED", "ARREARS_ZONE")
COLUMNS: Final = "heard decided published backlog refused parked duplicates"


def settings_for(clock: str, seed: int | None, zone: str | None = None) -> dict[str, str]:
    """How services run on one machine: a name in a header is believed, for nobody else calls."""
    settings = {
        "ARREARS_CLOCK": clock,
        "ARREARS_ZONE": zone or "Asia/Shanghai",
        "ARREARS_API_DEVELOPMENT": "yes",
    }
    if seed is not None:
        settings["ARREARS_SANDBOX_SEED"] = str(seed)
    return settings


def chosen_settings(
    installation: Installation, clock: str | None, seed: int | None
) -> dict[str, str]:
    """What `up` starts with: what was said now, then variables, then as before.

    Raises WrongUse where an option and a variable, which the services follow, differ.
    """
    given, before = installation.given, installation.started.settings
    for name, option, said in (
        ("ARREARS_CLOCK", "--clock", clock),
        ("ARREARS_SANDBOX_SEED", "--seed", None if seed is None else str(seed)),
    ):
        if said is not None and given.get(name, said) != said:
            raise WrongUse(option, f"{said} is said here, and {given[name]} by {name}")
    earlier = before.get("ARREARS_CLOCK", "feed")
    chosen = clock or given.get("ARREARS_CLOCK") or earlier
    if seed is None:
        # In `live` the sandbox answers only where somebody asked for it.
        known = before.get("ARREARS_SANDBOX_SEED") if chosen == earlier else None
        seed = int(known) if known else DEFAULT_SEED if chosen == "feed" else None
    return settings_for(chosen, seed, given.get("ARREARS_ZONE") or before.get("ARREARS_ZONE"))


def running_under(installation: Installation, chosen: dict[str, str]) -> list[str]:
    """The services that run. Raises Trouble where other settings move them."""
    running = [name for name in SERVICES if Supervisor(installation.root).alive(name)]
    before = installation.started.settings
    if running and any(chosen.get(name) != before.get(name) for name in _MOVES):
        raise Trouble(f"{', '.join(running)}: runs under other settings; `arrears down` first")
    return running


def up(
    clock: Annotated[
        Literal["feed", "live"] | None,
        typer.Option(help="What moves time. Default: as before, at first `feed`."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=SEED_MAX, help="Turns the sandbox on. Default: as before, first 7 in `feed`."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start Kafka, PostgreSQL and the five services, or find them running. They stay."""

    def say(line: str) -> None:
        typer.echo(line, err=as_json)

    with told():
        installation = Installation.find()
        before = installation.started
        chosen = chosen_settings(installation, clock, seed)
        installation.ensured(say)
        installation.make_master_key()
        running = running_under(installation, chosen)
        if len(running) < len(SERVICES):
            listen = services.choose_ports(installation, say)
            listen |= {name: before.listen[name] for name in running}
            installation.remember(Started(listen=listen, settings=chosen))
            try:
                services.migrate_all(installation, say)
                services.start(installation, SERVICES)
                services.wait_until_up(installation, SERVICES)
            except Trouble:
                # What the services refuse to start with is no default of the next start.
                installation.remember(Started(listen=listen, settings=before.settings))
                raise
        else:
            services.wait_until_up(installation, SERVICES)
        addresses = {name: installation.url(name) for name in SERVICES}
    if as_json:
        print_json(addresses)
        return
    for name, address in addresses.items():
        found = "runs already" if name in running else "started"
        say(f"{name:<10} {found}: {address} (API at {address}/docs)")


def down(as_json: AsJson = False) -> None:
    """Stop what was started from this checkout, and nothing else."""
    with told():
        installation = Installation.find()

        def say(line: str) -> None:
            typer.echo(line, err=as_json)

        stopped = stop_stack(installation.root, say)
        if running := [name for name in stopped if name in SERVICES]:
            say(f"services: stopped {', '.join(running)}")
    if as_json:
        print_json({"stopped": stopped})
    elif not stopped:
        typer.echo("nothing was running that was started here")


def migrate(as_json: AsJson = False) -> None:
    """Make every service's database and the key store, or bring them to the newest tables."""
    lines: list[str] = []
    with told():
        installation = Installation.find()
        installation.ensured()
        installation.make_master_key()
        services.migrate_all(installation, lines.append)
    if as_json:
        print_json({"migrated": lines})
        return
    for line in lines:
        typer.echo(line)


def status(as_json: AsJson = False) -> None:
    """What each service has heard, decided, published and set aside; its day; what it waits for."""
    with told():
        installation = Installation.find()
        found = ask_all(installation)
    if as_json:
        print_json(found)
    else:
        _print(found)
    if not any(one.get("answers") for one in found.values()):
        raise typer.Exit(1)


def ask_all(installation: Installation) -> dict[str, dict[str, Any]]:
    """The status of every service; one that does not answer says why."""
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        answers = pool.map(lambda name: _ask(installation, name), SERVICES)
        return dict(zip(SERVICES, answers, strict=True))


def _ask(installation: Installation, service: str) -> dict[str, Any]:
    try:
        api = Api(installation, service)
        if service in STAGES:
            return {"answers": True, **api.get("/status")}
        days = api.get("/days")
        return {
            "answers": True,
            "service": service,
            "closed_everywhere": days["closed_everywhere"],
            "closed": days["services"],
            "events": sum(days["events"].values()),
            "heard": sum(days["events"].values()),
        }
    except Trouble as error:
        return {"answers": False, "service": service, "error": str(error)}


def _print(found: dict[str, dict[str, Any]]) -> None:
    shown = console()
    names = ["service", "day", *COLUMNS.split()]
    rows = []
    for service, one in found.items():
        if one["answers"]:
            day = one.get("min_open_day") or one.get("closed_everywhere")
            rows.append([service, day, *(one.get(name) for name in COLUMNS.split())])
    shown.print(table(names, rows, COLUMNS))
    for service, one in found.items():
        if not one["answers"]:
            shown.print(f"{service}: {foreign(one['error'])}")
        for text in one.get("waits_for") or ():
            shown.print(f"{service} waits for {foreign(text)}")
        if one.get("trouble"):
            shown.print(f"{service} has trouble: {foreign(one['trouble'])}")
        if one.get("in_doubt"):
            shown.print(f"{service} has {one['in_doubt']} effects in doubt")
