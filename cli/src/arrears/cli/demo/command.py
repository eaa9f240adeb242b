"""`arrears demo`: from nothing to a portfolio's whole history, in one command."""

import json
import os
import subprocess
import time
from pathlib import Path
from threading import Thread
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from arrears.cli.client.http import Api
from arrears.cli.client.installation import Installation, entry_point, run
from arrears.cli.client.reports import report_page
from arrears.cli.client.services import compiled_once
from arrears.cli.client.trouble import WrongUse, told
from arrears.cli.commands.feed import write_feed
from arrears.cli.commands.output import AsJson, print_json
from arrears.cli.demo.page import print_page, story_of
from arrears.cli.demo.play import Play, Played
from arrears.cli.demo.prepare import feed_file, prepare
from arrears.cli.demo.screen import Screen
from arrears.cli.demo.story import story_table
from arrears.cli.demo.words import Language, say
from arrears.cli.feed.generate import DEFAULT_LOANS, DEFAULT_MONTHS, DEFAULT_START_ON, last_day
from arrears.cli.feed.importing import survey
from arrears.cli.feed.lines import read_feed


def demo(
    feed: Annotated[
        Path | None, typer.Option(help="A feed of your own, JSON lines or gzip. Default: made.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on with the databases and topics of the last run.")
    ] = False,
    lang: Annotated[Literal["en", "zh"], typer.Option(help="Language of the last page.")] = "en",
    seed: Annotated[int, typer.Option(help="Of the synthetic feed and of the sandbox.")] = 7,
    loans: Annotated[int, typer.Option(help="Loans of the synthetic feed.")] = DEFAULT_LOANS,
    months: Annotated[int, typer.Option(help="Months of the synthetic feed.")] = DEFAULT_MONTHS,
    yes: Annotated[
        bool, typer.Option("--yes", help="Empty also databases and topics of given addresses.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """A portfolio's whole life through five services, on a real Kafka and PostgreSQL."""
    with told():
        if feed is not None and not feed.is_file():
            raise WrongUse("--feed", f"{feed} is not a file")
        last_day(seed, loans, months, DEFAULT_START_ON)
        shown = Console(stderr=as_json, highlight=False)
        if not shown.is_terminal:
            shown = Console(stderr=as_json, highlight=False, width=180)
        installation = Installation.find()
        played = _play(installation, shown, feed, (seed, loans, months), keep=keep, yes=yes)
        shown.print("reading everything back: the report, the digest, the proof")
        found = _results(installation, played, lang)
    if as_json:
        print_json(found)
    else:
        _print_last_page(shown, found, played, lang)
    if found["proof"].get("holds") is not True:
        raise typer.Exit(1)


def _play(
    installation: Installation,
    shown: Console,
    feed: Path | None,
    made: tuple[int, int, int],
    *,
    keep: bool,
    yes: bool,
) -> Played:
    began = time.monotonic()
    installation.folder.local.mkdir(exist_ok=True)
    file = feed or feed_file(installation, *made)
    # The feed is made while the services' databases are.
    making = Thread(target=write_feed, args=(*made, file))
    if feed is None:
        making.start()
    prepare(installation, keep=keep, yes=yes, seed=made[0], say=shown.print)
    if feed is None:
        making.join()
    found = survey(read_feed(file), installation.calendar)
    shown.print(
        f"five services run, {found.lines:,} lines to send from {file} "
        f"(set-up {time.monotonic() - began:.1f} s)"
    )
    with Screen(shown) as screen:
        return run(Play(installation, file, found, screen.draws).run())


def _results(installation: Installation, played: Played, lang: str) -> dict[str, Any]:
    history = Api(installation, "history")
    page = report_page(installation, played.day)
    name = story_of(page["endings"])
    story = None
    if name is not None:
        story = history.get(f"/cases/{name}/history", as_of=played.day, lang=lang)
    return {
        "report": page,
        "story": story,
        "digest": history.get("/digest", as_of=played.day),
        "proof": _proof(installation),
        "run": played,
    }


def _proof(installation: Installation) -> dict[str, Any]:
    """The verdict of `arrears-history verify`, or why there is none."""
    done = subprocess.run(
        [entry_point("history"), "verify", "--json"],
        env={**os.environ, **installation.environment(), **compiled_once(installation)},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        words = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
        return {"holds": None, "says": words[-300:]}
    return found


def _print_last_page(shown: Console, found: dict[str, Any], played: Played, lang: Language) -> None:
    page, story, digest = found["report"], found["story"], found["digest"]
    print_page(shown, page, lang)
    if story is not None:
        name = f"{story['loan_key']}  {', '.join(story['case_ids'])}"
        shown.print(f"\n[bold]{say('story', lang, name=name)}[/bold]")
        shown.print(story_table(story["lines"], lang))
    shown.print(f"\n[bold]{say('proof', lang)}[/bold]")
    shown.print(_verdict(found["proof"], lang))
    shown.print(
        say(
            "digest",
            lang,
            sha256=digest["sha256"],
            cases=digest["case_count"],
            events=digest["event_count"],
            day=digest["up_to"],
        )
    )
    _print_run(shown, played, lang)
    shown.print(f"\n[bold]{say('next', lang)}[/bold]")
    name = story["case_ids"][0] if story else page["as_of"]
    program = ".local/venv/bin/arrears"
    for command in (
        f"{program} history {name} --lang {'zh' if lang == 'en' else 'en'}",
        f"{program} rebuild contact --from kafka",
        f"{program} portfolio --as-of {_middle(played)}",
    ):
        shown.print(f"  {command}")
    shown.print(say("running", lang))


def _print_run(shown: Console, played: Played, lang: Language) -> None:
    if played.killed is None:
        shown.print(say("not_killed", lang))
    else:
        killed = played.killed
        shown.print(say("killed", lang, day=killed.day, pid=killed.pid, seconds=killed.seconds))
    seconds = max(played.seconds, 0.001)
    shown.print(
        say(
            "speed",
            lang,
            events=played.events,
            closings=played.closings,
            seconds=round(seconds),
            rate=round(played.events / seconds),
            all_rate=round((played.events + played.closings) / seconds),
            facts=played.facts,
        )
    )


def _verdict(proof: dict[str, Any], lang: Language) -> str:
    if proof.get("holds") is True:
        return f"[green]{say('holds', lang, events=proof['event_count'])}[/green]"
    if proof.get("holds") is None:
        return f"[yellow]{say('unproved', lang, says=proof.get('says', ''))}[/yellow]"
    first = proof["breaks"][0] if proof.get("breaks") else {}
    return f"[bold red]{say('broken', lang, says=first.get('says', ''))}[/bold red]"


def _middle(played: Played) -> str:
    """A day well inside, for the question how it stood then."""
    return str(played.first_day + (played.day - played.first_day) // 2)
