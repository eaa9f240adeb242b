"""`arrears case list`, `history`, `portfolio`, `report`: what history tells, as of any day."""

from datetime import date
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import typer

from arrears.cli.client.days import WAIT_SECONDS, AsOf, Wait, day_or_now, reached_day
from arrears.cli.client.http import Api, NotThere
from arrears.cli.client.installation import Installation
from arrears.cli.client.reports import report_page
from arrears.cli.client.trouble import Trouble, told
from arrears.cli.commands.output import AsJson, console, print_json, table
from arrears.cli.demo.page import print_page
from arrears.cli.demo.story import print_story
from arrears.shared.contracts.history import Bucket, CaseStage, CaseStatus
from arrears.shared.kernel.money import MINOR_DIGITS, format_minor

case_app = typer.Typer(help="The cases.", no_args_is_help=True)
PAGE_MAX: Final = 1000
Lang = Annotated[Literal["en", "zh"], typer.Option(help="Language of the report.")]


@case_app.command("list")
def list_cases(
    as_of: AsOf = None,
    status: Annotated[CaseStatus | None, typer.Option(help="Only these.")] = None,
    stage: Annotated[CaseStage | None, typer.Option(help="Only those it has.")] = None,
    bucket: Annotated[Bucket | None, typer.Option(help="Only these months past due.")] = None,
    loan: Annotated[str | None, typer.Option(help="Loan key: <loan id>@<source>.")] = None,
    borrower: Annotated[
        str | None, typer.Option(help="Whom the bank named first for the loan.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Cases in order of their id, with stage, days past due and amount."""
    with told():
        installation = Installation.find()
        day = day_or_now(installation, as_of, WAIT_SECONDS)
        api = Api(installation, "history")
        asked: dict[str, object] = {
            # Without a wish the rows as they stand are the fastest answer.
            "as_of": day if as_of is not None else None,
            "status": status,
            "stage": stage,
            "bucket": bucket,
            "loan_key": loan,
            "borrower_id": borrower,
        }
        rows, more = _cases(api, asked, limit)
    if as_json:
        print_json({"as_of": day, "cases": rows, "more": more})
        return
    shown = console()
    columns = ["case", "loan", "status", "stage", "bucket", "dpd", "overdue", "balance", "opened"]
    shown.print(table(columns, map(_cells, rows), "dpd overdue balance"))
    shown.print(f"{len(rows)} cases{', and more: --limit' if more else ''}, as of {_day(day)}")


def history(
    name: Annotated[
        str, typer.Argument(metavar="CASE|LOAN", help="A case id, a loan key, or a loan id.")
    ],
    as_of: AsOf = None,
    lang: Lang = "en",
    wait: Wait = WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Everything that happened to a case or a loan, in order, in plain words, with the reasons."""
    with told():
        installation = Installation.find()
        day = day_or_now(installation, as_of, wait)
        story = _story(Api(installation, "history"), name, day, lang)
    if as_json:
        print_json({**story, "as_of": story["as_of"] or (None if day is None else str(day))})
        return
    shown = console()
    print_story(shown, story, lang, day)


def portfolio(
    as_of: AsOf = None, lang: Lang = "en", wait: Wait = WAIT_SECONDS, as_json: AsJson = False
) -> None:
    """The figures of the feed, under the names that its maker uses."""
    with told():
        installation = Installation.find()
        day = reached_day(installation, as_of, wait)
        figures = Api(installation, "history").get("/portfolio", as_of=day)
    if as_json:
        print_json({"as_of": day, **figures})
        return
    shown = console()
    shown.print(table(["figure", "value"], _flat(figures), "value"))
    shown.print(f"as of {_day(day)}" if lang == "en" else f"截至 {_day(day)}")


def report(
    as_of: AsOf = None, lang: Lang = "en", wait: Wait = WAIT_SECONDS, as_json: AsJson = False
) -> None:
    """The page that a head of collections reads: stages, roll rates, attempts, tomorrow's list."""
    with told():
        installation = Installation.find()
        day = reached_day(installation, as_of, wait)
        page = report_page(installation, day)
    if as_json:
        print_json(page)
        return
    print_page(console(), page, lang)


def _cases(api: Api, asked: dict[str, object], limit: int) -> tuple[list[dict[str, Any]], bool]:
    rows: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        wanted = min(PAGE_MAX, limit - len(rows))
        page = api.get("/cases", **asked, after=after, limit=wanted)
        rows += page["cases"]
        after = page["next_after"]
        if after is None or len(rows) >= limit:
            return rows, after is not None


def _story(api: Api, name: str, day: date | None, lang: str) -> dict[str, Any]:
    found: dict[str, Any]
    quoted = quote(name, safe="")
    if "@" not in name:
        try:
            found = api.get(f"/cases/{quoted}/history", as_of=day, lang=lang)
        except NotThere:
            name = _loan_key(api, name)
        else:
            return found
    found = api.get(f"/loans/{quote(name, safe='@')}/history", as_of=day, lang=lang)
    return found


def _loan_key(api: Api, loan_id: str) -> str:
    """The key of a loan that is named without its source. Raises where none or several have it."""
    after: str | None = None
    keys: set[str] = set()
    while True:
        page = api.get("/cases", loan_id=loan_id, after=after, limit=PAGE_MAX)
        keys |= {row["loan_key"] for row in page["cases"]}
        after = page["next_after"]
        if after is None:
            break
    if len(keys) == 1:
        return keys.pop()
    if not keys:
        raise Trouble(f"CASE|LOAN: nothing was ever said about a case or loan {loan_id!r}")
    raise Trouble(f"CASE|LOAN: {loan_id!r} is in several sources: {', '.join(sorted(keys))}")


def _cells(row: dict[str, Any]) -> list[object]:
    money = [_money(row[name], row["currency"]) for name in ("overdue_minor", "balance_minor")]
    return [
        row["case_id"],
        row["loan_key"],
        row["status"] if row["closed_reason"] is None else f"closed: {row['closed_reason']}",
        row["stage"],
        row["bucket"],
        row["days_past_due"],
        *money,
        row["opened_on"],
    ]


def _money(minor: int, currency: str) -> str:
    if currency not in MINOR_DIGITS:
        return str(minor)
    return f"{format_minor(minor, currency)} {currency}"


def _flat(figures: dict[str, Any]) -> list[tuple[str, object]]:
    """An amount in several currencies becomes a row for each."""
    rows: list[tuple[str, object]] = []
    for name, value in figures.items():
        if isinstance(value, dict):
            rows += [(f"{name} {currency}", amount) for currency, amount in value.items()]
        else:
            rows.append((name, value))
    return rows


def _day(day: date | None) -> str:
    return "now" if day is None else str(day)
