"""What history needs from the outside: a store of everything heard, and nothing else."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from msgspec import Struct

from arrears.history.application.hearing import Heard, Place
from arrears.history.application.projections import case_list
from arrears.history.domain.digest import Row as CanonicalRow
from arrears.history.domain.portfolio.fold import Row as FigureRow
from arrears.history.domain.told import Kept
from arrears.shared.contracts.history import Bucket, CaseStage, CaseStatus

Shelf = tuple[str, int]
"""A service and one of its shards."""
Since = Mapping[Shelf, int]
Filed = tuple[str, str, str, str, str | None]
"""Loan, borrower, status, stage and bucket: what a case is looked for by."""


class Moved(Exception):
    """Another worker heard the same records first. What was prepared is dropped; read again."""


class CaseFilter(Struct, frozen=True, kw_only=True):
    """Which cases; None means any. `after` is the last case id of the page before; `loan_id` that
    of the loan in whatever source."""

    status: CaseStatus | None = None
    stage: CaseStage | None = None
    bucket: Bucket | None = None
    loan_key: str | None = None
    borrower_id: str | None = None
    after: str | None = None
    limit: int = 100
    loan_id: str | None = None

    def takes(self, row: case_list.Row) -> bool:
        return (
            self.status in (None, row.status)
            and self.stage in (None, row.stage)
            and self.bucket in (None, row.bucket)
            and self.loan_key in (None, row.loan_key)
            and self.borrower_id in (None, row.borrower_id)
            and (self.after is None or row.case_id > self.after)
            and (self.loan_id is None or row.loan_key.startswith(f"{self.loan_id}@"))
        )


class HistoryStore(Protocol):
    """PostgreSQL and memory pass one suite, `tests/history/adapters/store_suite.py`."""

    async def places(self) -> Sequence[Place]:
        """Every place, those never heard from included."""

    async def hear(self, batches: Sequence[Heard]) -> None:
        """Keep the events, move the places and the rows of cases: all in one transaction.

        Raises Moved where a place is not where the batch began, Changed where a repeated number
        has other bytes. Then nothing of it is kept.
        """

    async def events_of(self, subjects: Sequence[str], up_to: date | None = None) -> Sequence[Kept]:
        """Every event of these cases or borrowers, in order of service, shard and seq; with a day
        those known on it."""

    def figures(
        self, wire_names: Sequence[str], up_to: date | None, since: Since | None = None
    ) -> AsyncIterator[tuple[Shelf, int, Sequence[FigureRow]]]:
        """Events of these types known on the day, in order of seq within each shelf, by pages.

        With `since` only those with a higher number. A page names its shelf and its last number.
        """

    def canonical(self, up_to: date) -> AsyncIterator[Sequence[CanonicalRow]]:
        """All events known on the day, in order of subject, service, stream and version."""

    async def skipped(self, up_to: date) -> frozenset[str]:
        """The borrowers of inputs that staff skipped: they leave the promise of the digest."""

    def scan(self, up_to: date | None = None) -> AsyncIterator[Sequence[Kept]]:
        """Everything, in order of service, shard and seq, by pages."""

    async def cases(self, wanted: CaseFilter) -> Sequence[case_list.Row]:
        """In order of case id."""

    async def case_counts(self) -> Mapping[tuple[str, str], int]:
        """How many cases by status and stage: cheap enough to be asked for every second."""

    async def borrower_of(self, loan_key: str) -> str | None:
        """Whose loan it is; None where nothing was ever said about it."""

    async def filed(self) -> Mapping[str, Filed]:
        """By case what it is found by, as it stands beside its row."""

    async def borrowers(self) -> Mapping[str, str]:
        """By loan whose it is."""

    async def counts(self, up_to: date | None = None) -> Mapping[str, int]:
        """Events kept, by service; with a day those known on it."""

    async def rebuild_case_list(self) -> Sequence[str]:
        """Fold the rows again from the events and swap them in; the case ids that differed."""

    async def close(self) -> None: ...


class Turn(Protocol):
    """Of several workers one hears at a time; the others stand by."""

    async def mine(self) -> bool: ...

    async def give_up(self) -> None: ...
