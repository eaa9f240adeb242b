"""Sending a file: everything arrives once and in order, whatever stops the importer half-way."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from arrears.cli.feed.importer import Importer, Sent
from arrears.cli.feed.importer_memory import Memory
from arrears.cli.feed.importer_topic import close_days, closing_of, opened_on
from arrears.cli.feed.importing import closing_line
from arrears.cli.feed.lines import BadFeedFile
from arrears.shared.contracts.corebanking import BUSINESS_DAY_CLOSED, FEED_TOPIC
from arrears.shared.kafka.settings import KafkaSettings
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.runtime.bus import Outgoing, Publisher, TopicPartition
from arrears.shared.testing.memory_bus import MemoryBus

CALENDAR = BankCalendar("Asia/Shanghai")
SETTINGS = KafkaSettings(servers="memory:1")
FIRST = date(2024, 5, 1)


def event(day: int, loan: int, number: int) -> bytes:
    at = datetime(2024, 5, 1, 4, tzinfo=UTC) + timedelta(days=day, seconds=number)
    key = f"loan-{loan}"
    body = {"type": "some.fact.v1", "time": at.isoformat(), "partitionkey": key, "n": number}
    return json.dumps(body).encode()


def feed_file(folder: Path, days: int = 6, loans: int = 9) -> Path:
    path = folder / "feed.jsonl"
    lines = [event(day, loan, loan) for day in range(days) for loan in range(loans)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def importer(bus: MemoryBus, folder: Path, feed: Path) -> Importer:
    return Importer(bus, SETTINGS, CALENDAR, memory=Memory.of(folder / "import", feed))


async def records_of(bus: MemoryBus) -> dict[int, list[bytes]]:
    found = {}
    for place, (first, end) in (await bus.bounds(FEED_TOPIC)).items():
        records = await bus.read(place, offset=first, count=end - first)
        found[place.partition] = [record.value for record in records]
    return found


def closed_days(values: Sequence[bytes]) -> list[str]:
    return [
        said["data"]["day"]
        for said in map(json.loads, values)
        if said["type"] == BUSINESS_DAY_CLOSED
    ]


def check_whole(records: Mapping[int, Sequence[bytes]], days: int) -> None:
    """Every partition closes every day once, in order, and holds no fact of a closed day."""
    for values in records.values():
        wanted = [str(FIRST + timedelta(days=number)) for number in range(days)]
        assert list(dict.fromkeys(closed_days(values))) == wanted
        open_day = FIRST
        for said in map(json.loads, values):
            if said["type"] == BUSINESS_DAY_CLOSED:
                open_day = max(open_day, date.fromisoformat(said["data"]["day"]) + timedelta(1))
            else:
                at = datetime.fromisoformat(said["time"])
                assert CALENDAR.day_of(at) >= open_day


class StopsAfter:
    """A publisher that breaks for good after so many calls, as a killed importer would."""

    def __init__(self, inner: Publisher, calls: int) -> None:
        self.inner = inner
        self.calls = calls

    async def publish(self, batches: Mapping[TopicPartition, Sequence[Outgoing]]) -> None:
        if self.calls == 0:
            raise KeyboardInterrupt
        self.calls -= 1
        await self.inner.publish(batches)

    async def close(self) -> None:
        await self.inner.close()


class BreakingBus(MemoryBus):
    calls = 0

    def publisher(self) -> Publisher:  # type: ignore[override]
        return StopsAfter(super().publisher(), self.calls)


class TestSend:
    async def test_every_line_arrives_and_every_day_is_closed_on_every_partition(
        self, tmp_path: Path
    ) -> None:
        bus, feed = MemoryBus(), feed_file(tmp_path)
        seen: list[Sent] = []
        sent = await Importer(bus, SETTINGS, CALENDAR, watch=seen.append).send(feed)
        records = await records_of(bus)
        facts = [v for values in records.values() for v in values if b"some.fact" in v]
        assert sorted(facts) == sorted(feed.read_bytes().splitlines())
        check_whole(records, 6)
        assert (sent.lines, sent.days, sent.line) == (54, 6, 54)
        assert seen[-1].lines == 54

    async def test_facts_of_one_loan_stay_in_one_partition(self, tmp_path: Path) -> None:
        bus = MemoryBus()
        await Importer(bus, SETTINGS, CALENDAR).send(feed_file(tmp_path))
        homes: dict[str, set[int]] = {}
        for partition, values in (await records_of(bus)).items():
            for said in map(json.loads, values):
                if "partitionkey" in said:
                    homes.setdefault(said["partitionkey"], set()).add(partition)
        assert len(homes) == 9
        assert all(len(home) == 1 for home in homes.values())

    async def test_rubbish_is_sent_as_it_is(self, tmp_path: Path) -> None:
        bus, feed = MemoryBus(), tmp_path / "feed.jsonl"
        rubbish = [b"not json", b"[]", b'{"type":"t"}', b"\xff\xfe"]
        feed.write_bytes(b"\n".join([event(0, 1, 1), *rubbish, event(1, 1, 2)]))
        await Importer(bus, SETTINGS, CALENDAR).send(feed)
        records = await records_of(bus)
        assert set(rubbish) <= {value for values in records.values() for value in values}

    async def test_a_file_sent_whole_is_not_sent_again_unless_told_so(self, tmp_path: Path) -> None:
        bus, feed = MemoryBus(), feed_file(tmp_path)
        await importer(bus, tmp_path, feed).send(feed)
        before = await bus.bounds(FEED_TOPIC)
        sent = await importer(bus, tmp_path, feed).send(feed)
        assert sent.already
        assert await bus.bounds(FEED_TOPIC) == before
        sent = await importer(bus, tmp_path, feed).send(feed, again=True)
        assert (sent.lines, sent.days) == (54, 0)

    async def test_what_is_remembered_counts_for_that_topic_only(self, tmp_path: Path) -> None:
        feed = feed_file(tmp_path)
        await importer(MemoryBus(), tmp_path, feed).send(feed)
        other = MemoryBus()
        sent = await importer(other, tmp_path, feed).send(feed)
        assert not sent.already
        check_whole(await records_of(other), 6)

    @pytest.mark.parametrize("calls", range(1, 12))
    async def test_a_stopped_import_goes_on_where_it_was(self, tmp_path: Path, calls: int) -> None:
        bus, feed = BreakingBus(), feed_file(tmp_path)
        bus.calls = calls
        with pytest.raises(KeyboardInterrupt):
            await importer(bus, tmp_path, feed).send(feed)
        bus.calls = -1
        await importer(bus, tmp_path, feed).send(feed)
        records = await records_of(bus)
        facts = [v for values in records.values() for v in values if b"some.fact" in v]
        assert sorted(facts) == sorted(feed.read_bytes().splitlines())
        check_whole(records, 6)

    async def test_a_second_file_goes_on_with_the_days_of_the_first(self, tmp_path: Path) -> None:
        bus, first = MemoryBus(), tmp_path / "a.jsonl"
        second = tmp_path / "b.jsonl"
        first.write_bytes(b"\n".join(event(day, 1, day) for day in range(3)))
        second.write_bytes(b"\n".join(event(day, 1, day) for day in range(3, 6)))
        await Importer(bus, SETTINGS, CALENDAR).send(first)
        await Importer(bus, SETTINGS, CALENDAR).send(second)
        check_whole(await records_of(bus), 6)

    async def test_a_file_that_begins_years_later_is_refused_before_anything_is_sent(
        self, tmp_path: Path
    ) -> None:
        bus, feed = MemoryBus(), feed_file(tmp_path)
        await Importer(bus, SETTINGS, CALENDAR).send(feed)
        before = await bus.bounds(FEED_TOPIC)
        later = tmp_path / "later.jsonl"
        later.write_bytes(event(900, 1, 1))
        with pytest.raises(BadFeedFile, match="day close --to 2026-10-17"):
            await Importer(bus, SETTINGS, CALENDAR).send(later)
        assert await bus.bounds(FEED_TOPIC) == before

    async def test_under_the_wall_clock_a_feed_closes_no_day_however_late_it_begins(
        self, tmp_path: Path
    ) -> None:
        bus, feed = MemoryBus(), feed_file(tmp_path)
        await Importer(bus, SETTINGS, CALENDAR).send(feed)
        before = closed_days(list(chain.from_iterable((await records_of(bus)).values())))
        later = tmp_path / "later.jsonl"
        later.write_bytes(b"\n".join((event(900, 1, 1), event(950, 1, 2))))
        sent = await Importer(bus, SETTINGS, CALENDAR, live=True).send(later)
        assert (sent.lines, sent.days) == (2, 0)
        values = list(chain.from_iterable((await records_of(bus)).values()))
        assert closed_days(values) == before
        assert {event(900, 1, 1), event(950, 1, 2)} <= set(values)


class TestOpened:
    async def test_a_topic_without_closings_has_no_open_day(self) -> None:
        bus = MemoryBus()
        await bus.ensure_topic(FEED_TOPIC, partitions=4, retention_ms=1)
        assert await opened_on(bus) is None

    async def test_the_last_closing_is_found_behind_thousands_of_facts(self) -> None:
        bus = MemoryBus()
        await bus.ensure_topic(FEED_TOPIC, partitions=4, retention_ms=1)
        publisher = bus.publisher()
        await close_days(publisher, [FIRST], FIRST, 4, CALENDAR)
        facts = [Outgoing(b"k", event(1, 1, number)) for number in range(3_000)]
        for number in range(4):
            await publisher.publish({TopicPartition(FEED_TOPIC, number): facts})
        opened = await opened_on(bus)
        assert opened is not None
        assert (opened.first_day, opened.open_day) == (FIRST, FIRST + timedelta(days=1))

    async def test_the_partition_furthest_behind_decides(self) -> None:
        bus = MemoryBus(Random(1))
        await bus.ensure_topic(FEED_TOPIC, partitions=4, retention_ms=1)
        publisher = bus.publisher()
        days = [FIRST, FIRST + timedelta(days=1)]
        await close_days(publisher, days[:1], FIRST, 4, CALENDAR)
        await close_days(publisher, days[1:], FIRST, 3, CALENDAR)
        opened = await opened_on(bus)
        assert opened is not None
        assert opened.open_day == FIRST + timedelta(days=1)

    @pytest.mark.parametrize(
        "change",
        [
            (b'"specversion":"1.0"', b'"specversion":"2.0"'),
            (b"Z", b""),
            (b'"source":"/arrears', b'"source":"@/arrears'),
            (b'"type":"corebanking', b'"type":"other","type":"corebanking'),
            (b'"type":"corebanking', b'"kind":"corebanking'),
            (b'"partition_count":4', b'"partition_count":0'),
            (b'"day":"2024', b'"day":"2025'),
            (b'"day":"2024', b'"day":"9999'),
            (b"}}", b'},"more":' + b"[" * 100_000),
        ],
    )
    async def test_what_intake_refuses_has_closed_no_day(self, change: tuple[bytes, bytes]) -> None:
        """A closing that is none, from whoever writes to the topic, must not hide open days."""
        bus = MemoryBus()
        await bus.ensure_topic(FEED_TOPIC, partitions=1, retention_ms=1)
        publisher = bus.publisher()
        await close_days(publisher, [FIRST], FIRST, 1, CALENDAR)
        place = TopicPartition(FEED_TOPIC, 0)
        good = closing_line(FIRST + timedelta(days=1), FIRST, 4, CALENDAR)
        assert closing_of(good) is not None
        bad = good.replace(*change)
        assert bad != good
        await publisher.publish({place: [Outgoing(b"closing", bad)]})
        opened = await opened_on(bus)
        assert opened is not None
        assert opened.open_day == FIRST + timedelta(days=1)
