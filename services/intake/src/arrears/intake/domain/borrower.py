"""What the bank says of a person: sealed contact points, zone, language.

Stream      intake.borrower-<borrower_id>
Invariant   each accepted profile leaves exactly one event; an older one than the newest is kept
            under another name, so that whoever listens for the current profile never hears it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from msgspec import Struct

from arrears.shared.kernel.decider import Decider
from arrears.shared.kernel.ids import BorrowerId

# --- Events


class SealedPoint(Struct, frozen=True, kw_only=True):
    """`sealed` is encrypted with the borrower's key of category `contact`."""

    kind: str
    sealed: str


class BorrowerProfileRecorded(Struct, frozen=True, kw_only=True):
    borrower_id: BorrowerId
    contact_points: tuple[SealedPoint, ...]
    zone: str | None
    language: str | None
    fact_id: str
    stated_at: datetime
    late: bool


class OldBorrowerProfileRecorded(Struct, frozen=True, kw_only=True):
    """A profile that came after a newer one. It changes nothing."""

    borrower_id: BorrowerId
    contact_points: tuple[SealedPoint, ...]
    zone: str | None
    language: str | None
    fact_id: str
    stated_at: datetime


BorrowerEvent: TypeAlias = BorrowerProfileRecorded | OldBorrowerProfileRecorded

# --- State


class Borrower(Struct, frozen=True, kw_only=True):
    newest_stated_at: datetime | None = None
    last_fact_id: str | None = None


initial: Final = Borrower()


def evolve(borrower: Borrower, event: BorrowerEvent) -> Borrower:
    """Apply one fact. Never refuses and never raises: what happened, happened."""
    match event:
        case BorrowerProfileRecorded():
            return Borrower(newest_stated_at=event.stated_at, last_fact_id=event.fact_id)
        case OldBorrowerProfileRecorded():
            return Borrower(newest_stated_at=borrower.newest_stated_at, last_fact_id=event.fact_id)
        case _:
            assert_never(event)


# --- Commands


class RecordProfile(Struct, frozen=True, kw_only=True):
    """The points arrive sealed: nothing that is decided here ever sees them in the clear."""

    borrower_id: BorrowerId
    fact_id: str
    stated_at: datetime
    contact_points: tuple[SealedPoint, ...]
    zone: str | None
    language: str | None
    now: datetime
    late: bool = False


BorrowerCommand: TypeAlias = RecordProfile


def decide(command: BorrowerCommand, borrower: Borrower) -> Sequence[BorrowerEvent]:
    """Say what follows from a command. A command already in effect yields nothing."""
    if command.fact_id == borrower.last_fact_id:
        return ()
    newest = borrower.newest_stated_at
    if newest is not None and command.stated_at < newest:
        return (
            OldBorrowerProfileRecorded(
                borrower_id=command.borrower_id,
                contact_points=command.contact_points,
                zone=command.zone,
                language=command.language,
                fact_id=command.fact_id,
                stated_at=command.stated_at,
            ),
        )
    return (
        BorrowerProfileRecorded(
            borrower_id=command.borrower_id,
            contact_points=command.contact_points,
            zone=command.zone,
            language=command.language,
            fact_id=command.fact_id,
            stated_at=command.stated_at,
            late=command.late,
        ),
    )


CATEGORY: Final = "intake.borrower"

borrower_decider: Decider[Borrower, BorrowerCommand, BorrowerEvent] = Decider(
    category=CATEGORY, initial=initial, evolve=evolve, decide=decide
)
