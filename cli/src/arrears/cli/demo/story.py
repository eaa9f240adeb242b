"""One case's story as lines: date, service, what happened, and why."""

from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table

from arrears.cli.commands.output import foreign
from arrears.cli.demo.words import Language, say

COLOURS = {"intake": "cyan", "contact": "green", "mediation": "yellow", "legal": "magenta"}


def print_story(
    shown: Console, story: dict[str, Any], language: Language, day: date | None
) -> None:
    lines = story["lines"]
    shown.print(f"[bold]{foreign(story['loan_key'])}[/bold]  {', '.join(story['case_ids'])}")
    shown.print(story_table(lines, language))
    shown.print(say("as_of", language, day=str(day)) if day is not None else "")


def story_table(lines: list[dict[str, Any]], language: Language) -> Table:
    """A date and a service are said once for the lines that share them."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column(say("date", language), no_wrap=True)
    made.add_column(say("service", language), no_wrap=True)
    made.add_column(say("what", language), overflow="fold", ratio=3)
    made.add_column(say("why", language), overflow="fold", ratio=2, style="dim")
    before: tuple[str, str] | None = None
    for line in lines:
        here = (line["on"], line["service"])
        colour = COLOURS.get(line["service"], "white")
        made.add_row(
            line["on"] if before is None or before[0] != here[0] else "",
            f"[{colour}]{say(line['service'], language)}[/]" if before != here else "",
            foreign(line["what"]),
            foreign(line["why"] or ""),
        )
        before = here
    return made
