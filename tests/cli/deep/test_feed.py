"""Laws 1 and 8: a record that nothing accounts for, or two things; money that does not add up."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from arrears.cli.deep.feed import FeedLaws, Heard, Ledger
from arrears.cli.deep.findings import Finding, Report
from arrears.cli.deep.reading import TopicRecord, identity, read_event

Found = Callable[[Report], dict[int, list[Finding]]]
SOURCE = "/core-banking/test"
OVERDUE, REPAYMENT, CURED, PROFILE, CLOSING = (
    "corebanking.loan.overdue.v1",
    "corebanking.loan.repayment_received.v1",
    "corebanking.loan.cured.v1",
    "corebanking.borrower.profile.v1",
    "corebanking.business_day.closed.v1",
)
CLOSED = {"day": "2024-01-02", "first_day": "2024-01-01", "partition_count": 3}


@dataclass
class World:
    """One partition of the feed, and intake's tables about it."""

    shelf: Any
    records: list[TopicRecord] = field(default_factory=list)
    accounts: list[tuple[Ledger, str, str | None]] = field(default_factory=list)
    position: int | None = None
    first: int = 0

    def hears(self, kind: str, data: dict[str, Any], fact_id: str = "f") -> str:
        """A record on the topic; its origin."""
        said = {"specversion": "1.0", "id": fact_id, "type": kind, "source": SOURCE, "data": data}
        self.records.append(TopicRecord(0, len(self.records), None, json.dumps(said).encode()))
        return f"corebanking.loans.v1/0/{len(self.records) - 1}"

    def pays(self, amount: str = "100.50", loan: str = "l-1", number: str = "r-1") -> str:
        data = {"loan_id": loan, "repayment_id": number, "amount": amount, "currency": "CNY"}
        return self.hears(REPAYMENT, data, fact_id=f"fact-{number}-{len(self.records)}")

    def records_payment(self, origin: str, number: str = "r-1", **changes: Any) -> None:
        """The event that an applied repayment leaves."""
        data = {
            "amount_minor": 10050,
            "currency": "CNY",
            "costs_minor": None,
            "interest_minor": 50,
            "principal_minor": 9000,
            "in_suspense_minor": 1000,
            "late": False,
            **changes,
        }
        key = identity("repayment", SOURCE, f"l-1@{SOURCE}", number)
        self.applies("repayment_recorded", origin, key, data)

    def applies(
        self, noun: str, origin: str, key: bytes, data: dict[str, Any] | None = None
    ) -> None:
        text = key.hex()
        event_id = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        self.shelf.says(noun, data, id=event_id, inputposition=origin, factdigest="d")

    def report(self) -> Report:
        report = Report()
        position = len(self.records) if self.position is None else self.position
        last = self.records[position - 1].value if position <= len(self.records) else b""
        heard = Heard(0, position, sha256(last).digest()[:16])
        laws = FeedLaws([heard], {0: len(self.records)}, report)
        for ledger, origin, event_id in self.accounts:
            laws.account(ledger, origin, event_id)
        for row in self.shelf.rows:
            laws.event(row, read_event(row.value))
        for record in self.records[self.first : position]:
            laws.record(record)
        laws.partition_ends(0, self.first, len(self.records))
        laws.finish()
        return report


@pytest.fixture
def world(blank: Any) -> World:
    blank.service = "intake"
    return World(blank)


def test_each_way_to_be_accounted_for_is_counted(world: World, found: Found) -> None:
    paid = world.pays()
    world.records_payment(paid, late=True)
    key = identity("repayment", SOURCE, f"l-1@{SOURCE}", "r-1")
    world.accounts.append(("duplicate", world.pays(), key.hex()))
    world.accounts.append(("refused", world.hears("nonsense", {}), None))
    world.accounts.append(("waiting in the agenda", world.pays(number="r-2"), None))
    world.accounts.append(("parked", world.pays(number="r-3"), None))
    skipped = world.pays(number="r-4")
    world.shelf.says("input_skipped", {"origin": skipped, "reason": "staff"})
    world.hears(CLOSING, CLOSED)
    report = world.report()
    assert not found(report)
    assert report.laws[1].counts == {
        "records": 7,
        "applied": 1,
        "of them late": 1,
        "duplicate": 1,
        "refused": 1,
        "waiting in the agenda": 1,
        "parked": 1,
        "skipped": 1,
        "closings": 1,
    }


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("100.50", None),
        ("100.5", None),
        ("200.50", "it is a duplicate of 10050 CNY, but says 20050 CNY"),
        ("much", "'much' is duplicate, but no amount"),
    ],
)
def test_money_that_is_called_a_duplicate_of_other_money(
    world: World, found: Found, amount: str, says: str | None
) -> None:
    """Counted as one that came before, it would be gone without a trace."""
    world.records_payment(world.pays())
    key = identity("repayment", SOURCE, f"l-1@{SOURCE}", "r-1")
    world.accounts.append(("duplicate", world.pays(amount), key.hex()))
    broken = found(world.report())
    assert [finding.text for finding in broken.get(8, [])] == ([] if says is None else [says])
    assert set(broken) <= {8}


@pytest.mark.parametrize(
    ("kind", "parts", "data"),
    [
        (OVERDUE, ("fact", SOURCE, f"l-1@{SOURCE}", "f"), {"loan_id": "l-1"}),
        (CURED, ("fact", SOURCE, f"l-1@{SOURCE}", "f"), {"loan_id": "l-1"}),
        (PROFILE, ("profile", SOURCE, "b-1", "f"), {"borrower_id": "b-1"}),
    ],
)
def test_facts_without_money(
    world: World, found: Found, kind: str, parts: tuple[str, ...], data: dict[str, str]
) -> None:
    origin = world.hears(kind, data)
    world.applies("recorded", origin, identity(*parts))
    world.shelf.says("case_opened", inputposition=origin)
    assert not found(world.report())


def test_an_offset_that_was_skipped(world: World, found: Found) -> None:
    """The position has moved past it, and no table knows it."""
    world.records_payment(world.pays())
    world.pays(number="r-2")
    world.hears(CLOSING, CLOSED)
    (skipped,) = found(world.report())[1]
    assert (skipped.place.partition, skipped.place.offset) == (0, 1)
    assert "nothing accounts for it" in skipped.text


def test_an_undecodable_record_must_be_refused(world: World, found: Found) -> None:
    world.records.append(TopicRecord(0, 0, None, b"\xff"))
    assert found(world.report())[1][0].place.offset == 0


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"day": "2024-01-02"},
        {**CLOSED, "day": "tomorrow"},
        {**CLOSED, "day": "20240102"},
        {**CLOSED, "day": "2024-02-30"},
        {**CLOSED, "first_day": None},
        {**CLOSED, "first_day": "2024-01-03"},
        {**CLOSED, "partition_count": 0},
        {**CLOSED, "partition_count": "3"},
    ],
    ids=str,
)
def test_a_closing_that_closes_nothing_must_be_refused(
    world: World, found: Found, data: Any
) -> None:
    origin = world.hears(CLOSING, data)
    assert "nothing accounts for it" in found(world.report())[1][0].text
    world.accounts.append(("refused", origin, None))
    assert not found(world.report())


def test_a_record_that_was_applied_and_refused(world: World, found: Found) -> None:
    origin = world.pays()
    world.records_payment(origin)
    world.accounts.append(("refused", origin, None))
    (both,) = found(world.report())[1]
    assert "more than once: applied and refused" in both.text


def test_a_record_that_was_applied_twice(world: World, found: Found) -> None:
    origin = world.pays()
    world.records_payment(origin)
    world.records_payment(origin)
    broken = found(world.report())
    assert "applied twice" in broken[1][0].text
    assert "10050 came in by the feed, 18100 allocated + 2000" in broken[8][0].text


def test_a_fact_applied_as_another(world: World, found: Found) -> None:
    """The event says that it came from an offset where something else stands."""
    world.records_payment(world.pays(number="r-2"), number="r-1")
    (other,) = found(world.report())[1]
    assert other.place.offset == 0
    assert "but what it says is" in other.text


def test_a_duplicate_of_an_event_that_is_not_there(world: World, found: Found) -> None:
    key = identity("repayment", SOURCE, f"l-1@{SOURCE}", "r-1")
    world.accounts.append(("duplicate", world.pays(), key.hex()))
    (lost,) = found(world.report())[1]
    assert key.hex() in lost.text


def test_a_duplicate_that_names_a_strangers_event(world: World, found: Found) -> None:
    world.records_payment(world.pays())
    key = identity("repayment", SOURCE, f"l-1@{SOURCE}", "r-1")
    world.accounts.append(("duplicate", world.pays(number="r-2"), key.hex()))
    assert found(world.report())[1][0].place.offset == 1


def test_what_follows_from_a_fact_that_is_not_recorded(world: World, found: Found) -> None:
    origin = world.hears(OVERDUE, {"loan_id": "l-1"})
    world.shelf.says("case_opened", inputposition=origin)
    texts = [finding.text for finding in found(world.report())[1]]
    assert any("nothing accounts" in text for text in texts)
    assert any("none records it" in text for text in texts)


def test_a_parking_names_its_input_and_nothing_follows(world: World, found: Found) -> None:
    origin = world.pays()
    world.accounts.append(("parked", origin, None))
    world.shelf.says("input_parked", {"origin": origin, "error": "x"}, inputposition=origin)
    assert not found(world.report())


def test_an_event_from_beyond_the_position(world: World, found: Found) -> None:
    """An older position beside newer events: part of a database was restored."""
    origin = world.pays()
    world.pays(number="r-2")
    world.records_payment(origin)
    world.records_payment("corebanking.loans.v1/0/1", number="r-2")
    world.position = 1
    broken = found(world.report())[1]
    assert broken[0].place.seq == 2
    assert "read that partition up to 1 only" in broken[0].text


def test_a_position_beyond_the_topic(world: World, found: Found) -> None:
    world.records_payment(world.pays())
    world.position = 5
    broken = found(world.report())[1]
    assert "it was replaced" in broken[0].text


def test_another_record_than_the_one_read_last(world: World, found: Found) -> None:
    world.records_payment(world.pays())
    report = Report()
    laws = FeedLaws([Heard(0, 1, b"other")], {0: 1}, report)
    for row in world.shelf.rows:
        laws.event(row, read_event(row.value))
    laws.record(world.records[0])
    assert "not the record that intake has read" in found(report)[1][0].text


def test_records_that_retention_has_removed_are_counted(world: World, found: Found) -> None:
    world.records_payment(world.pays())
    world.records_payment(world.pays(number="r-2"), number="r-2")
    world.first = 1
    report = world.report()
    assert not found(report)
    assert report.laws[1].counts["no longer kept on the topic"] == 1
    assert "CNY 20100 in = 18100 allocated + 2000 in suspense" in report.laws[8].remarks[0]


# --- Money


@pytest.mark.parametrize(
    "changes", [{"principal_minor": 9001}, {"in_suspense_minor": 999}, {"costs_minor": 1}]
)
def test_parts_that_do_not_add_up(world: World, found: Found, changes: dict[str, Any]) -> None:
    world.records_payment(world.pays(), **changes)
    broken = found(world.report())[8]
    assert (broken[0].place.shard, broken[0].place.seq, broken[0].place.version) == (0, 1, 1)
    assert "10050 CNY came in" in broken[0].text
    assert "10050 came in by the feed" in broken[-1].text


def test_an_amount_below_zero(world: World, found: Found) -> None:
    world.records_payment(world.pays(), principal_minor=-1000, in_suspense_minor=11000)
    assert found(world.report())[8][0].text == "an amount is below zero"


@pytest.mark.parametrize(
    "changes", [{"amount_minor": 10049, "interest_minor": 49}, {"currency": "USD"}]
)
def test_an_amount_that_the_bank_did_not_say(
    world: World, found: Found, changes: dict[str, Any]
) -> None:
    world.records_payment(world.pays(), **changes)
    broken = found(world.report())[8]
    assert broken[0].place.offset == 0
    assert "the bank says 10050 CNY, the event" in broken[0].text


def test_money_from_a_record_that_pays_nothing(world: World, found: Found) -> None:
    world.records_payment(world.hears(OVERDUE, {"loan_id": "l-1"}))
    assert any("pays nothing" in finding.text for finding in found(world.report())[8])


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("JPY", "1200", 1200), ("JPY", "1200.00", 1200), ("KWD", "1.5", 1500), ("CNY", "7", 700)],
)
def test_minor_units_follow_the_currency(
    world: World, found: Found, currency: str, amount: str, minor: int
) -> None:
    data = {"loan_id": "l-1", "repayment_id": "r-1", "amount": amount, "currency": currency}
    world.records_payment(
        world.hears(REPAYMENT, data),
        amount_minor=minor,
        currency=currency,
        interest_minor=None,
        principal_minor=None,
        in_suspense_minor=minor,
    )
    assert not found(world.report())
