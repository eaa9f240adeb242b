"""`arrears bench`: the table, and `.local/bench.json` with the same rows."""

import sys
from typing import Annotated

import typer
from msgspec.json import encode
from rich.console import Console
from rich.table import Table

from arrears.cli.bench.ground import BenchGround
from arrears.cli.bench.row import Row, failed, keep, signed
from arrears.cli.bench.rows import ROWS
from arrears.cli.client.ground import end_in_order
from arrears.cli.client.installation import run
from arrears.cli.client.trouble import Trouble, WrongUse, told
from arrears.cli.stack import checkout_root
from arrears.shared.service.clock import wall_clock


def bench(
    only: Annotated[str | None, typer.Option(help=f"One row: {', '.join(ROWS)}.")] = None,
    scale: Annotated[
        float,
        typer.Option(min=0.001, max=1, help="A part of every size, to try a row; nothing is kept."),
    ] = 1.0,
    million: Annotated[
        bool, typer.Option("--million", help="Let `growth` go on to 1 M cases, which takes long.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Speed beside a raw pipe that moves the same bytes, in the same run."""
    with told():
        if only is not None and only not in ROWS:
            raise WrongUse("--only", f"{only!r} is not one of {', '.join(ROWS)}")
        root = checkout_root()
        ground = BenchGround(root, _say, scale=scale, million=million)
        end_in_order()
        rows: list[Row] = []
        fallen: list[str] = []
        try:
            for name in ROWS if only is None else [only]:
                try:
                    found = run(ROWS[name](ground))
                except Exception as error:
                    # One row that fails must not cost the hour that the others took.
                    _say(f"{name}: FAILED: {type(error).__name__}: {error}")
                    fallen.append(name)
                    found = [failed(name, error)]
                found = signed(found, name, wall_clock())
                rows.extend(found)
                if scale >= 1:
                    keep(root / ".local" / "bench.json", found)
            ground.empty()
        finally:
            ground.stop()
            ground.down()
        if as_json:
            print(encode(rows).decode())
        else:
            _show(rows)
        if fallen:
            raise Trouble(f"failed: {', '.join(fallen)}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(rows: list[Row]) -> None:
    table = Table("measure", "value", "unit", "ratio", "must", "beside", box=None)
    for row in rows:
        value = "-" if row.value is None else f"{row.value:,.1f}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.name, value, row.unit, ratio, row.must or "", row.beside or "")
    shown = Console()
    (shown if shown.is_terminal else Console(width=180)).print(table)
