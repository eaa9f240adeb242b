"""Damaged bytes end in a finding with their place, never in a checker that dies."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from arrears.cli.deep.contacts import Contacts, Invitations
from arrears.cli.deep.copies import ShardCopies
from arrears.cli.deep.effects import Effects, PendingRow, of_all_shards
from arrears.cli.deep.feed import FeedLaws, Heard
from arrears.cli.deep.findings import Finding, Report
from arrears.cli.deep.reading import Row, TopicRecord, Unreadable, read_event

Found = Callable[[Report], dict[int, list[Finding]]]
FEED = "corebanking.loans.v1"
ZONE = ZoneInfo("Asia/Shanghai")
PAID = {
    "amount_minor": 10050,
    "case_id": "case-1",
    "costs_minor": None,
    "currency": "CNY",
    "in_suspense_minor": 1000,
    "interest_minor": 50,
    "late": False,
    "principal_minor": 9000,
    "remark": "还款",
}
PERMIT = {
    "attempt_id": "case-1/1",
    "case_id": "case-1",
    "channel": "call",
    "inputs": {"zone": "Asia/Shanghai"},
    "overdue_minor": 100_000,
    "permitted_at": "2024-03-05T02:00:00Z",
    "point": {"kind": "phone", "sealed": "one"},
    "valid_until": "2024-03-05T12:30:00Z",
}


@pytest.fixture
def paid(blank: Any) -> Any:
    """A shelf of intake with one repayment."""
    blank.service = "intake"
    blank.says("repayment_recorded", PAID, inputposition=f"{FEED}/0/0", factdigest="d")
    return blank


def flips(value: bytes) -> Iterator[bytes]:
    for place in range(len(value)):
        for bit in range(8):
            yield value[:place] + bytes([value[place] ^ 1 << bit]) + value[place + 1 :]


def judged(shelf: Any, *, store: bytes | None = None, topic: bytes | None = None) -> Report:
    """All laws that read events, over a shelf whose last event has these bytes instead."""
    report = Report()
    rows, records = list(shelf.rows), shelf.records()
    if store is not None:
        rows[-1] = replace(rows[-1], value=store)
    if topic is not None:
        records[-1] = replace(records[-1], value=topic)
    copies = ShardCopies(shelf.service, shelf.shard, report)
    effects = Effects(shelf.service, shelf.shard, report)
    feed = FeedLaws([Heard(0, 1, b"")], {0: 1}, report)
    words = (Contacts(report, ZONE), Invitations(report, ZONE))
    copies.topic(records)
    for row, event in copies.store(rows):
        effects.event(row, event)
        feed.event(row, event)
        for one in words:
            one.event(row, event)
    copies.ends(len(rows), len(rows))
    copies.history(rows)
    copies.history_ends(len(rows))
    copies.finish()
    effects.finish()
    feed.record(TopicRecord(0, 0, None, b"{}"))
    feed.partition_ends(0, 0, 1)
    feed.finish()
    return report


def test_a_flipped_bit_in_a_repayment_is_found(paid: Any, found: Found) -> None:
    value = paid.rows[-1].value
    assert 4 not in found(judged(paid))
    for flipped in flips(value):
        assert 4 in found(judged(paid, store=flipped)), flipped
        assert 4 in found(judged(paid, topic=flipped)), flipped


def test_a_flipped_bit_in_a_permit_is_found(blank: Any, found: Found) -> None:
    blank.says("attempt_permitted", PERMIT)
    assert 4 not in found(judged(blank))
    for flipped in flips(blank.rows[-1].value):
        assert 4 in found(judged(blank, store=flipped)), flipped


def test_a_flipped_bit_in_the_feed_is_found(paid: Any, found: Found) -> None:
    """The record that was applied: its hash is the last one that intake has read, or it says
    something else than the event."""
    said = {
        "specversion": "1.0",
        "id": "f",
        "type": "corebanking.loan.repayment_received.v1",
        "source": "/core-banking/test",
        "data": {"loan_id": "l", "repayment_id": "r", "amount": "100.50", "currency": "CNY"},
    }
    (row,) = paid.rows
    for flipped in flips(json.dumps(said).encode()):
        report = Report()
        feed = FeedLaws([Heard(0, 1, b"another hash")], {0: 1}, report)
        feed.event(row, read_event(row.value))
        feed.record(TopicRecord(0, 0, None, flipped))
        feed.finish()
        assert 1 in found(report), flipped


@pytest.mark.parametrize(
    "changes",
    [
        {"data": None},
        {"data": "text"},
        {"data": []},
        {"streamversion": "1"},
        {"streamversion": True},
        {"streamversion": 1.0},
        {"id": 7},
        {"inputposition": 7},
        {"actor": {}},
        {"partitionkey": None},
        {"type": None},
        {"type": "arrears.intake"},
        {"time": None},
        {"stream": []},
        {"id": "\ud800"},
    ],
    ids=str,
)
def test_attributes_of_another_kind(paid: Any, found: Found, changes: dict[str, Any]) -> None:
    value = json.dumps({**json.loads(paid.rows[-1].value), **changes}).encode()
    with pytest.raises(Unreadable):
        read_event(value)
    broken = found(judged(paid, store=value, topic=value))
    assert {finding.place.where for finding in broken[3]} == {"topic", "store"}
    assert all("no event" in finding.text for finding in broken[3])


@pytest.mark.parametrize("name", ["id", "data", "streamversion", "causationid"])
def test_an_attribute_that_is_missing(paid: Any, name: str) -> None:
    said = json.loads(paid.rows[-1].value)
    del said[name]
    with pytest.raises(Unreadable, match=name):
        read_event(json.dumps(said).encode())


def test_half_a_character() -> None:
    with pytest.raises(Unreadable):
        read_event(b'{"id":"\xed\xa0\x80"}')


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": None},
        {"amount_minor": 1e20},
        {"amount_minor": 10**20},
        {"amount_minor": True},
        {"amount_minor": "10050"},
        {"currency": None},
        {"currency": ["CNY"]},
        {"in_suspense_minor": []},
        {"interest_minor": "50"},
        {"principal_minor": float("inf")},
    ],
    ids=str,
)
def test_money_that_cannot_be_judged(blank: Any, found: Found, changes: dict[str, Any]) -> None:
    """The record counts as applied all the same; only its money is not known."""
    blank.service = "intake"
    origin = {"inputposition": f"{FEED}/0/0", "factdigest": "d"}
    blank.says("repayment_recorded", {**PAID, **changes}, **origin)
    broken = found(judged(blank))
    assert "repayment_recorded cannot be judged" in broken[8][0].text
    assert broken[8][0].place.seq == 1
    assert not any("nothing accounts" in finding.text for finding in broken[1])


@pytest.mark.parametrize("name", ["amount_minor", "currency", "in_suspense_minor"])
def test_money_that_is_not_said(blank: Any, found: Found, name: str) -> None:
    blank.service = "intake"
    data = {key: value for key, value in PAID.items() if key != name}
    blank.says("repayment_recorded", data, inputposition=f"{FEED}/0/0", factdigest="d")
    assert name in found(judged(blank))[8][0].text


@pytest.mark.parametrize("amount", ["Infinity", "NaN", "sNaN", "1e999999", None, [], "1.005"])
def test_a_feed_amount_that_is_none(paid: Any, found: Found, amount: Any) -> None:
    report = Report()
    feed = FeedLaws([Heard(0, 1, b"")], {0: 1}, report)
    (row,) = paid.rows
    feed.event(row, read_event(row.value))
    said = {"type": "corebanking.loan.repayment_received.v1", "data": {"amount": amount}}
    feed.record(TopicRecord(0, 0, None, json.dumps(said).encode()))
    assert "is applied, but no amount" in found(report)[8][0].text


@pytest.mark.parametrize("data", [None, "text", []])
def test_a_feed_record_without_data(paid: Any, found: Found, data: Any) -> None:
    report = Report()
    feed = FeedLaws([Heard(0, 1, b"")], {0: 1}, report)
    (row,) = paid.rows
    feed.event(row, read_event(row.value))
    said = {"type": "corebanking.loan.repayment_received.v1", "data": data}
    feed.record(TopicRecord(0, 0, None, json.dumps(said).encode()))
    assert set(found(report)) == {1, 8}


@pytest.mark.parametrize(
    ("noun", "data"),
    [
        ("attempt_permitted", {"attempt_id": ["case-1/1"]}),
        ("attempt_concluded", {"attempt_id": "case-1/1", "outcome": {}}),
    ],
)
def test_a_request_that_cannot_be_judged(
    blank: Any, found: Found, noun: str, data: dict[str, Any]
) -> None:
    blank.says("attempt_permitted", PERMIT)
    blank.says(noun, data)
    broken = found(judged(blank))
    assert any(f"{noun} cannot be judged" in finding.text for finding in broken[5])


@pytest.mark.parametrize(
    ("noun", "data", "attributes"),
    [
        ("contact_points_recorded", {"points": [7], "zone": None}, {}),
        ("attempt_permitted", {**PERMIT, "permitted_at": 7}, {}),
        ("attempt_permitted", {**PERMIT, "permitted_at": "9999-12-31T23:59:00Z"}, {}),
        ("borrower_invited", {}, {"time": "soon"}),
    ],
)
def test_words_that_cannot_be_judged(
    blank: Any, found: Found, noun: str, data: dict[str, Any], attributes: dict[str, Any]
) -> None:
    blank.says(noun, data, **attributes)
    assert f"{noun} cannot be judged" in found(judged(blank))[10][0].text


def test_rows_of_a_shard_that_there_is_not(found: Found) -> None:
    report = Report()
    made = of_all_shards(
        "contact",
        [PendingRow("k", 16, in_doubt=False)],
        [(-1, "effect/k/1")],
        [(77, "contact.borrower-1")],
        report,
    )
    assert sorted(made) == list(range(16))
    places = [(one.place.where, one.place.shard) for one in found(report)[5]]
    assert places == [("effects", 16), ("agenda", -1), ("timers", 77)]


@pytest.mark.parametrize("position", [10**10, -1])
def test_a_position_that_cannot_be(paid: Any, found: Found, position: int) -> None:
    """No memory is taken for offsets that the topic has not."""
    report = Report()
    feed = FeedLaws([Heard(0, position, b"")], {0: 1}, report)
    assert feed.positions() == {0: max(0, min(position, 1))}
    feed.account("refused", f"{FEED}/0/1")
    feed.account("refused", f"{FEED}/0/{'9' * 5000}")
    feed.partition_ends(0, 0, 1)
    texts = [finding.text for finding in found(report)[1]]
    assert len(texts) == 3
    assert str(position) in texts[-1]


def test_a_row_of_the_store_without_an_event_is_named_by_its_columns(
    paid: Any, found: Found
) -> None:
    row: Row = paid.rows[-1]
    broken = found(judged(paid, store=b"\x00"))
    assert (broken[3][0].place.seq, broken[3][0].place.stream) == (row.seq, row.stream)
