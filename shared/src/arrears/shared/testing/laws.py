"""What must be true of stores, topics and gateways after any run, however it was disturbed.

Each law raises `Broken` with the place. They read what was stored and sent, and share no code with
the kernel that wrote it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from msgspec.json import Decoder, encode

from arrears.shared.contracts.corebanking import BUSINESS_DAY_CLOSED, FEED_TOPIC
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.ids import Shard
from arrears.shared.kernel.reaction import EffectRequest
from arrears.shared.runtime.bus import Record, TopicPartition
from arrears.shared.testing.memory_bus import MemoryBus
from arrears.shared.testing.simulated import MemoryProjections, MemoryProjector

_JSON = Decoder(dict[str, Any])
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class Broken(AssertionError):
    """A law does not hold. The message names the place."""


def check_all(
    stores: Mapping[str, MemoryStore],
    bus: MemoryBus,
    *,
    feed_partitions: int,
    asked: Mapping[str, Sequence[EffectRequest]],
) -> None:
    """All laws that need no other run to compare with."""
    for service, store in stores.items():
        numbers_have_no_hole(service, store)
        chains_are_whole(service, store)
        topic_says_what_the_store_holds(service, store, bus)
        nothing_waits_behind_its_day(service, store)
    every_feed_record_is_accounted_for_once(stores["intake"], bus, feed_partitions)
    for service, requests in asked.items():
        no_key_has_two_contents(service, requests)


async def rows_equal_their_rebuild(projections: MemoryProjections) -> None:
    """Law 6: what the workers folded page by page, over every crash, is what one fold gives."""
    rebuilt = MemoryProjections(projections.store, projections.foldings)
    last_seqs = {shard: len(events) for shard, events in projections.store.events.items()}
    for one in (projections, rebuilt):
        projector = MemoryProjector(one, one.foldings)
        await projector.take(sorted(last_seqs))
        while await projector.step(last_seqs):
            pass
    for name, rows in rebuilt.rows.items():
        kept = projections.rows[name]
        wrong = sorted(key for key in rows.keys() | kept.keys() if rows.get(key) != kept.get(key))
        if wrong:
            raise Broken(f"projection {name}: row {wrong[0]} is not what its rebuild has")


def numbers_have_no_hole(service: str, store: MemoryStore) -> None:
    for shard, events in store.events.items():
        seqs = [event.seq for event in events]
        expected = list(range(1, store.shards[shard].last_seq + 1))
        if seqs != expected:
            raise Broken(f"{service} shard {shard}: numbers {seqs[-5:]} of {len(expected)}")
        ids = Counter(event.event_id for event in events)
        repeated = [event_id for event_id, count in ids.items() if count > 1]
        if repeated:
            raise Broken(f"{service} shard {shard}: event id {repeated[0]} is there twice")


def chains_are_whole(service: str, store: MemoryStore) -> None:
    heads: dict[tuple[Shard, str], tuple[int, str, datetime]] = {}
    for shard, events in store.events.items():
        for event in events:
            version, prevhash, last_time = heads.get((shard, event.stream), (0, "", _BEFORE_ALL))
            seen = _JSON.decode(event.value)
            place = f"{service} shard {shard} seq {event.seq} stream {event.stream}"
            if (event.version, seen["streamversion"]) != (version + 1, version + 1):
                raise Broken(f"{place}: version {event.version} after {version}")
            if seen["prevhash"] != prevhash:
                raise Broken(f"{place} version {event.version}: the chain is broken")
            if seen["id"] != event.event_id or seen["stream"] != event.stream:
                raise Broken(f"{place}: the value is of another event")
            time = datetime.fromisoformat(seen["time"])
            if time < last_time:
                raise Broken(f"{place}: time runs backwards from {last_time} to {seen['time']}")
            heads[(shard, event.stream)] = (
                event.version,
                sha256(event.value).hexdigest(),
                time,
            )


def topic_says_what_the_store_holds(service: str, store: MemoryStore, bus: MemoryBus) -> None:
    for shard, events in store.events.items():
        place = TopicPartition(f"arrears.{service}.v1", shard)
        highest = 0
        for record in bus.records(place):
            where = f"{place.topic}[{shard}] offset {record.offset}"
            if record.seq is None or not 1 <= record.seq <= highest + 1:
                raise Broken(f"{where}: number {record.seq} after {highest}")
            if record.seq > len(events) or events[record.seq - 1].value != record.value:
                raise Broken(f"{where}: number {record.seq} is not what the store holds")
            highest = max(highest, record.seq)
        if highest < len(events):
            raise Broken(f"{place.topic}[{shard}]: number {highest + 1} was never published")


def nothing_waits_behind_its_day(service: str, store: MemoryStore) -> None:
    """What belonged to a day that is closed was handled in it, but for what waits for a doubt."""
    held_up = {one.borrower_id for one in store.effect_rows.values() if one.in_doubt}
    for row in store.agenda_rows.values():
        open_day = store.shards[row.shard].open_day
        if open_day is not None and row.day < open_day and row.borrower_id not in held_up:
            raise Broken(f"{service} shard {row.shard}: {row.origin} was left behind on {row.day}")
    for effect in store.effect_rows.values():
        if not effect.in_doubt:
            raise Broken(f"{service}: effect {effect.event_id} has neither answer nor doubt")


def every_feed_record_is_accounted_for_once(
    store: MemoryStore, bus: MemoryBus, partitions: int
) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for event in (event for events in store.events.values() for event in events):
        seen = _JSON.decode(event.value)
        if "factdigest" in seen:
            found[seen["inputposition"]].append(f"applied as {event.event_id}")
        elif event.type.endswith(".input_skipped.v1"):
            found[seen["data"]["origin"]].append("given up by staff")
    for one in store.duplicates:
        found[one.origin].append("duplicate")
    for refused in store.refused:
        found[refused.origin].append("refused")
    for parked in store.parked:
        found[parked.row.origin].append("parked")
    for row in store.agenda_rows.values():
        found[row.origin].append("waits")
    for partition in range(partitions):
        place = TopicPartition(FEED_TOPIC, partition)
        for record in bus.records(place):
            _accounted_for(found, f"{FEED_TOPIC}/{partition}/{record.offset}", record)


def _accounted_for(found: Mapping[str, Sequence[str]], origin: str, record: Record) -> None:
    ends = found.get(origin, ())
    expected = 0 if BUSINESS_DAY_CLOSED.encode() in record.value else 1
    if len(ends) != expected:
        raise Broken(f"{origin}: accounted for as {list(ends) or 'nothing'}")


def nobody_starts_over(said: Sequence[MutableMapping[str, Any]]) -> None:
    """Where nobody is disturbed, a worker alone that begins anew has contradicted itself.

    It goes on afterwards, so no other law sees it. Of two, one may still publish what the other has
    just taken over, and be told so.
    """
    over = [line for line in said if line["event"] == "starting_over"]
    if over:
        raise Broken(f"{over[0]['service']} started over undisturbed: {over[0]['error']}")


def no_key_is_asked_twice(service: str, requests: Sequence[EffectRequest]) -> None:
    """Where the gateway does not honour keys, asking again would do it again."""
    asked = Counter(request.id for request in requests)
    for key, count in asked.items():
        if count > 1:
            raise Broken(f"{service}: effect {key} was asked for {count} times")


def no_key_has_two_contents(service: str, requests: Sequence[EffectRequest]) -> None:
    contents: dict[str, bytes] = {}
    for request in requests:
        content = encode(request)
        if contents.setdefault(request.id, content) != content:
            raise Broken(f"{service}: key {request.id} reached the gateway with two contents")
