"""`arrears borrower`: what is done with one person's data."""

from typing import Annotated
from urllib.parse import quote

import typer

from arrears.cli.client.http import Api
from arrears.cli.client.installation import Installation
from arrears.cli.client.trouble import printable, told
from arrears.cli.commands.cases import PAGE_MAX
from arrears.cli.commands.output import AsJson, console, print_json, table
from arrears.cli.commands.set_aside import stage_api

borrower_app = typer.Typer(help="One person's data.", no_args_is_help=True)
_UNTOUCHED = (
    "not reached: the bank's feed until its retention ends, refused input that names nobody for 90 "
    "days, backups, free texts of staff"
)

_ABOUT_THEM = ", about which nobody could be reached any more"


@borrower_app.command()
def erase(
    borrower: Annotated[str, typer.Argument(metavar="BORROWER", help="The bank's id of it.")],
    basis: Annotated[str, typer.Option(help="The ground in law, or the request; recorded.")],
    approved_by: Annotated[str, typer.Option(help="A second member of staff, recorded.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; else only what it would mean.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Destroy the keys of a borrower's personal data, for good; prints the certificate."""
    if not yes:
        with told():
            count = _open_cases(borrower)
        typer.echo(
            f"{printable(borrower)}: how it can be reached, its papers and its talks could not be "
            f"read by anybody again, in no service; events and figures stay; {_UNTOUCHED}. "
            f"Open cases of it: {count}{_ABOUT_THEM if count else ''}. With --yes it is done",
            err=as_json,
        )
        if as_json:
            print_json({"borrower_id": borrower, "erased": False, "open_cases": count})
        return
    with told():
        path = f"/borrowers/{quote(borrower, safe='')}/erase"
        found = stage_api("intake").post(path, {"basis": basis, "approved_by": approved_by})
    if as_json:
        print_json(found)
        return
    found["categories"] = ", ".join(found["categories"])
    console().print(table(["certificate", ""], found.items()))
    typer.echo(_UNTOUCHED)


def _open_cases(borrower: str) -> int:
    """Held ones are open too."""
    history = Api(Installation.find(), "history")
    cases = history.get("/cases", borrower_id=borrower, limit=PAGE_MAX)["cases"]
    return sum(one["status"] != "closed" for one in cases)
