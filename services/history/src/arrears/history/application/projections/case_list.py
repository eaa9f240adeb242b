"""One row per case, for the list of cases and to find the cases of a loan.

Rebuild at will: `arrears-history rebuild`. Topics are heard in any interleaving, so each field
is written by one service only, or does not depend on order.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from arrears.history.domain.told import Kept

NAME: Final = "case_list"
VERSION: Final = 1
Body = TypeVar("Body")


class Row(Struct, frozen=True, kw_only=True):
    """`status` is open, held or closed; `stage` the one that has the case, intake between two."""

    case_id: str
    loan_key: str
    borrower_id: str
    status: str = "open"
    stage: str = "intake"
    treatment: str | None = None
    bucket: str | None = None
    risk: str | None = None
    days_past_due: int = 0
    overdue_minor: int = 0
    balance_minor: int = 0
    paid_minor: int = 0
    currency: str = ""
    as_of_on: date = date.min
    opened_on: date | None = None
    closed_on: date | None = None
    closed_reason: str | None = None
    last_event_on: date
    event_count: int = 0


class _Case(Struct, frozen=True, gc=False):
    # A stop of a person, not of one case, names neither.
    case_id: str | None = None
    loan_key: str | None = None


class _Opened(_Case, frozen=True, gc=False):
    opened_on: date | None = None
    currency: str = ""


class _Overdue(_Case, frozen=True, gc=False):
    as_of_on: date = date.min
    days_past_due: int = 0
    overdue_minor: int = 0
    balance_minor: int = 0
    currency: str = ""
    bucket: str | None = None
    outdated: bool = False


class _Assessed(_Case, frozen=True, gc=False):
    bucket: str | None = None
    risk: str | None = None


class _Referred(_Case, frozen=True, gc=False):
    stage: str = ""
    treatment: str = ""


class _Closed(_Case, frozen=True, gc=False):
    reason: str = ""


class _Repaid(_Case, frozen=True, gc=False):
    amount_minor: int = 0
    currency: str = ""


class _Event(Struct, Generic[Body], frozen=True, gc=False):
    partitionkey: str
    data: Body


def _opened(row: Row, fact: _Opened, _day: date) -> Row:
    return replace(row, opened_on=fact.opened_on, currency=row.currency or fact.currency)


def _overdue(row: Row, fact: _Overdue, _day: date) -> Row:
    if fact.outdated:
        return row
    return replace(
        row,
        as_of_on=fact.as_of_on,
        days_past_due=fact.days_past_due,
        overdue_minor=fact.overdue_minor,
        balance_minor=fact.balance_minor,
        currency=fact.currency,
        bucket=fact.bucket,
    )


def _assessed(row: Row, fact: _Assessed, _day: date) -> Row:
    return replace(row, bucket=fact.bucket or row.bucket, risk=fact.risk)


def _referred(row: Row, fact: _Referred, _day: date) -> Row:
    return replace(row, stage=fact.stage, treatment=fact.treatment)


def _returned(row: Row, _fact: _Case, _day: date) -> Row:
    return replace(row, stage="intake")


def _held(row: Row, _fact: _Case, _day: date) -> Row:
    return replace(row, status="held") if row.status == "open" else row


def _released(row: Row, _fact: _Case, _day: date) -> Row:
    return replace(row, status="open") if row.status == "held" else row


def _closed(row: Row, fact: _Closed, day: date) -> Row:
    return replace(row, status="closed", stage="intake", closed_on=day, closed_reason=fact.reason)


def _repaid(row: Row, fact: _Repaid, _day: date) -> Row:
    currency = row.currency or fact.currency
    return replace(row, paid_minor=row.paid_minor + fact.amount_minor, currency=currency)


_Change = Callable[[Row, Any, date], Row]
_CHANGES: Final[Mapping[str, tuple[type[_Case], _Change]]] = {
    "arrears.intake.case_opened.v1": (_Opened, _opened),
    "arrears.intake.loan_overdue_recorded.v1": (_Overdue, _overdue),
    "arrears.intake.case_assessed.v1": (_Assessed, _assessed),
    "arrears.intake.case_referred.v1": (_Referred, _referred),
    "arrears.intake.case_returned.v1": (_Case, _returned),
    "arrears.intake.case_held.v1": (_Case, _held),
    "arrears.intake.case_released.v1": (_Case, _released),
    "arrears.intake.case_closed.v1": (_Closed, _closed),
    "arrears.intake.repayment_recorded.v1": (_Repaid, _repaid),
}
_DECODERS: Final[Mapping[str, Any]] = {
    wire_name: Decoder(_Event[body])  # type: ignore[valid-type]
    for wire_name, (body, _) in _CHANGES.items()
}
_OF_ANY: Final = Decoder(_Event[_Case])


class Change(Struct, frozen=True, gc=False):
    """One event as far as rows care. `case_id` None: it belongs to a loan or a borrower."""

    borrower_id: str
    wire_name: str
    day: date
    case_id: str | None
    loan_key: str
    fact: object


def read(kept: Kept) -> Change:
    decoder = _DECODERS.get(kept.type, _OF_ANY)
    seen = decoder.decode(kept.value)
    fact: _Case = seen.data
    return Change(
        seen.partitionkey, kept.type, kept.business_day, fact.case_id, fact.loan_key or "", fact
    )


def evolve(row: Row | None, change: Change) -> Row | None:
    if change.case_id is None:
        return row
    if row is None:
        row = Row(
            case_id=change.case_id,
            loan_key=change.loan_key,
            borrower_id=change.borrower_id,
            last_event_on=change.day,
        )
    row = replace(
        row,
        last_event_on=max(row.last_event_on, change.day),
        event_count=row.event_count + 1,
    )
    found = _CHANGES.get(change.wire_name)
    return row if found is None else found[1](row, change.fact, change.day)
