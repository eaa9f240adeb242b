"""What the sandbox borrower, post, court and bailiff can answer. Plain data, no behaviour."""

from datetime import date, datetime

from msgspec import Struct


class Said(Struct, frozen=True, kw_only=True):
    """`kind` is promise, refusal, hardship or nothing; the other fields belong to the first three.

    A promise has amount and day, a hardship the day of its review.
    """

    kind: str = "nothing"
    amount_minor: int | None = None
    due_on: date | None = None
    review_on: date | None = None


class ContactAnswer(Struct, frozen=True, kw_only=True):
    """`outcome` is connected, no_answer, delivered, returned, met or not_home."""

    receipt_at: datetime
    receipt_id: str
    outcome: str
    concluded_at: datetime
    said: Said


class MediationAnswer(Struct, frozen=True, kw_only=True):
    """`instalments` are (day, minor units), in order of days; empty where declined."""

    accepted: bool
    answered_at: datetime
    instalments: tuple[tuple[date, int], ...] = ()


class SigningAnswer(Struct, frozen=True, kw_only=True):
    """`borrower_signed_at` None: the borrower has let the time for signing pass."""

    borrower_signed_at: datetime | None
    bank_signed_at: datetime


class CourtAnswer(Struct, frozen=True, kw_only=True):
    registered_at: datetime
    judged_at: datetime
    awarded_minor: int
    obey_by_on: date


class EnforcementAnswer(Struct, frozen=True, kw_only=True):
    """`found` is full, part or none: what the searched assets would cover."""

    searched_at: datetime
    found: str
    concluded_at: datetime
