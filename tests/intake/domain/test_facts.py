"""Reading the feed: what is understood, what is set aside, and which field and rule it names."""

import random
from contextlib import suppress
from datetime import UTC, date
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from arrears.intake.domain.facts import (
    BadRecord,
    ClearPoint,
    CuredFact,
    DayClosing,
    OverdueFact,
    ProfileFact,
    RepaymentFact,
    read_fact,
)
from arrears.intake.testing.records import (
    CLOSING,
    CURED,
    OVERDUE,
    PROFILE,
    REPAYMENT,
    STATED_AT,
    record,
)
from arrears.shared.kernel.ids import BorrowerId, LoanKey


class TestUnderstood:
    def test_an_overdue_fact_in_minor_units(self) -> None:
        assert read_fact(record(OVERDUE)) == OverdueFact(
            source="/bank",
            fact_id="fact-1",
            loan_key=LoanKey("loan-1@/bank"),
            borrower_id=BorrowerId("person-1"),
            stated_at=STATED_AT,
            as_of_on=date(2026, 3, 2),
            days_past_due=1,
            due_on=date(2026, 3, 1),
            currency="CNY",
            product="credit_card",
            overdue_minor=12050,
            principal_minor=10000,
            interest_minor=2050,
            fees_minor=0,
            balance_minor=500000,
        )

    def test_a_split_of_null_is_not_known_and_not_zero(self) -> None:
        fact = read_fact(record(OVERDUE, "data.overdue", {"total": "5.00", "fees": None}))
        assert isinstance(fact, OverdueFact)
        assert (fact.principal_minor, fact.interest_minor, fact.fees_minor) == (None, None, None)

    def test_a_repayment(self) -> None:
        assert read_fact(record(REPAYMENT)) == RepaymentFact(
            source="/bank",
            fact_id="fact-1",
            loan_key=LoanKey("loan-1@/bank"),
            borrower_id=None,
            stated_at=STATED_AT,
            repayment_id="pay-1",
            amount_minor=12050,
            currency="CNY",
            value_on=date(2026, 3, 2),
        )

    def test_a_cure(self) -> None:
        assert read_fact(record(CURED)) == CuredFact(
            source="/bank",
            fact_id="fact-1",
            loan_key=LoanKey("loan-1@/bank"),
            borrower_id=None,
            stated_at=STATED_AT,
            as_of_on=date(2026, 3, 2),
            days_past_due=0,
            currency="CNY",
            reason="paid_up",
        )

    def test_a_profile(self) -> None:
        assert read_fact(record(PROFILE)) == ProfileFact(
            source="/bank",
            fact_id="fact-1",
            borrower_id=BorrowerId("person-1"),
            stated_at=STATED_AT,
            points=(ClearPoint("phone", "+86 138 0000 0000"),),
            zone="Asia/Urumqi",
            language="zh-Hans",
        )

    def test_a_closing(self) -> None:
        assert read_fact(record(CLOSING)) == DayClosing(
            source="/bank",
            fact_id="fact-1",
            stated_at=STATED_AT,
            day=date(2026, 3, 2),
            first_day=date(2026, 3, 1),
            partition_count=3,
        )

    @pytest.mark.parametrize(
        ("currency", "text", "minor"),
        [
            ("CNY", "1170.50", 117050),
            ("CNY", "1170.5", 117050),
            ("CNY", "1170", 117000),
            ("CNY", "1170.500", 117050),
            ("JPY", "1170", 1170),
            ("JPY", "1170.00", 1170),
            ("KWD", "1.234", 1234),
            ("CNY", "9999999999999.99", 999999999999999),
        ],
    )
    def test_amounts_are_exact(self, currency: str, text: str, minor: int) -> None:
        data = {**REPAYMENT["data"], "currency": currency, "amount": text}
        fact = read_fact(record(REPAYMENT, "data", data))
        assert isinstance(fact, RepaymentFact)
        assert fact.amount_minor == minor

    def test_an_instant_of_another_zone_is_kept_as_utc(self) -> None:
        fact = read_fact(record(CURED, "time", "2026-03-02T23:30:00+08:00"))
        assert fact.stated_at == STATED_AT
        assert fact.stated_at.tzinfo is UTC

    def test_chinese_text_is_text(self) -> None:
        fact = read_fact(record(CURED, "data.reason", "结清"))
        assert isinstance(fact, CuredFact)
        assert fact.reason == "结清"

    def test_unknown_fields_and_attributes_are_ignored(self) -> None:
        assert read_fact(record(CURED, "data.more", {"deep": [1]})) == read_fact(record(CURED))


REFUSED: list[tuple[bytes, str, str]] = [
    (b"", "not_json", "$"),
    (b"not json", "not_json", "$"),
    (b'{"specversion":"1.0"', "not_json", "$"),
    (b"[1]", "wrong_type", "$"),
    (b"null", "wrong_type", "$"),
    (b"NaN", "not_json", "$"),
    (b"\xef\xbb\xbf" + record(OVERDUE), "not_json", "$"),
    (record(OVERDUE) + b" {}", "not_json", "$"),
    (record(OVERDUE)[:-1] + b',"x":' + b"[" * 200_000, "too_deep", "$"),
    (b" " * 900_000 + record(OVERDUE), "too_large", "$"),
    (record(OVERDUE, "type", "arrears.importer.line_too_long.v1"), "too_large", "$"),
    (record(OVERDUE, "specversion", "0.3"), "unknown_specversion", "specversion"),
    (record(OVERDUE, "type", "corebanking.loan.sold.v1"), "unknown_type", "type"),
    (record(OVERDUE, "type", ...), "missing", "type"),
    (record(OVERDUE, "type", 7), "unknown_type", "type"),
    (record(OVERDUE, "type", "x` - at `$.data.phone"), "unknown_type", "type"),
    (record(OVERDUE, "id", ...), "missing", "id"),
    (record(OVERDUE, "id", ""), "wrong_length", "id"),
    (record(OVERDUE, "id", "x" * 129), "wrong_length", "id"),
    (record(OVERDUE, "id", "a\u0000b"), "control_characters", "id"),
    (record(OVERDUE, "source", "/bank\n"), "control_characters", "source"),
    (record(OVERDUE, "source", "b@/bank"), "reserved_character", "source"),
    (record(OVERDUE, "time", "2026-03-02"), "not_a_date", "time"),
    (record(OVERDUE, "time", "2026-03-02T15:30:00"), "without_time_zone", "time"),
    (record(OVERDUE, "time", "2205-03-02T15:30:00Z"), "out_of_range", "time"),
    (record(OVERDUE, "time", "0001-01-01T00:00:00+08:00"), "out_of_range", "time"),
    (record(OVERDUE, "data", ...), "missing", "data"),
    (record(OVERDUE, "data", "x"), "wrong_type", "data"),
    (record(OVERDUE, "data.loan_id", ...), "missing", "data.loan_id"),
    (record(OVERDUE, "data.loan_id", "\u202eloan"), "control_characters", "data.loan_id"),
    (record(OVERDUE, "data.borrower_id", "a\u0007"), "control_characters", "data.borrower_id"),
    (record(OVERDUE, "data.product", "x" * 65), "wrong_length", "data.product"),
    (record(OVERDUE, "data.product", "a\u0085"), "control_characters", "data.product"),
    (record(OVERDUE, "data.days_past_due", "1"), "wrong_type", "data.days_past_due"),
    (record(OVERDUE, "data.days_past_due", 1.5), "wrong_type", "data.days_past_due"),
    (record(OVERDUE, "data.days_past_due", 10**30), "out_of_range", "data.days_past_due"),
    (record(OVERDUE, "data.days_past_due", -(10**6)), "out_of_range", "data.days_past_due"),
    (record(CURED).replace(b": 0", b": 1e999"), "out_of_range", "data.days_past_due"),
    (record(OVERDUE, "data.as_of_date", "2026-02-30"), "not_a_date", "data.as_of_date"),
    (record(OVERDUE, "data.as_of_date", "2205-02-28"), "out_of_range", "data.as_of_date"),
    (record(OVERDUE, "data.due_date", "1899-12-31"), "out_of_range", "data.due_date"),
    (record(OVERDUE, "data.currency", "XYZ"), "unknown_currency", "data.currency"),
    (record(OVERDUE, "data.currency", "cny"), "unknown_currency", "data.currency"),
    (record(OVERDUE, "data.currency", "CN"), "wrong_length", "data.currency"),
    (record(CURED, "data.currency", "XYZ"), "unknown_currency", "data.currency"),
    (record(OVERDUE, "data.overdue.total", 12.5), "wrong_type", "data.overdue.total"),
    (record(OVERDUE, "data.overdue.total", "1,000.00"), "not_a_number", "data.overdue.total"),
    (record(OVERDUE, "data.overdue.total", "NaN"), "not_a_number", "data.overdue.total"),
    (record(OVERDUE, "data.overdue.total", "1e5"), "not_a_number", "data.overdue.total"),
    (record(OVERDUE, "data.overdue.total", "+1.00"), "not_a_number", "data.overdue.total"),
    (record(OVERDUE, "data.overdue.total", ".50"), "not_a_number", "data.overdue.total"),
    (record(OVERDUE, "data.overdue.total", "١٢.٣٤"), "not_a_number", "data.overdue.total"),
    (record(OVERDUE, "data.overdue.total", "1.001"), "too_many_decimals", "data.overdue.total"),
    (record(OVERDUE, "data.overdue.total", "9" * 17), "out_of_range", "data.overdue.total"),
    (record(OVERDUE, "data.overdue.interest", "x"), "not_a_number", "data.overdue.interest"),
    (record(OVERDUE, "data.overdue.fees", "0.009"), "too_many_decimals", "data.overdue.fees"),
    (record(OVERDUE, "data.overdue.principal", ""), "wrong_length", "data.overdue.principal"),
    (record(OVERDUE, "data.outstanding_balance", "?"), "not_a_number", "data.outstanding_balance"),
    (record(OVERDUE, "data.principal", "much"), "not_a_number", "data.principal"),
    (record(REPAYMENT, "data.amount", "1.005"), "too_many_decimals", "data.amount"),
    (record(REPAYMENT, "data.value_date", "2205-01-01"), "out_of_range", "data.value_date"),
    (record(REPAYMENT, "data.repayment_id", "a\tb"), "control_characters", "data.repayment_id"),
    (record(CURED, "data.as_of_date", "2200-01-01"), "out_of_range", "data.as_of_date"),
    (record(CURED, "data.reason", "a\u0000"), "control_characters", "data.reason"),
    (record(CURED, "data.product", "a\u2029"), "control_characters", "data.product"),
    (record(REPAYMENT, "data.product", "a\u202e"), "control_characters", "data.product"),
    (record(PROFILE, "data.borrower_id", "a\u0000"), "control_characters", "data.borrower_id"),
    (record(PROFILE, "data.zone", "Mars/Olympus"), "unknown_zone", "data.zone"),
    (record(PROFILE, "data.zone", "../../etc/passwd"), "unknown_zone", "data.zone"),
    (record(PROFILE, "data.zone", "America"), "unknown_zone", "data.zone"),
    (record(PROFILE, "data.zone", "localtime"), "unknown_zone", "data.zone"),
    (record(PROFILE, "data.language", "zh_CN!"), "unknown_language", "data.language"),
    (record(CLOSING, "data.partition_count", 0), "out_of_range", "data.partition_count"),
    (record(CLOSING, "data.first_day", "2026-03-03"), "first_day_after_day", "data.first_day"),
    (record(CLOSING, "data.day", "2999-01-01"), "out_of_range", "data.day"),
    (record(CLOSING, "data.day", "2026-03-04"), "day_after_the_fact", "data.day"),
]


@pytest.mark.parametrize(("value", "reason", "field"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_understood_names_its_field_and_rule(
    value: bytes, reason: str, field: str
) -> None:
    with pytest.raises(BadRecord) as refusal:
        read_fact(value)
    assert (refusal.value.reason, refusal.value.field) == (reason, field)


def test_a_day_may_be_closed_on_the_day_before_for_the_sake_of_zones() -> None:
    closing = read_fact(record(CLOSING, "data.day", "2026-03-03"))
    assert isinstance(closing, DayClosing)
    assert (closing.day, closing.stated_at.date()) == (date(2026, 3, 3), date(2026, 3, 2))


def test_the_first_day_is_closed_as_any_other() -> None:
    closing = read_fact(record(CLOSING, "data.first_day", "2026-03-02"))
    assert isinstance(closing, DayClosing)
    assert closing.first_day == closing.day


@pytest.mark.parametrize(
    ("points", "reason", "field"),
    [
        ([{"kind": "fax", "value": "1"}], "unknown_value", "data.contact_points[0].kind"),
        ([{"kind": "1' - at `$.2"}], "unknown_value", "data.contact_points[0].kind"),
        ([{"kind": "phone"}], "missing", "data.contact_points[0].value"),
        ([{"kind": "phone", "value": "1"}] * 21, "wrong_length", "data.contact_points"),
        (
            [{"kind": "phone", "value": "1"}, {"kind": "phone", "value": "a\u0000"}],
            "control_characters",
            "data.contact_points[1].value",
        ),
    ],
)
def test_contact_points_are_checked_one_by_one(points: object, reason: str, field: str) -> None:
    with pytest.raises(BadRecord) as refusal:
        read_fact(record(PROFILE, "data.contact_points", points))
    assert (refusal.value.reason, refusal.value.field) == (reason, field)


def test_twenty_contact_points_are_not_too_many() -> None:
    points = [{"kind": "phone", "value": "1"}] * 20
    profile = read_fact(record(PROFILE, "data.contact_points", points))
    assert isinstance(profile, ProfileFact)
    assert len(profile.points) == 20


def test_a_refusal_never_repeats_what_the_record_said() -> None:
    secret = record(PROFILE, "data.contact_points", [{"kind": "13800000000", "value": "1"}])
    with pytest.raises(BadRecord) as refusal:
        read_fact(secret)
    assert "13800000000" not in str(refusal.value)


def test_a_pair_of_surrogates_is_text_and_a_lone_one_is_refused() -> None:
    value = record(CURED, "data.reason", "X")
    fact = read_fact(value.replace(b'"X"', rb'"\ud83d\ude00"'))
    assert isinstance(fact, CuredFact)
    assert fact.reason == "😀"
    for lone in (rb'"\ud800 and more"', rb'"\ude00 and more"', rb'"\ud800"'):
        with pytest.raises(BadRecord) as refusal:
            read_fact(value.replace(b'"X"', lone))
        assert refusal.value.reason == "lone_surrogate"


@forall(seed=st.integers(0, 2**32), base=st.sampled_from([OVERDUE, REPAYMENT, PROFILE, CLOSING]))
def test_damaged_bytes_are_read_or_refused_and_never_crash(seed: int, base: dict[str, Any]) -> None:
    chance = random.Random(seed)
    value = bytearray(record(base))
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(value))
        match chance.randrange(3):
            case 0:
                value[place] = chance.randrange(256)
            case 1:
                del value[place : place + chance.randint(1, 20)]
            case _:
                value[place:place] = chance.choice([b"\\ud800", b'"', b"null", b"\x00", b"9" * 40])
    with suppress(BadRecord):
        read_fact(bytes(value))
