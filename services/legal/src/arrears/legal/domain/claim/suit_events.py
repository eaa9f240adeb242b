"""Facts of a claim before the court: the suit, the judgment, its enforcement.

Fields are the stored format, as in `events`, which says what `clock`, `expires_on` and `derivation`
mean.

A request to the court is withheld where its gateway is about to be asked and it may no longer be:
nothing has left, and nothing will. `reason`: `news`, something was heard of the borrower since,
which is dealt with next; `not_allowed`, the gate is shut (`missing`) or enforcement sleeps: then
the claim stands as before the request. `overtaken`: a person has entered meanwhile what came of it,
and that stands. `looked_at` is the time of the look; by itself nothing is asked again before it.
"""

from datetime import date, datetime

from msgspec import Struct

from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.gate import GateInputs
from arrears.shared.kernel.ids import CaseId, LoanKey, StaffId


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


class FilingWithheld(Struct, frozen=True, kw_only=True):
    """The court was not asked to register the claim. `limitation_expires_on` is the last day to sue
    after all that is known by now; `derivation` says how it was found, as where the claim was taken
    it may be None."""

    case_id: CaseId
    loan_key: LoanKey
    filing: int
    reason: str
    missing: tuple[str, ...]
    looked_at: datetime
    limitation_expires_on: date
    derivation: Derivation | None


class ClaimRegistered(Struct, frozen=True, kw_only=True):
    """The court has accepted the claim: the receipt for filing.

    `registered_on` is None in events of before it was kept.
    """

    case_id: CaseId
    loan_key: LoanKey
    docket: str
    gateway: str
    registered_on: date | None = None


class CourtSilenceNoted(Struct, frozen=True, kw_only=True):
    """The court should have answered by `answer_by_on` and has not; a lawyer is to ask.

    `awaited`: registration, judgment.
    """

    case_id: CaseId
    loan_key: LoanKey
    awaited: str
    answer_by_on: date
    filed_on: date
    derivation: Derivation | None = None


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
    """`apply_by_on` is the last day to apply for enforcement. `recorded_by` None: the court.

    `deducted_minor` is the money since filing that the award is less already; it does not count
    towards the judgment again. `obey_moved_to_on` is the workday that `obey_by_on` moves to where
    it is a day off, else None; the time to apply is counted from the day that the court names.
    """

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
    deducted_minor: int = 0
    obey_moved_to_on: date | None = None


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
    """Money since filing, less what the award had deducted, has reached what was awarded."""

    case_id: CaseId
    loan_key: LoanKey
    paid_minor: int
    awarded_minor: int
    currency: str


class JudgmentNotObeyed(Struct, frozen=True, kw_only=True):
    """The last day to obey has ended (`obey_by_on`, or the workday `obey_moved_to_on` where that is
    a day off), and the days to book. `apply_on`: when enforcement follows by itself, if so."""

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
    obey_moved_to_on: date | None = None


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
    `filing` is that of the claim, `application` counts those on its judgment.
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
    application: int = 1


class EnforcementWithheld(Struct, frozen=True, kw_only=True):
    """The court was not asked to enforce. Unless it was overtaken the application follows again by
    itself from `apply_on` on, also where a person had made it."""

    case_id: CaseId
    loan_key: LoanKey
    filing: int
    application: int
    reason: str
    looked_at: datetime
    apply_on: date
    apply_by_on: date


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
