"""How many borrowers our own code may fail on before it is a bug and no bad luck (protocol 2.5)."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from arrears.shared.kernel.ids import BorrowerId

POISON_MAX: Final = 20
POISON_WITHIN: Final = timedelta(hours=1)


class TooMuchPoison(Exception):
    """More borrowers would be parked within an hour than bad luck explains: the service stops."""


class PoisonCount:
    """Who was parked lately, as far as it is known to one worker.

    A service that stopped for too much of it is started again by whatever watches it; so what was
    parked before a start counts as well, and the one too many is not parked any more.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._parked_at: dict[BorrowerId, datetime] = {}

    def remember(self, parked: Mapping[BorrowerId, datetime]) -> None:
        """What the store knows of shards just taken over."""
        self._parked_at = {**parked, **self._parked_at}

    def check(self, borrower_id: BorrowerId, failure: str) -> None:
        """Raises TooMuchPoison; a borrower that is tried again and fails again counts once."""
        now = self._now()
        self._parked_at = {
            whose: at for whose, at in self._parked_at.items() if abs(now - at) < POISON_WITHIN
        }
        if len(self._parked_at.keys() | {borrower_id}) > POISON_MAX:
            raise TooMuchPoison(
                f"{POISON_MAX} borrowers were parked within an hour, one more would be: {failure}"
            )

    def note(self, borrower_id: BorrowerId) -> None:
        self._parked_at[borrower_id] = self._now()
