"""The wire name of each of our facts: all are published, whole. A name is never changed."""

from typing import Final

from arrears.contact.domain.borrower.events import (
    AttemptAnsweredLate,
    AttemptConcluded,
    AttemptDenied,
    AttemptDropped,
    AttemptPermitted,
    AttemptReceipted,
    AttemptRequested,
    AttemptRescheduled,
    AttemptWithdrawn,
    BorrowerEvent,
    CaseNoted,
    ContactEnded,
    ContactPointsRecorded,
    ContactResumed,
    ContactStopped,
    DemandDelivered,
    DemandReturned,
    HardshipReported,
    RefusalReported,
    RepaymentCounted,
    TreatmentCompleted,
    TreatmentStarted,
    UnreachableReported,
)
from arrears.contact.domain.borrower.promise_events import (
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromiseMade,
    PromisePartlyKept,
    PromisePaymentCounted,
)

WIRE_NAMES: Final[dict[type, str]] = {
    ContactPointsRecorded: "arrears.contact.contact_points_recorded.v1",
    CaseNoted: "arrears.contact.case_noted.v1",
    TreatmentStarted: "arrears.contact.treatment_started.v1",
    RepaymentCounted: "arrears.contact.repayment_counted.v1",
    TreatmentCompleted: "arrears.contact.treatment_completed.v1",
    UnreachableReported: "arrears.contact.unreachable_reported.v1",
    AttemptRequested: "arrears.contact.attempt_requested.v1",
    AttemptPermitted: "arrears.contact.attempt_permitted.v1",
    AttemptDenied: "arrears.contact.attempt_denied.v1",
    AttemptRescheduled: "arrears.contact.attempt_rescheduled.v1",
    AttemptDropped: "arrears.contact.attempt_dropped.v1",
    AttemptWithdrawn: "arrears.contact.attempt_withdrawn.v1",
    AttemptReceipted: "arrears.contact.attempt_receipted.v1",
    AttemptConcluded: "arrears.contact.attempt_concluded.v1",
    AttemptAnsweredLate: "arrears.contact.attempt_answered_late.v1",
    DemandDelivered: "arrears.contact.demand_delivered.v1",
    DemandReturned: "arrears.contact.demand_returned.v1",
    PromiseMade: "arrears.contact.promise_made.v1",
    PromisePaymentCounted: "arrears.contact.promise_payment_counted.v1",
    PromiseKept: "arrears.contact.promise_kept.v1",
    PromisePartlyKept: "arrears.contact.promise_partly_kept.v1",
    PromiseBroken: "arrears.contact.promise_broken.v1",
    PromiseLapsed: "arrears.contact.promise_lapsed.v1",
    RefusalReported: "arrears.contact.refusal_reported.v1",
    HardshipReported: "arrears.contact.hardship_reported.v1",
    ContactStopped: "arrears.contact.contact_stopped.v1",
    ContactResumed: "arrears.contact.contact_resumed.v1",
    ContactEnded: "arrears.contact.contact_ended.v1",
}


def subject_of(event: BorrowerEvent) -> str | None:
    """The case; None for what concerns the person alone."""
    return None if isinstance(event, ContactPointsRecorded) else event.case_id
