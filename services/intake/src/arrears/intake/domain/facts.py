"""Facts of the feed: a record's bytes in, a typed fact with exact minor units out, or a refusal.

What cannot be understood is refused here with `BadRecord`; what contradicts itself or the loan is
refused by the loan (`loan/judgement.py`). Both name a field and a stable rule. A fact's identity
and digest tell a duplicate (same identity, same digest) from a contradiction (same identity, other
digest).
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple, TypeAlias, assert_never
from zoneinfo import ZoneInfo

from msgspec import DecodeError, Struct, ValidationError

from arrears.intake.domain.feed_records import (
    FEED_DECODER,
    RECORD_BYTES_MAX,
    CuredRecord,
    DayClosedRecord,
    FeedRecord,
    OverdueRecord,
    ProfileRecord,
    RepaymentRecord,
)
from arrears.shared.kernel.ids import BorrowerId, EventId, LoanKey, derived_id
from arrears.shared.kernel.money import MINOR_DIGITS, BadAmount, parse_minor

YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2199


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


# --- Facts. All of one loan share source, loan_key and fact_id; amounts are minor units.


class OverdueFact(Struct, frozen=True, kw_only=True, gc=False):
    """The upstream's current state of a loan. A part of the split that is None is not known."""

    source: str
    fact_id: str
    loan_key: LoanKey
    borrower_id: BorrowerId | None
    stated_at: datetime
    as_of_on: date
    days_past_due: int
    due_on: date
    currency: str
    product: str
    overdue_minor: int
    principal_minor: int | None
    interest_minor: int | None
    fees_minor: int | None
    balance_minor: int


class RepaymentFact(Struct, frozen=True, kw_only=True, gc=False):
    source: str
    fact_id: str
    loan_key: LoanKey
    borrower_id: BorrowerId | None
    stated_at: datetime
    repayment_id: str
    amount_minor: int
    currency: str
    value_on: date


class CuredFact(Struct, frozen=True, kw_only=True, gc=False):
    source: str
    fact_id: str
    loan_key: LoanKey
    borrower_id: BorrowerId | None
    stated_at: datetime
    as_of_on: date
    days_past_due: int
    currency: str
    reason: str


class ClearPoint(NamedTuple):
    """A contact point in the clear: personal data, to be sealed before anything is decided."""

    kind: str
    value: str


class ProfileFact(Struct, frozen=True, kw_only=True):
    source: str
    fact_id: str
    borrower_id: BorrowerId
    stated_at: datetime
    points: tuple[ClearPoint, ...]
    zone: str | None
    language: str | None


class DayClosing(Struct, frozen=True, kw_only=True, gc=False):
    """Not a fact of a borrower: every day up to `day` is complete in this partition."""

    source: str
    fact_id: str
    stated_at: datetime
    day: date
    first_day: date
    partition_count: int


LoanFact: TypeAlias = OverdueFact | RepaymentFact | CuredFact
Fact: TypeAlias = LoanFact | ProfileFact | DayClosing


# --- Reading


def read_fact(value: bytes) -> Fact:
    """Decode and judge one record. Raises BadRecord, and nothing else, whatever the bytes are."""
    if len(value) > RECORD_BYTES_MAX:
        raise BadRecord("too_large", "$", f"a record has at most {RECORD_BYTES_MAX} bytes")
    try:
        record = FEED_DECODER.decode(value)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _why_undecodable(error, value) from None
    return fact_of(record)


def fact_of(record: FeedRecord) -> Fact:
    """The seam for CloudEvents in binary mode: whoever fills a record from headers ends here."""
    if not record.id.isprintable():
        raise BadRecord("control_characters", "id")
    if not record.source.isprintable():
        raise BadRecord("control_characters", "source")
    stated_at = _instant(record.time)
    match record:
        case OverdueRecord():
            return _overdue(record, stated_at)
        case RepaymentRecord():
            return _repayment(record, stated_at)
        case CuredRecord():
            return _cured(record, stated_at)
        case ProfileRecord():
            return _profile(record, stated_at)
        case DayClosedRecord():
            return _day_closing(record, stated_at)
        case _:
            assert_never(record)


def _overdue(record: OverdueRecord, stated_at: datetime) -> OverdueFact:
    data = record.data
    currency = data.currency
    amount = _amounts_of(currency)
    borrower, product, split = data.borrower_id, data.product, data.overdue
    loan_id = _text(data.loan_id, "data.loan_id")
    if data.principal is not None:
        amount(data.principal, "data.principal")
    return OverdueFact(
        source=record.source,
        fact_id=record.id,
        loan_key=LoanKey(f"{loan_id}@{record.source}"),
        borrower_id=None if borrower is None else BorrowerId(_text(borrower, "data.borrower_id")),
        stated_at=stated_at,
        as_of_on=_day(data.as_of_date, "data.as_of_date"),
        days_past_due=data.days_past_due,
        due_on=_day(data.due_date, "data.due_date"),
        currency=currency,
        product=_text(product, "data.product"),
        overdue_minor=amount(split.total, "data.overdue.total"),
        principal_minor=(
            None if split.principal is None else amount(split.principal, "data.overdue.principal")
        ),
        interest_minor=(
            None if split.interest is None else amount(split.interest, "data.overdue.interest")
        ),
        fees_minor=None if split.fees is None else amount(split.fees, "data.overdue.fees"),
        balance_minor=amount(data.outstanding_balance, "data.outstanding_balance"),
    )


def _repayment(record: RepaymentRecord, stated_at: datetime) -> RepaymentFact:
    data = record.data
    borrower = data.borrower_id
    loan_id = _text(data.loan_id, "data.loan_id")
    return RepaymentFact(
        source=record.source,
        fact_id=record.id,
        loan_key=LoanKey(f"{loan_id}@{record.source}"),
        borrower_id=None if borrower is None else BorrowerId(_text(borrower, "data.borrower_id")),
        stated_at=stated_at,
        repayment_id=_text(data.repayment_id, "data.repayment_id"),
        amount_minor=_amounts_of(data.currency)(data.amount, "data.amount"),
        currency=data.currency,
        value_on=_day(data.value_date, "data.value_date"),
    )


def _cured(record: CuredRecord, stated_at: datetime) -> CuredFact:
    data = record.data
    borrower = data.borrower_id
    loan_id = _text(data.loan_id, "data.loan_id")
    _amounts_of(data.currency)
    return CuredFact(
        source=record.source,
        fact_id=record.id,
        loan_key=LoanKey(f"{loan_id}@{record.source}"),
        borrower_id=None if borrower is None else BorrowerId(_text(borrower, "data.borrower_id")),
        stated_at=stated_at,
        as_of_on=_day(data.as_of_date, "data.as_of_date"),
        days_past_due=data.days_past_due,
        currency=data.currency,
        reason=_text(data.reason, "data.reason"),
    )


def _profile(record: ProfileRecord, stated_at: datetime) -> ProfileFact:
    data = record.data
    for index, point in enumerate(data.contact_points):
        _text(point.value, f"data.contact_points[{index}].value")
    if data.zone is not None and not _zone_exists(data.zone):
        raise BadRecord("unknown_zone", "data.zone", "an IANA time zone name")
    if data.language is not None and not _LANGUAGE.match(data.language):
        raise BadRecord("unknown_language", "data.language", "a BCP 47 tag")
    return ProfileFact(
        source=record.source,
        fact_id=record.id,
        borrower_id=BorrowerId(_text(data.borrower_id, "data.borrower_id")),
        stated_at=stated_at,
        points=tuple(ClearPoint(point.kind, point.value) for point in data.contact_points),
        zone=data.zone,
        language=data.language,
    )


def _day_closing(record: DayClosedRecord, stated_at: datetime) -> DayClosing:
    data = record.data
    day, first_day = _day(data.day, "data.day"), _day(data.first_day, "data.first_day")
    if first_day > day:
        raise BadRecord("first_day_after_day", "data.first_day")
    return DayClosing(
        source=record.source,
        fact_id=record.id,
        stated_at=stated_at,
        day=day,
        first_day=first_day,
        partition_count=data.partition_count,
    )


# --- Identity


def fact_identity(fact: Fact) -> EventId:
    """The id of the event that this fact leaves (protocol 2.4): never the same across loans."""
    match fact:
        case OverdueFact() | CuredFact():
            return EventId(derived_id("fact", fact.source, fact.loan_key, fact.fact_id))
        case RepaymentFact():
            return EventId(derived_id("repayment", fact.source, fact.loan_key, fact.repayment_id))
        case ProfileFact():
            return EventId(derived_id("profile", fact.source, fact.borrower_id, fact.fact_id))
        case DayClosing():
            return EventId(derived_id("day", fact.source, fact.fact_id))
        case _:
            assert_never(fact)


def fact_digest(fact: Fact) -> str:
    """16 hex characters over what the fact says, however the bank wrote it.

    A repayment's digest is its money alone: the same repayment may be told again in another
    record. A profile's leaves out the contact points' values, which a short hash would give away.
    """
    match fact:
        case OverdueFact():
            said = (
                f"overdue {fact.stated_at} {fact.as_of_on} {fact.days_past_due} {fact.due_on}"
                f" {fact.overdue_minor} {fact.principal_minor} {fact.interest_minor}"
                f" {fact.fees_minor} {fact.balance_minor} {fact.currency} {fact.product}"
            )
        case RepaymentFact():
            said = f"repayment {fact.amount_minor} {fact.currency}"
        case CuredFact():
            said = f"cured {fact.stated_at} {fact.as_of_on} {fact.currency} {fact.reason}"
        case ProfileFact():
            kinds = " ".join(point.kind for point in fact.points)
            said = f"profile {fact.stated_at} {fact.zone} {fact.language} {kinds}"
        case DayClosing():
            said = f"day {fact.day} {fact.first_day} {fact.partition_count}"
        case _:
            assert_never(fact)
    return blake2b(said.encode(), digest_size=8).hexdigest()


def conflict_of(fact: Fact) -> tuple[str, str]:
    """Reason and field of the refusal when this fact's identity was seen with another digest."""
    if isinstance(fact, RepaymentFact):
        return "repayment_id_seen_with_other_amount", "data.amount"
    return "fact_id_seen_with_other_content", "id"


# --- Parts


_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}\Z", re.ASCII)
_LONE_SURROGATE: Final = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|[c-fC-F][0-9a-fA-F]{2})"
)
_PLACE: Final = re.compile(r" - at `\$\.?(.*)`\Z", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`\Z")


def _text(text: str, field: str) -> str:
    """Control characters, direction marks, NUL and lone surrogates are not printable."""
    if text.isprintable():
        return text
    raise BadRecord("control_characters", field)


def _day(day: date, field: str) -> date:
    if YEAR_MIN <= day.year <= YEAR_MAX:
        return day
    raise BadRecord("out_of_range", field, f"years {YEAR_MIN} to {YEAR_MAX}")


def _instant(at: datetime) -> datetime:
    if not YEAR_MIN <= at.year <= YEAR_MAX:
        raise BadRecord("out_of_range", "time", f"years {YEAR_MIN} to {YEAR_MAX}")
    return at if at.tzinfo is UTC else at.astimezone(UTC)


@lru_cache(maxsize=256)
def _amounts_of(currency: str) -> Callable[[str, str], int]:
    """A parser of amounts in one currency: `parse(text, field)`."""
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        raise BadRecord("unknown_currency", "data.currency", "ISO 4217")

    def parse(text: str, field: str) -> int:
        # The usual spelling has exactly the currency's decimals and needs no pattern.
        whole, _, fraction = text.partition(".")
        if len(fraction) == digits > 0 and len(whole) < 13:
            joined = whole + fraction
            if joined.isdecimal() and joined.isascii() and whole:
                return int(joined)
        try:
            return parse_minor(text, currency)
        except BadAmount as bad:
            raise BadRecord(bad.reason, field) from None

    return parse


@lru_cache(maxsize=1024)
def _zone_exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _why_undecodable(error: Exception, value: bytes) -> BadRecord:
    """Turn the decoder's words into a stable rule and a field."""
    if isinstance(error, RecursionError):
        return BadRecord("too_deep", "$")
    if isinstance(error, UnicodeDecodeError):
        return BadRecord("not_utf8", "$")
    if not isinstance(error, ValidationError):
        lone = _LONE_SURROGATE.search(value)
        return BadRecord("lone_surrogate" if lone else "not_json", "$")
    said = str(error)
    place = _PLACE.search(said)
    field = place.group(1) if place else ""
    said = said[: place.start()] if place else said
    missing = _MISSING.match(said)
    if missing:
        return BadRecord("missing", f"{field}.{missing.group(1)}".lstrip("."))
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
    ("Expected `", "wrong_type"),
    ("Invalid enum value", "unknown_value"),
)
