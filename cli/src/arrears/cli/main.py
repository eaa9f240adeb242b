"""The `arrears` command: what it can do is what is mounted here."""

import sys

import structlog
import typer

from arrears.cli.bench.command import bench
from arrears.cli.chaos.command import chaos
from arrears.cli.commands import cases, proof, running
from arrears.cli.commands.borrower import borrower_app
from arrears.cli.commands.cases import case_app
from arrears.cli.commands.clock import clock_app
from arrears.cli.commands.day import day_app
from arrears.cli.commands.doubt import doubt_app
from arrears.cli.commands.feed import feed_app
from arrears.cli.commands.schema import schema
from arrears.cli.commands.set_aside import parked_app, refused_app
from arrears.cli.demo.command import demo
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
    structlog.configure(logger_factory=_on_stderr)


def _on_stderr(*_names: object) -> structlog.PrintLogger:
    """What our clients have to say must not stand among the JSON that somebody reads."""
    return structlog.PrintLogger(sys.stderr)


app.command()(demo)
app.command()(bench)
app.command()(chaos)
app.command()(running.up)
app.command()(running.down)
app.command()(running.status)
app.command()(running.migrate)
app.command()(schema)
app.add_typer(feed_app, name="feed")
app.add_typer(day_app, name="day")
app.add_typer(clock_app, name="clock")
app.add_typer(case_app, name="case")
app.command()(cases.history)
app.command()(cases.portfolio)
app.command()(cases.report)
app.command()(proof.verify)
app.command()(proof.digest)
app.command()(proof.export)
app.command()(proof.rebuild)
app.add_typer(refused_app, name="refused")
app.add_typer(parked_app, name="parked")
app.add_typer(doubt_app, name="doubt")
app.add_typer(borrower_app, name="borrower")
app.add_typer(stack_app, name="stack")
