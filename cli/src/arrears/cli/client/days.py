"""Reports wait for history to reach a business day, and say which day they are about."""

import time
from datetime import date, datetime
from typing import Annotated, Any, Final

import typer

from arrears.cli.client.http import Api
from arrears.cli.client.installation import KAFKA, Installation, is_live, run
from arrears.cli.client.trouble import Trouble
from arrears.cli.commands.output import Progress
from arrears.cli.feed.importer_topic import opened_on
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kernel.business_day import ONE_DAY

WAIT_SECONDS: Final = 600.0
WAIT_SECONDS_MAX: Final = 86_400.0
POLL_SECONDS: Final = 0.2

AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        help="What was known when this business day ended. Default: the last closed day; cases and "
        "their histories now, where the wall clock moves the days.",
    ),
]


def _some_time(seconds: float) -> float:
    """A range alone lets through what is no number: nobody would ever be told."""
    if not 0 <= seconds <= WAIT_SECONDS_MAX:
        raise typer.BadParameter(f"must be from 0 to {WAIT_SECONDS_MAX:g} seconds")
    return seconds


Wait = Annotated[
    float,
    typer.Option(
        help="Seconds to wait until history has reached the day.", callback=_some_time, min=0
    ),
]


def reached_day(installation: Installation, as_of: datetime | None, wait: float) -> date | None:
    """The day that the report is about, once it is closed in every service.

    Without a wish it is the last day that is closed on the feed. None where no day ever was.
    """
    wanted = as_of.date() if as_of is not None else None
    last = last_closed_on_feed(installation)
    api = Api(installation, "history")
    if wanted is None:
        wanted = last or _closed_everywhere(api.get("/days"))
    elif last is not None and wanted > last:
        raise Trouble(f"--as-of: {wanted} is not closed yet, the last closed day is {last}")
    if wanted is not None:
        _wait(api, wanted, wait)
    return wanted


def day_or_now(installation: Installation, as_of: datetime | None, wait: float) -> date | None:
    """The same for what people look at as it happens: under the wall clock, where a day is closed
    at midnight alone, no wish means now, and None."""
    if as_of is None and is_live(installation.environment()):
        return None
    return reached_day(installation, as_of, wait)


def last_closed_on_feed(installation: Installation) -> date | None:
    """By the topic itself. None where no day is closed on it, or it cannot be asked from here."""
    env = installation.environment()
    if env.get("ARREARS_CLOCK") != "feed" or not env.get(KAFKA):
        return None
    try:
        return run(_last_closed(env))
    except (ConnectionError, LookupError, PermissionError):
        return None


async def _last_closed(env: dict[str, str]) -> date | None:
    kafka = {name: text for name, text in env.items() if name.startswith(KAFKA)}
    bus = KafkaBus(KafkaSettings.from_env(kafka))
    try:
        opened = await opened_on(bus)
    finally:
        await bus.close()
    return None if opened is None else opened.open_day - ONE_DAY


def _wait(api: Api, wanted: date, wait: float) -> None:
    until, progress = time.monotonic() + wait, Progress()
    try:
        while True:
            days = api.get("/days")
            closed = _closed_everywhere(days)
            if closed is not None and closed >= wanted:
                return
            if time.monotonic() >= until:
                raise Trouble(_not_closed(wanted, days))
            progress.says(f"waits until {wanted} is closed in every service, now {closed}")
            time.sleep(POLL_SECONDS)
    finally:
        progress.ends()


def _not_closed(wanted: date, days: dict[str, Any]) -> str:
    behind = [
        f"{service} ({day or 'no day yet'})"
        for service, day in days["services"].items()
        if day is None or date.fromisoformat(day) < wanted
    ]
    return (
        f"{wanted} is not closed yet in {', '.join(behind)}: `arrears status` says what each waits "
        "for, --wait gives it more time"
    )


def _closed_everywhere(days: dict[str, Any]) -> date | None:
    text = days["closed_everywhere"]
    return None if text is None else date.fromisoformat(text)
