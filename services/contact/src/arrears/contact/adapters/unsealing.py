"""Opening sealed contact points with the borrowers' keys, at the last moment before sending."""

from collections.abc import Sequence

import structlog

from arrears.contact.application.ports import Unseal
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.port import Keyring
from arrears.shared.keyring.sealing import (
    CONTACT_POINT,
    ERASED,
    DataKey,
    Erased,
    SealBroken,
    unseal,
)

log = structlog.get_logger(__name__)


def unseal_with(keyring: Keyring) -> Unseal:
    """What cannot be read is nothing: of one borrower, it must not hold up what is for others."""

    async def opened(points: Sequence[tuple[BorrowerId, str]]) -> Sequence[str | None]:
        keys = await keyring.find_keys({borrower_id for borrower_id, _ in points}, "contact")
        return [
            _opened(keys.get(borrower_id, ERASED), borrower_id, sealed)
            for borrower_id, sealed in points
        ]

    return opened


def _opened(key: DataKey | Erased, borrower_id: BorrowerId, sealed: str) -> str | None:
    try:
        value = unseal(key, borrower_id, CONTACT_POINT, sealed)
    except SealBroken:
        # Sealed under a key that the key store has lost since, or damaged.
        log.error("contact_point_cannot_be_opened")
        return None
    return None if isinstance(value, Erased) else value
