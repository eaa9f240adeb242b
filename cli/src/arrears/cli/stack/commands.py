"""`arrears stack up | down | clean | status`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer

from arrears.cli.stack import discovery
from arrears.cli.stack.errors import StackError
from arrears.cli.stack.folder import checkout_root
from arrears.shared.kernel.bad_setting import BadSetting

stack_app = typer.Typer(
    help="The Kafka and PostgreSQL that everything runs on: found, or started here.",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
KafkaAddress = Annotated[
    str | None,
    typer.Option(
        "--kafka", envvar=discovery.KAFKA_VARIABLE, help="A broker to use instead, host:port."
    ),
]
PostgresAddress = Annotated[
    str | None,
    typer.Option(
        "--postgres",
        envvar=discovery.POSTGRES_VARIABLE,
        help="A server to use instead, postgresql://…",
    ),
]


@stack_app.command()
def up(
    kafka: KafkaAddress = None, postgres: PostgresAddress = None, as_json: AsJson = False
) -> None:
    """Find Kafka and PostgreSQL, or start them; they stay until `down`.

    The password of a PostgreSQL that was started here is in `.local/postgresql/password`.
    """
    with _told(as_json) as say:
        stack = discovery.ensure_stack(checkout_root(), kafka, postgres, say)
    if as_json:
        typer.echo(json.dumps(stack.told()))


@stack_app.command()
def down(as_json: AsJson = False) -> None:
    """Stop what was started from this checkout, and nothing else."""
    with _told(as_json) as say:
        stopped = discovery.stop_stack(checkout_root(), say)
        if not stopped:
            say("nothing was running that was started here")
    if as_json:
        typer.echo(json.dumps({"stopped": stopped}))


@stack_app.command()
def clean(as_json: AsJson = False) -> None:
    """Stop everything and remove `.local/`, data and environment included."""
    with _told(as_json) as say:
        discovery.clean_stack(checkout_root(), say)
    if as_json:
        typer.echo(json.dumps({"removed": True}))


@stack_app.command()
def status(as_json: AsJson = False) -> None:
    """What runs, where it listens, where its log is."""
    with _told(as_json):
        parts = discovery.status(checkout_root())
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(parts)))
        return
    for part in parts:
        state = f"runs, pid {part.pid}" if part.running else "does not run"
        where = f", {part.address}" if part.running and part.address else ""
        log = f", log {part.log}" if part.running and part.log else ""
        typer.echo(f"{part.name:<14}{state}{where}{log}")


@contextmanager
def _told(as_json: bool) -> Iterator[Callable[[str], None]]:
    """Progress goes to the error stream when the output is for a program."""

    def say(line: str) -> None:
        print(line, file=sys.stderr if as_json else sys.stdout, flush=True)

    try:
        yield say
    except BadSetting as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    except StackError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
