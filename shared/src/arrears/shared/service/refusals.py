"""Refused and parked input at rest: sealed under its borrower's key, where the borrower is known.

What names nobody stays as it came and expires (protocol 2.5). Erasing the borrower erases what was
refused or parked of it, as everything else; if that is tried again, it cannot be read.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
from msgspec.structs import replace

from arrears.shared.eventstore.port import AgendaRow, Change, ParkedInput, RefusedInput
from arrears.shared.eventstore.postgres import PostgresStore
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.port import Category, Keyring
from arrears.shared.keyring.sealing import ERASED, DataKey, Erased, SealBroken, seal, unseal
from arrears.shared.runtime.stage import FEED_RANK

CATEGORY: Final[Category] = "contact"
"""What a feed record may hold in the clear is how a borrower is reached."""
_FIELD: Final = "refused"
_SEALED: Final = b"s1."
_BYTES: Final = "latin-1"
"""Any bytes are a text of this encoding, and the same bytes again."""


class SealingStore(PostgresStore):
    """A service's database that keeps no known borrower's feed records in the clear for long.

    In the agenda they are as they came, for the days until their turn (protocol 3.1).
    """

    def __init__(self, pool: asyncpg.Pool, keyring: Keyring) -> None:
        super().__init__(pool)
        self._keyring = keyring

    async def commit(self, change: Change) -> None:
        if any(one.borrower_id is not None for one in change.refused):
            change.refused = list(await sealed(self._keyring, change.refused))
        if any(one.row.rank == FEED_RANK for one in change.parked):
            change.parked = list(await _sealed_rows(self._keyring, change.parked))
        await super().commit(change)

    async def parked_inputs(self, borrower_id: BorrowerId) -> Sequence[tuple[int, AgendaRow]]:
        rows = await super().parked_inputs(borrower_id)
        if not any(is_sealed(borrower_id, row.value) for _, row in rows):
            return rows
        key = await _find_key(self._keyring, borrower_id)
        return [(number, _readable(key, row)) for number, row in rows]


async def sealed(keyring: Keyring, refused: Sequence[RefusedInput]) -> Sequence[RefusedInput]:
    """The same with the bytes of known borrowers sealed; what is sealed already stays."""
    known = {one.borrower_id for one in refused if one.borrower_id is not None}
    keys = await keyring.keys_for(sorted(known), CATEGORY)
    return [
        one
        if one.borrower_id is None
        else replace(one, value=_sealed(keys, one.borrower_id, one.origin, one.value))
        for one in refused
    ]


async def _sealed_rows(keyring: Keyring, parked: Sequence[ParkedInput]) -> Sequence[ParkedInput]:
    """What services say to one another holds nothing in the clear: only the feed's rows change."""
    whose = {one.row.borrower_id for one in parked if one.row.rank == FEED_RANK}
    keys = await keyring.keys_for(sorted(whose), CATEGORY)
    return [
        one if one.row.rank != FEED_RANK else replace(one, row=_sealed_row(keys, one.row))
        for one in parked
    ]


def _sealed_row(keys: Mapping[BorrowerId, DataKey | Erased], row: AgendaRow) -> AgendaRow:
    return replace(row, value=_sealed(keys, row.borrower_id, row.origin, row.value))


def _readable(key: DataKey | Erased, row: AgendaRow) -> AgendaRow:
    """As it came, where that can still be read; else staff must be able to give it up."""
    if not is_sealed(row.borrower_id, row.value):
        return row
    try:
        value = _unsealed(key, row.origin, row.value)
    except SealBroken:
        return row
    return row if isinstance(value, Erased) else replace(row, value=value)


def _sealed(
    keys: Mapping[BorrowerId, DataKey | Erased], borrower_id: BorrowerId, origin: str, value: bytes
) -> bytes:
    if is_sealed(borrower_id, value):
        return value
    return seal(keys[borrower_id], origin, _FIELD, value.decode(_BYTES)).encode()


def is_sealed(borrower_id: BorrowerId | None, value: bytes) -> bool:
    """A feed record is JSON, so what begins so was sealed here."""
    return borrower_id is not None and value.startswith(_SEALED)


async def opened(
    keyring: Keyring, borrower_id: BorrowerId | None, origin: str, value: bytes
) -> bytes | Erased:
    """The bytes as they came, or ERASED. Raises SealBroken where they were changed."""
    if borrower_id is None or not is_sealed(borrower_id, value):
        return value
    return _unsealed(await _find_key(keyring, borrower_id), origin, value)


async def _find_key(keyring: Keyring, borrower_id: BorrowerId) -> DataKey | Erased:
    keys = await keyring.find_keys([borrower_id], CATEGORY)
    return keys.get(borrower_id, ERASED)


def _unsealed(key: DataKey | Erased, origin: str, value: bytes) -> bytes | Erased:
    text = unseal(key, origin, _FIELD, value.decode())
    return text if isinstance(text, Erased) else text.encode(_BYTES)
