"""Identity and digest of a fact: how a duplicate is told from a contradiction."""

from typing import Any

import pytest
from msgspec.structs import replace

from arrears.intake.domain.facts import (
    ClearPoint,
    ProfileFact,
    conflict_of,
    fact_digest,
    fact_identity,
    read_fact,
)
from arrears.intake.testing.records import CLOSING, CURED, OVERDUE, PROFILE, REPAYMENT, record


class TestIdentity:
    def test_is_the_same_for_the_same_fact_however_it_is_written(self) -> None:
        again = read_fact(record(OVERDUE, "data.overdue.interest", "20.50"))
        assert fact_identity(again) == fact_identity(read_fact(record(OVERDUE)))
        assert fact_digest(again) == fact_digest(read_fact(record(OVERDUE)))

    @pytest.mark.parametrize("path", ["id", "source", "data.loan_id"])
    def test_differs_across_facts_sources_and_loans(self, path: str) -> None:
        other = read_fact(record(OVERDUE, path, "another"))
        assert fact_identity(other) != fact_identity(read_fact(record(OVERDUE)))

    def test_of_a_repayment_is_the_repayments_and_not_the_records(self) -> None:
        told_again = read_fact(record(REPAYMENT, "id", "fact-2"))
        other_one = read_fact(record(REPAYMENT, "data.repayment_id", "pay-2"))
        assert fact_identity(told_again) == fact_identity(read_fact(record(REPAYMENT)))
        assert fact_identity(other_one) != fact_identity(read_fact(record(REPAYMENT)))

    def test_a_fact_and_a_repayment_of_one_id_differ(self) -> None:
        repayment = read_fact(record(REPAYMENT, "data.repayment_id", "fact-1"))
        assert fact_identity(repayment) != fact_identity(read_fact(record(CURED)))

    @pytest.mark.parametrize(
        ("base", "path", "value"),
        [
            (OVERDUE, "data.days_past_due", 2),
            (OVERDUE, "data.overdue.total", "120.51"),
            (OVERDUE, "data.overdue.fees", None),
            (OVERDUE, "data.outstanding_balance", "1.00"),
            (OVERDUE, "data.currency", "TWD"),
            (OVERDUE, "data.product", "loan"),
            (OVERDUE, "data.due_date", "2026-02-28"),
            (OVERDUE, "time", "2026-03-02T15:30:01Z"),
            (REPAYMENT, "data.amount", "120.51"),
            (REPAYMENT, "data.currency", "TWD"),
            (CURED, "data.reason", "restructured"),
            (CURED, "data.as_of_date", "2026-03-01"),
            (PROFILE, "data.zone", None),
        ],
    )
    def test_other_content_gives_another_digest(
        self, base: dict[str, Any], path: str, value: object
    ) -> None:
        changed, before = read_fact(record(base, path, value)), read_fact(record(base))
        assert fact_identity(changed) == fact_identity(before)
        assert fact_digest(changed) != fact_digest(before)

    def test_a_digest_has_sixteen_hex_characters_and_never_changes(self) -> None:
        """It is stored: a redelivery after an upgrade must still be known."""
        assert [
            fact_digest(read_fact(record(base)))
            for base in (OVERDUE, REPAYMENT, CURED, PROFILE, CLOSING)
        ] == GOLDEN_DIGESTS

    def test_a_profiles_digest_gives_no_contact_point_away(self) -> None:
        profile = read_fact(record(PROFILE))
        assert isinstance(profile, ProfileFact)
        other = replace(profile, points=(ClearPoint("phone", "+86 139 1111 1111"),))
        assert fact_digest(other) == fact_digest(profile)

    def test_a_conflict_names_the_money_of_a_repayment(self) -> None:
        assert conflict_of(read_fact(record(REPAYMENT))) == (
            "repayment_id_seen_with_other_amount",
            "data.amount",
        )
        assert conflict_of(read_fact(record(CURED))) == ("fact_id_seen_with_other_content", "id")


GOLDEN_DIGESTS = [
    "448b1d72a43545b9",
    "eb878a00601ad260",
    "69a8e222abf15706",
    "29348d21cdc1a552",
    "feac96fec9155ab8",
]
