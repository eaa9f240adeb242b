"""Bad records of the feed among good ones: each refused with its rule, the others as without it."""

import io
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arrears.intake.main as intake
from arrears.cli.feed.importer_dry import dry_run, what_is_wrong
from arrears.cli.feed.importer_topic import closing_of
from arrears.cli.feed.importing import KEY_BYTES_MAX, Send, steps, survey
from arrears.cli.feed.lines import LINE_BYTES_MAX, Line, read_lines
from arrears.intake.domain.facts import (
    BadRecord,
    DayClosing,
    fact_digest,
    fact_identity,
    read_fact,
)
from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import SHARD_COUNT
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.runtime.stage import STAGES, topic_of
from arrears.shared.service.settings import Ground
from arrears.shared.testing.bad_feed import BadLine, dumps, spoil
from arrears.shared.testing.good_feed import DAY, Record, good_closing, good_record
from arrears.shared.testing.world import World

GOOD_FOR_BAD = 4
"""One good record for so many bad ones."""
BATCH = 4_000
CALENDAR = BankCalendar("Asia/Shanghai")


def batches(count: int, first_seed: int, size: int) -> Iterator[tuple[int, int]]:
    """Seed and size of each batch."""
    for number in range(0, count, size):
        yield first_seed + number // size, min(size, count - number)


def feed_of(seed: int, count: int) -> tuple[list[tuple[Record, bytes]], list[list[BadLine]]]:
    """Good records, and behind each the bad ones that were made of it."""
    chance = Random(seed)
    good: list[tuple[Record, bytes]] = []
    bad: list[list[BadLine]] = []
    for number in range(count // GOOD_FOR_BAD):
        record = good_record(chance, number)
        good.append((record, dumps(chance, record)))
        bad.append([])
        for turn in range(GOOD_FOR_BAD):
            base = good_closing(chance, number) if chance.random() < 0.05 else record
            bad[-1].append(spoil(chance, base, number * GOOD_FOR_BAD + turn))
    return good, bad


async def played(lines: Sequence[tuple[str, bytes]]) -> MemoryStore:
    """Intake alone, after one business day with these lines."""
    keys = MemoryKeyStore()
    world = World([intake.make_stage(Ground(clock="feed"), keys.keyring("intake"))], {})
    for name in STAGES:
        await world.bus.ensure_topic(topic_of(name), partitions=SHARD_COUNT, retention_ms=-1)
    await world.start()
    for key, line in lines:
        world.say(line, key)
    world.close(DAY)
    await world.settle()
    return world.stores["intake"]


def told(store: MemoryStore) -> dict[str, list[tuple[str, Any]]]:
    """Every stream as types and times; data too, but for what is sealed anew each time."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for (_, stream), events in store.streams.items():
        for event in events:
            envelope = read_envelope(event.value)
            data = bytes(envelope.data) if "profile" not in event.type else b""
            found.setdefault(stream, []).append((event.type, (envelope.id, envelope.time, data)))
    return found


async def test_bad_records_are_refused_and_change_nothing_else(
    records: int, first_seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every bad record has one entry with reason and field; every good one its own events."""
    ways: Counter[str] = Counter()
    began = time.monotonic()
    for seed, count in batches(records, first_seed, BATCH):
        good, bad = feed_of(seed, count)
        mixed = [
            (key, line)
            for (record, value), spoilt in zip(good, bad, strict=True)
            for key, line in [(record["partitionkey"], value), *((b.key, b.value) for b in spoilt)]
        ]
        alone = await played([(record["partitionkey"], value) for record, value in good])
        store = await played(mixed)
        assert not alone.refused, f"SEED={seed}: the generator calls a good record bad"
        assert not store.parked, f"SEED={seed}"
        assert told(store) == told(alone), f"SEED={seed}: a good record was handled otherwise"
        _each_is_refused(store, [one for spoilt in bad for one in spoilt], seed)
        ways.update(one.way.split(" and ")[0] for spoilt in bad for one in spoilt)
    with capsys.disabled():
        spent = time.monotonic() - began
        print(f"\n{ways.total()} bad records in {len(ways)} ways, {spent:.0f} s", end=" ")


def _each_is_refused(store: MemoryStore, bad: Sequence[BadLine], seed: int) -> None:
    found: dict[bytes, list[tuple[str, str | None]]] = {}
    for entry in store.refused:
        assert entry.reason
        assert entry.field, f"SEED={seed}: {entry.reason} without a field"
        found.setdefault(entry.value[:4096], []).append((entry.reason, entry.field))
    assert len(store.refused) == len(bad), f"SEED={seed}: {_lost(found, bad)}"
    for one in bad:
        reason, field = found[one.value[:4096]].pop()
        said = (one.way, reason, field, one.value[:300])
        if one.reasons:
            assert reason in one.reasons, f"SEED={seed}: {said}, not {one.reasons}"
            assert field == one.field, f"SEED={seed}: {said}, not {one.field}"


def _lost(found: dict[bytes, list[tuple[str, str | None]]], bad: Sequence[BadLine]) -> list[Any]:
    return [(one.way, one.value[:300]) for one in bad if one.value[:4096] not in found]


# --- The importer


def test_a_file_of_bad_lines_is_surveyed_and_sent_line_by_line(
    records: int, first_seed: int
) -> None:
    """Nothing of it stops the importer; no good line is called bad, and nothing is left out."""
    for seed, count in batches(records // 4, first_seed, BATCH):
        good, bad = feed_of(seed, count)
        lines = [value for _, value in good]
        lines += [one.value.replace(b"\n", b" ") for spoilt in bad for one in spoilt]
        Random(seed).shuffle(lines)
        read = list(read_lines(io.BytesIO(b"\n".join(lines))))
        found = survey(read, CALENDAR)
        sent = [step for step in steps(read, found, CALENDAR) if isinstance(step, Send)]
        assert len(sent) + found.closings == len(read) == found.lines, f"SEED={seed}"
        assert all(len(step.value) <= LINE_BYTES_MAX for step in sent)
        assert all(0 < len(step.key) <= KEY_BYTES_MAX for step in sent)
        judged = dry_run(read, found, CALENDAR)
        assert all(one.says.isprintable() for one in judged.bad_lines), f"SEED={seed}"
        for _, value in good:
            assert what_is_wrong(Line(number=1, value=value)) is None, f"SEED={seed}: {value!r}"


# --- Anything at all


FIELD = re.compile(r"(\$|[a-z_]+(\.[a-z_]+|\[\d+\])*)\Z")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def disturbed(draw: st.DrawFn) -> bytes:
    """A good record with anything in one place of it."""
    chance = Random(draw(st.integers(0, 10**6)))
    record = good_closing(chance, 1) if chance.random() < 0.1 else good_record(chance, 1)
    holder = record if draw(st.booleans()) else record["data"]
    holder[draw(st.sampled_from(sorted(holder)))] = draw(JSON)
    return dumps(chance, record)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | disturbed())
def test_any_bytes_are_a_fact_or_a_refusal_with_rule_and_field(value: bytes) -> None:
    refusal: BadRecord | None = None
    try:
        fact = read_fact(value)
    except BadRecord as bad:
        refusal = bad
    else:
        assert fact_identity(fact)
        assert fact_digest(fact)
        assert (closing_of(value) is not None) is isinstance(fact, DayClosing)
    if refusal is not None:
        assert refusal.reason
        assert FIELD.match(refusal.field), refusal.field
        assert closing_of(value) is None
