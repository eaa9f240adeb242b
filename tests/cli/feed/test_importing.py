"""How a file becomes records and closings, whatever stands in its lines."""

import gzip
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from arrears.cli.feed.generate import generate
from arrears.cli.feed.importing import (
    KEY_BYTES_MAX,
    CloseDays,
    Opened,
    Outline,
    Send,
    closing_line,
    key_of,
    outline_of,
    partition_of,
    steps,
    survey,
)
from arrears.cli.feed.lines import (
    HEAD_BYTES,
    LINE_BYTES_MAX,
    LINE_TOO_LONG,
    BadFeedFile,
    Line,
    read_feed,
    read_lines,
)
from arrears.shared.contracts.corebanking import BUSINESS_DAY_CLOSED, BusinessDayClosed
from arrears.shared.kernel.business_day import BankCalendar

CALENDAR = BankCalendar("Asia/Shanghai")
MAY = date(2024, 5, 1)


def event(day: date, *, hour: int = 4, key: str = "loan-1", kind: str = "some.fact.v1") -> bytes:
    at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC).isoformat()
    return json.dumps({"type": kind, "time": at, "partitionkey": key}).encode()


def lines_of(*values: bytes) -> list[Line]:
    return list(read_lines(io.BytesIO(b"\n".join(values))))


def plan(*values: bytes, after_line: int = 0, opened: Opened | None = None) -> list[str]:
    """Numbers of lines that are sent, and days that are closed, in order."""
    lines = lines_of(*values)
    found = survey(lines, CALENDAR)
    done: list[str] = []
    for step in steps(lines, found, CALENDAR, after_line=after_line, opened=opened):
        match step:
            case Send(line=number):
                done.append(str(number))
            case CloseDays(days=days):
                done += [f"close {day:%m-%d}" for day in days]
    return done


class TestReadLines:
    def test_blank_lines_are_passed_over_and_keep_their_numbers(self) -> None:
        assert [(line.number, line.value) for line in lines_of(b"a", b"", b" \t", b"b\r")] == [
            (1, b"a"),
            (4, b"b"),
        ]

    @pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
    def test_a_line_of_megabytes_is_named_by_hash_length_and_beginning(self, end: bytes) -> None:
        long = b"x" * 10_000_000
        first, *rest = read_lines(io.BytesIO(long + end + (b"after" if end else b"")))
        stand_in = msgspec.json.decode(first.value)
        assert first.too_long
        assert stand_in["type"] == LINE_TOO_LONG
        assert stand_in["data"]["length_bytes"] == len(long)
        assert stand_in["data"]["sha256"] == sha256(long).hexdigest()
        head = msgspec.convert(stand_in["data"]["head_base64"], bytes, strict=False)
        assert head == long[:HEAD_BYTES]
        assert [(line.number, line.value) for line in rest] == ([(2, b"after")] if end else [])

    @pytest.mark.parametrize("over", [0, 1, 2, 3])
    def test_the_longest_line_that_fits_is_taken_as_it_is(self, over: int) -> None:
        text = b"y" * (LINE_BYTES_MAX + over)
        for end in (b"", b"\n"):
            (line,) = read_lines(io.BytesIO(text + end))
            assert line.too_long == (over > 0)
            assert (line.value == text) == (over == 0)

    def test_spaces_at_the_cut_do_not_make_two_lines_of_a_long_one(self) -> None:
        text = b"z" * LINE_BYTES_MAX + b"  " + b"tail"
        (line,) = read_lines(io.BytesIO(text + b"\n"))
        assert line.too_long
        assert msgspec.json.decode(line.value)["data"]["length_bytes"] == len(text)


class TestReadFeed:
    def test_plain_and_gzip_files_read_the_same(self, tmp_path: Path) -> None:
        text = b"\n".join(generate(7, 20))
        (tmp_path / "plain").write_bytes(text)
        (tmp_path / "packed").write_bytes(gzip.compress(text))
        assert list(read_feed(tmp_path / "plain")) == list(read_feed(tmp_path / "packed"))

    def test_a_gzip_file_that_breaks_off_says_so(self, tmp_path: Path) -> None:
        packed = gzip.compress(b"\n".join(generate(7, 20)))
        (tmp_path / "half").write_bytes(packed[: len(packed) // 2])
        with pytest.raises(BadFeedFile, match="ends in the middle"):
            list(read_feed(tmp_path / "half"))

    def test_a_gzip_file_with_a_wrong_byte_says_so(self, tmp_path: Path) -> None:
        packed = bytearray(gzip.compress(b"\n".join(generate(7, 20))))
        packed[len(packed) // 2] ^= 255
        (tmp_path / "bad").write_bytes(packed)
        with pytest.raises(BadFeedFile, match="bad"):
            list(read_feed(tmp_path / "bad"))

    def test_a_file_that_is_not_there_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(BadFeedFile, match="No such file"):
            list(read_feed(tmp_path / "nothing"))


class TestSteps:
    def test_every_calendar_day_between_the_first_and_the_last_is_closed(self) -> None:
        assert plan(event(MAY), event(date(2024, 5, 4)), event(date(2024, 5, 4))) == [
            "1", "close 05-01", "close 05-02", "close 05-03", "2", "3", "close 05-04",
        ]  # fmt: skip

    def test_a_day_is_the_banks_and_not_the_clocks(self) -> None:
        late = event(MAY, hour=15)
        later = event(MAY, hour=16)
        assert plan(late, later) == ["1", "close 05-01", "2", "close 05-02"]

    def test_a_late_line_is_sent_and_closes_nothing(self) -> None:
        assert plan(event(MAY), event(date(2024, 5, 2)), event(MAY), event(date(2024, 5, 2))) == [
            "1", "close 05-01", "2", "3", "4", "close 05-02",
        ]  # fmt: skip

    def test_days_begin_with_the_earliest_line_wherever_it_stands(self) -> None:
        assert plan(event(date(2024, 5, 2)), event(MAY)) == [
            "close 05-01", "1", "2", "close 05-02",
        ]  # fmt: skip

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_a_line_of_the_year_2205_is_sent_wherever_it_stands(self, place: int) -> None:
        values = [event(MAY), event(date(2024, 5, 2))]
        values.insert(place, event(date(2205, 1, 1)))
        done = plan(*values)
        assert [step for step in done if step.isdigit()] == ["1", "2", "3"]
        assert [step for step in done if not step.isdigit()] == ["close 05-01", "close 05-02"]

    @pytest.mark.parametrize(
        "rubbish",
        [
            b"not json",
            b"[]",
            b"{}",
            b'{"type": "t"}',
            b'{"type": "t", "time": "yesterday"}',
            b'{"type": "t", "time": "2024-05-01T00:00:00"}',
            b'{"type": 7, "time": "2024-05-01T00:00:00Z"}',
            b'{"type": "t", "time": "9999-12-31T23:59:59Z"}',
            b"\xff\xfe\x00",
            b"[" * 100_000,
            b'{"a":' * 100_000,
        ],
    )
    def test_rubbish_is_sent_as_it_is_and_moves_no_day(self, rubbish: bytes) -> None:
        lines = lines_of(event(MAY), rubbish, event(MAY))
        found = survey(lines, CALENDAR)
        assert (found.lines, found.undecodable + found.far) == (3, 1)
        sent = [step for step in steps(lines, found, CALENDAR) if isinstance(step, Send)]
        assert [step.value for step in sent] == [line.value for line in lines]
        assert plan(event(MAY), rubbish, event(MAY)) == ["1", "2", "3", "close 05-01"]

    def test_a_file_of_rubbish_alone_closes_nothing(self) -> None:
        assert plan(b"?", b"!") == ["1", "2"]

    def test_a_closing_that_no_calendar_holds_is_sent_like_any_rubbish(self) -> None:
        lost = f'{{"type":"{BUSINESS_DAY_CLOSED}","time":"9999-12-31T23:59:59-14:00"}}'.encode()
        assert plan(event(MAY), lost) == ["1", "2", "close 05-01"]

    def test_closings_in_the_file_are_not_sent(self) -> None:
        closing = closing_line(MAY, MAY, 3, CALENDAR)
        assert plan(event(MAY), closing, event(MAY)) == ["1", "3", "close 05-01"]

    def test_goes_on_behind_the_last_acknowledged_line(self) -> None:
        values = [event(MAY), event(MAY), event(date(2024, 5, 3)), event(date(2024, 5, 4))]
        whole = plan(*values)
        assert plan(*values, after_line=2) == whole[2:]
        assert plan(*values, after_line=3) == whole[5:]
        assert plan(*values, after_line=4) == whole[-1:]

    def test_goes_on_where_the_topic_stands(self) -> None:
        opened = Opened(first_day=date(2024, 4, 1), open_day=date(2024, 5, 2))
        lines = lines_of(event(MAY), event(date(2024, 5, 3)))
        found = survey(lines, CALENDAR)
        closed = [
            step
            for step in steps(lines, found, CALENDAR, opened=opened)
            if isinstance(step, CloseDays)
        ]
        assert [step.days for step in closed] == [(date(2024, 5, 2),), (date(2024, 5, 3),)]
        assert {step.first_day for step in closed} == {date(2024, 4, 1)}

    def test_a_topic_that_is_further_than_the_file_is_closed_no_further(self) -> None:
        opened = Opened(first_day=MAY, open_day=date(2024, 6, 1))
        assert plan(event(MAY), event(date(2024, 5, 3)), opened=opened) == ["1", "2"]

    def test_the_last_day_may_be_left_open(self) -> None:
        lines = lines_of(event(MAY))
        found = survey(lines, CALENDAR)
        (only,) = steps(lines, found, CALENDAR, close_last=False)
        assert isinstance(only, Send)

    @forall(st.lists(st.integers(0, 30), min_size=1, max_size=30))
    def test_each_line_is_sent_once_and_each_day_closed_once(self, offsets: list[int]) -> None:
        done = plan(*(event(MAY + timedelta(days=offset)) for offset in offsets))
        assert [step for step in done if step.isdigit()] == [
            str(number) for number in range(1, len(offsets) + 1)
        ]
        closed = [step for step in done if not step.isdigit()]
        days = range(min(offsets), max(offsets) + 1)
        assert closed == [f"close {MAY + timedelta(days=day):%m-%d}" for day in days]

    def test_a_generated_feed_closes_its_days(self) -> None:
        lines = lines_of(*generate(7, 100, 3))
        found = survey(lines, CALENDAR)
        sent = Counter(type(step) for step in steps(lines, found, CALENDAR))
        assert found.lines == len(lines)
        assert (found.undecodable, found.too_long, found.far, found.closings) == (0, 0, 0, 0)
        assert sent[Send] == len(lines) == sum(found.types.values())
        assert sent[CloseDays] > 40


class TestKeys:
    def test_a_line_goes_by_its_partition_key_then_its_subject_then_its_hash(self) -> None:
        named, subject, nothing = lines_of(
            event(MAY, key="loan-7"),
            b'{"type":"t","time":"2024-05-01T00:00:00Z","subject":"s"}',
            b"rubbish",
        )
        assert key_of(named, outline_of(named)) == b"loan-7"
        assert key_of(subject, outline_of(subject)) == b"s"
        assert key_of(nothing, None) == sha256(b"rubbish").hexdigest().encode()

    def test_a_name_of_a_megabyte_goes_by_its_hash(self) -> None:
        """Record and key must fit on the topic together."""
        longest, longer = "k" * KEY_BYTES_MAX, "k" * (KEY_BYTES_MAX + 1)
        outline = Outline(type="t", time=datetime(2024, 1, 1, tzinfo=UTC), partitionkey=longest)
        anyone = Line(number=1, value=b"{}")
        assert key_of(anyone, outline) == longest.encode()
        assert key_of(anyone, msgspec.structs.replace(outline, partitionkey=longer)) == (
            sha256(longer.encode()).hexdigest().encode()
        )

    def test_keys_spread_over_all_partitions(self) -> None:
        count = Counter(partition_of(b"loan-%d" % number, 16) for number in range(3_200))
        assert set(count) == set(range(16))
        assert min(count.values()) > 120


class TestClosingLine:
    def test_names_the_day_the_first_day_and_the_partitions(self) -> None:
        closing = msgspec.json.decode(closing_line(date(2024, 5, 9), MAY, 16, CALENDAR))
        body = msgspec.convert(closing["data"], BusinessDayClosed)
        assert body == BusinessDayClosed(day=date(2024, 5, 9), first_day=MAY, partition_count=16)
        assert closing["time"] == "2024-05-09T15:59:59Z"

    def test_the_same_closing_has_the_same_bytes(self) -> None:
        assert closing_line(MAY, MAY, 3, CALENDAR) == closing_line(MAY, MAY, 3, CALENDAR)
