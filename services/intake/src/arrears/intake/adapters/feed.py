"""The bank's feed as the runtime reads it: facts with their identity, and profiles sealed.

A profile's contact points are sealed with the borrower's key before anything is decided, so no
event, agenda or log of ours ever holds them in the clear once they are handled.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, MsgspecError, Struct
from msgspec.json import Decoder

from arrears.intake.application.feed import fact_to_issue, profile_to_issue
from arrears.intake.domain import facts
from arrears.intake.domain.facts import ProfileFact, conflict_of, fact_digest, fact_identity
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.kernel.reaction import Issue
from arrears.shared.keyring.port import Keyring
from arrears.shared.keyring.sealing import CONTACT_POINT, DataKey, Erased, seal
from arrears.shared.runtime.stage import BadRecord, DayClosing, FeedFact

_KEYS_MAX: Final = 50_000


class _Whose(Struct, frozen=True):
    borrower_id: Annotated[str, Meta(min_length=1, max_length=200)]


class _Named(Struct, frozen=True):
    data: _Whose


_NAMED: Final = Decoder(_Named)


def _whose(value: bytes) -> BorrowerId | None:
    """Whom a bad record names, if it can be read that far: its bytes are kept under that key."""
    try:
        found = _NAMED.decode(value).data.borrower_id
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return BorrowerId(found) if found.isprintable() else None


class FactReader:
    """A FeedReader (runtime.stage) over the fact grammar of the domain."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._keys: dict[BorrowerId, DataKey | Erased] = {}

    def read(self, value: bytes) -> FeedFact | DayClosing:
        try:
            fact = facts.read_fact(value)
        except facts.BadRecord as bad:
            raise BadRecord(bad.reason, bad.field, _whose(value)) from bad
        if isinstance(fact, facts.DayClosing):
            return DayClosing(
                day=fact.day, first_day=fact.first_day, partition_count=fact.partition_count
            )
        return FeedFact(
            fact_id=fact_identity(fact),
            digest=fact_digest(fact),
            time=fact.stated_at,
            borrower_id=fact.borrower_id,
            loan="" if isinstance(fact, ProfileFact) else fact.loan_key,
            body=fact,
        )

    async def unlock(self, heard: Sequence[FeedFact]) -> None:
        borrowers = {fact.body.borrower_id for fact in heard if isinstance(fact.body, ProfileFact)}
        if len(self._keys) > _KEYS_MAX:
            self._keys.clear()
        missing = borrowers - self._keys.keys()
        if missing:
            self._keys.update(await self._keyring.keys_for(sorted(missing), "contact"))

    def issue(self, fact: FeedFact, *, at: datetime, late: bool) -> Issue:
        body = fact.body
        if not isinstance(body, ProfileFact):
            return fact_to_issue(body, at, late)  # type: ignore[arg-type]
        key = self._keys[body.borrower_id]
        sealed = [seal(key, body.borrower_id, CONTACT_POINT, point.value) for point in body.points]
        return profile_to_issue(body, sealed, at, late)

    def conflict(self, fact: FeedFact) -> BadRecord:
        reason, field = conflict_of(fact.body)  # type: ignore[arg-type]
        return BadRecord(reason, field)
