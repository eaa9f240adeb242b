"""All laws over all services: what is read, in which order, and by which check.

The order makes a running system harmless. A copy is read up to where it stood before the place
that it copies from is looked at: the history first, then the ends of the topics, then the stores.
"""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import blake2b
from itertools import repeat
from typing import Any, Final
from zoneinfo import ZoneInfo

from arrears.cli.deep import digest as law_9
from arrears.cli.deep import rebuilds
from arrears.cli.deep.contacts import CONTACT, MEDIATION, Contacts, Invitations
from arrears.cli.deep.copies import ShardCopies
from arrears.cli.deep.digest import Digest
from arrears.cli.deep.effects import Effects, of_all_shards
from arrears.cli.deep.feed import FeedLaws, Ledger
from arrears.cli.deep.findings import Place, Report
from arrears.cli.deep.reading import (
    FEED_TOPIC,
    SHARD_COUNT,
    STAGES,
    Unreadable,
    read_event,
    topic_of,
)
from arrears.cli.deep.tables import Tables, published, snapshot
from arrears.cli.deep.topics import Topics

_TABLES: Final[dict[str, Ledger]] = {
    "duplicates": "duplicate",
    "refused": "refused",
    "agenda": "waiting in the agenda",
    "parked": "parked",
}
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where to read and what to compare with. `databases` has an address for every service, `zone`
    is the bank's; `rebuild` None: laws 6 and 7 are left out."""

    databases: Mapping[str, str]
    zone: ZoneInfo
    kafka: Mapping[str, Any]
    rebuild: rebuilds.Rebuild | None
    expected_digest: str | None = None
    as_of: str | None = None


async def check(wanted: Wanted, tell: Tell) -> Report:
    """The report of all laws. Takes as long as reading everything twice."""
    report = Report()
    async with Topics(wanted.kafka) as topics, snapshot(wanted.databases["history"]) as history:
        for service in STAGES:
            await _Stage(service, wanted, topics, history, report, tell).check()
        await judge_digest(wanted, history, report, tell)
    _rebuilds(wanted, report, tell)
    return report


class _Stage:
    """One stage service: its topic, its store, the history's copy, and for intake the feed."""

    def __init__(
        self,
        service: str,
        wanted: Wanted,
        topics: Topics,
        history: Tables,
        report: Report,
        tell: Tell,
    ) -> None:
        self._service = service
        self._dsn = wanted.databases[service]
        self._zone = wanted.zone
        self._topics = topics
        self._history = history
        self._report = report
        self._tell = tell
        self._homes: dict[bytes, int] = {}
        self._effects: dict[int, Effects] = {}
        self._feed: FeedLaws | None = None

    async def check(self) -> None:
        # Asked in this order: what a relay has moved its cursor past must be on the topic, and what
        # is on the topic must be in the store.
        cursors = await published(self._dsn)
        ends = await self._topics.bounds(topic_of(self._service))
        heard = await self._history.heard()
        async with AsyncExitStack() as stack:
            tables = await stack.enter_async_context(snapshot(self._dsn))
            last_seqs = await tables.last_seqs()
            await self._prepare(tables)
            for shard in range(SHARD_COUNT):
                self._tell(f"{self._service}: shard {shard + 1} of {SHARD_COUNT}")
                copies = ShardCopies(self._service, shard, self._report)
                words = self._judge_of_words()
                await self._read_topic(copies, shard, ends.get(shard, (0, 0)))
                await self._read_store(copies, words, tables, shard)
                copies.ends(last_seqs.get(shard, 0), cursors.get(shard, 0))
                rank = STAGES.index(self._service)
                async for rows in self._history.copies(rank, shard):
                    copies.history(rows)
                copies.history_ends(heard.get((topic_of(self._service), shard), 0))
                copies.finish()
                self._check_homes(copies, shard)
                self._effects.pop(shard).finish()
        if self._feed is not None:
            await self._read_feed(self._feed)

    def _judge_of_words(self) -> Contacts | Invitations | None:
        """Of what is said to borrowers, if the service says anything."""
        if self._service == CONTACT:
            return Contacts(self._report, self._zone)
        return Invitations(self._report, self._zone) if self._service == MEDIATION else None

    async def _prepare(self, tables: Tables) -> None:
        self._effects = of_all_shards(
            self._service,
            await tables.pending_effects(),
            await tables.waiting_answers(),
            await tables.timers(),
            self._report,
        )
        if self._service != "intake":
            return
        # The ends of the feed come after the positions: so no position is ahead by itself.
        positions = await tables.feed_positions()
        bounds = await self._topics.bounds(FEED_TOPIC)
        ends = {number: end for number, (_, end) in bounds.items()}
        self._feed = FeedLaws(positions, ends, self._report)
        for table, ledger in _TABLES.items():
            async for origin, event_id in tables.feed_origins(table):
                self._feed.account(ledger, origin, event_id)

    async def _read_topic(self, copies: ShardCopies, shard: int, bounds: tuple[int, int]) -> None:
        topic, (first, end) = topic_of(self._service), bounds
        if first:
            place = Place(self._service, "topic", shard, offset=first)
            self._report.say(
                2, place, f"the topic begins at {first}: it has lost its first records"
            )
        async for records in self._topics.records(topic, shard, first, end):
            copies.topic(records)

    async def _read_store(
        self,
        copies: ShardCopies,
        words: Contacts | Invitations | None,
        tables: Tables,
        shard: int,
    ) -> None:
        effects, feed = self._effects[shard], self._feed
        async for rows in tables.events(shard):
            for row, event in copies.store(rows):
                effects.event(row, event)
                if words is not None:
                    words.event(row, event)
                if feed is not None:
                    feed.event(row, event)

    def _check_homes(self, copies: ShardCopies, shard: int) -> None:
        """A stream lives in one shard."""
        for stream in copies.streams:
            key = blake2b(stream.encode(), digest_size=8).digest()
            home = self._homes.setdefault(key, shard)
            if home != shard:
                place = Place(self._service, "store", shard, stream=stream)
                self._report.say(3, place, f"the stream is in shard {home} as well")

    async def _read_feed(self, feed: FeedLaws) -> None:
        bounds = await self._topics.bounds(FEED_TOPIC)
        for number, position in sorted(feed.positions().items()):
            self._tell(f"feed: partition {number}")
            first, end = bounds.get(number, (0, 0))
            records = self._topics.records(FEED_TOPIC, number, first, min(position, end))
            async for batch in records:
                for record in batch:
                    feed.record(record)
            feed.partition_ends(number, first, end)
        feed.finish()


async def judge_digest(wanted: Wanted, history: Tables, report: Report, tell: Tell) -> None:
    closed = await history.closed_everywhere(len(STAGES) * SHARD_COUNT)
    if wanted.as_of is not None and (closed is None or wanted.as_of > closed):
        law_9.cannot_judge(wanted.as_of, closed, wanted.expected_digest, report)
        return
    up_to = wanted.as_of or closed
    digest = Digest(set() if up_to is None else await history.skipped(up_to))
    if up_to is not None:
        async for page in history.canonical(up_to):
            tell(f"digest: {digest.event_count:,} events")
            for rank, value in page:
                if rank not in range(len(STAGES)):
                    says = f"a row of service {rank}, which there is not"
                    report.say(9, Place("history", "history"), says)
                    continue
                try:
                    digest.event(STAGES[rank], read_event(value))
                except (Unreadable, RecursionError) as error:
                    report.say(9, Place("history", "history"), f"no event: {error}")
    law_9.judge(digest, up_to, wanted.expected_digest, report)


def _rebuilds(wanted: Wanted, report: Report, tell: Tell) -> None:
    """Services beside one another: each rebuild is a process of its own."""
    rebuild, services = wanted.rebuild, (*STAGES, "history")
    for source, law in rebuilds.LAW_OF.items():
        if rebuild is None:
            report.leaves_out(law, "left out on purpose (--fast)")
            continue
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as several:
            answers = several.map(rebuild, services, repeat(source))
            for service in services:
                tell(f"law {law}: {service} is rebuilt from {source}")
                rebuilds.judge(service, source, next(answers), report)
