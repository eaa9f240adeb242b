"""The key store in memory. Keys follow from names, so that a test run is the same each time."""

import hmac
from collections.abc import Iterable, Mapping
from typing import Final

from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.port import DEFAULT_GRANTS, Category, KeyDenied
from arrears.shared.keyring.sealing import ERASED, DataKey, Erased

_SEED: Final = b"a key store in memory guards nothing"


class MemoryKeyStore:
    """What several services share: the keys that were made, and who was erased."""

    def __init__(self, grants: Mapping[str, tuple[Category, ...]] = DEFAULT_GRANTS) -> None:
        self.grants = dict(grants)
        self.keys: dict[tuple[BorrowerId, Category], DataKey] = {}
        self.erased: set[BorrowerId] = set()

    def keyring(self, service: str) -> "MemoryKeyring":
        return MemoryKeyring(self, service)


class MemoryKeyring:
    def __init__(self, store: MemoryKeyStore, service: str) -> None:
        self._store = store
        self._service = service

    async def keys_for(
        self, borrowers: Iterable[BorrowerId], category: Category
    ) -> Mapping[BorrowerId, DataKey | Erased]:
        wanted = set(borrowers)
        self._check(category)
        for borrower in wanted - self._store.erased:
            if (borrower, category) not in self._store.keys:
                name = f"{len(borrower)}:{borrower}{category}".encode("utf-8", "surrogatepass")
                self._store.keys[borrower, category] = DataKey(hmac.digest(_SEED, name, "sha256"))
        return await self.find_keys(wanted, category)

    async def find_keys(
        self, borrowers: Iterable[BorrowerId], category: Category
    ) -> Mapping[BorrowerId, DataKey | Erased]:
        self._check(category)
        found: dict[BorrowerId, DataKey | Erased] = {}
        for borrower in borrowers:
            if borrower in self._store.erased:
                found[borrower] = ERASED
            elif (borrower, category) in self._store.keys:
                found[borrower] = self._store.keys[borrower, category]
        return found

    async def erase(self, borrower_id: BorrowerId) -> None:
        self._store.erased.add(borrower_id)
        for place in [place for place in self._store.keys if place[0] == borrower_id]:
            del self._store.keys[place]

    async def close(self) -> None: ...

    def _check(self, category: Category) -> None:
        if category not in self._store.grants.get(self._service, ()):
            raise KeyDenied(self._service, category)
