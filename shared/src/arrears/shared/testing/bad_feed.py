"""Ways to spoil good records of the feed, each of which names the rule that it breaks.

Everything follows from the `Random` that is handed in, so one seed is one feed. A way that leaves
a record valid is no way: what is made here must be refused, for one of the reasons and at the field
that stand beside it.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from msgspec import Struct

from arrears.shared.testing.bad_values import (
    AMOUNTS,
    CONTROLS,
    DATES,
    INSTANTS,
    LANGUAGES,
    NUMBERS,
    ZONES,
    wrong_kind,
)
from arrears.shared.testing.good_feed import (
    CLOSING,
    CURED,
    DAY,
    OVERDUE,
    PROFILE,
    REPAYMENT,
    Record,
)

Spoilt = tuple[tuple[str, ...], str]
"""The reasons of which one must be given, and the field."""
Way = Callable[[Random, Record], Spoilt]
_LOANS: Final = (OVERDUE, REPAYMENT, CURED)


class BadLine(Struct, frozen=True):
    """`way` names how it was spoilt. No `reasons`: several things are wrong, any may be said."""

    key: str
    value: bytes
    way: str
    reasons: tuple[str, ...]
    field: str


# --- Spoiling


def spoil(chance: Random, good: Record, number: int) -> BadLine:
    """A line that is bad for one named reason, now and then for several at once."""
    record = deepcopy(good)
    key = str(good["partitionkey"])
    if chance.random() < 0.12:
        reasons, field, value, way = _spoil_bytes(chance, record)
        return BadLine(key, value, way, reasons, field)
    way, (reasons, field) = _spoil_one(chance, record, number)
    if chance.random() < 0.1 and record.get("type") == good["type"]:
        second = chance.choice(_ALWAYS)
        try:
            second(chance, record)
        except (KeyError, TypeError, AttributeError):
            # The first way took away what the second one needs.
            return BadLine(key, dumps(chance, record), way, reasons, field)
        return BadLine(key, dumps(chance, record), f"{way} and more", (), "")
    return BadLine(key, dumps(chance, record), way, reasons, field)


def dumps(chance: Random, record: object) -> bytes:
    """As one bank or another writes JSON: escaped or in UTF-8, tight or with spaces."""
    separators = chance.choice(((",", ":"), (", ", ": ")))
    text = json.dumps(record, ensure_ascii=chance.random() < 0.5, separators=separators)
    return text.encode("utf-8", "surrogatepass")


def _spoil_one(chance: Random, record: Record, number: int) -> tuple[str, Spoilt]:
    way = chance.choice([*_ALWAYS, *_WAYS[record["type"]]])
    if record["type"] in _LOANS and way in _RULES:
        # A new fact of the same loan: else it is a contradiction of its own id.
        record["id"] = f"{record['id']}-{number}"
        if record["type"] == REPAYMENT:
            record["data"]["repayment_id"] += f"-{number}"
    return way.__name__.strip("_"), way(chance, record)


def _spoil_bytes(chance: Random, record: Record) -> tuple[tuple[str, ...], str, bytes, str]:
    way = chance.choices(list(_BYTES), [3, 3, 3, 3, 3, 3, 3, 0.05, 0.05])[0]
    reasons, spoilt = _BYTES[way](chance, dumps(chance, record))
    return reasons, "$", spoilt, way


def _in_text(chance: Random, value: bytes, inserted: bytes) -> bytes:
    """The id is in every record, and always a text."""
    place = value.index(b"fact-") + chance.randrange(5)
    return value[:place] + inserted + value[place:]


_BYTES: Final[dict[str, Callable[[Random, bytes], tuple[tuple[str, ...], bytes]]]] = {
    "cut": lambda c, v: (("not_json", "not_utf8"), v[: c.randrange(len(v))]),
    "not_utf8": lambda c, v: (
        ("not_utf8", "not_json"),
        _in_text(
            c, v, c.choice((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\x80"))
        ),
    ),
    "lone_surrogate": lambda c, v: (
        ("lone_surrogate",),
        _in_text(c, v, c.choice((rb"\ud800", rb"\udfff", rb"\uDBFF", rb"\ude00\ud83d"))),
    ),
    "raw_control": lambda c, v: (
        ("not_json", "control_characters"),
        _in_text(c, v, bytes([c.randrange(32)])),
    ),
    "trailing": lambda c, v: (
        ("not_json",),
        v + c.choice((b"{}", b"x", b",", b"\x00", b"]", b"\xff")),
    ),
    "leading": lambda c, v: (("not_json",), c.choice((b"\xef\xbb\xbf", b"\x00", b")]}',")) + v),
    "other_value": lambda c, v: (
        ("wrong_type", "not_json", "out_of_range"),
        c.choice(
            (b"null", b"[]", b"17", b"true", b'"text"', b"[" + v + b"]", b"NaN", b"-", b"1e999")
        ),
    ),
    "too_deep": lambda _c, v: (
        ("too_deep",),
        v[:-1] + b',"x":' + b'{"a":[' * 60_000 + b"]}" * 60_000 + b"}",
    ),
    "too_large": lambda _c, v: (("too_large",), v[:-1] + b',"x":"' + b"x" * 900_000 + b'"}'),
}


# --- What every record has


def _missing(chance: Random, record: Record) -> Spoilt:
    names = ["specversion", "id", "source", "type", "time", "data"]
    inside = [f"data.{name}" for name in _REQUIRED[record["type"]]]
    path = chance.choice(names + inside)
    _holder(record, path).pop(path.rpartition(".")[2])
    return ("missing",), path


def _of_wrong_kind(chance: Random, record: Record) -> Spoilt:
    path = chance.choice([*_TEXTS[record["type"]], *_WHOLE[record["type"]]])
    optional = path.rpartition(".")[2] in {"borrower_id", "zone", "language"}
    _set(record, path, wrong_kind(chance, text=path in _TEXTS[record["type"]], optional=optional))
    return ("wrong_type", "out_of_range"), path


def _text(chance: Random, record: Record) -> Spoilt:
    path = chance.choice(_TEXTS[record["type"]])
    if chance.random() < 0.3:
        _set(record, path, chance.choice(("", "x" * 501, "字" * 501)))
        return ("wrong_length",), path
    if path in _CHOSEN:
        _set(record, path, chance.choice(_CHOSEN[path][1]))
        return _CHOSEN[path][0], path
    text = str(_get(record, path))
    place = chance.randrange(len(text) + 1)
    _set(record, path, text[:place] + chance.choice(CONTROLS) + text[place:])
    return ("control_characters",), path


def _date_or_time(chance: Random, record: Record) -> Spoilt:
    path = chance.choice(["time", *_DAYS[record["type"]]])
    reason, text = chance.choice(INSTANTS if path == "time" else DATES)
    _set(record, path, text)
    return (reason,), path


def _attribute(chance: Random, record: Record) -> Spoilt:
    if chance.random() < 0.2:
        record["source"] = f"{record['source']}@elsewhere"
        return ("reserved_character",), "source"
    if chance.random() < 0.5:
        record["specversion"] = chance.choice(("0.3", "1", "1.0 ", "", 1.0, None, [], "\x00"))
        return ("unknown_specversion",), "specversion"
    unknown = ("", "corebanking.loan.sold.v1", f"{record['type']} ", "' - at `$.evil`")
    record["type"] = chance.choice((*unknown, 7, None, {}))
    return ("unknown_type",), "type"


# --- What one kind has


def _amount(chance: Random, record: Record) -> Spoilt:
    paths = ["data.amount"]
    if record["type"] == OVERDUE:
        paths = [
            "data.outstanding_balance",
            *(f"data.overdue.{n}" for n in record["data"]["overdue"]),
        ]
    path = chance.choice(paths)
    reason, text = chance.choice(AMOUNTS)
    _set(record, path, text)
    return (reason,), path


def _days_number(chance: Random, record: Record) -> Spoilt:
    record["data"]["days_past_due"] = chance.choice(NUMBERS)
    return ("out_of_range", "wrong_type", "not_json"), "data.days_past_due"


def _far_ahead(chance: Random, record: Record) -> Spoilt:
    at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=chance.randint(9, 60_000))
    record["time"] = at.isoformat()
    return ("more_than_7_days_ahead",), "time"


def _days_do_not_add_up(chance: Random, record: Record) -> Spoilt:
    record["data"]["days_past_due"] += chance.randint(1, 1000)
    return ("days_past_due_not_as_of_minus_due",), "data.days_past_due"


def _not_past_due(chance: Random, record: Record) -> Spoilt:
    record["data"]["days_past_due"] = -chance.randrange(100)
    return ("overdue_without_days_past_due",), "data.days_past_due"


def _owes_nothing(chance: Random, record: Record) -> Spoilt:
    path = chance.choice(("data.overdue.total", "data.outstanding_balance"))
    zero = chance.random() < 0.5
    _set(record, path, chance.choice(("0", "0.00", "-0")) if zero else f"-{_get(record, path)}")
    return ("past_due_and_nothing_owed" if zero else "amount_negative",), path


def _split(chance: Random, record: Record) -> Spoilt:
    owed = record["data"]["overdue"]
    if chance.random() < 0.5:
        owed["interest"] = "-0.01"
        return ("amount_negative",), "data.overdue"
    owed["principal"] = f"{owed['total']}".replace(".", "9.")
    return ("split_does_not_add_up",), "data.overdue"


def _later(chance: Random, record: Record) -> Spoilt:
    ahead = chance.randint(3, 900)
    is_paid = record["type"] == REPAYMENT
    name = "value_date" if is_paid else "as_of_date"
    record["data"][name] = (DAY + timedelta(days=ahead)).isoformat()
    if record["type"] == OVERDUE:
        record["data"]["days_past_due"] += ahead
    return (f"{'value_date' if is_paid else 'as_of'}_after_the_fact",), f"data.{name}"


def _cured_and_late(chance: Random, record: Record) -> Spoilt:
    record["data"]["days_past_due"] = chance.randint(1, 900)
    return ("cured_with_days_past_due",), "data.days_past_due"


def _paid_nothing(chance: Random, record: Record) -> Spoilt:
    zero = chance.random() < 0.5
    record["data"]["amount"] = "0.00" if zero else f"-{record['data']['amount']}"
    return ("amount_zero" if zero else "amount_negative",), "data.amount"


def _other_currency(chance: Random, record: Record) -> Spoilt:
    """An overdue fact of the loan was in another currency."""
    record["data"]["currency"] = chance.choice(("USD", "EUR", "TWD"))
    return ("currency_other_than_the_loans",), "data.currency"


def _of_nobody(chance: Random, record: Record) -> Spoilt:
    """Of a loan of its own, so that no other record has named its borrower."""
    record["data"]["loan_id"] += f"-bare-{chance.randrange(10**9)}"
    del record["data"]["borrower_id"]
    return ("borrower_unknown",), "data.borrower_id"


def _same_id_other_words(chance: Random, record: Record) -> Spoilt:
    if record["type"] == REPAYMENT:
        record["data"]["amount"] = f"9{record['data']['amount']}"
        return ("repayment_id_seen_with_other_amount",), "data.amount"
    if record["type"] == PROFILE:
        record["data"]["zone"] = "Asia/Tokyo"
    else:
        record["data"]["product" if record["type"] == OVERDUE else "reason"] = "other"
    return ("fact_id_seen_with_other_content",), "id"


def _point(chance: Random, record: Record) -> Spoilt:
    points = [dict(point) for point in record["data"]["contact_points"]]
    place = chance.randrange(len(points))
    at = f"data.contact_points[{place}]"
    record["data"]["contact_points"] = points
    match chance.randrange(5):
        case 0:
            points[place]["kind"] = chance.choice(
                ("fax", "", "PHONE", "phone' - at `$.138`", "\x00")
            )
            return ("unknown_value",), f"{at}.kind"
        case 1:
            points[place]["value"] = "1" * 501
            return ("wrong_length",), f"{at}.value"
        case 2:
            points[place]["value"] = f"138{chance.choice(CONTROLS)}000"
            return ("control_characters",), f"{at}.value"
        case 3:
            del points[place]["value"]
            return ("missing",), f"{at}.value"
    record["data"]["contact_points"] = points * 21
    return ("wrong_length",), "data.contact_points"


def _closing(chance: Random, record: Record) -> Spoilt:
    data = record["data"]
    match chance.randrange(3):
        case 0:
            data["partition_count"] = chance.choice((0, -1, 100_001, 2**63))
            return ("out_of_range",), "data.partition_count"
        case 1:
            data["first_day"] = "2026-03-03"
            return ("first_day_after_day",), "data.first_day"
    data["day"] = (DAY + timedelta(days=chance.randint(2, 60_000))).isoformat()
    return ("day_after_the_fact",), "data.day"


_ALWAYS: Final[list[Way]] = [_missing, _of_wrong_kind, _text, _date_or_time, _attribute]
_RULES: Final = frozenset(
    {
        _days_do_not_add_up,
        _not_past_due,
        _owes_nothing,
        _split,
        _later,
        _cured_and_late,
        _paid_nothing,
        _other_currency,
    }
)
"""Rules about what a loan may say: such a fact is read, and refused where it is handled."""
_WAYS: Final[dict[str, list[Way]]] = {
    OVERDUE: [
        _amount, _amount, _days_number, _far_ahead, _days_do_not_add_up, _not_past_due,
        _owes_nothing, _split, _later, _other_currency, _same_id_other_words, _of_nobody,
    ],
    REPAYMENT: [_amount, _far_ahead, _paid_nothing, _later, _same_id_other_words, _of_nobody],
    CURED: [_days_number, _far_ahead, _later, _cured_and_late, _same_id_other_words, _of_nobody],
    PROFILE: [_point, _point, _far_ahead, _same_id_other_words],
    CLOSING: [_closing, _closing],
}  # fmt: skip
_ALL: Final = ["id", "source"]
_IDS: Final = [*_ALL, "data.loan_id", "data.product", "data.currency"]
_TEXTS: Final = {
    OVERDUE: _IDS,
    REPAYMENT: [*_IDS, "data.repayment_id"],
    CURED: [*_IDS, "data.reason"],
    PROFILE: [*_ALL, "data.borrower_id", "data.zone", "data.language"],
    CLOSING: _ALL,
}
_CHOSEN: Final = {
    "data.currency": (("unknown_currency", "wrong_length"), ("XYZ", "cny", "CN", "CNYY", "人民币")),
    "data.zone": (("unknown_zone",), ZONES),
    "data.language": (("unknown_language",), LANGUAGES),
}
_DAYS: Final = {
    OVERDUE: ["data.as_of_date", "data.due_date"],
    REPAYMENT: ["data.value_date"],
    CURED: ["data.as_of_date"],
    PROFILE: [],
    CLOSING: ["data.day", "data.first_day"],
}
_WHOLE: Final = {
    OVERDUE: ["data", "data.overdue", "data.days_past_due", *_DAYS[OVERDUE]],
    REPAYMENT: ["data", *_DAYS[REPAYMENT]],
    CURED: ["data", "data.days_past_due", *_DAYS[CURED]],
    PROFILE: ["data", "data.contact_points"],
    CLOSING: ["data", "data.partition_count", *_DAYS[CLOSING]],
}
_LOAN_HAS: Final = ["loan_id", "currency"]
_REQUIRED: Final = {
    OVERDUE: [*_LOAN_HAS, "as_of_date", "days_past_due", "due_date", "outstanding_balance"],
    REPAYMENT: [*_LOAN_HAS, "repayment_id", "amount", "value_date"],
    CURED: [*_LOAN_HAS, "as_of_date", "days_past_due"],
    PROFILE: ["borrower_id"],
    CLOSING: ["day", "first_day", "partition_count"],
}


def _holder(record: Record, path: str) -> Record:
    for name in path.split(".")[:-1]:
        record = record[name]
    return record


def _get(record: Record, path: str) -> Any:
    return _holder(record, path)[path.rpartition(".")[2]]


def _set(record: Record, path: str, value: object) -> None:
    _holder(record, path)[path.rpartition(".")[2]] = value
