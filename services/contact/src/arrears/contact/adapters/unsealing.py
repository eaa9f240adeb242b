"""Opening sealed contact points with the borrowers' keys, at the last moment before sending."""

from collections.abc import Sequence

from arrears.contact.application.ports import Unseal
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.port import Keyring
from arrears.shared.keyring.sealing import CONTACT_POINT, ERASED, Erased, unseal


def unseal_with(keyring: Keyring) -> Unseal:
    async def opened(points: Sequence[tuple[BorrowerId, str]]) -> Sequence[str | None]:
        keys = await keyring.find_keys({borrower_id for borrower_id, _ in points}, "contact")
        values = [
            unseal(keys.get(borrower_id, ERASED), borrower_id, CONTACT_POINT, sealed)
            for borrower_id, sealed in points
        ]
        return [None if isinstance(value, Erased) else value for value in values]

    return opened
