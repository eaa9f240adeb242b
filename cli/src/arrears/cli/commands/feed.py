"""`arrears feed generate | import | expect`: a feed made, sent to Kafka, and read a second way."""

import gzip
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from arrears.cli.client.installation import Installation, is_live, run
from arrears.cli.client.trouble import WrongUse, printable, told
from arrears.cli.commands.output import (
    AsJson,
    Progress,
    console,
    print_json,
    seconds_left,
    table,
)
from arrears.cli.feed.dirty import generate_dirty
from arrears.cli.feed.expected import expected
from arrears.cli.feed.generate import (
    DEFAULT_LOANS,
    DEFAULT_MONTHS,
    DEFAULT_START_ON,
    BadFeedSetting,
    generate,
)
from arrears.cli.feed.importer import Importer, Sent
from arrears.cli.feed.importer_dry import DryRun, dry_run
from arrears.cli.feed.importer_memory import Memory
from arrears.cli.feed.importing import survey
from arrears.cli.feed.lines import read_feed
from arrears.cli.feed.special import SPECIAL
from arrears.cli.whole_file import written_whole
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings

feed_app = typer.Typer(
    help="The bank's feed: make a synthetic one, send a file, see what a file would do.",
    no_args_is_help=True,
)
DAYS_SHOWN = 12
_NO_CLEAN_FEED = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
FeedFile = Annotated[
    Path, typer.Argument(help="JSON lines of CloudEvents, plain or gzip.", show_default=False)
]


@feed_app.command("generate")
def generate_feed(
    out: Annotated[
        Path | None, typer.Option(help="Where to write; .gz is compressed. Default: stdout.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 7,
    loans: Annotated[int, typer.Option(help="How many loans.")] = DEFAULT_LOANS,
    months: Annotated[int, typer.Option(help="Over how many months.")] = DEFAULT_MONTHS,
    start: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day.")
    ] = datetime.combine(DEFAULT_START_ON, datetime.min.time()),  # noqa: B008
    dirty: Annotated[
        bool, typer.Option("--dirty", help="The contradictory facts that belong to it, alone.")
    ] = False,
    special: Annotated[
        str | None, typer.Option(help=f"An unusual feed instead: {', '.join(SPECIAL)}.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a feed: the stories of many loans, which the sandbox borrower and court know too."""
    with told():
        lines = _lines(seed, loans, months, start.date(), dirty=dirty, special=special)
        count = _write(lines, out)
    if as_json and out is not None:
        print_json({"file": printable(str(out)), "lines": count, "seed": seed})
    elif out is not None:
        typer.echo(f"{out}: {count:,} lines, seed {seed}", err=True)


@feed_app.command("import")
def import_feed(
    file: FeedFile,
    dry: Annotated[
        bool, typer.Option("--dry-run", help="Count by type and day, name bad lines; send nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Send a file anew that was sent whole before.")
    ] = False,
    leave_open: Annotated[
        bool, typer.Option("--leave-open", help="Do not close the file's last day.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a file to Kafka and close the business days in it; goes on where it was stopped.

    Bad lines are sent as well: intake sets them aside with field and rule (`arrears refused list`).
    """
    with told():
        _check_file(file)
        installation = Installation.find()
        if dry:
            calendar = installation.calendar
            found = survey(read_feed(file), calendar)
            _show_dry(dry_run(read_feed(file), found, calendar), as_json=as_json)
            return
        env = installation.ensured()
        sent = run(_import(installation, env, file, again=again, close=not leave_open))
        _show_sent(file, sent, as_json=as_json)


@feed_app.command()
def expect(file: FeedFile, as_json: AsJson = False) -> None:
    """Read a file a second way, without the services: the figures that `portfolio` must show."""
    with told():
        _check_file(file)
        try:
            figures = expected(line.value for line in read_feed(file))
        except _NO_CLEAN_FEED as error:
            raise WrongUse(str(file), f"is no clean feed: {error!r}") from error
    if as_json:
        print_json(figures)
        return
    console().print(table(["figure", "value"], figures.items(), "value"))


async def _import(
    installation: Installation, env: dict[str, str], file: Path, *, again: bool, close: bool
) -> Sent:
    settings = KafkaSettings.from_env(_kafka_only(env))
    memory = Memory.of(installation.folder.local / "import", file)
    progress = Progress()
    bus = KafkaBus(settings)

    def watch(sent: Sent) -> None:
        total = sent.survey.lines - sent.begun_after
        progress.says(
            f"{sent.lines:,} of {total:,} lines, {sent.days} days closed, {sent.rate:,.0f}/s, "
            f"{seconds_left(sent.lines, total, sent.seconds)}"
        )

    try:
        importer = Importer(
            bus,
            settings,
            installation.calendar,
            live=is_live(env),
            memory=memory,
            watch=watch,
        )
        return await importer.send(file, again=again, close=close)
    finally:
        progress.ends()
        await bus.close()


def _kafka_only(env: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in env.items() if name.startswith("ARREARS_KAFKA")}


def _lines(
    seed: int, loans: int, months: int, start_on: date, *, dirty: bool, special: str | None
) -> Iterable[bytes]:
    if special is not None:
        if dirty:
            raise BadFeedSetting("dirty", "belongs to the synthetic feed, not to a special one")
        if special not in SPECIAL:
            raise BadFeedSetting("special", f"must be one of {', '.join(SPECIAL)}, got {special}")
        return SPECIAL[special]()
    made = generate_dirty if dirty else generate
    return made(seed, loans, months, start_on)


def write_feed(seed: int, loans: int, months: int, out: Path) -> None:
    """The synthetic feed of these settings as a file."""
    _write(generate(seed, loans, months), out)


def _write(lines: Iterable[bytes], out: Path | None) -> int:
    if out is None:
        return _write_to(sys.stdout.buffer, lines)
    if out.is_dir() or not out.name:
        raise WrongUse("--out", f"{out} is a folder")
    try:
        with written_whole(out) as plain:
            if out.suffix == ".gz":
                # No name and no time inside: the same seed gives the same file.
                with gzip.GzipFile("", "wb", 6, plain, mtime=0) as packed:
                    count = _write_to(packed, lines)
            else:
                count = _write_to(plain, lines)
    except OSError as error:
        raise WrongUse("--out", f"{out} cannot be written: {error.strerror}") from error
    return count


def _write_to(stream: BinaryIO | gzip.GzipFile, lines: Iterable[bytes]) -> int:
    count = 0
    for line in lines:
        stream.write(line + b"\n")
        count += 1
    return count


def _check_file(file: Path) -> None:
    if not file.exists():
        raise WrongUse("FILE", f"{file} does not exist")
    if file.is_dir():
        raise WrongUse("FILE", f"{file} is a folder")


def _show_sent(file: Path, sent: Sent, *, as_json: bool) -> None:
    found = sent.survey
    if as_json:
        more = {"file": printable(str(file)), "rate": round(sent.rate)}
        print_json({**more, **msgspec.to_builtins(sent, str_keys=True)})
        return
    if sent.already:
        typer.echo(f"{printable(str(file))} was sent whole before; --again sends it anew")
        return
    behind = f", behind line {sent.begun_after:,}" if sent.begun_after else ""
    typer.echo(
        f"{sent.lines:,} lines sent{behind}, {sent.days} days closed "
        f"({found.first_day} to {found.last_day}), {sent.rate:,.0f} lines/s"
    )
    if found.undecodable or found.too_long or found.far:
        typer.echo(
            f"among them {found.undecodable} that are no events, {found.too_long} too long, "
            f"{found.far} far away in time: see `arrears refused list`"
        )


def _show_dry(found: DryRun, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    shown = console()
    shown.print(f"{found.lines:,} lines, nothing was sent")
    shown.print(table(["type", "lines"], found.types.items(), "lines"))
    days = list(found.days.items())
    shown.print(f"\n{found.days_to_close} days to close, {found.first_day} to {found.last_day}")
    shown.print(table(["day", "lines"], days[:DAYS_SHOWN], "lines"))
    if len(days) > DAYS_SHOWN:
        shown.print(f"... and {len(days) - DAYS_SHOWN} more days (--json has all)")
    if found.bad:
        shown.print(f"\n{found.bad:,} lines that will be set aside:")
        bad = ((one.line, one.says) for one in found.bad_lines)
        shown.print(table(["line", "why"], bad, "line"))
        if found.bad > len(found.bad_lines):
            shown.print(f"... and {found.bad - len(found.bad_lines):,} more")
