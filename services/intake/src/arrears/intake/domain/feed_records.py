"""The bank's records as they lie on `corebanking.loans.v1`: CloudEvents 1.0, structured JSON.

One struct per type, told apart by `type` in the same pass that decodes. Lengths and number ranges
are checked here by the decoder; what an amount or a date means is judged in `facts.py`. Attributes
and fields that are not named here are ignored.
"""

from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct
from msgspec.json import Decoder

RECORD_BYTES_MAX: Final = 900_000
DAYS_MAX: Final = 36_600
POINTS_MAX: Final = 20

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
Source: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
Word: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Amount: TypeAlias = Annotated[str, Meta(min_length=1, max_length=32)]
Currency: TypeAlias = Annotated[str, Meta(min_length=3, max_length=3)]
Days: TypeAlias = Annotated[int, Meta(ge=-DAYS_MAX, le=DAYS_MAX)]
Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]


class OverdueSplit(Struct, frozen=True, kw_only=True, gc=False):
    total: Amount
    principal: Amount | None = None
    interest: Amount | None = None
    fees: Amount | None = None


class OverdueData(Struct, frozen=True, kw_only=True, gc=False):
    loan_id: Id
    as_of_date: date
    days_past_due: Days
    due_date: date
    currency: Currency
    outstanding_balance: Amount
    overdue: OverdueSplit
    borrower_id: Id | None = None
    product: Word = "loan"
    principal: Amount | None = None


class RepaymentData(Struct, frozen=True, kw_only=True, gc=False):
    loan_id: Id
    repayment_id: Id
    amount: Amount
    currency: Currency
    value_date: date
    borrower_id: Id | None = None
    product: Word = "loan"


class CuredData(Struct, frozen=True, kw_only=True, gc=False):
    loan_id: Id
    as_of_date: date
    days_past_due: Days
    currency: Currency
    borrower_id: Id | None = None
    product: Word = "loan"
    reason: Word = "paid_up"


class PointData(Struct, frozen=True, kw_only=True, gc=False):
    kind: Literal["phone", "email", "address"]
    value: Annotated[str, Meta(min_length=1, max_length=500)]


class ProfileData(Struct, frozen=True, kw_only=True, gc=False):
    borrower_id: Id
    contact_points: Annotated[tuple[PointData, ...], Meta(max_length=POINTS_MAX)] = ()
    zone: Word | None = None
    language: Word | None = None


class DayClosedData(Struct, frozen=True, kw_only=True, gc=False):
    day: date
    first_day: date
    partition_count: Annotated[int, Meta(ge=1, le=100_000)]


class _Record(Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    specversion: Literal["1.0"]
    id: Id
    source: Source
    time: Instant


class OverdueRecord(
    _Record, frozen=True, kw_only=True, gc=False, tag="corebanking.loan.overdue.v1"
):
    data: OverdueData


class RepaymentRecord(
    _Record, frozen=True, kw_only=True, gc=False, tag="corebanking.loan.repayment_received.v1"
):
    data: RepaymentData


class CuredRecord(_Record, frozen=True, kw_only=True, gc=False, tag="corebanking.loan.cured.v1"):
    data: CuredData


class ProfileRecord(
    _Record, frozen=True, kw_only=True, gc=False, tag="corebanking.borrower.profile.v1"
):
    data: ProfileData


class DayClosedRecord(
    _Record, frozen=True, kw_only=True, gc=False, tag="corebanking.business_day.closed.v1"
):
    data: DayClosedData


FeedRecord: TypeAlias = (
    OverdueRecord | RepaymentRecord | CuredRecord | ProfileRecord | DayClosedRecord
)
FEED_DECODER: Final[Decoder[FeedRecord]] = Decoder(FeedRecord)
