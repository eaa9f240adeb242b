"""Values that break a rule wherever they stand, and those that hostile requests are made of."""

from random import Random
from typing import Any, Final

CONTROLS: Final = (
    "\x00", "\x07", "\x08", "\t", "\n", "\r", "\x1b[31m", "\x7f", "\x85", "\xad", "\u061c",
    "\u200b", "\u200e", "\u200f", "\u2028", "\u2029", "\u202e", "\u2066", "\ufeff", "\ufff9",
    "\U000e0001", "\ue000", "\ufdd0",
)  # fmt: skip
"""No printable text has them: control characters, marks of direction, separators, nobody's own."""

DATES: Final = (
    ("not_a_date", ""),
    ("not_a_date", "2026-02-30"),
    ("not_a_date", "2026-13-01"),
    ("not_a_date", "2026-00-10"),
    ("not_a_date", "0000-01-01"),
    ("not_a_date", "2026-3-2"),
    ("not_a_date", "20260302"),
    ("not_a_date", "02.03.2026"),
    ("not_a_date", "2026-03-02T00:00:00Z"),
    ("not_a_date", "+12026-03-02"),
    ("not_a_date", "２０２６-03-02"),
    ("not_a_date", "2026-03-02\x00"),
    ("out_of_range", "2205-01-01"),
    ("out_of_range", "2200-01-01"),
    ("out_of_range", "1899-12-31"),
    ("out_of_range", "0001-01-01"),
    ("out_of_range", "9999-12-31"),
)
INSTANTS: Final = (
    ("not_a_date", ""),
    ("not_a_date", "now"),
    ("not_a_date", "2026-03-02"),
    ("not_a_date", "2026-02-30T10:00:00Z"),
    ("not_a_date", "2026-03-02T25:00:00Z"),
    ("not_a_date", "2026-03-02T10:61:00Z"),
    ("not_a_date", "2026-03-02T10:00:00+99:00"),
    ("not_a_date", "1772445600"),
    ("without_time_zone", "2026-03-02T10:00:00"),
    ("out_of_range", "2205-03-02T10:00:00Z"),
    ("out_of_range", "9999-12-31T23:59:59-14:00"),
    ("out_of_range", "0001-01-01T00:00:00+14:00"),
    ("out_of_range", "1899-12-31T23:59:59Z"),
)
AMOUNTS: Final = (
    ("not_a_number", "much"),
    ("not_a_number", "NaN"),
    ("not_a_number", "Infinity"),
    ("not_a_number", "1e5"),
    ("not_a_number", "+1.00"),
    ("not_a_number", ".50"),
    ("not_a_number", "1."),
    ("not_a_number", "1,000.00"),
    ("not_a_number", "1_000.00"),
    ("not_a_number", "0x10"),
    ("not_a_number", "--1"),
    ("not_a_number", "1.00\x00"),
    ("not_a_number", "\u202e1.00"),
    ("not_a_number", " 1.00"),
    ("not_a_number", "¥1.00"),
    ("not_a_number", "１２.００"),
    ("not_a_number", "²"),
    ("not_a_number", "1" * 19),
    ("not_a_number", "1.0000000"),
    ("wrong_length", ""),
    ("wrong_length", "1" * 33),
    ("too_many_decimals", "1.001"),
    ("too_many_decimals", "0.009"),
    ("out_of_range", "1" * 17),
    ("out_of_range", "92233720368547758.07"),
    ("out_of_range", "10000000000000.01"),
)
"""Of a currency with two decimals."""
NUMBERS: Final[tuple[Any, ...]] = (
    36_601, -36_601, 10**6, -(10**9), 2**31, 2**63, -(2**63) - 1, 2**64, 10**30, -(10**400), 1.5,
    -0.5, 1e300, "1", "", True, None, [], {},
)  # fmt: skip
ZONES: Final = (
    "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "America", "Asia/", "x" * 64,
    "Asia/Shanghai ", "UTC+8", "\x00", "..", "\u202eAsia/Tokyo",
)  # fmt: skip
LANGUAGES: Final = (
    "zh_CN!",
    "z",
    "-",
    "zh--CN",
    "zh-" + "x" * 9,
    "中文",
    "en\n",
    "\x00",
    "e\u202en",
)

ANYTHING: Final[tuple[Any, ...]] = (
    None, True, False, -1, 0, 1.5, 10**15 + 1, 2**63, 10**30, -(10**400), 1e308, "", " ", "x",
    "\x00", "\ud800", "\u202e", "\u200f", "9" * 5000, "字" * 501, [], {}, [[]], [None],
    {"a": {"b": []}}, "2205-01-01", "0000-00-00", "2026-02-30", "CNY\x00", "NaN", "1e5", "true",
    "../..", "%00", "' OR 1=1",
)  # fmt: skip
"""Hostile in some place of a request or other."""


def wrong_kind(chance: Random, *, text: bool, optional: bool) -> Any:
    """What is neither a text (or a date) nor a number, an object or a list that might be meant."""
    values: list[Any] = [True, False, 1.5]
    if text:
        values += [0, 17, -1, [], {}, ["x"], {"x": 1}]
    return chance.choice(values if optional else [*values, None])
