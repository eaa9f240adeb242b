"""Read models: rows and cursor in one transaction (what folds them: `folding`).

In a rolling upgrade workers of two VERSIONs run beside one another. The newer one takes the
projection, all shards of it, and the older ones fold nothing into it any more; until they end, the
shards that they hold have no rows. Nor does a program that is older for good, after an upgrade was
taken back: its list begins anew once the projection's rows and cursors are deleted by hand.
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Final

import asyncpg
import structlog
from msgspec import Struct

from arrears.shared.eventstore.ahead import ahead
from arrears.shared.eventstore.folding import Folding
from arrears.shared.eventstore.port import EventData, Store
from arrears.shared.eventstore.rows import Page, write_rows
from arrears.shared.kernel.ids import Shard

log = structlog.get_logger(__name__)

Connection = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection
READ: Final = 4000
"""Events asked of the store at once; the next ones come while these are decoded."""
PAGE: Final = 8000
"""Events folded in one transaction, or up to twice as many to the end of a shard: its rows are
written once then."""
STEP_MAX: Final = 32_000
"""Events that one step reads back: between its steps a worker far behind keeps its leases."""
FRESH_MAX: Final = 20_000
"""Events kept from the commit until they are folded; what is more is read back from the store."""

_CURSORS: Final = "SELECT shard, version, seq FROM projection_cursors WHERE name = $1"
_MOVE: Final = """
    INSERT INTO projection_cursors AS c (name, shard, version, seq)
    SELECT $1::text, shard, $2, after
    FROM unnest($3::smallint[], $4::bigint[], $5::bigint[]) AS m (shard, before, after)
    WHERE (before = 0 OR EXISTS (
        SELECT FROM projection_cursors AS k WHERE k.name = $1::text AND k.shard = m.shard))
    AND NOT EXISTS (
        SELECT FROM projection_cursors AS k WHERE k.name = $1::text AND k.version > $2)
    ORDER BY shard
    ON CONFLICT (name, shard) DO UPDATE SET seq = excluded.seq
    WHERE c.version = excluded.version AND c.seq = (
        SELECT before FROM unnest($3::smallint[], $4::bigint[]) AS m (shard, before)
        WHERE m.shard = excluded.shard)
    RETURNING shard
"""
_BEGIN_ANEW: Final = """
    UPDATE projection_cursors SET version = $2, seq = 0 WHERE name = $1 AND version < $2
    RETURNING shard
"""
"""Cursors first: who still folds an older version is waited for, and its rows are seen then."""
_LEFT_OVER: Final = """
    WITH dropped AS (
        DELETE FROM projections AS p
        WHERE name = $1 AND shard = ANY($2::smallint[]) AND NOT EXISTS (
            SELECT FROM projection_cursors AS c
            WHERE c.name = p.name AND c.shard = p.shard AND c.seq > 0)
        RETURNING 1)
    SELECT count(*) FROM dropped
"""
"""Rows of shards that nobody has begun to fold: rows and cursor come and go together."""
_DROP: Final = "DELETE FROM projections WHERE name = $1 AND shard = ANY($2::smallint[])"


class _Moved(Exception):
    """Another worker has folded shards that we thought were ours."""


class _Behind(Struct, frozen=True):
    """Where the cursor of a shard stands, and the number of its last event."""

    cursor: int
    last: int

    def left(self) -> int:
        return self.last - self.cursor


class Projector:
    """Keeps the projections of the owned shards up to date.

    `step_max`: about so many events are read back by one step.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        store: Store,
        foldings: Sequence[Folding],
        *,
        step_max: int = STEP_MAX,
    ) -> None:
        self._pool = pool
        self._step_max = step_max
        self._store = store
        self._foldings = foldings
        self._shards: set[Shard] = set()
        self._cursors: dict[tuple[str, Shard], int] = {}
        self._fresh: dict[Shard, tuple[int, list[object]]] = {}

    async def take(self, shards: Sequence[Shard]) -> None:
        """Read the cursors anew; rows of an older VERSION are dropped and built again.

        A projection of a newer VERSION is left alone.
        """
        self._shards.update(shards)
        for folding in self._foldings:
            seqs = await self._seqs(folding)
            if seqs is None:
                self._leave_alone(folding)
            else:
                await self._stand(folding, shards, seqs)

    async def _seqs(self, folding: Folding) -> Mapping[Shard, int] | None:
        """Where the cursors stand, those of an older VERSION at 0. None: there is a newer one."""
        version = folding.projection.VERSION
        versions, seqs = await self._standing(folding)
        if any(one < version for one in versions) and max(versions) <= version:
            await self._begin_anew(folding)
            versions, seqs = await self._standing(folding)
        return seqs if max(versions, default=version) <= version else None

    async def _stand(
        self, folding: Folding, shards: Collection[Shard], seqs: Mapping[Shard, int]
    ) -> None:
        """Go on from these cursors. A shard that begins has no rows: where its cursor was deleted
        by hand and they were not, they go too."""
        name = folding.projection.NAME
        begun = [shard for shard in shards if not seqs.get(shard)]
        if begun and await self._pool.fetchval(_LEFT_OVER, name, begun):
            log.warning("rows_without_cursor_dropped", projection=name, shards=begun)
        self._cursors.update({(name, shard): seqs.get(shard, 0) for shard in shards})

    async def _standing(self, folding: Folding) -> tuple[set[int], dict[Shard, int]]:
        """The versions that the cursors of a projection have, and where they stand."""
        rows = await self._pool.fetch(_CURSORS, folding.projection.NAME)
        return {row["version"] for row in rows}, {Shard(row["shard"]): row["seq"] for row in rows}

    async def _begin_anew(self, folding: Folding) -> None:
        name, version = folding.projection.NAME, folding.projection.VERSION
        async with self._pool.acquire() as connection, connection.transaction():
            older = await connection.fetch(_BEGIN_ANEW, name, version)
            await connection.execute(_DROP, name, [row["shard"] for row in older])

    def _leave_alone(self, folding: Folding) -> None:
        name = folding.projection.NAME
        log.warning("projection_is_newer", projection=name, ours=folding.projection.VERSION)
        for shard in self._shards:
            self._cursors.pop((name, shard), None)

    def drop(self, shards: Sequence[Shard]) -> None:
        self._shards.difference_update(shards)
        for key in [key for key in self._cursors if key[1] in shards]:
            del self._cursors[key]
        for shard in shards:
            self._fresh.pop(shard, None)

    def offer(self, committed: Mapping[Shard, tuple[int, Sequence[object]]]) -> None:
        """Hand over what was just committed (first seq, events), to spare reading it back."""
        for shard, (first_seq, events) in committed.items():
            begin, kept = self._fresh.get(shard, (first_seq, []))
            if first_seq != begin + len(kept) or len(kept) > FRESH_MAX:
                begin, kept = first_seq, []
            kept.extend(events)
            self._fresh[shard] = (begin, kept)

    async def step(self, last_seqs: Mapping[Shard, int]) -> bool:
        """Fold some of every shard that has moved. False: all rows are up to date."""
        moved = False
        for folding in self._foldings:
            page, behind = self._in_hand(folding, last_seqs)
            if page.parts:
                moved = True
                await self._fold(folding, page)
            if behind:
                moved |= await self._catch_up(folding, behind)
        if not moved:
            for folding in self._foldings:
                moved |= await self._find_gone(folding)
        for shard in self._fresh:
            self._forget_folded(shard)
        return moved

    def _forget_folded(self, shard: Shard) -> None:
        """What every projection of ours has folded, and what none of them folds."""
        begin, kept = self._fresh[shard]
        places = [(folding.projection.NAME, shard) for folding in self._foldings]
        ours = [self._cursors[place] for place in places if place in self._cursors]
        folded = min(ours, default=begin + len(kept) - 1)
        if folded >= begin:
            del kept[: folded + 1 - begin]
            self._fresh[shard] = (folded + 1, kept)

    async def _find_gone(self, folding: Folding) -> bool:
        """True where the cursor of a shard of ours has gone, with its rows: it is read again.

        A worker whose program knows no newer VERSION has cleared the projection.
        """
        name = folding.projection.NAME
        if not any(self._cursors.get((name, shard), 1) for shard in self._shards):
            return False
        seqs = await self._seqs_of_ours(folding)
        gone = [
            shard
            for shard in self._shards
            if seqs is not None and not seqs.get(shard) and self._cursors.get((name, shard), 1)
        ]
        if gone:
            await self._stand(folding, gone, {})
            log.warning("projection_is_read_again", projection=name, shards=sorted(gone))
        return bool(gone)

    async def _seqs_of_ours(self, folding: Folding) -> Mapping[Shard, int] | None:
        """The same; a projection that has become newer is left alone from now on."""
        seqs = await self._seqs(folding)
        ours = ((folding.projection.NAME, shard) in self._cursors for shard in self._shards)
        if seqs is None and any(ours):
            self._leave_alone(folding)
        return seqs

    def _in_hand(
        self, folding: Folding, last_seqs: Mapping[Shard, int]
    ) -> tuple[Page, dict[Shard, _Behind]]:
        """What was just committed, and what is to be read back of the shards without it."""
        page, behind = Page(folding), {}
        for shard, last_seq in last_seqs.items():
            cursor = self._cursors.get((folding.projection.NAME, shard))
            if cursor is None or cursor >= last_seq:
                continue
            begin, kept = self._fresh.get(shard, (0, []))
            if begin <= cursor + 1 < begin + len(kept):
                fresh = kept[cursor + 1 - begin :]
                page.add(shard, cursor, cursor + len(fresh), folding.decided(fresh))
            else:
                behind[shard] = _Behind(cursor, last_seq)
        return page, behind

    async def _catch_up(self, folding: Folding, behind: Mapping[Shard, _Behind]) -> bool:
        """Fold from the store, the next pages being read and decoded while one is written.

        Two of them: now reading and now writing takes longer.
        """
        moved = False
        async with aclosing(ahead(self._pages(folding, behind), by=2)) as pages:
            async for page in pages:
                moved = True
                if not await self._fold(folding, page):
                    # What was read ahead goes on from a page that was taken back.
                    break
        return moved

    async def _pages(
        self, folding: Folding, behind: Mapping[Shard, _Behind]
    ) -> AsyncGenerator[Page, None]:
        """Shard by shard, so that a row is written once; those with the least to read first,
        so that none waits for one that is far behind."""
        page, size = Page(folding), 0
        async with aclosing(ahead(self._data(behind))) as parts:
            async for shard, before, data in parts:
                after = data[-1][0]
                page.add(shard, before, after, folding.events(data))
                size += len(data)
                if size >= (PAGE if after >= behind[shard].last else 2 * PAGE):
                    yield page
                    page, size = Page(folding), 0
        if size:
            yield page

    async def _data(
        self, behind: Mapping[Shard, _Behind]
    ) -> AsyncGenerator[tuple[Shard, int, Sequence[EventData]], None]:
        """Events after the cursors, each part with its shard and the cursor before it."""
        left = self._step_max
        for shard in sorted(behind, key=lambda one: behind[one].left()):
            cursor, last = behind[shard].cursor, behind[shard].last
            while cursor < last and left > 0:
                data = await self._store.data_after(shard, cursor, limit=READ)
                if not data:
                    break
                yield shard, cursor, data
                cursor, left = data[-1][0], left - len(data)

    async def _fold(self, folding: Folding, page: Page) -> bool:
        """False where a shard of it was folded by another: nothing was written, and the next step
        goes on from there. A commit that was given up may arrive late."""
        name, version = folding.projection.NAME, folding.projection.VERSION
        shards = list(page.parts)
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                moved = await connection.fetch(
                    _MOVE,
                    name,
                    version,
                    shards,
                    [part.before for part in page.parts.values()],
                    [part.after for part in page.parts.values()],
                )
                if len(moved) != len(shards):
                    raise _Moved({Shard(row["shard"]) for row in moved})
                await write_rows(connection, folding, page)
        except _Moved as lost:
            seqs = await self._seqs_of_ours(folding)
            if seqs is not None:
                await self._stand(folding, set(shards) - lost.args[0], seqs)
            return False
        for shard, part in page.parts.items():
            self._cursors[(name, shard)] = part.after
        return True
