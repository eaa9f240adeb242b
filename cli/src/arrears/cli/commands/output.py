"""How commands print: JSON for programs, a table for people, progress on the error stream."""

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from arrears.cli.client.trouble import printable

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
PLAIN_EVERY_SECONDS: Final = 2.0


def print_json(answer: Any) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())


def console() -> Console:
    """As wide as the terminal; a pipe gets whole lines, for a cut figure is a wrong figure."""
    return Console(width=None if sys.stdout.isatty() else 200, highlight=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: str = "") -> Table:
    """`numbers` names the columns that are aligned to the right, separated by blanks."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    right = set(numbers.split())
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if cell is None else printable(str(cell))) for cell in row))
    return made


def foreign(text: object) -> str:
    """Text that came from outside, in a line that is printed: no markup, no control characters."""
    return escape(printable(str(text)))


class Progress:
    """One line of progress on the error stream: redrawn on a terminal, now and then elsewhere."""

    def __init__(self) -> None:
        self._tty = sys.stderr.isatty()
        self._last = 0.0
        self._drawn = False

    def says(self, text: str) -> None:
        now = time.monotonic()
        if now - self._last < (0.1 if self._tty else PLAIN_EVERY_SECONDS):
            return
        self._last = now
        self._drawn = True
        if self._tty:
            print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def ends(self) -> None:
        if self._drawn and self._tty:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def seconds_left(done: float, total: float, seconds: float) -> str:
    """`1:05 left` by the rate until now."""
    if not done or total <= done:
        return "0:00 left" if done else "? left"
    left = int(seconds * (total - done) / done) + 1
    return f"{left // 60}:{left % 60:02d} left"
