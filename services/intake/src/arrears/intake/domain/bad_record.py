"""Records that cannot be understood: the refusal, and which rule and field it names."""

import re
from datetime import date
from typing import Final

from msgspec import ValidationError

YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2199
LINE_TOO_LONG: Final = b'"arrears.importer.line_too_long.v1"'
"""What the importer sends in place of a line that no record may be as long as."""

_LONE_SURROGATE: Final = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F]))"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_PLACE: Final = " - at `$"
_MISSING: Final = re.compile(r"Object missing required field `(.*)`\Z")


class BadRecord(Exception):
    """A record that cannot be understood. It is set aside with this reason; it never blocks.

    `reason` is a stable code; `field` is a path such as `data.overdue.total`, or `$` for the whole
    record. `detail` says the rule in words and never repeats a value of the record.
    """

    def __init__(self, reason: str, field: str, detail: str = "") -> None:
        super().__init__(f"{field}: {reason}" + (f" ({detail})" if detail else ""))
        self.reason = reason
        self.field = field
        self.detail = detail


def refuse_texts(**texts: str | None) -> None:
    """Control characters, direction marks, NUL and lone surrogates are not printable."""
    for field, text in texts.items():
        if text is not None and not text.isprintable():
            raise BadRecord("control_characters", f"data.{field}")


def refuse_days(**days: date) -> None:
    for field, day in days.items():
        if not YEAR_MIN <= day.year <= YEAR_MAX:
            raise BadRecord("out_of_range", f"data.{field}", f"years {YEAR_MIN} to {YEAR_MAX}")


def why_undecodable(  # noqa: PLR0911 - one rule after the other
    error: Exception, value: bytes
) -> BadRecord:
    """Turn the decoder's words into a stable rule and a field."""
    if isinstance(error, RecursionError):
        return BadRecord("too_deep", "$")
    if isinstance(error, UnicodeDecodeError):
        return BadRecord("not_utf8", "$")
    if not isinstance(error, ValidationError):
        lone = _LONE_SURROGATE.search(value)
        return BadRecord("lone_surrogate" if lone else "not_json", "$")
    # The last place is the decoder's: one before it would be quoted from the record.
    said, placed, place = str(error).rpartition(_PLACE)
    field = place.removeprefix(".").removesuffix("`") if placed else ""
    said = said if placed else place
    missing = _MISSING.match(said)
    if missing:
        return BadRecord("missing", f"{field}.{missing.group(1)}".lstrip("."))
    if field == "type" and LINE_TOO_LONG in value:
        return BadRecord("too_large", "$", "the importer sent its hash, length and first bytes")
    if field == "type":
        return BadRecord("unknown_type", "type")
    if field == "specversion":
        return BadRecord("unknown_specversion", field, "1.0")
    for start, reason in _RULES:
        if said.startswith(start):
            return BadRecord(reason, field or "$", said if "Invalid enum" not in said else "")
    return BadRecord("invalid", field or "$")


_RULES: Final = (
    ("Invalid RFC3339 encoded date", "not_a_date"),
    ("Expected `datetime` with a timezone", "without_time_zone"),
    ("Expected `str` of length", "wrong_length"),
    ("Expected `array` of", "wrong_length"),
    ("Expected `int` <", "out_of_range"),
    ("Expected `int` >", "out_of_range"),
    ("Integer value out of range", "out_of_range"),
    ("Number out of range", "out_of_range"),
    ("Expected `", "wrong_type"),
    ("Invalid enum value", "unknown_value"),
)
