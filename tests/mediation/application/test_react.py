"""Who says what, and what it asks of a mediation."""

from datetime import date

import pytest
from msgspec import Raw, Struct

from arrears.mediation.application.react import HEARS, react
from arrears.mediation.domain.mediation.commands import (
    CloseMediation,
    HoldBorrower,
    HoldMediation,
    ReleaseBorrower,
    ResumeMediation,
    TakeBackMediation,
)
from arrears.mediation.testing.case import BORROWER, CASE, LOAN, NOW, TAKE, TODAY, pay
from arrears.shared.contracts.contact import ContactResumed, ContactStopped, PromiseMade
from arrears.shared.contracts.intake import (
    CaseClosed,
    CaseHeld,
    CaseReferred,
    CaseReleased,
    CaseReturned,
    RepaymentRecorded,
)
from arrears.shared.kernel.ids import CaseId, EventId, StreamName
from arrears.shared.kernel.reaction import Heard, Issue

HEARD = Heard(
    id=EventId("e-1"),
    type="",
    service="intake",
    borrower_id=BORROWER,
    subject=CASE,
    stream=StreamName("intake.loan-loan-1"),
    time=NOW,
    business_day=TODAY,
    data=Raw(b"{}"),
)


def referred(stage: str) -> CaseReferred:
    return CaseReferred(
        case_id=CASE,
        loan_key=LOAN,
        episode=1,
        referral=4,
        stage=stage,
        treatment="mediate",
        reason="visit completed",
        days_past_due=66,
        due_on=date(2025, 12, 26),
        overdue_minor=100_000,
        balance_minor=900_000,
        currency="CNY",
        product="consumer_loan",
        risk="medium",
        policy_id="cn-default",
        policy_version=1,
    )


def repaid(case_id: CaseId | None) -> RepaymentRecorded:
    return RepaymentRecorded(
        loan_key=LOAN,
        case_id=case_id,
        repayment_id="p1",
        amount_minor=5_000,
        currency="CNY",
        value_on=TODAY,
    )


def stopped(
    *, kind: str = "hold", scope: str = "person", case_id: CaseId | None = CASE
) -> ContactStopped:
    return ContactStopped(case_id=case_id, loan_key=LOAN, kind=kind, scope=scope, reason="death")


def resumed(
    *, kind: str = "hold", scope: str = "person", stop_reason: str | None = "death"
) -> ContactResumed:
    return ContactResumed(
        case_id=CASE, loan_key=LOAN, kind=kind, scope=scope, stop_reason=stop_reason
    )


@pytest.mark.parametrize(
    ("said", "command"),
    [
        (
            referred("mediation"),
            TAKE,
        ),
        (
            repaid(CASE),
            pay(5_000, TODAY, "p1", NOW),
        ),
        (
            CaseHeld(case_id=CASE, loan_key=LOAN, reason="hardship", until_on=None),
            HoldMediation(now=NOW),
        ),
        (
            CaseReleased(case_id=CASE, loan_key=LOAN, reason="hold_ended"),
            ResumeMediation(now=NOW),
        ),
        (
            CaseReturned(case_id=CASE, loan_key=LOAN, stage="mediation", result="taken_back"),
            TakeBackMediation(now=NOW),
        ),
        (
            CaseClosed(case_id=CASE, loan_key=LOAN, reason="cured", closed_at=NOW),
            CloseMediation(reason="cured", now=NOW),
        ),
        (stopped(), HoldBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=NOW)),
        (resumed(), ReleaseBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=NOW)),
    ],
)
def test_becomes_a_command_to_the_stream_of_the_case(said: Struct, command: object) -> None:
    assert list(react(said, HEARD, NOW)) == [
        Issue(category="mediation.mediation", key=CASE, command=command)
    ]


@pytest.mark.parametrize(
    "said",
    [
        referred("contact"),
        referred("legal"),
        repaid(None),
        CaseReturned(case_id=CASE, loan_key=LOAN, stage="contact", result="taken_back"),
        PromiseMade(
            case_id=CASE,
            loan_key=LOAN,
            promise_id="p",
            amount_minor=1,
            currency="CNY",
            due_on=TODAY,
        ),
        stopped(scope="case"),
        stopped(kind="agreement"),
        stopped(kind="hardship"),
        stopped(case_id=None),
        resumed(scope="case"),
        resumed(kind="hardship"),
        resumed(stop_reason=None),
    ],
)
def test_what_concerns_others_asks_nothing(said: Struct) -> None:
    assert list(react(said, HEARD, NOW)) == []


def test_hears_only_what_it_reacts_to() -> None:
    assert {
        "arrears.intake.case_referred.v1",
        "arrears.intake.repayment_recorded.v1",
        "arrears.intake.case_held.v1",
        "arrears.intake.case_released.v1",
        "arrears.intake.case_returned.v1",
        "arrears.intake.case_closed.v1",
        "arrears.contact.contact_stopped.v1",
        "arrears.contact.contact_resumed.v1",
    } == HEARS
