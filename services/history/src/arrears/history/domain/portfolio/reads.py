"""The few fields of the events that the figures need. Everything else is skipped while decoding."""

from typing import Any, Final, Generic, TypeVar

from msgspec import Struct
from msgspec.json import Decoder

Body = TypeVar("Body")


class Of(Struct, Generic[Body], frozen=True, gc=False):
    """An event's bytes of which only these fields of `data` are looked at."""

    data: Body


class Overdue(Struct, frozen=True, gc=False):
    loan_key: str
    days_past_due: int
    overdue_minor: int
    balance_minor: int
    currency: str
    bucket: str
    case_id: str | None = None
    outdated: bool = False


class Repayment(Struct, frozen=True, gc=False):
    loan_key: str
    amount_minor: int
    currency: str
    case_id: str | None = None


class Cured(Struct, frozen=True, gc=False):
    loan_key: str
    outdated: bool = False


class Opened(Struct, frozen=True, gc=False):
    case_id: str
    loan_key: str
    currency: str


class OfCase(Struct, frozen=True, gc=False):
    case_id: str


class Referred(Struct, frozen=True, gc=False):
    case_id: str
    stage: str
    treatment: str
    referral: int = 0


class Completed(Struct, frozen=True, gc=False):
    case_id: str
    referral: int


class WithReason(Struct, frozen=True, gc=False):
    case_id: str
    reason: str


class OfPromise(Struct, frozen=True, gc=False):
    case_id: str
    promise_id: str


class OfAttempt(Struct, frozen=True, gc=False):
    attempt_id: str


class Denied(Struct, frozen=True, gc=False):
    attempt_id: str
    rule: str


class Receipted(Struct, frozen=True, gc=False):
    attempt_id: str
    receipt_id: str


class Concluded(Struct, frozen=True, gc=False):
    attempt_id: str
    outcome: str


class Awarded(Struct, frozen=True, gc=False):
    case_id: str
    awarded_minor: int
    currency: str


class Enforced(Struct, frozen=True, gc=False):
    case_id: str
    result: str
    recovered_minor: int
    currency: str


_DECODERS: Final[dict[type[Struct], Any]] = {
    body: Decoder(Of[body])  # type: ignore[valid-type]
    for body in (
        Overdue,
        Repayment,
        Cured,
        Opened,
        OfCase,
        Referred,
        Completed,
        WithReason,
        OfPromise,
        OfAttempt,
        Denied,
        Receipted,
        Concluded,
        Awarded,
        Enforced,
    )
}


def decoder_of(body: type[Struct]) -> Decoder[Of[Any]]:
    found: Decoder[Of[Any]] = _DECODERS[body]
    return found
