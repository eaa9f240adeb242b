"""Whose a loan is: fixed when a loan's borrower is first known, for every reader alike.

A loan's facts must meet on one shard, in whichever feed partition they come and whoever they name
later (protocol 1.1). Before somebody is named there is no shard for them.
"""

from collections.abc import Collection, Sequence

from arrears.shared.eventstore.port import Store
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.runtime.stage import FeedFact

KNOWN_MAX = 500_000


class Homes:
    """The borrower of each loan, as the store first settled it; a bounded copy in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, BorrowerId] = {}

    async def settle(self, facts: Sequence[FeedFact]) -> Collection[str]:
        """Learn the home of each loan. Says which have none: nobody was named for them before, and
        the first of these facts does not either."""
        if len(self._known) > KNOWN_MAX:
            self._known.clear()
        wanted: dict[str, BorrowerId | None] = {}
        for fact in facts:
            if fact.loan and fact.loan not in self._known:
                wanted.setdefault(fact.loan, fact.borrower_id)
        if wanted:
            self._known.update(await self._store.settle_homes(wanted))
        return wanted.keys() - self._known.keys()

    def of(self, fact: FeedFact) -> BorrowerId | None:
        """None: nobody was named for the loan so far."""
        return self._known.get(fact.loan) if fact.loan else fact.borrower_id
