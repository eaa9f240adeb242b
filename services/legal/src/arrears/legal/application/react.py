"""What other services say that concerns a claim, as commands to the stream of the case.

Demands, promises, payments and agreements are heard for every case, for they interrupt limitation;
so are holds of the person, for a referral may come. Anything else about a case that was never
referred to legal reaches an empty stream and changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias, assert_never, get_args

from msgspec import Struct

from arrears.legal.domain.claim.commands import (
    ClaimCommand,
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
from arrears.legal.domain.claim.decisions import CATEGORY
from arrears.legal.domain.claim.state import FULFILLED
from arrears.shared.contracts.contact import (
    ContactResumed,
    ContactStopped,
    DemandDelivered,
    PromiseMade,
    hold_of_person,
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
)
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.kernel.reaction import Heard, Issue

FromIntake: TypeAlias = (
    CaseReferred | RepaymentRecorded | CaseHeld | CaseReleased | CaseReturned | CaseClosed
)
FromStages: TypeAlias = (
    DemandDelivered
    | PromiseMade
    | ContactStopped
    | ContactResumed
    | AgreementSigned
    | AgreementBreached
    | AgreementFulfilled
)
HEARS: Final = frozenset(
    contract.WIRE_NAME for contract in (*get_args(FromIntake), *get_args(FromStages))
)

ELSEWHERE: Final = "referred_elsewhere"


def react(said: Struct, heard: Heard, at: datetime) -> Sequence[Issue]:
    if isinstance(said, FromIntake):
        command = _from_intake(said, heard.borrower_id, at)
    elif isinstance(said, FromStages):
        command = _from_stages(said, at)
    else:
        return ()
    if command is None or said.case_id is None:
        return ()
    return (Issue(category=CATEGORY, key=said.case_id, command=command),)


def _from_intake(said: FromIntake, borrower_id: BorrowerId, at: datetime) -> ClaimCommand | None:
    match said:
        case CaseReferred():
            return _referred(said, borrower_id, at)
        case RepaymentRecorded():
            return _repaid(said, at)
        case CaseHeld():
            return PauseClaim(reason=said.reason, until_on=said.until_on, now=at)
        case CaseReleased():
            return ResumeClaim(reason=said.reason, now=at)
        case CaseReturned():
            return _returned(said, at)
        case CaseClosed():
            return CloseClaim(reason=said.reason, now=at)
        case _:
            assert_never(said)


def _from_stages(said: FromStages, at: datetime) -> ClaimCommand | None:
    match said:
        case ContactStopped() | ContactResumed():
            return _of_the_person(said, at)
        case DemandDelivered():
            return NoteDemand(
                case_id=said.case_id,
                loan_key=said.loan_key,
                total_minor=said.total_minor,
                currency=said.currency,
                delivered_at=said.delivered_at,
                now=at,
            )
        case PromiseMade():
            return NotePromise(
                case_id=said.case_id,
                loan_key=said.loan_key,
                promise_id=said.promise_id,
                amount_minor=said.amount_minor,
                currency=said.currency,
                now=at,
            )
        case AgreementSigned():
            return NoteAgreement(
                case_id=said.case_id,
                loan_key=said.loan_key,
                signed_at=said.signed_at,
                last_due_on=max((one.due_on for one in said.instalments), default=None),
                now=at,
            )
        case AgreementBreached():
            return NoteAgreementEnd(result="breached", now=at)
        case AgreementFulfilled():
            return NoteAgreementEnd(result=FULFILLED, now=at)
        case _:
            assert_never(said)


def _of_the_person(said: ContactStopped | ContactResumed, at: datetime) -> ClaimCommand | None:
    hold = hold_of_person(said)
    if hold is None:
        return None
    if isinstance(said, ContactStopped):
        return HoldBorrower(
            case_id=hold.case_id, loan_key=hold.loan_key, reason=hold.reason, now=at
        )
    return ReleaseBorrower(reason=hold.reason, now=at)


def _returned(said: CaseReturned, at: datetime) -> ReturnClaim | None:
    """Another stage's return is not ours, and a refused filing waits where it is: intake once
    gave such cases back, and what it said then still lies in the topic."""
    if said.stage != "legal" or said.result == "filing_refused":
        return None
    return ReturnClaim(result=said.result, now=at)


def _repaid(said: RepaymentRecorded, at: datetime) -> NoteRepayment | None:
    if said.case_id is None:
        return None
    return NoteRepayment(
        case_id=said.case_id,
        loan_key=said.loan_key,
        repayment_id=said.repayment_id,
        amount_minor=said.amount_minor,
        currency=said.currency,
        value_on=said.value_on,
        stated_at=said.stated_at,
        now=at,
    )


def _referred(said: CaseReferred, borrower_id: BorrowerId, at: datetime) -> ClaimCommand:
    """Another stage's referral takes the case from us, as staff do who refer it by hand."""
    if said.stage != "legal":
        return ReturnClaim(result=ELSEWHERE, now=at)
    return TakeClaim(
        case_id=said.case_id,
        loan_key=said.loan_key,
        borrower_id=borrower_id,
        referral=said.referral,
        overdue_minor=said.overdue_minor,
        balance_minor=said.balance_minor,
        currency=said.currency,
        due_on=said.due_on,
        days_past_due=said.days_past_due,
        as_of_on=said.as_of_on,
        now=at,
    )
