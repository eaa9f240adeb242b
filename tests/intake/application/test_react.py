"""What the stages say, as reports to the loan: every contract, and what is taken from it."""

from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from msgspec import Raw, Struct
from msgspec.structs import asdict

from arrears.intake.application.react import HEARS, StageContract, react
from arrears.intake.domain.loan.commands import ReportStage
from arrears.intake.domain.policy import RESULTS
from arrears.shared.contracts.contact import (
    ContactContract,
    DemandDelivered,
    DemandReturned,
    HardshipReported,
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromiseMade,
    PromisePartlyKept,
    RefusalReported,
    TreatmentCompleted,
    UnreachableReported,
)
from arrears.shared.contracts.intake import CaseReleased, IntakeContract
from arrears.shared.contracts.legal import (
    ClaimEnded,
    ClaimFiled,
    EnforcementClosed,
    FilingRefused,
    JudgmentEntered,
    JudgmentObeyed,
    LegalContract,
)
from arrears.shared.contracts.mediation import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementSigned,
    Instalment,
    MediationClosed,
    MediationContract,
    MediationFailed,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId, EventId, LoanKey, StreamName
from arrears.shared.kernel.reaction import Heard

CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/bank")
DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
OF: dict[str, Any] = {"case_id": CASE, "loan_key": LOAN}

SAID: list[tuple[StageContract, str, str, dict[str, object]]] = [
    (
        TreatmentCompleted(**OF, referral=2, treatment="call", result="stopped", reason="hold"),
        "contact",
        "treatment_completed",
        {"referral": 2, "treatment": "call", "result": "stopped", "detail": "hold"},
    ),
    (
        DemandDelivered(**OF, total_minor=7, currency="CNY", delivered_at=NOW),
        "contact",
        "demand_delivered",
        {"amount_minor": 7},
    ),
    (DemandReturned(**OF, returned_at=NOW), "contact", "demand_returned", {}),
    (
        PromiseMade(**OF, promise_id="p-1", amount_minor=9, currency="CNY", due_on=DAY),
        "contact",
        "promise_made",
        {"promise_id": "p-1", "amount_minor": 9, "until_on": DAY},
    ),
    (
        PromiseKept(**OF, promise_id="p-1", paid_minor=9),
        "contact",
        "promise_kept",
        {"promise_id": "p-1", "amount_minor": 9},
    ),
    (
        PromisePartlyKept(**OF, promise_id="p-1", paid_minor=4),
        "contact",
        "promise_partly_kept",
        {"promise_id": "p-1", "amount_minor": 4},
    ),
    (PromiseBroken(**OF, promise_id="p-1"), "contact", "promise_broken", {"promise_id": "p-1"}),
    (
        PromiseLapsed(**OF, promise_id="p-1", reason="agreement"),
        "contact",
        "promise_lapsed",
        {"promise_id": "p-1", "detail": "agreement"},
    ),
    (RefusalReported(**OF), "contact", "refusal_reported", {}),
    (HardshipReported(**OF, review_on=DAY), "contact", "hardship_reported", {"until_on": DAY}),
    (UnreachableReported(**OF), "contact", "unreachable_reported", {}),
    (
        AgreementSigned(
            **OF,
            instalments=(
                Instalment(due_on=DAY, amount_minor=3),
                Instalment(due_on=date(2026, 5, 2), amount_minor=4),
            ),
            currency="CNY",
            signed_at=NOW,
        ),
        "mediation",
        "agreement_signed",
        {"amount_minor": 7, "until_on": date(2026, 5, 2)},
    ),
    (
        AgreementFulfilled(**OF, paid_minor=7),
        "mediation",
        "agreement_fulfilled",
        {"treatment": "mediate", "result": "fulfilled", "amount_minor": 7},
    ),
    (
        AgreementBreached(**OF, instalment_index=1, paid_minor=3),
        "mediation",
        "agreement_breached",
        {"treatment": "mediate", "result": "breached", "amount_minor": 3},
    ),
    (
        MediationFailed(**OF, reason="no_answer", referral=3),
        "mediation",
        "mediation_failed",
        {"treatment": "mediate", "result": "failed", "referral": 3, "detail": "no_answer"},
    ),
    (
        MediationClosed(**OF, reason="nothing_owed"),
        "mediation",
        "mediation_closed",
        {"treatment": "mediate", "result": "stopped", "detail": "nothing_owed"},
    ),
    (
        FilingRefused(**OF, missing=("demand_delivered", "known_total")),
        "legal",
        "filing_refused",
        {"detail": "demand_delivered, known_total"},
    ),
    (
        ClaimFiled(**OF, claim_minor=7, currency="CNY"),
        "legal",
        "claim_filed",
        {"amount_minor": 7},
    ),
    (
        JudgmentEntered(**OF, awarded_minor=7, currency="CNY", obey_by_on=DAY),
        "legal",
        "judgment_entered",
        {"amount_minor": 7, "until_on": DAY},
    ),
    (
        JudgmentObeyed(**OF, paid_minor=7),
        "legal",
        "judgment_obeyed",
        {"treatment": "sue", "result": "obeyed", "amount_minor": 7},
    ),
    (
        EnforcementClosed(**OF, result="no_assets", recovered_minor=0),
        "legal",
        "enforcement_closed",
        {"treatment": "sue", "result": "no_assets", "amount_minor": 0},
    ),
    (
        ClaimEnded(**OF, result="withdrawn"),
        "legal",
        "claim_ended",
        {"treatment": "sue", "result": "withdrawn"},
    ),
]


def heard(said: Struct) -> Heard:
    return Heard(
        id=EventId("event-1"),
        type=type(said).__name__,
        service="contact",
        borrower_id=BorrowerId("person-1"),
        subject=CASE,
        stream=StreamName("contact.borrower-person-1"),
        time=NOW,
        business_day=DAY,
        data=Raw(b"{}"),
    )


@pytest.mark.parametrize(("said", "stage", "report", "carries"), SAID, ids=[row[2] for row in SAID])
def test_a_contract_becomes_one_report_to_its_loan(
    said: StageContract, stage: str, report: str, carries: dict[str, object]
) -> None:
    (issue,) = react(said, heard(said), NOW)
    assert (issue.category, issue.key) == ("intake.loan", LOAN)
    assert isinstance(issue.command, ReportStage)
    told = {key: value for key, value in asdict(issue.command).items() if value is not None}
    assert told == {
        "case_id": CASE,
        "stage": stage,
        "report": report,
        "report_id": "event-1",
        "now": NOW,
        **carries,
    }


def test_every_contract_of_every_stage_is_tried_and_heard() -> None:
    contracts = {
        contract
        for union in (ContactContract, MediationContract, LegalContract)
        for contract in get_args(union)
    }
    assert {type(said) for said, *_ in SAID} == contracts
    assert {contract.WIRE_NAME for contract in contracts} == HEARS


def test_an_end_from_before_contact_told_its_reason_has_none() -> None:
    ended = TreatmentCompleted(**OF, referral=2, treatment="call", result="unreachable")
    (issue,) = react(ended, heard(ended), NOW)
    assert isinstance(issue.command, ReportStage)
    assert (issue.command.result, issue.command.detail) == ("unreachable", None)


def test_our_own_contracts_are_not_for_us() -> None:
    assert HEARS.isdisjoint(contract.WIRE_NAME for contract in get_args(IntakeContract))
    released = CaseReleased(**OF, reason="x")
    assert react(released, heard(released), NOW) == ()


@pytest.mark.parametrize("reason", ["held", "taken_back", "cured", "not_renewed"])
def test_talks_that_we_ended_ourselves_are_no_news(reason: str) -> None:
    closed = MediationClosed(**OF, reason=reason)
    assert react(closed, heard(closed), NOW) == ()


def test_a_policy_may_ask_for_every_result_that_a_stage_reports() -> None:
    for said, stage, _, fields in SAID:
        if "result" in fields:
            assert fields["result"] in RESULTS[stage], said
