"""Fields of requests with their bounds. Nothing is guessed: an amount is a JSON number without a
fraction, a day is `YYYY-MM-DD`, an instant has a zone."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from arrears.shared.kernel.money import AMOUNT_MINOR_MAX, MINOR_DIGITS

WORDS_MAX: Final = 500
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100
ROW_NUMBER_MAX: Final = 2**63 - 1
"""Rows are numbered by PostgreSQL, in 64 bits."""
BORROWER_ID_MAX: Final = 400
"""In old events a loan without a borrower goes by its key: the loan's id and its source."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Body(BaseModel):
    """A field that is not known is an error: a mistyped optional one would be lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not hold control characters")
    if not value.strip():
        raise ValueError("must say something")
    return value


def _known_currency(value: str) -> str:
    if value not in MINOR_DIGITS:
        raise ValueError("is not a known ISO 4217 currency")
    return value


def _iso_day(value: Any) -> date:
    try:
        day = date.fromisoformat(_text(value) if _DAY.fullmatch(_text(value)) else "")
    except ValueError:
        raise ValueError("must be a day, YYYY-MM-DD") from None
    if not FIRST_YEAR <= day.year < LAST_YEAR:
        raise ValueError(f"must be from {FIRST_YEAR} to {LAST_YEAR - 1}")
    return day


def _iso_instant(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(_text(value))
    except ValueError:
        raise ValueError("must be an instant, YYYY-MM-DDTHH:MM:SS with a zone") from None
    if at.utcoffset() is None:
        raise ValueError("must have a zone, such as Z or +08:00")
    if not FIRST_YEAR <= at.year < LAST_YEAR:
        raise ValueError(f"must be from {FIRST_YEAR} to {LAST_YEAR - 1}")
    return at.astimezone(UTC)


Words = Annotated[
    str,
    Field(min_length=1, max_length=WORDS_MAX, description="Why, in plain words; printable."),
    AfterValidator(_printable),
]
SecondPerson = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$",
        description="Another member of staff, who approves it.",
    ),
]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$", description="A code from the list.")]
SumMinor = Annotated[
    int,
    Field(strict=True, ge=0, le=AMOUNT_MINOR_MAX, description="In minor units of the currency."),
]
"""Also of nothing."""
AmountMinor = Annotated[SumMinor, Field(ge=1)]
Currency = Annotated[
    str,
    Field(min_length=3, max_length=3, description="ISO 4217.", examples=["CNY"]),
    AfterValidator(_known_currency),
]
Day = Annotated[date, BeforeValidator(_iso_day), Field(description="A day of the bank's calendar.")]
Instant = Annotated[datetime, BeforeValidator(_iso_instant), Field(description="With a zone.")]
Flag = Annotated[bool, Field(strict=True)]

CaseIdPath = Annotated[
    str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="Id of the case.")
]
After = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Key of the last row of the page before.",
    ),
]
AfterNumber = Annotated[
    int, Query(ge=0, le=ROW_NUMBER_MAX, description="Number of the last row of the page before.")
]
EventIdPath = Annotated[
    str,
    Path(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$", description="Id of the event."),
]
Limit = Annotated[int, Query(ge=1, le=500, description="Rows on a page.")]
NumberPath = Annotated[int, Path(ge=1, le=ROW_NUMBER_MAX, description="As the list numbers it.")]
BorrowerIdPath = Annotated[
    str,
    Path(min_length=1, max_length=BORROWER_ID_MAX, description="As the list names the borrower."),
    AfterValidator(_printable),
]
