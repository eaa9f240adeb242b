"""`arrears bench`: the table, and `.local/bench.json` with the same rows."""

import asyncio
import sys
from typing import Annotated

import typer
from msgspec.json import encode
from rich.console import Console
from rich.table import Table

from arrears.cli.bench.ground import BenchGround
from arrears.cli.bench.rows import ROWS, Row
from arrears.cli.client.trouble import WrongUse
from arrears.cli.stack import checkout_root


def bench(
    only: Annotated[str | None, typer.Option(help=f"One row: {', '.join(ROWS)}.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Speed beside a raw pipe that moves the same bytes, in the same run."""
    if only is not None and only not in ROWS:
        raise WrongUse("--only", f"{only!r} is not one of {', '.join(ROWS)}")
    root = checkout_root()
    ground = BenchGround(root, lambda line: print(line, file=sys.stderr, flush=True))
    rows: list[Row] = []
    try:
        for name, measure in ROWS.items():
            if only in (None, name):
                rows.extend(asyncio.run(measure(ground)))
    finally:
        ground.stop()
        ground.down()
    (root / ".local" / "bench.json").write_bytes(encode(rows))
    if as_json:
        print(encode(rows).decode())
    else:
        _show(rows)


def _show(rows: list[Row]) -> None:
    table = Table("measure", "value", "unit", "ratio", "must", "beside", box=None)
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(
            row.name, f"{row.value:,.1f}", row.unit, ratio, row.must or "", row.beside or ""
        )
    Console().print(table)
