"""Attempts to reach a borrower: how many, refused by which rule, any without a permit."""

from collections import Counter
from datetime import date

from arrears.history.domain.portfolio.reads import Concluded, Denied, OfAttempt, Receipted


class _Attempt:
    __slots__ = ("permits", "receipt_id", "receipts")

    def __init__(self) -> None:
        self.permits = 0
        self.receipts = 0
        self.receipt_id: str | None = None


class AttemptBook:
    """An attempt is made when a gateway has given a receipt for it, or it had an outcome."""

    def __init__(self) -> None:
        self.requested_count = 0
        self.denied_by_rule: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.without_permit: list[str] = []
        self._attempts: dict[str, _Attempt] = {}

    def requested(self, _day: date, _fact: OfAttempt) -> None:
        self.requested_count += 1

    def permitted(self, _day: date, fact: OfAttempt) -> None:
        self._attempt(fact.attempt_id).permits += 1

    def denied(self, _day: date, fact: Denied) -> None:
        self.denied_by_rule[fact.rule] += 1

    def withdrawn(self, _day: date, fact: Denied) -> None:
        """Refused at the moment of sending: the permit is taken back, and nothing has left."""
        self.denied_by_rule[fact.rule] += 1
        self._attempt(fact.attempt_id).permits -= 1

    def receipted(self, _day: date, fact: Receipted) -> None:
        attempt = self._attempt(fact.attempt_id)
        if attempt.receipts == 0 or attempt.receipt_id != fact.receipt_id:
            attempt.receipts += 1
            attempt.receipt_id = fact.receipt_id
        if attempt.permits == 0:
            self.without_permit.append(fact.attempt_id)

    def concluded(self, _day: date, fact: Concluded) -> None:
        self.outcomes[fact.outcome] += 1
        attempt = self._attempt(fact.attempt_id)
        if attempt.permits == 0 and attempt.receipts == 0:
            attempt.receipts = 1
            self.without_permit.append(fact.attempt_id)

    @property
    def made_count(self) -> int:
        return sum(1 for attempt in self._attempts.values() if attempt.receipts)

    @property
    def unanswered_count(self) -> int:
        return sum(1 for attempt in self._attempts.values() if attempt.permits > attempt.receipts)

    def made_twice(self) -> list[str]:
        """Sent twice, or permitted twice: either would reach the borrower a second time."""
        return [
            name
            for name, attempt in self._attempts.items()
            if attempt.receipts > 1 or attempt.permits > 1
        ]

    def _attempt(self, name: str) -> _Attempt:
        attempt = self._attempts.get(name)
        if attempt is None:
            attempt = self._attempts[name] = _Attempt()
        return attempt
