"""The outside world that contact needs: who carries attempts, and who opens sealed points."""

from collections.abc import Sequence
from typing import Protocol

from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.kernel.reaction import Gateway

__all__ = ["Gateway", "Unseal"]


class Unseal(Protocol):
    """Opens contact points with the borrowers' keys of category `contact`.

    What it returns is personal data: it goes into the message or the envelope, and nowhere else,
    no log, no event, no error text. None: the key is destroyed, the point is erased.
    """

    async def __call__(self, points: Sequence[tuple[BorrowerId, str]]) -> Sequence[str | None]: ...
