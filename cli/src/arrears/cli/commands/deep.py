"""`arrears verify --deep`: all ten laws, each with what was counted and where it is broken."""

import os
import subprocess
from dataclasses import asdict
from typing import Any, Final

import typer
from aiokafka.errors import KafkaError
from rich.markup import escape

from arrears.cli.client.installation import POSTGRES, SERVICES, Installation, entry_point, run
from arrears.cli.client.services import compiled_once
from arrears.cli.client.trouble import Trouble
from arrears.cli.commands.output import Progress, console, print_json, table
from arrears.cli.deep.check import Wanted, check
from arrears.cli.deep.findings import Report
from arrears.cli.deep.rebuilds import Rebuild, Source
from arrears.cli.deep.topics import TopicSilent
from arrears.shared.kafka.settings import PREFIX, KafkaSettings
from arrears.shared.service.settings import database_url

PRINTED_MAX: Final = 20


def verify_deep(
    installation: Installation,
    *,
    fast: bool,
    expected_digest: str | None,
    as_of: str | None,
    as_json: bool,
) -> int:
    """The exit code, as `Report` has it."""
    env = installation.ensured()
    kafka = {name: text for name, text in env.items() if name.startswith(PREFIX)}
    wanted = Wanted(
        databases={service: _database(env, service) for service in SERVICES},
        zone=installation.calendar.zone,
        kafka=KafkaSettings.from_env(kafka).connection(),
        rebuild=None if fast else _rebuild(installation, env),
        expected_digest=expected_digest,
        as_of=as_of,
    )
    progress = Progress()
    try:
        report = run(check(wanted, progress.says))
    except (KafkaError, TopicSilent) as error:
        raise Trouble(f"Kafka: {error}") from error
    finally:
        progress.ends()
    if as_json:
        print_json(_as_json(report))
    else:
        _print(report)
    return report.exit_code


def _database(env: dict[str, str], service: str) -> str:
    name = env.get(f"ARREARS_{service.upper()}_DATABASE", f"arrears_{service}")
    return database_url(env[POSTGRES], name)


def _rebuild(installation: Installation, env: dict[str, str]) -> Rebuild:
    whole = {**os.environ, **env, **compiled_once(installation)}

    def rebuild(service: str, source: Source) -> tuple[int, str, str]:
        program = [entry_point(service), "rebuild", "--from", source, "--json"]
        done = subprocess.run(program, env=whole, capture_output=True, check=False, text=True)
        return done.returncode, done.stdout, done.stderr

    return rebuild


def _print(report: Report) -> None:
    shown = console()
    laws = report.laws.values()
    rows = [
        (
            law.number,
            law.title,
            escape(law.counted()),
            f"{law.finding_count:,} BROKEN" if law.finding_count else law.verdict,
        )
        for law in laws
    ]
    shown.print(table(("law", "says", "counted", "verdict"), rows))
    for law in laws:
        for finding in law.findings[:PRINTED_MAX]:
            shown.print(f"law {law.number}: {finding.place}: {finding.text}", markup=False)
        if law.finding_count > PRINTED_MAX:
            more = law.finding_count - PRINTED_MAX
            shown.print(f"law {law.number}: {more:,} more (--json names 100 of each service)")
    left_out = map(str, report.not_checked)
    verdict = "nothing is broken" if report.holds else "BROKEN"
    typer.echo(
        verdict + (f"; not checked: law {', '.join(left_out)}" if report.not_checked else "")
    )


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "holds": report.holds,
        "not_checked": report.not_checked,
        "laws": [
            {
                "law": law.number,
                "says": law.title,
                "verdict": law.verdict,
                "counted": law.counts,
                "remarks": law.remarks,
                "finding_count": law.finding_count,
                "findings": [asdict(finding) for finding in law.findings],
            }
            for law in report.laws.values()
        ],
    }
