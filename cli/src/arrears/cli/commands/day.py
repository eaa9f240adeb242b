"""`arrears day close`: business days closed by hand, where no feed file does it."""

import sys
from datetime import date, datetime
from typing import Annotated

import typer
from msgspec import Struct

from arrears.cli.client.installation import KAFKA, Installation, is_live, run
from arrears.cli.client.trouble import Trouble, WrongUse, told
from arrears.cli.commands.output import AsJson, print_json
from arrears.cli.feed.importer_topic import close_days, ensure_feed_topic, opened_on
from arrears.cli.feed.importing import Opened, days_between
from arrears.shared.contracts.corebanking import FEED_TOPIC
from arrears.shared.kafka.adapter import KafkaBus
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.runtime.bus import Bus

day_app = typer.Typer(help="The bank's business days.", no_args_is_help=True)
DAYS_AHEAD_MAX = 31
FIRST_DAY_MIN, LAST_DAY_MAX = date(1900, 1, 1), date(2199, 12, 31)
"""No closing of another day is read as one."""


class Plan(Struct, frozen=True, kw_only=True):
    """Which days will be closed on how many partitions; `last_closed` None on a new topic."""

    last_closed: date | None
    first: date
    last: date
    days: int
    partitions: int
    closed: bool


@day_app.command()
def close(
    to: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Close every day up to this one. Default: the day after the last closed one.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; allow more than 31 days.")
    ] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    as_json: AsJson = False,
) -> None:
    """Close business days on the feed: every deadline in them falls due, and cannot be undone."""
    with told():
        installation = Installation.find()
        until = None if to is None else to.date()
        env = installation.environment()
        if is_live(env):
            raise Trouble("the services follow the wall clock: days end at midnight, not by hand")
        if not dry:
            env = installation.ensured()
        elif KAFKA not in env:
            raise Trouble("no Kafka runs here, and a dry run starts none: `arrears up` does")
        plan = run(_close(installation, env, until, yes=yes, dry=dry))
    if as_json:
        print_json(plan)
    else:
        typer.echo(_words(plan))


async def _close(
    installation: Installation, env: dict[str, str], to: date | None, *, yes: bool, dry: bool
) -> Plan:
    kafka = {name: text for name, text in env.items() if name.startswith("ARREARS_KAFKA")}
    settings = KafkaSettings.from_env(kafka)
    bus = KafkaBus(settings)
    try:
        if dry:
            return await planned(bus, settings, to)
        partitions = await ensure_feed_topic(bus, settings)
        opened = await opened_on(bus)
        plan, first_day = plan_for(opened, to, partitions, yes=yes)
        if not yes:
            _ask(plan)
        publisher = bus.publisher()
        try:
            days = days_between(plan.first, plan.last + ONE_DAY)
            await close_days(publisher, days, first_day, partitions, installation.calendar)
        finally:
            await publisher.close()
        return Plan(
            last_closed=plan.last_closed,
            first=plan.first,
            last=plan.last,
            days=plan.days,
            partitions=partitions,
            closed=True,
        )
    finally:
        await bus.close()


async def planned(bus: Bus, settings: KafkaSettings, to: date | None) -> Plan:
    """Nothing is made: a topic that is not there is planned with the partitions it would get."""
    try:
        partitions = await bus.partition_count(FEED_TOPIC)
    except LookupError:
        return plan_for(None, to, settings.feed_partitions, yes=True)[0]
    return plan_for(await opened_on(bus), to, partitions, yes=True)[0]


def plan_for(
    opened: Opened | None, to: date | None, partitions: int, *, yes: bool
) -> tuple[Plan, date]:
    if opened is None:
        if to is None:
            raise WrongUse("--to", "no day was ever closed here: name the first one")
        opened = Opened(first_day=to, open_day=to)
        last_closed = None
    else:
        last_closed = opened.open_day - ONE_DAY
    last = to or opened.open_day
    if not FIRST_DAY_MIN <= last <= LAST_DAY_MAX:
        raise WrongUse("--to", f"{last} is not between {FIRST_DAY_MIN} and {LAST_DAY_MAX}")
    if last < opened.open_day:
        raise WrongUse("--to", f"{last} is closed already: the open day is {opened.open_day}")
    count = (last - opened.open_day).days + 1
    if count > DAYS_AHEAD_MAX and not yes:
        raise WrongUse(
            "--to",
            f"{last} is {count} days from the last closed one, more than {DAYS_AHEAD_MAX}: "
            "every deadline in them would fall due; add --yes if that is meant",
        )
    plan = Plan(
        last_closed=last_closed,
        first=opened.open_day,
        last=last,
        days=count,
        partitions=partitions,
        closed=False,
    )
    return plan, opened.first_day


def _ask(plan: Plan) -> None:
    """A program that asks nobody has --yes; a person at a terminal is asked."""
    if sys.stdin.isatty() and not typer.confirm(f"{_words(plan)}. Go on?", err=True):
        raise Trouble("nothing was closed")


def _words(plan: Plan) -> str:
    before = "no day is closed yet" if plan.last_closed is None else f"{plan.last_closed} is closed"
    span = f"{plan.first}" if plan.days == 1 else f"{plan.first} to {plan.last}, {plan.days} days"
    if plan.closed:
        return f"closed {span}"
    return f"{before}; would close {span} on {plan.partitions} partitions"
