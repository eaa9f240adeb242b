"""What an import would do, and which lines intake would surely set aside. Nothing is sent.

A line is judged here by its shape alone: JSON, the attributes, the fields of its type, amounts
that are amounts. What contradicts other facts only intake can know.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec
from msgspec import Struct

from arrears.cli.feed.importing import Survey, outline_of
from arrears.cli.feed.lines import Line
from arrears.shared.contracts.corebanking import (
    BORROWER_PROFILE,
    BUSINESS_DAY_CLOSED,
    LOAN_CURED,
    LOAN_OVERDUE,
    REPAYMENT_RECEIVED,
    BorrowerProfile,
    BusinessDayClosed,
    FeedEvent,
    LoanCured,
    LoanOverdue,
    RepaymentReceived,
)
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.money import BadAmount, parse_minor

NAMED_MAX: Final = 100
_DATA: Final[dict[str, type[Struct]]] = {
    LOAN_OVERDUE: LoanOverdue,
    REPAYMENT_RECEIVED: RepaymentReceived,
    LOAN_CURED: LoanCured,
    BORROWER_PROFILE: BorrowerProfile,
    BUSINESS_DAY_CLOSED: BusinessDayClosed,
}


class BadLine(Struct, frozen=True, kw_only=True):
    """`says` names the field and the rule."""

    line: int
    says: str


class DryRun(Struct, frozen=True, kw_only=True):
    """`bad_lines` names at most 100 of the `bad` ones. All of them would be sent."""

    lines: int
    types: dict[str, int]
    days: dict[date, int]
    first_day: date | None
    last_day: date | None
    days_to_close: int
    far: int
    too_long: int
    bad: int
    bad_lines: list[BadLine]


class _Shape(FeedEvent, frozen=True, kw_only=True):
    data: msgspec.Raw


_SHAPE: Final = msgspec.json.Decoder(_Shape)
_DECODERS: Final = {name: msgspec.json.Decoder(data) for name, data in _DATA.items()}


def dry_run(lines: Iterable[Line], found: Survey, calendar: BankCalendar) -> DryRun:
    bad: list[BadLine] = []
    count = 0
    for line in lines:
        says = what_is_wrong(line) or _far_off(line, found, calendar)
        if says is not None:
            count += 1
            if len(bad) < NAMED_MAX:
                bad.append(BadLine(line=line.number, says=says))
    begins, ends = found.first_day, found.last_day
    return DryRun(
        lines=found.lines,
        types=found.types,
        days=found.days,
        first_day=begins,
        last_day=ends,
        days_to_close=0 if begins is None or ends is None else (ends - begins).days + 1,
        far=found.far,
        too_long=found.too_long,
        bad=count,
        bad_lines=bad,
    )


def what_is_wrong(line: Line) -> str | None:
    """The first thing about the line that no consumer could read; None where it has its shape."""
    if line.too_long:
        return "is longer than 900,000 bytes: its hash, length and first 4 kB are sent instead"
    try:
        event = _SHAPE.decode(line.value)
        decoder = _DECODERS.get(event.type)
        if decoder is None:
            return f"type: {event.type[:80]!r} is not a fact that intake knows"
        return _bad_amount(decoder.decode(event.data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return str(error)


def _bad_amount(data: Struct) -> str | None:
    currency = getattr(data, "currency", None)
    if currency is None:
        return None
    amounts: dict[str, str | None] = {}
    if isinstance(data, LoanOverdue):
        owed = data.overdue
        amounts = {
            "outstanding_balance": data.outstanding_balance,
            "overdue.total": owed.total,
            "overdue.principal": owed.principal,
            "overdue.interest": owed.interest,
            "overdue.fees": owed.fees,
        }
    elif isinstance(data, RepaymentReceived):
        amounts = {"amount": data.amount}
    try:
        for field, text in amounts.items():
            if text is not None and parse_minor(text, currency) < 0:
                return f"data.{field}: {text[:40]!r} is negative"
    except BadAmount as error:
        if error.reason == "unknown_currency":
            return f"data.currency: {currency[:40]!r} is not a currency"
        return f"data.{field}: {(text or '')[:40]!r} {error.reason.replace('_', ' ')}"
    return None


def _far_off(line: Line, found: Survey, calendar: BankCalendar) -> str | None:
    outline = outline_of(line)
    if outline is None or outline.type == BUSINESS_DAY_CLOSED:
        return None if outline is not None else "time: has no zone"
    try:
        day = calendar.day_of(outline.time)
    except (OverflowError, ValueError):
        return f"time: {outline.time} lies outside of any calendar"
    return None if day in found.days else f"time: {day} is far away from the other days"
