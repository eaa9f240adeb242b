"""Facts of a claim. Fields are the stored format; change them by upcasting only.

`clock` and `expires_on` say which legal period an act of a party has begun anew, and its new last
day: limitation (until the suit), enforcement (after the judgment); None where neither runs or the
due day is not known yet. `derivation` says how the last day that an event sets or warns of was
found; None in events of before it was kept.
"""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

from arrears.legal.domain.claim.suit_events import (
    AssetsSearched,
    ClaimFiled,
    ClaimRegistered,
    CourtSilenceNoted,
    EnforcementAlarmRaised,
    EnforcementApplied,
    EnforcementClosed,
    EnforcementLapsed,
    EnforcementWithheld,
    FilingWithheld,
    JudgmentEntered,
    JudgmentNotEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    MoneyRecovered,
    PaymentNoted,
)
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.gate import GateInputs
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId


class DemandNoted(Struct, frozen=True, kw_only=True):
    """A demand reached the debtor: a gate for filing. `recorded_by` None: contact told us."""

    case_id: CaseId
    loan_key: LoanKey
    total_minor: int
    currency: str
    delivered_at: datetime
    delivered_on: date
    clock: str | None
    expires_on: date | None
    recorded_by: StaffId | None
    derivation: Derivation | None = None


class LimitationInterrupted(Struct, frozen=True, kw_only=True):
    """`by`: promise, part_payment. `reference` is the id of the promise or repayment.

    `left_minor` is what is left of a claim that is not filed; None where none is taken or its
    figure is not known. In events of before it was kept a part payment lowered the figure.
    """

    case_id: CaseId
    loan_key: LoanKey
    by: str
    on: date
    reference: str
    amount_minor: int
    currency: str
    clock: str | None
    expires_on: date | None
    derivation: Derivation | None = None
    left_minor: int | None = None


class AgreementNoted(Struct, frozen=True, kw_only=True):
    """The debtor accepts the debt; while the agreement is kept nothing is filed or applied for.

    `last_due_on` is the due day of its last instalment; None in events of before it was kept.
    """

    case_id: CaseId
    loan_key: LoanKey
    signed_at: datetime
    signed_on: date
    clock: str | None
    expires_on: date | None
    derivation: Derivation | None = None
    last_due_on: date | None = None


class AgreementEndNoted(Struct, frozen=True, kw_only=True):
    """`result`: breached, fulfilled. A breach begins the clock anew on `begins_on`, the due day of
    the last instalment or the day of the breach if that is earlier; None where it does not."""

    case_id: CaseId
    loan_key: LoanKey
    result: str
    begins_on: date | None = None
    clock: str | None = None
    expires_on: date | None = None
    derivation: Derivation | None = None


class ClaimTaken(Struct, frozen=True, kw_only=True):
    """Intake referred the case. A later referral before filing brings new figures.

    `overdue_minor` is the bank's figure as of `as_of_on`, less what intake had heard since by
    `taken_at`; both are None in events of before they were kept.
    """

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    referral: int
    overdue_minor: int
    balance_minor: int
    currency: str
    due_on: date
    days_past_due: int
    taken_on: date
    limitation_expires_on: date
    policy_id: str
    policy_version: int
    derivation: Derivation | None = None
    as_of_on: date | None = None
    taken_at: datetime | None = None


class ClaimPaused(Struct, frozen=True, kw_only=True):
    """Intake holds the case: nothing is filed or applied for until its release or the end of the
    day `until_on`."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str
    until_on: date | None


class ClaimResumed(Struct, frozen=True, kw_only=True):
    """Reasons: that of the release, or time_passed."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str


class BorrowerHeld(Struct, frozen=True, kw_only=True):
    """The borrower is held with another case, for a reason that lies with the person: nothing is
    filed or applied for. `reason`: death, moratorium, hardship."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str


class BorrowerReleased(Struct, frozen=True, kw_only=True):
    """The borrower is no longer held for this reason; another may still stand."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str


class ClaimReturned(Struct, frozen=True, kw_only=True):
    """Intake took the case back, or another stage has it now (`referred_elsewhere`). Before filing
    nothing is filed until intake refers the case again; what lies before the court goes on."""

    case_id: CaseId
    loan_key: LoanKey
    result: str


class FilingApproved(Struct, frozen=True, kw_only=True):
    """It stands for a claim of at most `amount_minor`, in events of before that was kept for the
    figure of the day."""

    case_id: CaseId
    loan_key: LoanKey
    staff_id: StaffId
    despite_limitation: bool
    amount_minor: int | None = None


class FilingRefused(Struct, frozen=True, kw_only=True):
    """The gate is shut; `missing` names every item. It is looked at again when one may come."""

    case_id: CaseId
    loan_key: LoanKey
    missing: tuple[str, ...]
    inputs: GateInputs
    policy_id: str
    policy_version: int


class LimitationAlarmRaised(Struct, frozen=True, kw_only=True):
    """A claim that waits will soon be barred by time: `days_left` is the alarm's threshold.

    `missing` is empty where intake has taken the case back.
    """

    case_id: CaseId
    loan_key: LoanKey
    days_left: int
    limitation_expires_on: date
    missing: tuple[str, ...]
    derivation: Derivation | None = None


class ClaimWithdrawn(Struct, frozen=True, kw_only=True):
    """The bank no longer wants the suit or the enforcement. Nothing is sent: the bank's lawyer asks
    the court, which rules on it (civil procedure law arts. 148, 268)."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str


class ClaimEnded(Struct, frozen=True, kw_only=True):
    """The claim came to its end without a judgment to enforce, or before its enforcement.

    `result`: settled (an agreement was fulfilled, the rest is not asked for), not_accepted and
    dismissed (by the court), withdrawn (the court allowed it). Only what was claimed and dismissed
    is never taken again. `reason` is the lawyer's, `recorded_by` None: by itself or by the court.

    With `referral` it answers a later referral of a claim that was over: nothing changes, and
    `result` says how it had ended (dismissed, or the reason of its closing).
    """

    case_id: CaseId
    loan_key: LoanKey
    result: str
    reason: str | None
    recorded_by: StaffId | None
    referral: int | None = None


class ClaimClosed(Struct, frozen=True, kw_only=True):
    """Reasons: obeyed, a result of enforcement, or intake's closing reason (cured, ...)."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str


ClaimEvent: TypeAlias = (
    DemandNoted
    | LimitationInterrupted
    | AgreementNoted
    | AgreementEndNoted
    | ClaimTaken
    | ClaimPaused
    | ClaimResumed
    | BorrowerHeld
    | BorrowerReleased
    | ClaimReturned
    | FilingApproved
    | FilingRefused
    | LimitationAlarmRaised
    | ClaimFiled
    | FilingWithheld
    | ClaimRegistered
    | CourtSilenceNoted
    | PaymentNoted
    | JudgmentEntered
    | JudgmentNotEntered
    | JudgmentObeyed
    | JudgmentNotObeyed
    | EnforcementAlarmRaised
    | EnforcementLapsed
    | EnforcementApplied
    | EnforcementWithheld
    | AssetsSearched
    | MoneyRecovered
    | EnforcementClosed
    | ClaimWithdrawn
    | ClaimEnded
    | ClaimClosed
)
