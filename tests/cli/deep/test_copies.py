"""Laws 2, 3 and 4: each damage to a store, a topic or the history is named with its place."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from arrears.cli.deep.findings import Finding, Place, Report
from arrears.cli.deep.reading import Row, TopicRecord, identity, shard_of

Judge = Callable[..., Report]
Found = Callable[[Report], dict[int, list[Finding]]]


def test_shards_and_ids_are_those_that_the_services_give() -> None:
    """Taken from a real run: what the checker computes by itself must mean the same."""
    assert shard_of("syn-borrower-00706") == 0
    assert shard_of("syn-borrower-01302") == 11
    source = "/core-banking/synthetic/seed-7/2024-01-01"
    made = identity("repayment", source, f"syn-01302@{source}", "syn-01302-20240103")
    assert made.hex() == "488c919d6b8f5022ae83c1afd29a596b"


def test_a_healthy_shard_has_nothing_to_say(shelf: Any, judge: Judge, found: Found) -> None:
    report = judge(shelf)
    assert not found(report)
    assert report.holds
    assert report.laws[2].counts == {"records": 6, "events": 6}
    assert report.laws[4].counts == {
        "of the store equal to the topic": 6,
        "of the history equal to the topic": 6,
    }


def test_what_is_not_published_yet_is_counted_and_not_blamed(
    shelf: Any, judge: Judge, found: Found
) -> None:
    report = judge(shelf, topic=shelf.records()[:4], history=shelf.rows[:3], published=4)
    assert not found(report)
    assert report.laws[4].counts["not published yet"] == 2


def test_the_same_bytes_sent_again_are_no_break(shelf: Any, judge: Judge, found: Found) -> None:
    again = [replace(record, offset=record.offset + 6) for record in shelf.records()[2:4]]
    report = judge(shelf, topic=[*shelf.records(), *again])
    assert not found(report)
    assert report.laws[2].counts["sent again with the same bytes"] == 2


# --- The store


def test_an_event_dropped_from_the_store(shelf: Any, judge: Judge, found: Found) -> None:
    broken = found(judge(shelf, store=[row for row in shelf.rows if row.seq != 3]))
    (hole,) = broken[2]
    assert (hole.place.where, hole.place.shard, hole.place.seq) == ("store", 0, 4)
    assert "numbers 3 to 3 are missing" in hole.text
    (chain,) = broken[3]
    assert (chain.place.stream, chain.place.version) == ("contact.borrower-1", 3)
    assert "versions 2 to 2 are missing" in chain.text
    (lost,) = broken[4]
    assert lost.place == Place("contact", "topic", 0, 3, "contact.borrower-1", 2, 2)


def test_the_last_event_dropped_from_the_store(shelf: Any, judge: Judge, found: Found) -> None:
    """No number follows it and no version: the shard's own count and the topic know it."""
    broken = found(judge(shelf, store=shelf.rows[:-1]))
    assert "numbers up to 6" in broken[2][0].text
    assert broken[4][0].place.seq == 6
    assert broken[4][0].place.stream == "contact.borrower-2"


def test_two_events_swapped_in_the_store(shelf: Any, judge: Judge, found: Found) -> None:
    one, other = shelf.rows[0], shelf.rows[2]
    swapped = {
        1: replace(other, seq=1),
        3: replace(one, seq=3),
    }
    store = [swapped.get(row.seq, row) for row in shelf.rows]
    broken = found(judge(shelf, store=store))
    assert {(finding.place.seq, finding.place.stream) for finding in broken[4]} == {
        (1, "contact.borrower-1"),
        (3, "contact.borrower-1"),
    }
    assert (broken[3][0].place.seq, broken[3][0].place.version) == (1, 2)


def test_a_byte_changed_in_the_store(shelf: Any, judge: Judge, found: Found) -> None:
    changed = replace(
        shelf.rows[2], value=shelf.rows[2].value.replace(b'"number":1', b'"number":7')
    )
    broken = found(judge(shelf, store=[changed if r.seq == 3 else r for r in shelf.rows]))
    (chain,) = broken[3]
    assert (chain.place.seq, chain.place.stream, chain.place.version) == (
        3,
        "contact.borrower-1",
        2,
    )
    (differs,) = broken[4]
    assert (differs.place.where, differs.place.seq, differs.place.offset) == ("store", 3, 2)


def test_a_byte_changed_in_the_last_version_of_a_stream(
    shelf: Any, judge: Judge, found: Found
) -> None:
    """No later event keeps its hash: the topic and the history do."""
    changed = replace(
        shelf.rows[5], value=shelf.rows[5].value.replace(b'"number":2', b'"number":7')
    )
    broken = found(judge(shelf, store=[*shelf.rows[:5], changed]))
    assert 3 not in broken
    assert broken[4][0].place.seq == 6


def test_a_broken_json_in_the_store(shelf: Any, judge: Judge, found: Found) -> None:
    changed = replace(shelf.rows[3], value=shelf.rows[3].value[:-1])
    broken = found(judge(shelf, store=[changed if r.seq == 4 else r for r in shelf.rows]))
    assert broken[3][0].place.seq == 4
    assert "no event" in broken[3][0].text


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("stream", "contact.borrower-9"),
        ("version", 9),
        ("event_id", "other"),
        ("type", "arrears.contact.other.v1"),
        ("business_day", "2025-01-01"),
        ("borrower_id", "other"),
        ("borrower_id", ""),
        ("borrower_id", None),
    ],
)
def test_a_column_that_says_something_else(
    shelf: Any, judge: Judge, found: Found, column: str, value: Any
) -> None:
    changed = replace(shelf.rows[2], **{column: value})
    broken = found(judge(shelf, store=[changed if r.seq == 3 else r for r in shelf.rows]))
    assert broken[3][0].place.seq == 3
    assert f"the column {column} is {value}" in broken[3][0].text


def test_an_event_in_the_wrong_shard(judge: Judge, found: Found, shelf: Any) -> None:
    shelf.borrower = "syn-borrower-01302"
    shelf.says("contact_points_recorded", stream="contact.borrower-3")
    broken = found(judge(shelf))
    assert broken[3][0].place.seq == 7
    assert "belongs to shard 11" in broken[3][0].text


def test_an_id_that_stands_twice(judge: Judge, found: Found, shelf: Any) -> None:
    shelf.says("contact_points_recorded", id=shelf.rows[0].event_id, stream="contact.borrower-3")
    broken = found(judge(shelf))
    assert broken[3][0].place.seq == 7
    assert "a second time" in broken[3][0].text


# --- The topic


def test_an_event_dropped_from_the_topic(shelf: Any, judge: Judge, found: Found) -> None:
    broken = found(judge(shelf, topic=[r for r in shelf.records() if r.seq != 3]))
    assert (broken[2][0].place.where, broken[2][0].place.seq) == ("topic", 4)
    assert "numbers 3 to 3 are missing" in broken[2][0].text
    lost = broken[4][0]
    assert (lost.place.where, lost.place.seq) == ("store", 3)
    assert (lost.place.stream, lost.place.version) == ("contact.borrower-1", 2)


def test_the_end_dropped_from_the_topic(shelf: Any, judge: Judge, found: Found) -> None:
    """The relay's cursor remembers what was there, and the history has heard it."""
    broken = found(judge(shelf, topic=shelf.records()[:4]))
    (end,) = [finding for finding in broken[4] if "published up to 6" in finding.text]
    assert (end.place.where, end.place.seq) == ("topic", 5)
    assert {f.place.seq for f in broken[4] if f.place.where == "history"} == {5, 6}


def test_two_records_swapped_on_the_topic(shelf: Any, judge: Judge, found: Found) -> None:
    records = shelf.records()
    one, other = replace(records[2], offset=4), replace(records[4], offset=2)
    broken = found(judge(shelf, topic=[*records[:2], other, records[3], one, records[5]]))
    assert (broken[2][0].place.seq, broken[2][0].place.offset) == (5, 2)
    assert any("after a higher number" in f.text and f.place.offset == 4 for f in broken[2])


def test_a_byte_changed_on_the_topic(shelf: Any, judge: Judge, found: Found) -> None:
    record = shelf.records()[2]
    changed = replace(record, value=record.value.replace(b'"number":1', b'"number":7'))
    topic = [changed if r.seq == 3 else r for r in shelf.records()]
    broken = found(judge(shelf, topic=topic))
    assert (broken[3][0].place.where, broken[3][0].place.seq) == ("topic", 3)
    assert {finding.place.where for finding in broken[4]} == {"store", "history"}
    assert {finding.place.offset for finding in broken[4]} == {2}


def test_a_number_repeated_on_the_topic_with_other_bytes(
    shelf: Any, judge: Judge, found: Found
) -> None:
    forged = TopicRecord(0, 6, 3, shelf.records()[2].value.replace(b'"number":1', b'"number":7'))
    broken = found(judge(shelf, topic=[*shelf.records(), forged]))
    (repeated,) = broken[2]
    assert repeated.place == Place("contact", "topic", 0, 3, offset=6)
    assert "stands at offset 2 with other bytes" in repeated.text
    assert list(broken) == [2]


@pytest.mark.parametrize("seq", [None, 0, 10**15])
def test_a_strangers_record_on_the_topic(
    shelf: Any, judge: Judge, found: Found, seq: int | None
) -> None:
    stranger = TopicRecord(0, 6, seq, b"{}")
    broken = found(judge(shelf, topic=[*shelf.records(), stranger]))
    assert broken[2][0].place.offset == 6
    assert list(broken) == [2]


def test_yesterdays_database_under_todays_topic(shelf: Any, judge: Judge, found: Found) -> None:
    broken = found(judge(shelf, store=shelf.rows[:4], last_seq=4, published=4))
    (ahead,) = broken[2]
    assert (ahead.place.where, ahead.place.seq, ahead.place.offset) == ("topic", 5, 4)
    assert "an older database under a newer topic" in ahead.text
    assert [finding.place.seq for finding in broken[4]] == [5, 6]


def test_yesterdays_database_that_went_on_by_itself(shelf: Any, judge: Judge, found: Found) -> None:
    """It gave out the same numbers again, for other events."""
    other = json.loads(shelf.rows[4].value)
    other["data"] = {"number": 99}
    row: Row = replace(shelf.rows[4], value=json.dumps(other).encode())
    broken = found(judge(shelf, store=[*shelf.rows[:4], row], last_seq=5, published=5))
    assert "an older database" in broken[2][0].text
    assert broken[4][0].place.seq == 5
    assert broken[4][0].place.stream == "contact.borrower-1"


def test_a_relay_that_has_published_what_there_is_not(
    shelf: Any, judge: Judge, found: Found
) -> None:
    broken = found(judge(shelf, published=7))
    assert list(broken) == [4]
    assert "published up to 7 by the relay's cursor" in broken[4][0].text


# --- The history


def test_an_event_dropped_from_the_history(shelf: Any, judge: Judge, found: Found) -> None:
    broken = found(judge(shelf, history=[row for row in shelf.rows if row.seq != 2]))
    assert (broken[4][0].place.where, broken[4][0].place.seq) == ("history", 3)
    assert "numbers 2 to 2 are missing" in broken[4][0].text


def test_a_byte_changed_in_the_history(shelf: Any, judge: Judge, found: Found) -> None:
    changed = replace(
        shelf.rows[2], value=shelf.rows[2].value.replace(b'"number":1', b'"number":7')
    )
    history = [changed if row.seq == 3 else row for row in shelf.rows]
    broken = found(judge(shelf, history=history))
    assert (broken[4][0].place.where, broken[4][0].place.seq) == ("history", 3)


@pytest.mark.parametrize("kept", [0, 4])
def test_the_end_dropped_from_the_history(
    shelf: Any, judge: Judge, found: Found, kept: int
) -> None:
    """It is behind the topic, as it may be, and behind its own position, as it may not."""
    assert not found(judge(shelf, history=shelf.rows[:kept], heard=kept))
    (lost,) = found(judge(shelf, history=shelf.rows[:kept], heard=6))[4]
    assert (lost.place.where, lost.place.seq) == ("history", kept)
    assert "numbers up to 6" in lost.text


def test_a_history_that_forgot_how_far_it_has_heard(shelf: Any, judge: Judge, found: Found) -> None:
    (beyond,) = found(judge(shelf, heard=0))[4]
    assert "numbers up to 0" in beyond.text


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("stream", "contact.borrower-9"),
        ("subject", "case-2"),
        ("subject", ""),
        ("time", datetime(2024, 1, 2, 3, 4, 6, tzinfo=UTC)),
        ("time", None),
    ],
)
def test_a_column_of_the_history_that_says_something_else(
    shelf: Any, judge: Judge, found: Found, column: str, value: Any
) -> None:
    changed = replace(shelf.rows[2], **{column: value})
    history = [changed if row.seq == 3 else row for row in shelf.rows]
    (differs,) = found(judge(shelf, history=history))[4]
    assert (differs.place.where, differs.place.seq) == ("history", 3)
    assert f"the column {column} is {value}" in differs.text
