"""`arrears doubt`: effects of which nobody knows whether they were carried out."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from arrears.cli.client.installation import STAGES
from arrears.cli.client.trouble import Trouble, WrongUse, printable, told
from arrears.cli.commands.output import AsJson, console, print_json, table
from arrears.cli.commands.set_aside import AnyService, paged, stage_api

doubt_app = typer.Typer(
    help="What may have left before a crash: looked into by staff, and settled.",
    no_args_is_help=True,
)


@doubt_app.command("list")
def list_doubts(service: AnyService = None, as_json: AsJson = False) -> None:
    """What is in doubt, in which service, and when it was sent."""
    with told():
        items = _in_doubt(service)
    if as_json:
        print_json({"items": items})
        return
    if not items:
        typer.echo("nothing is in doubt")
        return
    columns = ["service", "event_id", "kind", "borrower_id", "stream", "asked_at", "sent_at"]
    console().print(table(columns, ([one[name] for name in columns] for one in items), ""))


@doubt_app.command()
def settle(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="As `doubt list` names it.")],
    carried_out: Annotated[
        bool,
        typer.Option(
            "--carried-out/--not-carried-out",
            help="What you found out. What was not carried out is sent again: "
            "the worker that was sending it must have ended.",
            show_default=False,
        ),
    ],
    note: Annotated[str, typer.Option(help="How you know; it is recorded with your name.")],
    service: AnyService = None,
    as_json: AsJson = False,
) -> None:
    """Say whether it was carried out: an event. What waits of the borrower goes on."""
    with told():
        if not note.strip():
            raise WrongUse("--note", "says how you know; it must not be empty")
        found = _one(event, service)
        path = f"/in_doubt/{quote(event, safe='')}/settle"
        body = {"carried_out": carried_out, "note": note}
        answer = stage_api(found["service"]).post(path, body)
    if as_json:
        print_json({**found, "answer": answer})
        return
    what = "goes on without an answer" if carried_out else "is sent again"
    typer.echo(f"{found['service']}: {found['kind']} of {printable(found['borrower_id'])} {what}")


def _in_doubt(service: str | None) -> list[dict[str, Any]]:
    asked = STAGES if service is None else (service,)
    return [
        {"service": name, **one} for name in asked for one in paged(stage_api(name), "/in_doubt")
    ]


def _one(event: str, service: str | None) -> dict[str, Any]:
    """An id is of one service only."""
    for one in _in_doubt(service):
        if one["event_id"] == event:
            return one
    where = "" if service is None else f" in {service}"
    raise Trouble(f"EVENT: {event!r} is not in doubt{where}")
