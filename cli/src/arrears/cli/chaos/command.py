"""`arrears chaos`: the run, its table, and `.local/chaos.json` with the same numbers."""

import sys
import time
from collections import Counter
from statistics import median
from typing import Annotated, Any

import typer
from msgspec.json import encode, format
from rich.console import Console
from rich.table import Table

from arrears.cli.chaos.course import Course, Result
from arrears.cli.chaos.plan import KINDS, plan
from arrears.cli.client.ground import end_in_order
from arrears.cli.client.installation import run
from arrears.cli.client.trouble import WrongUse, told
from arrears.cli.commands.output import AsJson, Progress
from arrears.cli.stack import checkout_root

DEFAULT_FAULTS = 100
FAULTS_MAX = 5_000
DEFAULT_TOGETHER = 3


def chaos(
    faults: Annotated[int, typer.Option(help="How many.")] = DEFAULT_FAULTS,
    seed: Annotated[int, typer.Option(help="Of the plan, the feed and the sandbox.")] = 7,
    together: Annotated[
        int, typer.Option(min=1, max=9, help="How many at once, of different victims.")
    ] = DEFAULT_TOGETHER,
    only: Annotated[
        str | None, typer.Option(help=f"Kinds, separated by commas, of: {', '.join(KINDS)}.")
    ] = None,
    short: Annotated[
        bool, typer.Option("--short", help="More faults that end soon; no rebuilds.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Kill, freeze and cut off servers and workers while a feed runs; then prove every law."""
    with told():
        if not 1 <= faults <= FAULTS_MAX:
            raise WrongUse("--faults", f"must lie between 1 and {FAULTS_MAX}")
        kinds = only.split(",") if only else []
        for name in kinds:
            if name not in KINDS:
                raise WrongUse("--only", f"{name!r} is not one of {', '.join(KINDS)}")
        root = checkout_root()
        progress = Progress()
        began = time.monotonic()

        def live(line: str) -> None:
            progress.says(f"{time.monotonic() - began:6.0f} s  {line}")

        def say(line: str) -> None:
            progress.ends()
            print(line, file=sys.stderr, flush=True)

        drawn = plan(seed, faults, only=kinds, short=short)
        end_in_order()
        try:
            course = Course(root, seed, drawn, say, live, together=together, short=short)
            result = run(course.run())
        finally:
            progress.ends()
    found = encode(summary(result))
    (root / ".local" / "chaos.json").write_bytes(format(found))
    if as_json:
        print(found.decode())
    else:
        _show(result)
    if not result.holds:
        raise typer.Exit(1)


def summary(result: Result) -> dict[str, Any]:
    """The numbers of a run, by kind of fault."""
    return {
        "seed": result.seed,
        "faults": len(result.endured),
        "missed": dict(Counter(fault.kind for fault in result.missed)),
        "days": result.days,
        "records": result.records,
        "repeated": result.repeated,
        "fenced": result.fenced,
        "seconds": round(result.seconds, 1),
        "seconds_undisturbed": round(result.seconds_undisturbed, 1),
        "seconds_disturbed": round(result.seconds_disturbed, 1),
        "kinds": _by_kind(result),
        "verdicts": result.verdicts,
        "holds": result.holds,
    }


def _by_kind(result: Result) -> list[dict[str, Any]]:
    rows = []
    for kind in KINDS.values():
        of_it = [one for one in result.endured if one.fault.kind == kind.name]
        if of_it:
            rows.append(
                {
                    "kind": kind.name,
                    "told": kind.told,
                    "count": len(of_it),
                    "lasted_median": round(median(one.lasted for one in of_it), 2),
                    "recovered_median": round(median(one.recovered for one in of_it), 2),
                    "recovered_worst": round(max(one.recovered for one in of_it), 2),
                }
            )
    return rows


def _show(result: Result) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    table = Table("fault", "count", "lasted", "recovered (median)", "worst", box=None)
    for row in _by_kind(result):
        table.add_row(
            row["told"],
            str(row["count"]),
            f"{row['lasted_median']:.1f} s",
            f"{row['recovered_median']:.1f} s",
            f"{row['recovered_worst']:.1f} s",
        )
    console.print(table)
    console.print(
        f"\n{len(result.endured):,} faults in {result.seconds_disturbed:,.0f} s over "
        f"{result.days:,} business days and {result.records:,} records; "
        f"{result.repeated:,} records sent again, "
        f"{result.fenced:,} times somebody was fenced"
    )
    for kind, count in Counter(fault.kind for fault in result.missed).items():
        console.print(f"not counted: {KINDS[kind].told}, {count} times without meeting anything")
    for verdict in result.verdicts:
        console.print(f"{'holds ' if verdict.holds else 'BROKEN'}  {verdict.law}: {verdict.said}")
