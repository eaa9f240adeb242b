"""The bank's feed as the runtime reads it: facts with their identity, and profiles sealed.

A profile's contact points are sealed with the borrower's key before anything is decided, so no
event, agenda or log of ours ever holds them in the clear once they are handled. The keys are asked
for with each batch, so those of an erased borrower seal nothing more.
"""

import re
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
from arrears.shared.keyring.sealing import (
    CONTACT_POINT,
    ERASED,
    DataKey,
    Erased,
    equality,
    seal,
)
from arrears.shared.runtime.stage import BadRecord, DayClosing, FeedFact


class _Whose(Struct, frozen=True):
    borrower_id: Annotated[str, Meta(min_length=1, max_length=200)]


class _Named(Struct, frozen=True):
    data: _Whose


_NAMED: Final = Decoder(_Named)
_WRITTEN: Final = re.compile(rb'"borrower_id"\s*:\s*(?:"([^"\\]{1,200})"|([0-9]{1,20})(?=[\s,}]))')


def _whose(value: bytes) -> BorrowerId | None:
    """Whom a bad record names, if it can be read that far: its bytes are kept under that key."""
    try:
        found = _NAMED.decode(value).data.borrower_id
    except (MsgspecError, UnicodeDecodeError, RecursionError):
        found = _written(value)
    return BorrowerId(found) if found and found.isprintable() else None


def _written(value: bytes) -> str:
    """The one borrower that is named in what is cut off, or is a number; else nobody.

    Erasing that borrower must reach these bytes as well. They must look like a record: others may
    look as though they were sealed already.
    """
    names: set[bytes] = {text or number for text, number in _WRITTEN.findall(value)}
    if len(names) != 1 or not value.lstrip().startswith(b"{"):
        return ""
    try:
        return names.pop().decode()
    except UnicodeDecodeError:
        return ""


class _Profile:
    """A profile, with the key that its contact points are sealed with once it was unlocked."""

    __slots__ = ("fact", "key")

    def __init__(self, fact: ProfileFact) -> None:
        self.fact = fact
        self.key: DataKey | Erased = ERASED


class FactReader:
    """A FeedReader (runtime.stage) over the fact grammar of the domain."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

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
            time=fact.stated_at,
            borrower_id=fact.borrower_id,
            loan="" if isinstance(fact, ProfileFact) else fact.loan_key,
            body=_Profile(fact) if isinstance(fact, ProfileFact) else fact,
        )

    async def unlock(self, heard: Sequence[FeedFact]) -> None:
        profiles = [one.body for one in heard if isinstance(one.body, _Profile)]
        if not profiles:
            return
        borrowers = {profile.fact.borrower_id for profile in profiles}
        keys = await self._keyring.keys_for(sorted(borrowers), "contact")
        for profile in profiles:
            profile.key = keys[profile.fact.borrower_id]

    def digest(self, fact: FeedFact) -> str:
        body = fact.body
        if not isinstance(body, _Profile):
            return fact_digest(body)  # type: ignore[arg-type]
        values = [equality(body.key, point.value) for point in body.fact.points]
        return fact_digest(body.fact, [f"{value}" for value in values])

    def issue(self, fact: FeedFact, *, home: BorrowerId, at: datetime, late: bool) -> Issue:
        body = fact.body
        if not isinstance(body, _Profile):
            return fact_to_issue(body, home, at, late)  # type: ignore[arg-type]
        profile = body.fact
        sealed = [
            seal(body.key, profile.borrower_id, CONTACT_POINT, point.value)
            for point in profile.points
        ]
        return profile_to_issue(profile, sealed, at, late)

    def conflict(self, fact: FeedFact) -> BadRecord:
        body = fact.body
        if isinstance(body, _Profile) and isinstance(body.key, Erased):
            # Without the key nobody can tell whether it says what was said before.
            return BadRecord("borrower_erased", "data.contact_points")
        said = body.fact if isinstance(body, _Profile) else body
        reason, field = conflict_of(said)  # type: ignore[arg-type]
        return BadRecord(reason, field)
