"""`arrears verify | digest | export | rebuild`: that nothing is missing, doubled or changed."""

import hashlib
import os
import re
import subprocess
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from arrears.cli.client.days import WAIT_SECONDS, AsOf, Wait, reached_day
from arrears.cli.client.http import Api
from arrears.cli.client.installation import Installation, entry_point
from arrears.cli.client.services import compiled_once
from arrears.cli.client.trouble import Trouble, WrongUse, printable, told
from arrears.cli.commands.deep import verify_deep
from arrears.cli.commands.output import AsJson, Progress, print_json
from arrears.cli.whole_file import written_whole

_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


def _a_digest(text: str | None) -> str | None:
    """A digest that can be none would only be found to differ, minutes later."""
    if text is not None and not _DIGEST.fullmatch(text.strip()):
        raise typer.BadParameter("must be 64 hexadecimal digits, as `arrears digest` prints them")
    return text


def verify(
    deep: Annotated[
        bool, typer.Option("--deep", help="All ten laws, by a checker that shares no code.")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="With --deep: leave the rebuilds (laws 6, 7) out.")
    ] = False,
    expect_digest: Annotated[
        str | None,
        typer.Option(
            metavar="HEX",
            help="With --deep: the digest of the undisturbed run (law 9).",
            callback=_a_digest,
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Read every database and topic and compare: exits 1 and names each break where one is.

    `--deep` also accounts for every record of the feed, every effect and all money, and rebuilds
    every service; the rebuilds compare a moving service with itself of a moment ago, so let it
    come to rest before. `--as-of` is the day up to which the digest is taken. Where nothing is
    broken but a law that was asked for could not be looked at, it exits 3.
    """
    with told():
        installation = Installation.find()
        if deep:
            code = verify_deep(
                installation,
                fast=fast,
                expected_digest=expect_digest,
                as_of=None if as_of is None else str(as_of.date()),
                as_json=as_json,
            )
        elif fast or expect_digest or as_of:
            raise WrongUse("--deep", "is needed for --fast, --expect-digest and --as-of")
        else:
            code = _pass_on(installation, "history", ["verify", *(["--json"] if as_json else [])])
    raise typer.Exit(code)


def digest(as_of: AsOf = None, wait: Wait = WAIT_SECONDS, as_json: AsJson = False) -> None:
    """One hash over every case: the same feed gives the same one."""
    with told():
        installation = Installation.find()
        day = reached_day(installation, as_of, wait)
        found = Api(installation, "history").get("/digest", as_of=day)
    if as_json:
        print_json(found)
        return
    typer.echo(
        f"{printable(found['sha256'])}\nover {found['case_count']:,} cases and "
        f"{found['event_count']:,} events, up to {printable(str(found['up_to']))}"
    )


def export(
    file: Annotated[Path, typer.Argument(help="Where to write it; JSON lines.")],
    as_of: AsOf = None,
    wait: Wait = WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Write the canonical file whose SHA-256 the digest is."""
    with told():
        installation = Installation.find()
        day = reached_day(installation, as_of, wait)
        name, lines, size = _export(installation, file, as_of=None if day is None else str(day))
    if as_json:
        print_json(
            {
                "file": printable(str(file)),
                "sha256": name,
                "lines": lines,
                "bytes": size,
                "as_of": day,
            }
        )
        return
    typer.echo(
        f"{printable(str(file))}: {lines:,} events, {size:,} bytes, as of {day}\nSHA-256 {name}"
    )


def rebuild(
    service: Annotated[str, typer.Argument(help="intake, contact, mediation, legal or history.")],
    source: Annotated[
        Literal["store", "kafka"], typer.Option("--from", help="What to rebuild it from.")
    ],
    keep: Annotated[bool, typer.Option("--keep", help="Keep the rebuilt database.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rebuild a service into a new database and compare: exits 1 where anything differs."""
    with told():
        installation = Installation.find()
        arguments = ["rebuild", "--from", source]
        arguments += ["--keep"] if keep else []
        arguments += ["--json"] if as_json else []
        code = _pass_on(installation, service, arguments)
    raise typer.Exit(code)


def _pass_on(installation: Installation, service: str, arguments: list[str]) -> int:
    """The service's own program does it; what it prints and how it ends is ours too."""
    program = entry_point(service)
    env = {**os.environ, **installation.ensured(), **compiled_once(installation)}
    return subprocess.run([program, *arguments], env=env, check=False).returncode


def _export(installation: Installation, file: Path, *, as_of: str | None) -> tuple[str, int, int]:
    if file.is_dir() or not file.name:
        raise WrongUse("FILE", f"{file} is a folder")
    name, lines, size, progress = hashlib.sha256(), 0, 0, Progress()
    try:
        with (
            written_whole(file) as out,
            Api(installation, "history").stream("/export", as_of=as_of) as answer,
        ):
            for chunk in answer.iter_bytes():
                out.write(chunk)
                name.update(chunk)
                lines += chunk.count(b"\n")
                size += len(chunk)
                progress.says(f"{size / 1e6:,.1f} MB")
    except OSError as error:
        raise Trouble(f"{file} cannot be written: {error.strerror}") from error
    finally:
        progress.ends()
    return name.hexdigest(), lines, size
