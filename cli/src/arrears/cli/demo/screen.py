"""The screen while the demo runs: the day, the services, the cases, and the time left.

On a terminal it is redrawn in place; elsewhere a line comes now and then.
"""

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from arrears.cli.client.installation import SERVICES
from arrears.cli.demo.play import Seen

PLAIN_EVERY_SECONDS: Final = 5.0
_BAR_WIDTH: Final = 60


class Screen:
    def __init__(self, shown: Console) -> None:
        self._shown = shown
        self._live = Live(console=shown, auto_refresh=False) if shown.is_terminal else None
        self._told_at = 0.0
        self._note = ""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def draws(self, seen: Seen) -> None:
        if self._live is not None:
            self._live.update(_picture(seen), refresh=True)
            return
        now = time.monotonic()
        if seen.note != self._note:
            self._note = seen.note
            self._shown.print(seen.note)
        if now - self._told_at >= PLAIN_EVERY_SECONDS or seen.fraction >= 1:
            self._told_at = now
            self._shown.print(_line(seen))


def _picture(seen: Seen) -> Group:
    head = Text.assemble(
        ("business day ", "dim"),
        (str(seen.day or "none closed yet"), "bold"),
        ("   sent ", "dim"),
        f"{seen.sent.lines:,} of {seen.sent.survey.lines:,} lines",
    )
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        ProgressBar(total=1.0, completed=seen.fraction, width=_BAR_WIDTH),
        f"{seen.fraction:.0%}",
        _left(seen),
    )
    return Group(
        head, bar, Text(), _services(seen), Text(), _cases(seen), Text(seen.note, "yellow")
    )


def _services(seen: Seen) -> Table:
    made = Table(box=None, pad_edge=False, header_style="dim")
    made.add_column("service", min_width=10)
    made.add_column("day", min_width=10)
    for name in ("heard", "decided", "published", "set aside"):
        made.add_column(name, justify="right", min_width=10)
    for service in SERVICES:
        counts = seen.services[service]
        style = "" if counts.answers else "red"
        numbers = [f"{counts.heard:,}", "", "", ""]
        if service != "history":
            numbers[1:] = [
                f"{counts.decided:,}",
                f"{counts.published:,}",
                f"{counts.set_aside:,}",
            ]
        made.add_row(service, counts.day or "", *numbers, style=style)
    return made


def _cases(seen: Seen) -> Text:
    parts = [f"{stage} {count:,}" for stage, count in seen.stages.items()]
    return Text.assemble(("cases  ", "dim"), "   ".join(parts) or "none yet")


def _left(seen: Seen) -> str:
    left = seen.seconds_left
    return "" if left is None else f"{int(left) // 60}:{int(left) % 60:02d} left"


def _line(seen: Seen) -> str:
    heard = sum(counts.decided for counts in seen.services.values())
    cases = ", ".join(f"{stage} {count:,}" for stage, count in seen.stages.items())
    return (
        f"{seen.day or 'no day closed yet'}  {seen.fraction:4.0%}  {heard:,} events decided, "
        f"{seen.services['history'].heard:,} in the history; cases: {cases or 'none yet'}"
        f"  {_left(seen)}"
    )
