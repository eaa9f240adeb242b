"""`arrears schema`: what services say to each other and hear from the bank, as JSON Schemas and one
AsyncAPI document."""

from typing import Annotated, Final

import msgspec
import typer

from arrears.cli.client.trouble import told
from arrears.cli.commands.asyncapi import asyncapi_text
from arrears.cli.commands.output import AsJson, print_json
from arrears.cli.stack import checkout_root
from arrears.shared.contracts import corebanking
from arrears.shared.contracts.registry import CONTRACTS
from arrears.shared.http.schema import described

_FEED: Final[dict[str, type[msgspec.Struct]]] = {
    corebanking.LOAN_OVERDUE: corebanking.LoanOverdue,
    corebanking.REPAYMENT_RECEIVED: corebanking.RepaymentReceived,
    corebanking.LOAN_CURED: corebanking.LoanCured,
    corebanking.BORROWER_PROFILE: corebanking.BorrowerProfile,
    corebanking.BUSINESS_DAY_CLOSED: corebanking.BusinessDayClosed,
}


def schema(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where a file differs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the schema of every event that others rely on into docs/."""
    with told():
        folder = checkout_root() / "docs"
        wanted = every_file()
        found = {
            str(path.relative_to(folder)): path.read_text()
            for path in (*folder.glob("events/*.json"), *folder.glob("asyncapi.json"))
        }
        changed = sorted(
            name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
        )
        if not check:
            (folder / "events").mkdir(parents=True, exist_ok=True)
            for name in changed:
                if name in wanted:
                    (folder / name).write_text(wanted[name])
                else:
                    (folder / name).unlink()
    if as_json:
        print_json({"folder": folder, "schemas": len(wanted), "changed": changed})
    else:
        verb = "differ" if check else "written"
        typer.echo(f"{len(wanted)} files in {folder}, {len(changed)} {verb}")
        for name in changed:
            typer.echo(f"  {name}")
    if check and changed:
        raise typer.Exit(1)


def every_file() -> dict[str, str]:
    """What lies in docs/: path and text."""
    contracts = every_contract()
    return {
        **{f"events/{name}.json": schema_text(name, body) for name, body in contracts},
        "asyncapi.json": asyncapi_text([name for name, _ in contracts]),
    }


def every_contract() -> list[tuple[str, type[msgspec.Struct]]]:
    return sorted({**_FEED, **CONTRACTS}.items())


def schema_text(wire_name: str, body: type[msgspec.Struct]) -> str:
    """The schema of `data`; the envelope around it is CloudEvents 1.0."""
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:arrears:event:{wire_name}",
        **described(body),
    }
    return msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n"
