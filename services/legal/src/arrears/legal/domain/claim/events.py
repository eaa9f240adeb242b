"""Facts of a claim. Fields are the stored format; change them by upcasting only.

`clock` and `expires_on` say which legal period an act of a party has begun anew, and its new last
day: limitation (until the suit), enforcement (after the judgment); None where neither runs or the
due day is not known yet. `derivation` says how the last day that an event sets or warns of was
found; None in events of before it was kept.
"""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

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


class ClaimFiled(Struct, frozen=True, kw_only=True):
    """Asks the outside world: the court is to register the claim.

    `court_fee_minor` is the acceptance fee; None where the policy has no table in the currency.
    `filing` counts the filings of the case, for the court's answers to name theirs.
    """

    case_id: CaseId
    loan_key: LoanKey
    claim_minor: int
    currency: str
    court_fee_minor: int | None
    filed_on: date
    inputs: GateInputs
    policy_id: str
    policy_version: int
    filing: int = 1


class ClaimRegistered(Struct, frozen=True, kw_only=True):
    """The court has accepted the claim: the receipt for filing."""

    case_id: CaseId
    loan_key: LoanKey
    docket: str
    gateway: str


class PaymentNoted(Struct, frozen=True, kw_only=True):
    """Money that is not in the figure that was filed; it counts towards the judgment."""

    case_id: CaseId
    loan_key: LoanKey
    repayment_id: str
    amount_minor: int
    currency: str
    value_on: date
    since_filing_minor: int
    clock: str | None
    expires_on: date | None
    derivation: Derivation | None = None


class JudgmentEntered(Struct, frozen=True, kw_only=True):
    """`apply_by_on` is the last day to apply for enforcement. `recorded_by` None: the court."""

    case_id: CaseId
    loan_key: LoanKey
    awarded_minor: int
    currency: str
    judged_on: date
    obey_by_on: date
    apply_by_on: date
    recorded_by: StaffId | None
    policy_id: str
    policy_version: int
    derivation: Derivation | None = None


class JudgmentNotEntered(Struct, frozen=True, kw_only=True):
    """The court's answer does not fit the claim, which waits for staff to enter what it says.

    `reason`: other_currency, less_than_nothing.
    """

    case_id: CaseId
    loan_key: LoanKey
    reason: str
    awarded_minor: int
    currency: str
    obey_by_on: date


class JudgmentObeyed(Struct, frozen=True, kw_only=True):
    """Money since filing has reached what was awarded."""

    case_id: CaseId
    loan_key: LoanKey
    paid_minor: int
    awarded_minor: int
    currency: str


class JudgmentNotObeyed(Struct, frozen=True, kw_only=True):
    """The last day to obey has ended. `apply_on`: when enforcement follows by itself, if so."""

    case_id: CaseId
    loan_key: LoanKey
    paid_minor: int
    awarded_minor: int
    currency: str
    obey_by_on: date
    apply_on: date | None
    apply_by_on: date
    policy_id: str
    policy_version: int


class EnforcementAlarmRaised(Struct, frozen=True, kw_only=True):
    """Nobody has applied yet, and the time to do so ends: `days_left` is the alarm's threshold."""

    case_id: CaseId
    loan_key: LoanKey
    days_left: int
    apply_by_on: date
    unpaid_minor: int
    currency: str
    derivation: Derivation | None = None


class EnforcementLapsed(Struct, frozen=True, kw_only=True):
    """Nobody applied in time. The court still accepts an application; the debtor may object."""

    case_id: CaseId
    loan_key: LoanKey
    apply_by_on: date


class EnforcementApplied(Struct, frozen=True, kw_only=True):
    """Asks the outside world: the court is to search and take assets.

    The fee is not advanced; the debtor bears it. `recorded_by` None: by policy, by itself.
    `filing` is that of the claim.
    """

    case_id: CaseId
    loan_key: LoanKey
    unpaid_minor: int
    awarded_minor: int
    currency: str
    enforcement_fee_minor: int | None
    apply_by_on: date
    recorded_by: StaffId | None
    policy_id: str
    policy_version: int
    filing: int = 1


class AssetsSearched(Struct, frozen=True, kw_only=True):
    """`found`: full, part, none - what the searched assets would cover."""

    case_id: CaseId
    loan_key: LoanKey
    found: str


class MoneyRecovered(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    repayment_id: str
    amount_minor: int
    currency: str
    recovered_minor: int


class EnforcementClosed(Struct, frozen=True, kw_only=True):
    """`result` follows the money: recovered_in_full, recovered_in_part, no_assets."""

    case_id: CaseId
    loan_key: LoanKey
    result: str
    recovered_minor: int
    unpaid_minor: int
    currency: str
    recorded_by: StaffId | None


class ClaimWithdrawn(Struct, frozen=True, kw_only=True):
    """The bank no longer wants the suit or the enforcement. Nothing is sent: the bank's lawyer asks
    the court, which rules on it (civil procedure law arts. 148, 268)."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str


class ClaimEnded(Struct, frozen=True, kw_only=True):
    """The claim came to its end without a judgment to enforce, or before its enforcement.

    `result`: settled (an agreement was fulfilled, the rest is not asked for), not_accepted and
    dismissed (by the court), withdrawn (the court allowed it). Only a dismissed claim is never
    taken again. `reason` is the lawyer's, `recorded_by` None: by itself or by the court.
    """

    case_id: CaseId
    loan_key: LoanKey
    result: str
    reason: str | None
    recorded_by: StaffId | None


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
    | ClaimReturned
    | FilingApproved
    | FilingRefused
    | LimitationAlarmRaised
    | ClaimFiled
    | ClaimRegistered
    | PaymentNoted
    | JudgmentEntered
    | JudgmentNotEntered
    | JudgmentObeyed
    | JudgmentNotObeyed
    | EnforcementAlarmRaised
    | EnforcementLapsed
    | EnforcementApplied
    | AssetsSearched
    | MoneyRecovered
    | EnforcementClosed
    | ClaimWithdrawn
    | ClaimEnded
    | ClaimClosed
)
