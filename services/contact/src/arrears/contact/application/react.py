"""What other services say that concerns a borrower, as commands to the borrower's stream."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias, assert_never, get_args

from msgspec import Struct

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
from arrears.contact.domain.borrower.decisions import CATEGORY
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
)
from arrears.shared.contracts.mediation import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementSigned,
)
from arrears.shared.contracts.parking import (
    InputParked,
    InputReleased,
    parked_type,
    released_type,
)
from arrears.shared.kernel.ids import CaseId
from arrears.shared.kernel.reaction import Heard, Issue

Said: TypeAlias = (
    CaseReferred
    | RepaymentRecorded
    | BorrowerProfileRecorded
    | CaseHeld
    | CaseReleased
    | CaseReturned
    | LoanBorrowerChanged
    | CaseClosed
    | AgreementSigned
    | AgreementBreached
    | AgreementFulfilled
)
_PARKING: Final = frozenset(
    wire_name(service)
    for service in ("intake", "mediation", "legal")
    for wire_name in (parked_type, released_type)
)
STAGE: Final = "contact"
HEARS: Final = _PARKING | {contract.WIRE_NAME for contract in get_args(Said)}


def react(said: Struct, heard: Heard, at: datetime) -> Sequence[Issue]:
    command: BorrowerCommand | None
    if isinstance(said, InputParked | InputReleased):
        command = _parking(said, heard, at)
    elif isinstance(said, Said):
        command = _command(said, heard, at)
    else:
        return ()
    if command is None:
        return ()
    return (Issue(category=CATEGORY, key=heard.borrower_id, command=command),)


def _command(  # noqa: C901, PLR0911 - one per contract
    said: Said, heard: Heard, at: datetime
) -> BorrowerCommand | None:
    match said:
        case CaseReferred():
            return _referred(said, heard, at)
        case RepaymentRecorded():
            return CountRepayment(
                loan_key=said.loan_key,
                repayment_id=said.repayment_id,
                amount_minor=said.amount_minor,
                currency=said.currency,
                value_on=said.value_on,
                now=at,
            )
        case BorrowerProfileRecorded():
            return RecordContactPoints(
                borrower_id=heard.borrower_id,
                points=tuple(
                    ContactPoint(kind=point.kind, sealed=point.sealed)
                    for point in said.contact_points
                ),
                zone=said.zone,
                language=said.language,
                now=at,
            )
        case CaseHeld():
            return _held(said, heard, at)
        case CaseReleased():
            return ReleaseCase(case_id=said.case_id, reason=said.reason, now=at)
        case CaseReturned():
            return _returned(said, heard, at)
        case LoanBorrowerChanged():
            return NameDebtor(
                borrower_id=heard.borrower_id,
                debtor_id=said.now_is,
                loan_key=said.loan_key,
                case_id=said.case_id,
                said_at=heard.time,
                now=at,
            )
        case CaseClosed():
            return EndContact(case_id=said.case_id, reason=said.reason, said_at=heard.time, now=at)
        case AgreementSigned():
            return _agreed(said, heard, at)
        case AgreementBreached():
            return _no_agreement(said.case_id, "agreement_breached", at)
        case AgreementFulfilled():
            return _no_agreement(said.case_id, "agreement_fulfilled", at)
        case _:
            assert_never(said)


def _parking(said: InputParked | InputReleased, heard: Heard, at: datetime) -> BorrowerCommand:
    """What a service knows of the person is incomplete while an input waits there (protocol 2.5).

    The stop is kept by service: each lifts its own.
    """
    if isinstance(said, InputReleased):
        return ResumeContact(kinds=("parked",), scope="person", reason=heard.service, now=at)
    return StopContact(
        borrower_id=heard.borrower_id,
        kind="parked",
        scope="person",
        reason=heard.service,
        said_at=heard.time,
        now=at,
    )


def _referred(said: CaseReferred, heard: Heard, at: datetime) -> BorrowerCommand:
    if said.stage != STAGE:
        return _ended(said, "referred_to_another_stage", heard, at)
    return StartTreatment(
        case_id=said.case_id,
        loan_key=said.loan_key,
        borrower_id=heard.borrower_id,
        referral=said.referral,
        treatment=said.treatment,
        overdue_minor=said.overdue_minor,
        currency=said.currency,
        days_past_due=said.days_past_due,
        product=said.product,
        now=at,
    )


def _returned(said: CaseReturned, heard: Heard, at: datetime) -> BorrowerCommand | None:
    return _ended(said, "case_returned", heard, at) if said.stage == STAGE else None


def _ended(
    said: CaseReferred | CaseReturned, reason: str, heard: Heard, at: datetime
) -> BorrowerCommand:
    return EndTreatment(
        case_id=said.case_id,
        loan_key=said.loan_key,
        borrower_id=heard.borrower_id,
        reason=reason,
        now=at,
    )


def _held(said: CaseHeld, heard: Heard, at: datetime) -> BorrowerCommand:
    return StopContact(
        borrower_id=heard.borrower_id,
        kind="hold",
        scope="case",
        case_id=said.case_id,
        loan_key=said.loan_key,
        reason=said.reason,
        until_on=said.until_on,
        said_at=heard.time,
        now=at,
    )


def _agreed(said: AgreementSigned, heard: Heard, at: datetime) -> BorrowerCommand:
    return StopContact(
        borrower_id=heard.borrower_id,
        kind="agreement",
        scope="case",
        case_id=said.case_id,
        loan_key=said.loan_key,
        reason="agreement_signed",
        said_at=heard.time,
        now=at,
    )


def _no_agreement(case_id: CaseId, reason: str, at: datetime) -> BorrowerCommand:
    return ResumeContact(kinds=("agreement",), scope="case", case_id=case_id, reason=reason, now=at)
