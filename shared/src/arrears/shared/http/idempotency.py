"""Answers already given: the same key with the same input gets the same answer.

Table `idempotency(key, actor, input_hmac, status, body, created_at)` of the service's database. A
status of 0 marks a request that is being carried out; if its process died, another attempt takes
it over after a while. Inputs are kept as HMAC only, for they may hold personal data.
"""

import hmac
from contextlib import suppress
from datetime import timedelta
from typing import Final, Protocol, TypeAlias

import asyncpg
from msgspec import DecodeError, Struct
from msgspec.json import decode, encode

from arrears.shared.kernel.ids import StaffId

TAKEN_OVER_AFTER: Final = timedelta(seconds=60)
_IN_PROGRESS: Final = 0


class Fresh(Struct, frozen=True):
    """The key is ours now: carry the command out, then `finish` or `abandon`."""


class Given(Struct, frozen=True):
    """The answer that was given to the same input."""

    status: int
    body: bytes


class Reused(Struct, frozen=True):
    """The key was used with another input."""


class InProgress(Struct, frozen=True):
    """The same request is being carried out at this moment."""


Verdict: TypeAlias = Fresh | Given | Reused | InProgress


class Answers(Protocol):
    async def begin(self, key: str, actor: StaffId, input_hmac: bytes) -> Verdict: ...

    async def finish(self, key: str, actor: StaffId, status: int, body: bytes) -> None: ...

    async def abandon(self, key: str, actor: StaffId) -> None:
        """No answer was given: the key is free again."""


def input_hmac(secret: bytes, method: str, target: str, body: bytes) -> bytes:
    """The same for the same JSON, however it is spaced and ordered."""
    with suppress(DecodeError, ValueError):
        body = encode(decode(body), order="sorted") if body else b""
    parts = (method.encode("ascii"), target.encode("utf-8", "surrogatepass"), body)
    joined = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hmac.digest(secret, joined, "sha256")


def _judged(found_hmac: bytes, status: int, body: bytes, wanted_hmac: bytes) -> Verdict:
    if not hmac.compare_digest(found_hmac, wanted_hmac):
        return Reused()
    return InProgress() if status == _IN_PROGRESS else Given(status, body)


class MemoryAnswers:
    """For tests and the in-memory run; nothing is taken over, for no process dies."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, StaffId], tuple[bytes, int, bytes]] = {}

    async def begin(self, key: str, actor: StaffId, input_hmac: bytes) -> Verdict:
        found = self.kept.get((key, actor))
        if found is None:
            self.kept[key, actor] = (input_hmac, _IN_PROGRESS, b"")
            return Fresh()
        return _judged(*found, input_hmac)

    async def finish(self, key: str, actor: StaffId, status: int, body: bytes) -> None:
        self.kept[key, actor] = (self.kept[key, actor][0], status, body)

    async def abandon(self, key: str, actor: StaffId) -> None:
        found = self.kept.get((key, actor))
        if found is not None and found[1] == _IN_PROGRESS:
            del self.kept[key, actor]


_BEGIN: Final = """
INSERT INTO idempotency AS i (key, actor, input_hmac, status, body, created_at)
VALUES ($1, $2, $3, 0, '', now())
ON CONFLICT (key, actor) DO UPDATE SET created_at = now()
WHERE i.status = 0 AND i.input_hmac = excluded.input_hmac AND i.created_at < now() - $4::interval
RETURNING true"""
_FIND: Final = "SELECT input_hmac, status, body FROM idempotency WHERE key = $1 AND actor = $2"
_FINISH: Final = """
UPDATE idempotency SET status = $3, body = $4 WHERE key = $1 AND actor = $2 AND status = 0"""
_ABANDON: Final = "DELETE FROM idempotency WHERE key = $1 AND actor = $2 AND status = 0"
_FORGET: Final = """
DELETE FROM idempotency WHERE (key, actor) IN (
    SELECT key, actor FROM idempotency WHERE created_at < now() - $1::interval
    LIMIT $2 FOR UPDATE SKIP LOCKED)"""


class PostgresAnswers:
    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        taken_over_after: timedelta = TAKEN_OVER_AFTER,
    ) -> None:
        self._pool = pool
        self._taken_over_after = taken_over_after

    async def begin(self, key: str, actor: StaffId, input_hmac: bytes) -> Verdict:
        while True:
            if await self._pool.fetchval(_BEGIN, key, actor, input_hmac, self._taken_over_after):
                return Fresh()
            found = await self._pool.fetchrow(_FIND, key, actor)
            if found is not None:
                return _judged(found["input_hmac"], found["status"], found["body"], input_hmac)

    async def finish(self, key: str, actor: StaffId, status: int, body: bytes) -> None:
        await self._pool.execute(_FINISH, key, actor, status, body)

    async def abandon(self, key: str, actor: StaffId) -> None:
        await self._pool.execute(_ABANDON, key, actor)

    async def forget(self, older_than: timedelta, *, limit: int) -> int:
        """Keys need not be kept longer than a client may repeat itself. How many went."""
        done = await self._pool.execute(_FORGET, older_than, limit)
        return int(done.rpartition(" ")[2])
