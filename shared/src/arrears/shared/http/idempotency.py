"""Answers already given: the same key with the same input gets the same answer.

Table `idempotency(key, actor, input_hmac, status, body, created_at)` of the service's database. A
status of 0 marks a request that is being carried out; if its process died, another attempt takes
it over after a while, and whoever was taken over has no say any more. Inputs are kept as HMAC only,
for they may hold personal data.
"""

import hmac
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Final, Protocol, TypeAlias

import asyncpg
from msgspec import DecodeError, Struct
from msgspec.json import decode, encode

from arrears.shared.eventstore.pool import unlocked
from arrears.shared.kernel.ids import StaffId
from arrears.shared.runtime.together import Together

TAKEN_OVER_AFTER: Final = timedelta(seconds=60)
_IN_PROGRESS: Final = 0


class Fresh(Struct, frozen=True):
    """The key is ours now: carry the command out, then `finish` or `abandon`.

    `turn` tells us from one who had the key before us and may still be at work.
    """

    turn: str


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

    async def finish(self, key: str, actor: StaffId, turn: str, status: int, body: bytes) -> bool:
        """Keep the answer. False: another has the key, and it is their answer that counts."""

    async def abandon(self, key: str, actor: StaffId, turn: str) -> None:
        """No answer was given: the key is free again, if it is still ours."""


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
    """For tests and the in-memory run; nothing is taken over, for no process dies.

    `at_work` are the turns that a memory store looks at, `by_commits` the answers that it keeps.
    """

    def __init__(
        self,
        at_work: dict[tuple[str, StaffId], str] | None = None,
        by_commits: Mapping[tuple[str, StaffId], bytes] | None = None,
    ) -> None:
        self.kept: dict[tuple[str, StaffId], tuple[bytes, int, bytes]] = {}
        self._at_work = {} if at_work is None else at_work
        self._by_commits = {} if by_commits is None else by_commits
        self._turns = count(1)

    async def begin(self, key: str, actor: StaffId, input_hmac: bytes) -> Verdict:
        found = self.kept.get((key, actor))
        if found is None:
            self.kept[key, actor] = (input_hmac, _IN_PROGRESS, b"")
            return self._take(key, actor)
        if (key, actor) in self._by_commits:
            found = self.kept[key, actor] = (found[0], 200, self._by_commits[key, actor])
        return _judged(*found, input_hmac)

    def _take(self, key: str, actor: StaffId) -> Fresh:
        turn = self._at_work[key, actor] = str(next(self._turns))
        return Fresh(turn)

    async def finish(self, key: str, actor: StaffId, turn: str, status: int, body: bytes) -> bool:
        if not self._is_at_work(key, actor, turn):
            return False
        self.kept[key, actor] = (self.kept[key, actor][0], status, body)
        del self._at_work[key, actor]
        return True

    async def abandon(self, key: str, actor: StaffId, turn: str) -> None:
        if self._is_at_work(key, actor, turn):
            del self.kept[key, actor], self._at_work[key, actor]

    def _is_at_work(self, key: str, actor: StaffId, turn: str) -> bool:
        return self._at_work.get((key, actor)) == turn


_BEGIN: Final = """
INSERT INTO idempotency AS i (key, actor, input_hmac, status, body, created_at)
SELECT key, actor, input_hmac, 0, '', now()
FROM unnest($1::text[], $2::text[], $3::bytea[]) AS b (key, actor, input_hmac),
    set_config('synchronous_commit', 'off', true)
ON CONFLICT (key, actor) DO UPDATE SET created_at = now()
WHERE i.status = 0 AND i.input_hmac = excluded.input_hmac AND i.created_at < now() - $4::interval
RETURNING key, actor, created_at::text"""
_FIND: Final = """
SELECT key, actor, input_hmac, status, body
FROM unnest($1::text[], $2::text[]) AS w (key, actor) JOIN idempotency USING (key, actor)"""
_FINISH: Final = """
UPDATE idempotency AS i SET status = f.status, body = f.body
FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bytea[])
    AS f (key, actor, turn, status, body)
WHERE i.key = f.key AND i.actor = f.actor AND i.created_at = f.turn::timestamptz AND i.status = 0
RETURNING f.key, f.actor, f.turn"""
_ABANDON: Final = """
DELETE FROM idempotency
WHERE key = $1 AND actor = $2 AND created_at = $3::text::timestamptz AND status = 0"""
_FORGET: Final = """
DELETE FROM idempotency WHERE (key, actor) IN (
    SELECT key, actor FROM idempotency WHERE created_at < now() - $1::interval
    LIMIT $2 FOR UPDATE SKIP LOCKED)"""


class _Begun(Struct, frozen=True):
    place: tuple[str, StaffId]
    input_hmac: bytes


class _Finished(Struct, frozen=True):
    place: tuple[str, StaffId]
    turn: str
    status: int
    body: bytes


class PostgresAnswers:
    """Of one process; what many begin or finish at once costs one statement."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        taken_over_after: timedelta = TAKEN_OVER_AFTER,
    ) -> None:
        self._pool = pool
        self._taken_over_after = taken_over_after
        self._begun: Together[_Begun, Verdict] = Together(self._begin)
        self._finished = Together(self._finish)

    async def begin(self, key: str, actor: StaffId, input_hmac: bytes) -> Verdict:
        return await self._begun.ask(_Begun((key, actor), input_hmac))

    async def finish(self, key: str, actor: StaffId, turn: str, status: int, body: bytes) -> bool:
        return await self._finished.ask(_Finished((key, actor), turn, status, body))

    async def _begin(self, asked: Sequence[_Begun]) -> Sequence[Verdict]:
        """Of those with the same key the first may begin; in order of key, so that none wait
        for one another.
        """
        verdicts: dict[int, Verdict] = {}
        while len(verdicts) < len(asked):
            left = {n: one for n, one in enumerate(asked) if n not in verdicts}
            first = {one.place: number for number, one in reversed(left.items())}
            keys, actors = zip(*sorted(first), strict=True)
            hmacs = [asked[first[place]].input_hmac for place in sorted(first)]
            rows = await unlocked(
                partial(self._pool.fetch, _BEGIN, keys, actors, hmacs, self._taken_over_after)
            )
            fresh = {first[row[0], row[1]]: Fresh(row[2]) for row in rows}
            verdicts.update(fresh)
            others = {n: one for n, one in left.items() if n not in fresh}
            verdicts.update(await self._judge(others))
        return [verdicts[number] for number in range(len(asked))]

    async def _judge(self, others: Mapping[int, _Begun]) -> Mapping[int, Verdict]:
        """What is known of keys that were not free; one that was freed just now is missing."""
        if not others:
            return {}
        keys, actors = zip(*{one.place for one in others.values()}, strict=True)
        found = {
            (row["key"], row["actor"]): (row["input_hmac"], row["status"], row["body"])
            for row in await self._pool.fetch(_FIND, keys, actors)
        }
        return {
            number: _judged(*found[one.place], one.input_hmac)
            for number, one in others.items()
            if one.place in found
        }

    async def _finish(self, asked: Sequence[_Finished]) -> Sequence[bool]:
        told = sorted(asked, key=lambda one: one.place)
        rows = await unlocked(
            partial(
                self._pool.fetch,
                _FINISH,
                [one.place[0] for one in told],
                [one.place[1] for one in told],
                [one.turn for one in told],
                [one.status for one in told],
                [one.body for one in told],
            )
        )
        finished = {tuple(row) for row in rows}
        return [(*one.place, one.turn) in finished for one in asked]

    async def abandon(self, key: str, actor: StaffId, turn: str) -> None:
        await self._pool.execute(_ABANDON, key, actor, turn)

    async def forget(self, older_than: timedelta, *, limit: int) -> int:
        """Keys need not be kept longer than a client may repeat itself. How many went."""
        done = await self._pool.execute(_FORGET, older_than, limit)
        return int(done.rpartition(" ")[2])
