"""Who hears what: each contract becomes one command to the borrower's stream, or none."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec import Raw, Struct
from msgspec.structs import replace

from arrears.contact.application.react import HEARS, react
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    CountRepayment,
    EndContact,
    EndTreatment,
    NameDebtor,
    RecordContactPoints,
    ReleaseCase,
    ResumeContact,
    StartTreatment,
    StopContact,
)
from arrears.contact.domain.values import ContactPoint
from arrears.shared.contracts.intake import (
    BorrowerProfileRecorded,
    CaseClosed,
    CaseHeld,
    CaseReferred,
    CaseReleased,
    CaseReturned,
    LoanBorrowerChanged,
    RepaymentRecorded,
    SealedPoint,
)
from arrears.shared.contracts.mediation import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementSigned,
    MediationFailed,
)
from arrears.shared.contracts.parking import InputParked, InputReleased
from arrears.shared.contracts.registry import CONTRACTS
from arrears.shared.kernel.ids import BorrowerId, CaseId, EventId, LoanKey, StreamName
from arrears.shared.kernel.reaction import Heard, Issue

SAID_AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
AT = SAID_AT + timedelta(hours=14)
BORROWER = BorrowerId("borrower-1")
CASE = CaseId("case-1")
LOAN = LoanKey("loan-1@/bank")
HEARD = Heard(
    id=EventId("e"),
    type="t",
    service="intake",
    borrower_id=BORROWER,
    subject=CASE,
    stream=StreamName("s"),
    time=SAID_AT,
    business_day=date(2026, 3, 2),
    data=Raw(b"{}"),
)
REFERRED = CaseReferred(
    case_id=CASE,
    loan_key=LOAN,
    episode=1,
    referral=2,
    stage="contact",
    treatment="call",
    reason="r",
    days_past_due=16,
    due_on=date(2026, 2, 14),
    overdue_minor=50_000,
    balance_minor=90_000,
    currency="CNY",
    product="loan",
    risk="low",
    policy_id="p",
    policy_version=1,
)

REFERRED_ON = EndTreatment(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BORROWER,
    reason="referred_to_another_stage",
    now=AT,
)

ROWS: list[tuple[Struct, BorrowerCommand | None]] = [
    (
        REFERRED,
        StartTreatment(
            case_id=CASE,
            loan_key=LOAN,
            borrower_id=BORROWER,
            referral=2,
            treatment="call",
            overdue_minor=50_000,
            currency="CNY",
            days_past_due=16,
            product="loan",
            now=AT,
        ),
    ),
    (replace(REFERRED, stage="mediation", treatment="mediate"), REFERRED_ON),
    (replace(REFERRED, stage="legal", treatment="sue"), REFERRED_ON),
    (
        CaseReturned(case_id=CASE, loan_key=LOAN, stage="contact", result="taken_back"),
        replace(REFERRED_ON, reason="case_returned"),
    ),
    (CaseReturned(case_id=CASE, loan_key=LOAN, stage="mediation", result="failed"), None),
    (
        LoanBorrowerChanged(
            loan_key=LOAN, case_id=CASE, was=BORROWER, now_is=BorrowerId("borrower-2")
        ),
        NameDebtor(
            borrower_id=BORROWER,
            debtor_id=BorrowerId("borrower-2"),
            loan_key=LOAN,
            case_id=CASE,
            said_at=SAID_AT,
            now=AT,
        ),
    ),
    (
        RepaymentRecorded(
            loan_key=LOAN,
            case_id=None,
            repayment_id="r-1",
            amount_minor=100,
            currency="CNY",
            value_on=date(2026, 3, 1),
        ),
        CountRepayment(
            loan_key=LOAN,
            repayment_id="r-1",
            amount_minor=100,
            currency="CNY",
            value_on=date(2026, 3, 1),
            now=AT,
        ),
    ),
    (
        BorrowerProfileRecorded(
            borrower_id=BORROWER,
            contact_points=(SealedPoint(kind="phone", sealed="x"),),
            zone="Asia/Tokyo",
            language="ja",
        ),
        RecordContactPoints(
            borrower_id=BORROWER,
            points=(ContactPoint(kind="phone", sealed="x"),),
            zone="Asia/Tokyo",
            language="ja",
            now=AT,
        ),
    ),
    (
        CaseHeld(case_id=CASE, loan_key=LOAN, reason="hardship", until_on=date(2026, 4, 1)),
        StopContact(
            borrower_id=BORROWER,
            kind="hold",
            scope="case",
            case_id=CASE,
            loan_key=LOAN,
            reason="hardship",
            until_on=date(2026, 4, 1),
            said_at=SAID_AT,
            now=AT,
        ),
    ),
    (
        CaseReleased(case_id=CASE, loan_key=LOAN, reason="settled"),
        ReleaseCase(case_id=CASE, reason="settled", now=AT),
    ),
    (
        CaseClosed(case_id=CASE, loan_key=LOAN, reason="cured", closed_at=SAID_AT),
        EndContact(case_id=CASE, reason="cured", said_at=SAID_AT, now=AT),
    ),
    (
        AgreementSigned(
            case_id=CASE, loan_key=LOAN, instalments=(), currency="CNY", signed_at=SAID_AT
        ),
        StopContact(
            borrower_id=BORROWER,
            kind="agreement",
            scope="case",
            case_id=CASE,
            loan_key=LOAN,
            reason="agreement_signed",
            said_at=SAID_AT,
            now=AT,
        ),
    ),
    (
        AgreementBreached(case_id=CASE, loan_key=LOAN, instalment_index=0, paid_minor=0),
        ResumeContact(
            kinds=("agreement",), scope="case", case_id=CASE, reason="agreement_breached", now=AT
        ),
    ),
    (
        AgreementFulfilled(case_id=CASE, loan_key=LOAN, paid_minor=0),
        ResumeContact(
            kinds=("agreement",), scope="case", case_id=CASE, reason="agreement_fulfilled", now=AT
        ),
    ),
    (
        InputParked(origin="corebanking.loans.v1/0/7"),
        StopContact(
            borrower_id=BORROWER,
            kind="parked",
            scope="person",
            reason="intake",
            said_at=SAID_AT,
            now=AT,
        ),
    ),
    (
        InputReleased(retried=2),
        ResumeContact(kinds=("parked",), scope="person", reason="intake", now=AT),
    ),
    (MediationFailed(case_id=CASE, loan_key=LOAN, reason="declined"), None),
]


@pytest.mark.parametrize(("said", "command"), ROWS)
def test_what_is_said_becomes_one_command(said: Struct, command: BorrowerCommand | None) -> None:
    expected = () if command is None else (Issue("contact.borrower", BORROWER, command),)
    assert tuple(react(said, HEARD, AT)) == expected


def test_we_hear_only_what_is_a_contract_of_others() -> None:
    assert set(CONTRACTS) >= HEARS
    assert not any(name.startswith("arrears.contact.") for name in HEARS)
    heard = {type(said) for said, command in ROWS if command is not None}
    assert {CONTRACTS[name] for name in HEARS} == heard
