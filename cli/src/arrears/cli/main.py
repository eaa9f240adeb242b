"""The `arrears` command: what it can do is what is mounted here."""

import typer

from arrears.cli.stack.commands import stack_app

app = typer.Typer(
    name="arrears",
    help="Collect overdue bank loans: feed, cases, history, proof, and the local stack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def arrears() -> None:
    """Collect overdue bank loans: feed, cases, history, proof, and the local stack."""


app.add_typer(stack_app, name="stack")
