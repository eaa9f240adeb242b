"""Who says what, and what it asks of a claim."""

from datetime import UTC, date, datetime

import pytest
from msgspec import Raw, Struct

from arrears.legal.application.react import HEARS, react
from arrears.legal.domain.claim.commands import (
    CloseClaim,
    HoldBorrower,
    NoteAgreement,
    NoteAgreementEnd,
    NoteDemand,
    NotePromise,
    NoteRepayment,
    PauseClaim,
    ReleaseBorrower,
    ResumeClaim,
    ReturnClaim,
    TakeClaim,
)
from arrears.shared.contracts.contact import (
    ContactResumed,
    ContactStopped,
    DemandDelivered,
    PromiseKept,
    PromiseMade,
)
from arrears.shared.contracts.intake import (
    CaseClosed,
    CaseHeld,
    CaseReferred,
    CaseReleased,
    CaseReturned,
    RepaymentRecorded,
)
from arrears.shared.contracts.mediation import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementSigned,
    Instalment,
    MediationFailed,
)
from arrears.shared.kernel.ids import BorrowerId, CaseId, EventId, LoanKey, StreamName
from arrears.shared.kernel.reaction import Heard, Issue

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
TODAY = date(2026, 3, 2)
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
HEARD = Heard(
    id=EventId("e-1"),
    type="",
    service="intake",
    borrower_id=BorrowerId("borrower-1"),
    subject=CASE,
    stream=StreamName("intake.loan-loan-1"),
    time=NOW,
    business_day=TODAY,
    data=Raw(b"{}"),
)
BREACHED = AgreementBreached(case_id=CASE, loan_key=LOAN, instalment_index=0, paid_minor=0)
FULFILLED = AgreementFulfilled(case_id=CASE, loan_key=LOAN, paid_minor=1)


def referred(stage: str) -> CaseReferred:
    return CaseReferred(
        case_id=CASE,
        loan_key=LOAN,
        episode=1,
        referral=6,
        stage=stage,
        treatment="sue",
        reason="mediation failed",
        days_past_due=102,
        due_on=date(2025, 11, 20),
        overdue_minor=100_000,
        balance_minor=900_000,
        currency="CNY",
        product="consumer_loan",
        risk="medium",
        policy_id="cn-default",
        policy_version=1,
        as_of_on=TODAY,
    )


def returned(stage: str, result: str) -> CaseReturned:
    return CaseReturned(case_id=CASE, loan_key=LOAN, stage=stage, result=result)


def repaid(case_id: CaseId | None) -> RepaymentRecorded:
    return RepaymentRecorded(
        loan_key=LOAN,
        case_id=case_id,
        repayment_id="p1",
        amount_minor=5_000,
        currency="CNY",
        value_on=TODAY,
        stated_at=NOW,
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
            referred("legal"),
            TakeClaim(
                case_id=CASE,
                loan_key=LOAN,
                borrower_id=BorrowerId("borrower-1"),
                referral=6,
                overdue_minor=100_000,
                balance_minor=900_000,
                currency="CNY",
                due_on=date(2025, 11, 20),
                days_past_due=102,
                as_of_on=TODAY,
                now=NOW,
            ),
        ),
        (
            repaid(CASE),
            NoteRepayment(
                case_id=CASE,
                loan_key=LOAN,
                repayment_id="p1",
                amount_minor=5_000,
                currency="CNY",
                value_on=TODAY,
                stated_at=NOW,
                now=NOW,
            ),
        ),
        (
            CaseHeld(case_id=CASE, loan_key=LOAN, reason="hardship", until_on=TODAY),
            PauseClaim(reason="hardship", until_on=TODAY, now=NOW),
        ),
        (
            CaseReleased(case_id=CASE, loan_key=LOAN, reason="hold_ended"),
            ResumeClaim(reason="hold_ended", now=NOW),
        ),
        (
            CaseClosed(case_id=CASE, loan_key=LOAN, reason="cured", closed_at=NOW),
            CloseClaim(reason="cured", now=NOW),
        ),
        (referred("contact"), ReturnClaim(result="referred_elsewhere", now=NOW)),
        (referred("mediation"), ReturnClaim(result="referred_elsewhere", now=NOW)),
        (returned("legal", "taken_back"), ReturnClaim(result="taken_back", now=NOW)),
        (
            DemandDelivered(
                case_id=CASE, loan_key=LOAN, total_minor=7, currency="CNY", delivered_at=NOW
            ),
            NoteDemand(
                case_id=CASE,
                loan_key=LOAN,
                total_minor=7,
                currency="CNY",
                delivered_at=NOW,
                now=NOW,
            ),
        ),
        (
            PromiseMade(
                case_id=CASE,
                loan_key=LOAN,
                promise_id="p",
                amount_minor=7,
                currency="CNY",
                due_on=TODAY,
            ),
            NotePromise(
                case_id=CASE,
                loan_key=LOAN,
                promise_id="p",
                amount_minor=7,
                currency="CNY",
                now=NOW,
            ),
        ),
        (
            AgreementSigned(
                case_id=CASE,
                loan_key=LOAN,
                instalments=(
                    Instalment(due_on=date(2026, 4, 2), amount_minor=1),
                    Instalment(due_on=date(2026, 5, 2), amount_minor=1),
                ),
                currency="CNY",
                signed_at=NOW,
            ),
            NoteAgreement(
                case_id=CASE,
                loan_key=LOAN,
                signed_at=NOW,
                last_due_on=date(2026, 5, 2),
                now=NOW,
            ),
        ),
        (BREACHED, NoteAgreementEnd(result="breached", now=NOW)),
        (FULFILLED, NoteAgreementEnd(result="fulfilled", now=NOW)),
        (stopped(), HoldBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=NOW)),
        (resumed(), ReleaseBorrower(reason="death", now=NOW)),
    ],
)
def test_becomes_a_command_to_the_stream_of_the_case(said: Struct, command: object) -> None:
    assert list(react(said, HEARD, NOW)) == [
        Issue(category="legal.claim", key=CASE, command=command)
    ]


@pytest.mark.parametrize(
    "said",
    [
        repaid(None),
        returned("mediation", "failed"),
        returned("legal", "filing_refused"),
        PromiseKept(case_id=CASE, loan_key=LOAN, promise_id="p", paid_minor=1),
        MediationFailed(case_id=CASE, loan_key=LOAN, reason="declined"),
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
        "arrears.contact.demand_delivered.v1",
        "arrears.contact.promise_made.v1",
        "arrears.mediation.agreement_signed.v1",
        "arrears.mediation.agreement_breached.v1",
        "arrears.mediation.agreement_fulfilled.v1",
        "arrears.contact.contact_stopped.v1",
        "arrears.contact.contact_resumed.v1",
    } == HEARS
