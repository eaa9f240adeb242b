"""What other services say that concerns a mediation, as commands to the stream of the case.

Money and endings of cases that mediation does not have reach a stream that was never taken, and
nothing follows there; a hold of the person is noted there, for a referral may come.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias, assert_never, get_args

from msgspec import Struct

from arrears.mediation.domain.mediation.commands import (
    CloseMediation,
    HoldBorrower,
    HoldMediation,
    MediationCommand,
    RecordRepayment,
    ReleaseBorrower,
    ResumeMediation,
    TakeBackMediation,
    TakeMediation,
)
from arrears.mediation.domain.mediation.decisions import CATEGORY
from arrears.shared.contracts.contact import (
    ContactResumed,
    ContactStopped,
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
from arrears.shared.kernel.ids import BorrowerId, CaseId
from arrears.shared.kernel.reaction import Heard, Issue

Said: TypeAlias = (
    CaseReferred
    | RepaymentRecorded
    | CaseHeld
    | CaseReleased
    | CaseReturned
    | CaseClosed
    | ContactStopped
    | ContactResumed
)
HEARS: Final = frozenset(contract.WIRE_NAME for contract in get_args(Said))


def react(  # noqa: PLR0911 - one case for each contract
    said: Struct, heard: Heard, at: datetime
) -> Sequence[Issue]:
    if not isinstance(said, Said):
        return ()
    match said:
        case CaseReferred():
            return _referred(said, heard.borrower_id, at)
        case RepaymentRecorded():
            return _repaid(said, at)
        case CaseHeld():
            return (_issue(said.case_id, HoldMediation(now=at)),)
        case CaseReleased():
            return (_issue(said.case_id, ResumeMediation(now=at)),)
        case ContactStopped() | ContactResumed():
            return _of_the_person(said, at)
        case CaseReturned():
            return _returned(said, at)
        case CaseClosed():
            return (_issue(said.case_id, CloseMediation(reason=said.reason, now=at)),)
        case _:
            assert_never(said)


def _referred(said: CaseReferred, borrower_id: BorrowerId, at: datetime) -> Sequence[Issue]:
    if said.stage != "mediation":
        return ()
    command = TakeMediation(
        case_id=said.case_id,
        loan_key=said.loan_key,
        borrower_id=borrower_id,
        referral=said.referral,
        overdue_minor=said.overdue_minor,
        currency=said.currency,
        now=at,
    )
    return (_issue(said.case_id, command),)


def _of_the_person(said: ContactStopped | ContactResumed, at: datetime) -> Sequence[Issue]:
    hold = hold_of_person(said)
    if hold is None:
        return ()
    command = HoldBorrower if isinstance(said, ContactStopped) else ReleaseBorrower
    case_id, loan_key, reason = hold
    return (_issue(case_id, command(case_id=case_id, loan_key=loan_key, reason=reason, now=at)),)


def _returned(said: CaseReturned, at: datetime) -> Sequence[Issue]:
    if said.stage != "mediation":
        return ()
    return (_issue(said.case_id, TakeBackMediation(now=at)),)


def _repaid(said: RepaymentRecorded, at: datetime) -> Sequence[Issue]:
    if said.case_id is None:
        return ()
    command = RecordRepayment(
        repayment_id=said.repayment_id,
        amount_minor=said.amount_minor,
        currency=said.currency,
        value_on=said.value_on,
        now=at,
    )
    return (_issue(said.case_id, command),)


def _issue(case_id: CaseId, command: MediationCommand) -> Issue:
    return Issue(category=CATEGORY, key=case_id, command=command)
