"""Judging a batch of one partition: what is new, what came again, what must stop us."""

from collections.abc import Sequence
from datetime import date

import pytest
from msgspec.structs import replace

from arrears.history.application.hearing import (
    Changed,
    Lost,
    Place,
    Stop,
    all_places,
    check_place,
    check_repeated,
    closed_days,
    hear,
    last_closed_day,
)
from arrears.history.domain.told import bytes_hash
from arrears.shared.runtime.bus import Record
from arrears.shared.testing.chronicle import Chronicle

DAY, NEXT = date(2024, 3, 1), date(2024, 3, 2)
START = Place(service="contact", shard=0)


def _records(count: int = 4) -> list[Record]:
    chronicle = Chronicle()
    for _ in range(count):
        chronicle.tell(
            "contact.refusal_reported",
            {"case_id": "c1", "loan_key": "l1"},
            stream="contact.borrower-b",
            on=DAY,
            shard=0,
        )
    values = chronicle.shelves[("contact", 0)]
    return [Record(offset=seq - 1, key=b"b", value=v, seq=seq) for seq, v in enumerate(values, 1)]


def _after(records: Sequence[Record]) -> Place:
    return hear(START, records).after


class TestHear:
    def test_the_next_numbers_are_kept_byte_for_byte(self) -> None:
        records = _records()
        heard = hear(START, records)
        assert [kept.value for kept in heard.events] == [record.value for record in records]
        assert (heard.after.position, heard.after.last_seq) == (4, 4)
        assert heard.after.last_hash == bytes_hash(records[-1].value)

    def test_a_number_kept_before_is_left_to_compare(self) -> None:
        records = _records()
        place = _after(records[:2])
        again = [replace(record, offset=record.offset + 2) for record in records]
        heard = hear(place, again)
        assert [seq for seq, _ in heard.repeated] == [1, 2]
        assert [kept.seq for kept in heard.events] == [3, 4]

    def test_a_number_repeated_within_the_batch_is_dropped_if_its_bytes_are_the_same(self) -> None:
        records = _records(2)
        heard = hear(START, [records[0], replace(records[0], offset=1), records[1]])
        assert [kept.seq for kept in heard.events] == [1, 2]
        other = replace(records[0], offset=1, value=records[1].value)
        with pytest.raises(Changed, match="seq 1"):
            hear(START, [records[0], other])

    def test_a_missing_number_stops(self) -> None:
        records = _records()
        with pytest.raises(Lost, match="number 2 is missing"):
            hear(START, [records[0], *records[2:]])

    def test_a_record_without_a_number_stops(self) -> None:
        with pytest.raises(Stop, match="carries no number"):
            hear(START, [replace(_records(1)[0], seq=None)])

    @pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b'{"id":1}'])
    def test_bytes_that_are_no_event_stop(self, value: bytes) -> None:
        with pytest.raises(Stop, match="contact"):
            hear(START, [replace(_records(1)[0], value=value)])

    def test_an_event_of_another_service_stops(self) -> None:
        with pytest.raises(Stop, match="stranger"):
            hear(replace(START, service="legal"), _records(1))

    def test_a_closing_moves_the_closed_day_and_an_older_one_does_not(self) -> None:
        chronicle = Chronicle()
        for day in (NEXT, DAY):
            chronicle.close_day(day, services=("contact",))
        values = chronicle.shelves[("contact", 0)]
        records = [Record(offset=i, key=b"", value=v, seq=i + 1) for i, v in enumerate(values)]
        assert hear(START, records).after.closed_day == NEXT


class TestRepeated:
    def test_the_same_bytes_pass_and_others_stop(self) -> None:
        records = _records(1)
        heard = hear(_after(records), [replace(records[0], offset=1)])
        check_repeated(heard, {1: records[0].value})
        for kept in ({1: b"other"}, {}):
            with pytest.raises(Changed, match="seq 1"):
                check_repeated(heard, kept)


class TestCheckPlace:
    def test_the_topic_that_was_read_before_passes(self) -> None:
        records = _records()
        check_place(_after(records), (0, 9), records[-1])
        check_place(START, (0, 0), None)

    @pytest.mark.parametrize(("bounds", "reason"), [((0, 2), "ends at 2"), ((9, 9), "retention")])
    def test_a_wiped_or_cut_topic_stops(self, bounds: tuple[int, int], reason: str) -> None:
        records = _records()
        with pytest.raises(Stop, match=reason):
            check_place(_after(records), bounds, records[-1])

    def test_another_record_at_the_position_stops(self) -> None:
        records = _records()
        with pytest.raises(Changed, match="not the record"):
            check_place(_after(records), (0, 9), records[0])
        with pytest.raises(Changed, match="not the record"):
            check_place(_after(records), (0, 9), None)


class TestDays:
    def test_a_day_is_closed_when_every_shard_of_every_service_has_closed_it(self) -> None:
        closed = [replace(place, closed_day=DAY) for place in all_places()]
        assert last_closed_day(closed) == DAY
        ahead = [replace(place, closed_day=NEXT) for place in closed[:-1]]
        assert last_closed_day([*ahead, closed[-1]]) == DAY
        assert last_closed_day([*ahead, replace(closed[-1], closed_day=None)]) is None
        assert last_closed_day(ahead) is None
        assert closed_days([*ahead, closed[-1]]) == {
            "intake": NEXT,
            "contact": NEXT,
            "mediation": NEXT,
            "legal": DAY,
        }
