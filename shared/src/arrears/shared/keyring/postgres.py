"""The key store on PostgreSQL, with its own database and credentials.

Keys are cached for a while, so an erasure by another process binds within `cache_seconds`; in the
process that erases it binds at once. Old row versions are vacuumed away after an erasure; backups
of the key store must not outlive what the bank has promised to erase.
"""

import os
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import asyncpg

from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.master import MasterKey
from arrears.shared.keyring.port import CATEGORIES, Category, KeyDenied
from arrears.shared.keyring.sealing import ERASED, KEY_BYTES, DataKey, Erased

_CACHED_MAX: Final = 50_000
_BATCH_MAX: Final = 5_000
_CONNECT_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 5.0
_VACUUM_SECONDS: Final = 50.0
"""An erasure is certified when the old key is gone from the disk; its request may last as long."""

_FIND: Final = """
SELECT borrower_id, wrapped_key FROM keys WHERE category = $1 AND borrower_id = ANY($2::text[])"""

_ANY: Final = """
SELECT borrower_id, category, wrapped_key FROM keys WHERE wrapped_key IS NOT NULL LIMIT 1"""

# The update changes nothing: it makes the row that another process has just inserted come back.
_CREATE: Final = """
INSERT INTO keys AS k (borrower_id, category, wrapped_key)
SELECT borrower_id, $1, wrapped_key
FROM unnest($2::text[], $3::bytea[]) AS new(borrower_id, wrapped_key)
ON CONFLICT (borrower_id, category) DO UPDATE SET category = k.category
RETURNING borrower_id, wrapped_key"""

_ERASE: Final = """
INSERT INTO keys AS k (borrower_id, category, destroyed_at)
SELECT $1, category, now() FROM unnest($2::text[]) AS all_of(category)
ON CONFLICT (borrower_id, category) DO UPDATE
SET wrapped_key = NULL, destroyed_at = coalesce(k.destroyed_at, now())"""


class PostgresKeyring:
    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        master: MasterKey,
        service: str,
        *,
        cache_seconds: float = 60.0,
        cached_max: int = _CACHED_MAX,
    ) -> None:
        self._pool = pool
        self._master = master
        self._service = service
        self._cache_seconds = cache_seconds
        self._cached_max = cached_max
        self._cache: OrderedDict[tuple[BorrowerId, Category], tuple[float, DataKey | Erased]]
        self._cache = OrderedDict()
        self._granted: frozenset[str] = frozenset()
        self._granted_until = 0.0
        self._is_master = False

    @classmethod
    async def connect(
        cls, dsn: str, master: MasterKey, service: str, *, cache_seconds: float = 60.0
    ) -> "PostgresKeyring":
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=2,
            timeout=_CONNECT_SECONDS,
            command_timeout=_ANSWER_SECONDS,
        )
        return cls(pool, master, service, cache_seconds=cache_seconds)

    async def renew(self) -> None:
        """After a failure: connections that died in silence are not found out one by one."""
        await self._pool.expire_connections()

    async def check_master_key(self) -> None:
        """Raises WrongMasterKey where the store was made with another: what was sealed under keys
        that this one wraps could never be read with the right one. An empty store takes any."""
        if self._is_master:
            return
        row = await self._pool.fetchrow(_ANY)
        if row is not None:
            self._master.unwrap(row["wrapped_key"], row["borrower_id"], row["category"])
            self._is_master = True

    async def keys_for(
        self, borrowers: Iterable[BorrowerId], category: Category
    ) -> Mapping[BorrowerId, DataKey | Erased]:
        wanted = sorted(set(borrowers))
        found = await self._find(wanted, category)
        missing = [borrower for borrower in wanted if borrower not in found]
        for start in range(0, len(missing), _BATCH_MAX):
            batch = missing[start : start + _BATCH_MAX]
            wrapped = [
                self._master.wrap(os.urandom(KEY_BYTES), borrower, category) for borrower in batch
            ]
            rows = await self._pool.fetch(_CREATE, category, batch, wrapped)
            found.update(self._unwrapped(rows, category))
        return found

    async def find_keys(
        self, borrowers: Iterable[BorrowerId], category: Category
    ) -> Mapping[BorrowerId, DataKey | Erased]:
        return await self._find(sorted(set(borrowers)), category)

    async def erase(self, borrower_id: BorrowerId) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(_ERASE, borrower_id, list(CATEGORIES))
            for category in CATEGORIES:
                self._cache.pop((borrower_id, category), None)
            await connection.execute("VACUUM keys", timeout=_VACUUM_SECONDS)

    async def close(self) -> None:
        self._cache.clear()
        await self._pool.close()

    async def _find(
        self, wanted: Sequence[BorrowerId], category: Category
    ) -> dict[BorrowerId, DataKey | Erased]:
        await self._check(category)
        now = time.monotonic()
        found: dict[BorrowerId, DataKey | Erased] = {}
        unknown: list[BorrowerId] = []
        for borrower in wanted:
            until, key = self._cache.get((borrower, category), (0.0, ERASED))
            if until > now:
                found[borrower] = key
            else:
                unknown.append(borrower)
        for start in range(0, len(unknown), _BATCH_MAX):
            batch = unknown[start : start + _BATCH_MAX]
            found.update(self._unwrapped(await self._pool.fetch(_FIND, category, batch), category))
        return found

    def _unwrapped(
        self, rows: Iterable[asyncpg.Record], category: Category
    ) -> dict[BorrowerId, DataKey | Erased]:
        until = time.monotonic() + self._cache_seconds
        found: dict[BorrowerId, DataKey | Erased] = {}
        for name, wrapped in rows:
            borrower = BorrowerId(name)
            key: DataKey | Erased = ERASED
            if wrapped is not None:
                key = DataKey(self._master.unwrap(wrapped, borrower, category))
            found[borrower] = key
            self._cache[borrower, category] = (until, key)
            self._cache.move_to_end((borrower, category))
        while len(self._cache) > self._cached_max:
            self._cache.popitem(last=False)
        return found

    async def _check(self, category: Category) -> None:
        """Grants are read again with the cache's age, and before anything is denied; the master key
        is proven before any key is read or made."""
        now = time.monotonic()
        if category not in self._granted or now >= self._granted_until:
            granted = await self._pool.fetchval(
                "SELECT categories FROM grants WHERE service = $1", self._service
            )
            self._granted = frozenset(granted or ())
            self._granted_until = now + self._cache_seconds
        if category not in self._granted:
            raise KeyDenied(self._service, category)
        await self.check_master_key()
