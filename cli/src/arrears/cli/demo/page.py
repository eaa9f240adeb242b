"""The last page: what a head of collections reads. Every figure is history's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from arrears.cli.demo.words import Language, say

LISTED: Final = 3
_STAGE_COLUMNS: Final = ("cases", "in_work", "waiting", "overdue", "balance", "paid_in")
Page = Mapping[str, Any]


def print_page(shown: Console, page: Page, language: Language) -> None:
    feed = page["feed"]
    currencies = feed["total_repaid"]
    shown.rule(f"[bold]{say('title', language, day=page['as_of'])}")
    shown.print(
        say(
            "over",
            language,
            cases=page["case_count"],
            loans=feed["loans_seen"],
            currency=", ".join(currencies)
            if isinstance(currencies, dict)
            else page["currency"] or say("not_known", language),
        )
    )
    _heading(shown, say("stages", language))
    shown.print(_stages(page, language))
    shown.print(_counts(page, language))
    rolls = page["roll_rates"]
    first, last = rolls["first_month"], rolls["last_month"]
    if first is not None:
        _heading(shown, say("rolls", language, first=first, last=last))
        shown.print(_rolls(rolls["rates"], language))
    _heading(shown, say("attempts", language))
    _print_attempts(shown, page["attempts"], language)
    _heading(shown, say("tomorrow", language))
    _print_tomorrow(shown, page["tomorrow"], language)
    _heading(shown, say("endings", language))
    shown.print(_endings(page["endings"], language))


def story_of(endings: Sequence[Mapping[str, Any]]) -> str | None:
    """The case whose story tells most: one that was enforced, else the furthest that came."""
    cases = {one["ending"]: one["case_id"] for one in endings if one["case_id"] is not None}
    wanted = (
        "enforced_in_full",
        "enforced_in_part",
        "enforced_no_assets",
        "judgment_obeyed",
        "agreement_breached_then_sued",
        "agreement_fulfilled",
        "promise_kept",
    )
    return next((cases[name] for name in wanted if name in cases), next(iter(cases.values()), None))


def _heading(shown: Console, text: str) -> None:
    shown.print(f"\n[bold]{text}[/bold]")


def _stages(page: Page, language: Language) -> Table:
    made = _table([say("stage", language)], [say(name, language) for name in _STAGE_COLUMNS])
    made.add_column(say("promises", language), justify="right")
    made.add_column(say("agreements", language), justify="right")
    for row in page["stages"]:
        made.add_row(
            say(row["stage"], language),
            *(_figure(row[name]) for name in _STAGE_COLUMNS),
            _pair(row["promises_kept"], row["promises_broken"]),
            _pair(row["agreements_kept"], row["agreements_breached"]),
        )
    return made


def _counts(page: Page, language: Language) -> str:
    parts = [f"{say(name, language)} {count:,}" for name, count in page["counts"].items()]
    parts += [f"{say(name, language)} {_figure(page[name])}" for name in ("awarded", "recovered")]
    return f"[dim]{'; '.join(parts)}[/dim]"


def _rolls(rates: Sequence[Mapping[str, Any]], language: Language) -> Table:
    """A matrix: rows the bucket at a month's end, columns the one a month later."""
    share = {(one["from"], one["to"]): one["share"] for one in rates}
    before = list(dict.fromkeys(one["from"] for one in rates))
    after = sorted({one["to"] for one in rates}, key=lambda name: (name == "cured", name))
    made = _table(
        [say("from", language)], [say(name, language) for name in after], say("loans", language)
    )
    loans = {name: sum(one["loans"] for one in rates if one["from"] == name) for name in before}
    for name in before:
        cells = (share.get((name, to)) for to in after)
        made.add_row(
            say(name, language),
            *("" if cell is None else f"{cell:.1%}" for cell in cells),
            f"{loans[name]:,}",
        )
    return made


def _print_attempts(shown: Console, attempts: Mapping[str, Any], language: Language) -> None:
    def counted(name: str, style: str = "") -> str:
        text = f"{say(name, language)} {attempts[name]:,}"
        return f"[{style}]{text}[/]" if style else text

    proven = ("without_permit", "made_twice")
    shown.print(
        ", ".join(
            [counted("requested"), counted("made"), counted("refused_by_rule")]
            + [counted(name, "green" if attempts[name] == 0 else "bold red") for name in proven]
        )
    )
    for name in ("refused_by", "outcomes"):
        heading = say("refused_by_rule" if name == "refused_by" else "outcomes", language)
        shown.print(f"  {heading}: {_listed(attempts[name].items(), language)}")


def _print_tomorrow(shown: Console, tomorrow: Mapping[str, Any], language: Language) -> None:
    for name in ("broken_promises", "returned_notices"):
        todo = tomorrow[name]
        shown.print(f"{say(name, language)}: {todo['count']:,}")
        for one in todo["cases"][:LISTED]:
            shown.print(
                f"  {one['case_id']}  {escape(one['loan_key'])}  "
                f"{say('since', language)} {one['since']}  {one['overdue']}"
            )
        if todo["count"] > LISTED:
            shown.print(f"  {say('and_more', language, count=todo['count'] - LISTED)}")
    aside = tomorrow["facts_set_aside"]
    count = say("not_known", language) if aside is None else f"{aside:,}"
    shown.print(f"{say('facts_set_aside', language)}: {count}")


def _endings(endings: Sequence[Mapping[str, Any]], language: Language) -> Table:
    made = _table([say("ending", language)], [say("count", language)])
    made.add_column(say("case", language), no_wrap=True)
    for one in endings:
        made.add_row(say(one["ending"], language), f"{one['count']:,}", one["case_id"] or "")
    return made


def _table(texts: Iterable[str], numbers: Iterable[str], *more_numbers: str) -> Table:
    made = Table(box=None, pad_edge=False, header_style="bold")
    for text in texts:
        made.add_column(text, no_wrap=True)
    for text in (*numbers, *more_numbers):
        made.add_column(text, justify="right")
    return made


def _listed(counts: Iterable[tuple[str, int]], language: Language) -> str:
    largest = sorted(counts, key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{say(name, language)} {count:,}" for name, count in largest) or say(
        "none", language
    )


def _figure(value: object) -> str:
    """Amounts with groups of thousands; of several currencies one under the other."""
    if isinstance(value, Mapping):
        return "\n".join(f"{_figure(amount)} {currency}" for currency, amount in value.items())
    if isinstance(value, int):
        return f"{value:,}"
    whole, dot, cents = str(value).partition(".")
    return f"{int(whole):,}{dot}{cents}" if whole.lstrip("-").isdigit() else str(value)


def _pair(kept: int | None, broken: int | None) -> str:
    return "" if kept is None or broken is None else f"{kept:,} / {broken:,}"
