"""Facts of the feed: a record's bytes in, a typed fact with exact minor units out, or a refusal.

What cannot be understood is refused here with `BadRecord`; what contradicts itself or the loan is
refused by the loan (`loan/judgement.py`). Both name a field and a stable rule. A fact's identity
and digest tell a duplicate (same identity, same digest) from a contradiction (same identity, other
digest).
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple, TypeAlias, assert_never

from msgspec import DecodeError, Struct
from msgspec.json import Encoder

from arrears.intake.domain.bad_record import (
    YEAR_MAX,
    YEAR_MIN,
    BadRecord,
    refuse_days,
    refuse_texts,
    why_undecodable,
)
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
from arrears.shared.kernel.business_day import ONE_DAY
from arrears.shared.kernel.ids import BorrowerId, EventId, LoanKey, derived_id
from arrears.shared.kernel.money import MINOR_DIGITS, BadAmount, parse_minor
from arrears.shared.kernel.zones import zone_named

__all__ = [
    "BadRecord",
    "ClearPoint",
    "CuredFact",
    "DayClosing",
    "Fact",
    "LoanFact",
    "OverdueFact",
    "ProfileFact",
    "RepaymentFact",
    "conflict_of",
    "fact_digest",
    "fact_identity",
    "fact_of",
    "read_fact",
]

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
        raise why_undecodable(error, value) from None
    return fact_of(record)


def fact_of(record: FeedRecord) -> Fact:
    """The seam for CloudEvents in binary mode: whoever fills a record from headers ends here."""
    if not f"{record.id}{record.source}".isprintable():
        raise BadRecord("control_characters", "source" if record.id.isprintable() else "id")
    if "@" in record.source:
        # Else `a@b` of source `c` would be the same loan as `a` of source `b@c`.
        raise BadRecord("reserved_character", "source", "no @, which parts a loan from its source")
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
    loan_id, borrower, product = data.loan_id, data.borrower_id, data.product
    as_of_on, due_on = data.as_of_date, data.due_date
    # One look at all texts and at both days: on the hot path nearly all are good.
    if not f"{loan_id}{borrower}{product}".isprintable():
        refuse_texts(loan_id=loan_id, borrower_id=borrower, product=product)
    if not (YEAR_MIN <= as_of_on.year <= YEAR_MAX and YEAR_MIN <= due_on.year <= YEAR_MAX):
        refuse_days(as_of_date=as_of_on, due_date=due_on)
    amount = _amounts_of(data.currency)
    split = data.overdue
    principal, interest, fees = split.principal, split.interest, split.fees
    if data.principal is not None:
        amount(data.principal, "data.principal")
    return OverdueFact(
        source=record.source,
        fact_id=record.id,
        loan_key=LoanKey(f"{loan_id}@{record.source}"),
        borrower_id=None if borrower is None else BorrowerId(borrower),
        stated_at=stated_at,
        as_of_on=as_of_on,
        days_past_due=data.days_past_due,
        due_on=due_on,
        currency=data.currency,
        product=product,
        overdue_minor=amount(split.total, "data.overdue.total"),
        principal_minor=None if principal is None else amount(principal, _PRINCIPAL),
        interest_minor=None if interest is None else amount(interest, _INTEREST),
        fees_minor=None if fees is None else amount(fees, _FEES),
        balance_minor=amount(data.outstanding_balance, "data.outstanding_balance"),
    )


def _repayment(record: RepaymentRecord, stated_at: datetime) -> RepaymentFact:
    data = record.data
    loan_id, borrower, repayment_id = data.loan_id, data.borrower_id, data.repayment_id
    if not f"{loan_id}{borrower}{repayment_id}{data.product}".isprintable():
        refuse_texts(
            loan_id=loan_id, borrower_id=borrower, repayment_id=repayment_id, product=data.product
        )
    if not YEAR_MIN <= data.value_date.year <= YEAR_MAX:
        refuse_days(value_date=data.value_date)
    return RepaymentFact(
        source=record.source,
        fact_id=record.id,
        loan_key=LoanKey(f"{loan_id}@{record.source}"),
        borrower_id=None if borrower is None else BorrowerId(borrower),
        stated_at=stated_at,
        repayment_id=repayment_id,
        amount_minor=_amounts_of(data.currency)(data.amount, "data.amount"),
        currency=data.currency,
        value_on=data.value_date,
    )


def _cured(record: CuredRecord, stated_at: datetime) -> CuredFact:
    data = record.data
    loan_id, borrower, reason = data.loan_id, data.borrower_id, data.reason
    if not f"{loan_id}{borrower}{reason}{data.product}".isprintable():
        refuse_texts(loan_id=loan_id, borrower_id=borrower, reason=reason, product=data.product)
    if not YEAR_MIN <= data.as_of_date.year <= YEAR_MAX:
        refuse_days(as_of_date=data.as_of_date)
    _amounts_of(data.currency)
    return CuredFact(
        source=record.source,
        fact_id=record.id,
        loan_key=LoanKey(f"{loan_id}@{record.source}"),
        borrower_id=None if borrower is None else BorrowerId(borrower),
        stated_at=stated_at,
        as_of_on=data.as_of_date,
        days_past_due=data.days_past_due,
        currency=data.currency,
        reason=reason,
    )


def _profile(record: ProfileRecord, stated_at: datetime) -> ProfileFact:
    data = record.data
    refuse_texts(borrower_id=data.borrower_id)
    for index, point in enumerate(data.contact_points):
        refuse_texts(**{f"contact_points[{index}].value": point.value})
    if data.zone is not None and zone_named(data.zone) is None:
        raise BadRecord("unknown_zone", "data.zone", "an IANA time zone name")
    if data.language is not None and not _LANGUAGE.match(data.language):
        raise BadRecord("unknown_language", "data.language", "a BCP 47 tag")
    return ProfileFact(
        source=record.source,
        fact_id=record.id,
        borrower_id=BorrowerId(data.borrower_id),
        stated_at=stated_at,
        points=tuple(ClearPoint(point.kind, point.value) for point in data.contact_points),
        zone=data.zone,
        language=data.language,
    )


def _day_closing(record: DayClosedRecord, stated_at: datetime) -> DayClosing:
    data = record.data
    refuse_days(day=data.day, first_day=data.first_day)
    if data.first_day > data.day:
        raise BadRecord("first_day_after_day", "data.first_day")
    # A day is granted for zones; more, and the deadlines of days that nobody lived would fall due.
    if data.day > stated_at.date() + ONE_DAY:
        raise BadRecord("day_after_the_fact", "data.day")
    return DayClosing(
        source=record.source,
        fact_id=record.id,
        stated_at=stated_at,
        day=data.day,
        first_day=data.first_day,
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


def fact_digest(fact: Fact, points: Sequence[str] = ()) -> str:
    """16 hex characters over what the fact says, however the bank wrote it.

    A repayment's digest is its money alone: the same repayment may be told again in another
    record. A profile's leaves out the contact points' values, which a hash without a key would give
    away: `points` stands for them, each made under the borrower's key.
    """
    said: tuple[object, ...]
    match fact:
        case OverdueFact():
            said = (
                "overdue",
                fact.stated_at,
                fact.as_of_on,
                fact.days_past_due,
                fact.due_on,
                fact.overdue_minor,
                fact.principal_minor,
                fact.interest_minor,
                fact.fees_minor,
                fact.balance_minor,
                fact.currency,
                fact.product,
            )
        case RepaymentFact():
            said = ("repayment", fact.amount_minor, fact.currency)
        case CuredFact():
            said = ("cured", fact.stated_at, fact.as_of_on, fact.currency, fact.reason)
        case ProfileFact():
            kinds = [point.kind for point in fact.points]
            said = ("profile", fact.stated_at, fact.zone, fact.language, kinds, *points)
        case DayClosing():
            said = ("day", fact.day, fact.first_day, fact.partition_count)
        case _:
            assert_never(fact)
    return blake2b(_ENCODER.encode(said), digest_size=8).hexdigest()


def conflict_of(fact: Fact) -> tuple[str, str]:
    """Reason and field of the refusal when this fact's identity was seen with another digest."""
    if isinstance(fact, RepaymentFact):
        return "repayment_id_seen_with_other_amount", "data.amount"
    return "fact_id_seen_with_other_content", "id"


# --- Parts


_ENCODER: Final = Encoder()
_PRINCIPAL: Final = "data.overdue.principal"
_INTEREST: Final = "data.overdue.interest"
_FEES: Final = "data.overdue.fees"
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}\Z", re.ASCII)


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
