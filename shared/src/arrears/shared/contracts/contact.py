"""What contact tells the others. Topic `arrears.contact.v1`, key = borrower id."""

from datetime import date, datetime
from typing import ClassVar, NamedTuple, TypeAlias

from msgspec import Struct

from arrears.shared.kernel.ids import CaseId, LoanKey


class TreatmentCompleted(Struct, frozen=True, kw_only=True):
    """Contact is done with a referral.

    `result`: reached (borrower spoken to or message delivered), unreachable, stopped (a stop
    signal or closing ended it). `treatment` and `referral` repeat the referral's. `reason` says
    what ended it: of a stop its kind, such as hold or hardship, which hold the case or the person.
    """

    WIRE_NAME: ClassVar[str] = "arrears.contact.treatment_completed.v1"
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    treatment: str
    result: str
    reason: str | None = None


class DemandDelivered(Struct, frozen=True, kw_only=True):
    """A demand notice reached the borrower: a gate for filing, and it interrupts limitation."""

    WIRE_NAME: ClassVar[str] = "arrears.contact.demand_delivered.v1"
    case_id: CaseId
    loan_key: LoanKey
    total_minor: int
    currency: str
    delivered_at: datetime


class DemandReturned(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.contact.demand_returned.v1"
    case_id: CaseId
    loan_key: LoanKey
    returned_at: datetime


class PromiseMade(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.contact.promise_made.v1"
    case_id: CaseId
    loan_key: LoanKey
    promise_id: str
    amount_minor: int
    currency: str
    due_on: date


class PromiseKept(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.contact.promise_kept.v1"
    case_id: CaseId
    loan_key: LoanKey
    promise_id: str
    paid_minor: int


class PromisePartlyKept(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.contact.promise_partly_kept.v1"
    case_id: CaseId
    loan_key: LoanKey
    promise_id: str
    paid_minor: int


class PromiseBroken(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.contact.promise_broken.v1"
    case_id: CaseId
    loan_key: LoanKey
    promise_id: str


class PromiseLapsed(Struct, frozen=True, kw_only=True):
    """Neither kept nor broken.

    `reason`: case_cured, case_settled, or what overtook the promise: borrower_changed, agreement,
    hardship, hold (of the person).
    """

    WIRE_NAME: ClassVar[str] = "arrears.contact.promise_lapsed.v1"
    case_id: CaseId
    loan_key: LoanKey
    promise_id: str
    reason: str


class RefusalReported(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.contact.refusal_reported.v1"
    case_id: CaseId
    loan_key: LoanKey


class HardshipReported(Struct, frozen=True, kw_only=True):
    """The borrower claims hardship; shields the borrower until `review_on`.

    Said of each open case of the borrower that contact knows, and of one that comes while the
    shield stands.
    """

    WIRE_NAME: ClassVar[str] = "arrears.contact.hardship_reported.v1"
    case_id: CaseId
    loan_key: LoanKey
    review_on: date


class UnreachableReported(Struct, frozen=True, kw_only=True):
    WIRE_NAME: ClassVar[str] = "arrears.contact.unreachable_reported.v1"
    case_id: CaseId
    loan_key: LoanKey


class ContactStopped(Struct, frozen=True, kw_only=True):
    """Nobody contacts the case, or the person where `scope` is person; `kind`: hold, hardship, ...

    A stop of the person is said of each open case of the borrower that was held or referred, to
    any stage, and of one that comes later when it is referred; so is its end.
    """

    WIRE_NAME: ClassVar[str] = "arrears.contact.contact_stopped.v1"
    case_id: CaseId | None
    loan_key: LoanKey | None
    kind: str
    scope: str
    reason: str


class ContactResumed(Struct, frozen=True, kw_only=True):
    """`stop_reason` is the reason of the stop that is over; None where it was not said yet."""

    WIRE_NAME: ClassVar[str] = "arrears.contact.contact_resumed.v1"
    case_id: CaseId | None
    loan_key: LoanKey | None
    kind: str
    scope: str
    stop_reason: str | None = None


class PersonsHold(NamedTuple):
    """A hold of the person, as it is said of one case: the person is held with whatever case."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str


def hold_of_person(said: ContactStopped | ContactResumed) -> PersonsHold | None:
    """The hold that begins or ends, where it concerns every stage. Hardship that is claimed comes
    to each case as intake's hold; what else stops contact is contact's alone."""
    if (said.kind, said.scope) != ("hold", "person"):
        return None
    reason = said.reason if isinstance(said, ContactStopped) else said.stop_reason
    if said.case_id is None or said.loan_key is None or reason is None:
        return None
    return PersonsHold(said.case_id, said.loan_key, reason)


StopContract: TypeAlias = ContactStopped | ContactResumed
"""Not for intake: its own holds would come back to it as those of the person's other cases."""
ContactContract: TypeAlias = (
    TreatmentCompleted
    | DemandDelivered
    | DemandReturned
    | PromiseMade
    | PromiseKept
    | PromisePartlyKept
    | PromiseBroken
    | PromiseLapsed
    | RefusalReported
    | HardshipReported
    | UnreachableReported
)
