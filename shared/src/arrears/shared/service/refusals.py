"""Refused input at rest: sealed under its borrower's key, where the borrower is known.

What names nobody stays as it came and expires (protocol 2.5). Erasing the borrower erases what was
refused of it, as everything else.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec.structs import replace

from arrears.shared.eventstore.port import Change, RefusedInput
from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.port import Category, Keyring
from arrears.shared.keyring.sealing import ERASED, Erased, seal, unseal

CATEGORY: Final[Category] = "contact"
"""What a feed record may hold in the clear is how a borrower is reached."""
_FIELD: Final = "refused"
_SEALED: Final = b"s1."
_BYTES: Final = "latin-1"
"""Any bytes are a text of this encoding, and the same bytes again."""


class SealingStore(PostgresStore):
    """A service's database that never keeps a known borrower's refused input in the clear."""

    def __init__(self, pool: asyncpg.Pool, keyring: Keyring) -> None:
        super().__init__(pool)
        self._keyring = keyring

    async def commit(self, change: Change) -> None:
        if any(one.borrower_id is not None for one in change.refused):
            change.refused = list(await sealed(self._keyring, change.refused))
        await super().commit(change)


async def sealed(keyring: Keyring, refused: Sequence[RefusedInput]) -> Sequence[RefusedInput]:
    """The same with the bytes of known borrowers sealed; what is sealed already stays."""
    known = {one.borrower_id for one in refused if one.borrower_id is not None}
    keys = await keyring.keys_for(sorted(known), CATEGORY)
    return [
        one
        if one.borrower_id is None or is_sealed(one.borrower_id, one.value)
        else replace(
            one,
            value=seal(
                keys[one.borrower_id], one.origin, _FIELD, one.value.decode(_BYTES)
            ).encode(),
        )
        for one in refused
    ]


def is_sealed(borrower_id: BorrowerId | None, value: bytes) -> bool:
    """A feed record is JSON, so what begins so was sealed here."""
    return borrower_id is not None and value.startswith(_SEALED)


async def opened(
    keyring: Keyring, borrower_id: BorrowerId | None, origin: str, value: bytes
) -> bytes | Erased:
    """The bytes as they came, or ERASED. Raises SealBroken where they were changed."""
    if borrower_id is None or not is_sealed(borrower_id, value):
        return value
    keys = await keyring.find_keys([borrower_id], CATEGORY)
    text = unseal(keys.get(borrower_id, ERASED), origin, _FIELD, value.decode())
    return text if isinstance(text, Erased) else text.encode(_BYTES)
