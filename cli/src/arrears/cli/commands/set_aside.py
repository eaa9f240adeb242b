"""`arrears refused` and `arrears parked`: input that was set aside, looked at and repaired."""

import sys
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from arrears.cli.client.http import Api
from arrears.cli.client.installation import STAGES, Installation
from arrears.cli.client.trouble import Trouble, WrongUse, printable, told
from arrears.cli.commands.output import AsJson, console, print_json, table

refused_app = typer.Typer(
    help="Input of the bank that broke a rule: set aside alone, while the rest went on.",
    no_args_is_help=True,
)
parked_app = typer.Typer(
    help="Borrowers whose input waits behind a failure of ours, in order.", no_args_is_help=True
)
PAGE: Final = 500
OneService = Annotated[
    str, typer.Option("--service", help=f"Whose: {', '.join(STAGES)}.", metavar="SERVICE")
]
AnyService = Annotated[
    str | None,
    typer.Option("--service", help="One service alone. Default: all.", metavar="SERVICE"),
]
Borrower = Annotated[str, typer.Argument(metavar="BORROWER", help="As `parked list` names it.")]


@refused_app.command("list")
def list_refused(
    service: OneService = "intake",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    after: Annotated[int, typer.Option(min=0, help="Behind this number.")] = 0,
    as_json: AsJson = False,
) -> None:
    """What was set aside, with reason and field; the first ones first."""
    with told():
        api = stage_api(service)
        counts = api.get("/refused/counts")["items"]
        items = paged(api, "/refused", after=after, limit=limit)
    if as_json:
        print_json({"service": service, "counts": counts, "items": items})
        return
    shown = console()
    total = sum(one["count"] for one in counts)
    shown.print(f"{service} has set aside {total:,}")
    rows = ([one["count"], one["reason"], one["field"]] for one in counts)
    shown.print(table(["count", "reason", "field"], rows, "count"))
    if items:
        shown.print()
        columns = ["number", "day", "reason", "field", "borrower_id", "origin", "bytes"]
        cells = ([one[name] for name in columns] for one in items)
        shown.print(table(columns, cells, "number bytes"))


@refused_app.command("show")
def show_refused(
    number: Annotated[int, typer.Argument(help="As `refused list` numbers it.")],
    purpose: Annotated[
        str | None,
        typer.Option(help="Why its text has to be read; recorded with your name."),
    ] = None,
    service: OneService = "intake",
    as_json: AsJson = False,
) -> None:
    """One of them; with a purpose also its text, which may name a person."""
    with told():
        api = stage_api(service)
        if purpose is None:
            found = api.get(f"/refused/{number}")
        else:
            found = api.post(f"/refused/{number}/read", {"purpose": purpose})
    _show(found, as_json=as_json)


@parked_app.command("list")
def list_parked(service: AnyService = None, as_json: AsJson = False) -> None:
    """Who waits, in which service, behind which failure."""
    with told():
        items = _parked(service)
    if as_json:
        print_json({"items": items})
        return
    if not items:
        typer.echo("nothing is parked")
        return
    columns = ["service", "borrower_id", "waiting", "day", "error", "origin", "parked_at"]
    console().print(table(columns, ([one[name] for name in columns] for one in items), "waiting"))


@parked_app.command("show")
def show_parked(borrower: Borrower, service: AnyService = None, as_json: AsJson = False) -> None:
    """One borrower whose input waits."""
    with told():
        _show(_one_parked(borrower, service), as_json=as_json)


@parked_app.command()
def retry(borrower: Borrower, service: AnyService = None, as_json: AsJson = False) -> None:
    """Handle what waits again, in order, on the open day."""
    with told():
        found = _one_parked(borrower, service)
        path = f"/parked/{quote(borrower, safe='')}/retry"
        answer = stage_api(found["service"]).post(path)
    _done(found, "will be handled again", answer, as_json=as_json)


@parked_app.command()
def skip(
    borrower: Borrower,
    reason: Annotated[str, typer.Option(help="Why; it is recorded with your name.")],
    approved_by: Annotated[str, typer.Option(help="A second member of staff, recorded.")],
    service: AnyService = None,
    as_json: AsJson = False,
) -> None:
    """Leave out the input that failed, with a reason: an event, and outside of the digest."""
    with told():
        if not reason.strip():
            raise WrongUse("--reason", "says why the input is left out; it must not be empty")
        found = _one_parked(borrower, service)
        path = f"/parked/{quote(borrower, safe='')}/skip"
        said = {"origin": found["origin"], "reason": reason, "approved_by": approved_by}
        answer = stage_api(found["service"]).post(path, said)
    _done(found, "is left out", answer, as_json=as_json)


def stage_api(service: str) -> Api:
    if service not in STAGES:
        raise WrongUse("--service", f"{service!r} is not one of {', '.join(STAGES)}")
    return Api(Installation.find(), service)


def paged(
    api: Api, path: str, *, after: int | None = None, limit: int = sys.maxsize
) -> list[dict[str, Any]]:
    """The items of all pages behind `after`, at most `limit`."""
    items: list[dict[str, Any]] = []
    following: object = after
    while True:
        page = api.get(path, after=following, limit=min(PAGE, limit - len(items)))
        items += page["items"]
        following = page["next"]
        if following is None or len(items) >= limit:
            return items


def _parked(service: str | None) -> list[dict[str, Any]]:
    asked = STAGES if service is None else (service,)
    return [
        {"service": name, **one}
        for name in asked
        for one in stage_api(name).get("/parked")["items"]
    ]


def _one_parked(borrower: str, service: str | None) -> dict[str, Any]:
    found = [one for one in _parked(service) if one["borrower_id"] == borrower]
    if not found:
        where = "" if service is None else f" in {service}"
        raise Trouble(f"BORROWER: nothing of {borrower!r} is parked{where}")
    if len(found) > 1:
        names = ", ".join(one["service"] for one in found)
        raise WrongUse("--service", f"{borrower!r} is parked in {names}: name one")
    return found[0]


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    console().print(table(["", ""], found.items()))


def _done(found: dict[str, Any], said: str, answer: Any, *, as_json: bool) -> None:
    if as_json:
        print_json({**found, "answer": answer})
        return
    typer.echo(f"{found['service']}: the input of {printable(found['borrower_id'])} {said}")
