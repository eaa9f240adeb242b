"""Every event has one name on the wire, and every contract reads from what we really write."""

from datetime import UTC, date, datetime
from typing import get_args

import msgspec
import pytest

from arrears.intake.application.publish import WIRE_NAMES, subject_of
from arrears.intake.domain.borrower import BorrowerEvent, BorrowerProfileRecorded, SealedPoint
from arrears.intake.domain.loan.events import (
    CaseClosed,
    CaseHeld,
    CaseReferred,
    CaseReleased,
    CaseReturned,
    LoanBorrowerChanged,
    LoanEvent,
    RepaymentRecorded,
)
from arrears.shared.contracts.intake import IntakeContract
from arrears.shared.contracts.registry import decode_contract
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/bank")
DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)

CONTRACTED: list[LoanEvent | BorrowerEvent] = [
    BorrowerProfileRecorded(
        borrower_id=BorrowerId("person-1"),
        contact_points=(SealedPoint(kind="phone", sealed="c2VhbGVk"),),
        zone=None,
        language=None,
        fact_id="profile-1",
        stated_at=NOW,
        late=False,
    ),
    RepaymentRecorded(
        loan_key=LOAN,
        case_id=None,
        fact_id="fact-1",
        repayment_id="pay-1",
        amount_minor=5,
        currency="CNY",
        value_on=DAY,
        stated_at=NOW,
        late=False,
        costs_minor=None,
        interest_minor=None,
        principal_minor=None,
        in_suspense_minor=5,
        policy_id=None,
        policy_version=None,
    ),
    CaseReferred(
        case_id=CASE,
        loan_key=LOAN,
        episode=1,
        referral=1,
        stage="contact",
        treatment="remind",
        rule="remind",
        reason="why",
        days_past_due=1,
        due_on=DAY,
        overdue_minor=1,
        balance_minor=1,
        currency="CNY",
        product="loan",
        risk="low",
        decided_on=DAY,
        policy_id="cn-default",
        policy_version=1,
    ),
    CaseHeld(case_id=CASE, loan_key=LOAN, reason="hardship", until_on=DAY),
    CaseReleased(case_id=CASE, loan_key=LOAN, reason="hold_ended", review_on=DAY),
    CaseReturned(case_id=CASE, loan_key=LOAN, stage="legal", result="taken_back", review_on=DAY),
    LoanBorrowerChanged(
        case_id=CASE, loan_key=LOAN, was=BorrowerId("person-1"), now_is=BorrowerId("person-2")
    ),
    CaseClosed(case_id=CASE, loan_key=LOAN, reason="cured", closed_at=NOW, closed_on=DAY),
]


def test_every_event_has_a_name_of_its_own() -> None:
    assert set(WIRE_NAMES) == {*get_args(LoanEvent), *get_args(BorrowerEvent)}
    assert len(set(WIRE_NAMES.values())) == len(WIRE_NAMES)
    assert all(name.startswith("arrears.intake.") for name in WIRE_NAMES.values())


@pytest.mark.parametrize("event", CONTRACTED)
def test_a_contract_reads_from_what_we_write(event: LoanEvent | BorrowerEvent) -> None:
    written = msgspec.json.encode(event)
    contract = decode_contract(WIRE_NAMES[type(event)], msgspec.Raw(written))
    ours = msgspec.to_builtins(event)
    promised = msgspec.to_builtins(contract)
    assert promised == {field: ours[field] for field in promised}


def test_every_contract_is_tried() -> None:
    names = {contract.WIRE_NAME for contract in get_args(IntakeContract)}
    assert {WIRE_NAMES[type(event)] for event in CONTRACTED} == names


def test_the_subject_is_the_case_or_nothing() -> None:
    assert [subject_of(event) for event in CONTRACTED] == [None, None, *[CASE] * 6]
