"""The feed as the runtime reads it: refusals in its words, and no contact point in the clear."""

from datetime import UTC, datetime

import pytest
from msgspec.json import encode

from arrears.intake.adapters.feed import FactReader
from arrears.intake.domain.borrower import RecordProfile
from arrears.intake.domain.facts import fact_digest, fact_identity, read_fact
from arrears.intake.domain.loan.commands import RecordRepayment
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.keyring.sealing import ERASED_TEXT
from arrears.shared.runtime.stage import BadRecord, DayClosing, FeedFact

HOME = BorrowerId("person-1")
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
PHONE = "+86 138 0000 0000"


def record(kind: str, data: dict[str, object]) -> bytes:
    return encode(
        {
            "specversion": "1.0",
            "id": "fact-1",
            "source": "/bank",
            "type": f"corebanking.{kind}.v1",
            "time": "2026-03-02T10:00:00Z",
            "data": data,
        }
    )


def repayment(amount: str) -> bytes:
    return record(
        "loan.repayment_received",
        {
            "loan_id": "loan-1",
            "repayment_id": "pay-1",
            "amount": amount,
            "currency": "CNY",
            "value_date": "2026-03-02",
        },
    )


def profile(phone: str) -> bytes:
    points = [{"kind": "phone", "value": phone}]
    return record("borrower.profile", {"borrower_id": "person-1", "contact_points": points})


PROFILE = profile(PHONE)
PERSON = BorrowerId("person-1")


@pytest.fixture
def store() -> MemoryKeyStore:
    return MemoryKeyStore()


@pytest.fixture
def reader(store: MemoryKeyStore) -> FactReader:
    return FactReader(store.keyring("intake"))


async def unlocked(reader: FactReader, value: bytes) -> FeedFact:
    fact = reader.read(value)
    assert isinstance(fact, FeedFact)
    await reader.unlock([fact])
    return fact


def sealed(reader: FactReader, fact: FeedFact) -> str:
    command = reader.issue(fact, home=HOME, at=NOW, late=False).command
    assert isinstance(command, RecordProfile)
    (point,) = command.contact_points
    return point.sealed


@pytest.mark.parametrize(
    ("value", "whose"),
    [
        (record("loan.overdue", {"borrower_id": "person-1", "amount": "-5"}), "person-1"),
        (record("loan.overdue", {"borrower_id": 7}), "7"),
        (record("loan.overdue", {"borrower_id": "p\x00"}), None),
        (record("loan.overdue", {"borrower_id": ""}), None),
        (repayment("five"), None),
        (b'{"data": {"borrower_id": "person-1"', "person-1"),
        (b'{"data": {"borrower_id" : 70012, "contact_points": [{"value": "13', "70012"),
        (b'{"data": {"borrower_id": "person-1", "name": "\xc0\xee"}, "type": "x"}', "person-1"),
        (b'{"data": {"borrower_id": "person-1"}, "more": {"borrower_id": "person-1"}', "person-1"),
        (b'{"data": {"borrower_id": "person-1"}, "more": {"borrower_id": "person-2"}', None),
        (b'{"data": {"borrower_id": "per\\u0073on-1"', None),
        (b'{"data": {"borrower_id": "person-', None),
        (b's1.{"data": {"borrower_id": "person-1"', None),
        (b"\xff", None),
    ],
)
def test_a_bad_record_says_whom_it_names_where_that_can_be_read(
    reader: FactReader, value: bytes, whose: str | None
) -> None:
    with pytest.raises(BadRecord) as caught:
        reader.read(value)
    assert caught.value.borrower_id == whose


def test_a_fact_comes_with_identity_and_digest(reader: FactReader) -> None:
    value = repayment("5.00")
    fact = read_fact(value)
    read = reader.read(value)
    assert read == FeedFact(
        fact_id=fact_identity(fact),
        time=NOW,
        borrower_id=None,
        loan="loan-1@/bank",
        body=fact,
    )
    assert reader.digest(read) == fact_digest(fact)
    issue = reader.issue(read, home=HOME, at=NOW, late=True)
    assert isinstance(issue.command, RecordRepayment)
    assert issue.command.late


def test_what_cannot_be_read_is_refused_with_field_and_rule(reader: FactReader) -> None:
    with pytest.raises(BadRecord) as refusal:
        reader.read(repayment("five"))
    assert (refusal.value.reason, refusal.value.field) == ("not_a_number", "data.amount")


def test_other_content_under_the_same_identity_is_a_conflict(reader: FactReader) -> None:
    first, second = reader.read(repayment("5.00")), reader.read(repayment("6.00"))
    assert isinstance(first, FeedFact)
    assert isinstance(second, FeedFact)
    assert first.fact_id == second.fact_id
    assert reader.digest(first) != reader.digest(second)
    assert reader.conflict(second).reason == "repayment_id_seen_with_other_amount"


def test_a_closing_is_a_word_about_days(reader: FactReader) -> None:
    closing = {"day": "2026-03-02", "first_day": "2026-03-01", "partition_count": 3}
    found = reader.read(record("business_day.closed", closing))
    assert isinstance(found, DayClosing)
    assert found.partition_count == 3


async def test_contact_points_are_sealed_before_anything_is_decided(reader: FactReader) -> None:
    fact, other = reader.read(PROFILE), reader.read(repayment("5.00"))
    assert isinstance(fact, FeedFact)
    assert isinstance(other, FeedFact)
    await reader.unlock([fact, other])
    issue = reader.issue(fact, home=HOME, at=NOW, late=False)
    assert isinstance(issue.command, RecordProfile)
    (point,) = issue.command.contact_points
    assert point.kind == "phone"
    assert point.sealed
    assert "138" not in repr(issue)


async def test_a_profile_with_another_number_under_the_same_id_is_no_duplicate(
    reader: FactReader, store: MemoryKeyStore
) -> None:
    first = await unlocked(reader, PROFILE)
    again, other = await unlocked(reader, PROFILE), await unlocked(reader, profile("+86 139 1"))
    restarted = FactReader(store.keyring("intake"))
    same = restarted.digest(await unlocked(restarted, PROFILE))
    assert first.fact_id == other.fact_id
    assert reader.digest(first) == reader.digest(again) == same != reader.digest(other)
    assert reader.conflict(other).reason == "fact_id_seen_with_other_content"


async def test_a_digest_gives_no_number_away(reader: FactReader) -> None:
    """Without the person's key nobody can try numbers: another person's has another digest."""
    other = await unlocked(reader, PROFILE.replace(b"person-1", b"person-2"))
    assert reader.digest(await unlocked(reader, PROFILE)) != reader.digest(other)


async def test_after_an_erasure_a_running_reader_seals_nothing_more(
    reader: FactReader, store: MemoryKeyStore
) -> None:
    before = await unlocked(reader, PROFILE)
    assert sealed(reader, before) != ERASED_TEXT
    await store.keyring("intake").erase(PERSON)
    for fact in (await unlocked(reader, PROFILE), await unlocked(reader, profile("+86 139 1"))):
        assert sealed(reader, fact) == ERASED_TEXT
        # Whether it says what was said before, nobody can tell any more: no contradiction.
        found = reader.conflict(await unlocked(reader, PROFILE))
        assert (found.reason, found.field) == ("borrower_erased", "data.contact_points")
    await reader.unlock([before])
    assert sealed(reader, before) == ERASED_TEXT
