"""Whose a loan is: fixed when a loan's borrower is first known, for every reader alike.

A loan's facts must meet on one shard, in whichever feed partition they come and whoever they name
later (protocol 1.1).
"""

from collections.abc import Sequence

from arrears.shared.eventstore.port import Store
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.runtime.stage import FeedFact

KNOWN_MAX = 500_000


class Homes:
    """The borrower of each loan, as the store first settled it; a bounded copy in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, BorrowerId] = {}

    async def settle(self, facts: Sequence[FeedFact]) -> None:
        """Make sure that every fact's loan has a borrower; one nobody named stands for itself."""
        if len(self._known) > KNOWN_MAX:
            self._known.clear()
        wanted: dict[str, BorrowerId] = {}
        for fact in facts:
            if fact.loan and fact.loan not in self._known:
                wanted.setdefault(fact.loan, fact.borrower_id or BorrowerId(fact.loan))
        if wanted:
            self._known.update(await self._store.settle_homes(wanted))

    def of(self, fact: FeedFact) -> BorrowerId:
        if fact.loan:
            return self._known[fact.loan]
        assert fact.borrower_id is not None
        return fact.borrower_id
