"""Facts of a mediation. Fields are the stored format; change them by upcasting only."""

from datetime import date, datetime
from typing import TypeAlias

from msgspec import Struct

from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId


class MediationTaken(Struct, frozen=True, kw_only=True):
    """`round` counts the talks of the case from 1; `referral` is the intake's number. Said again of
    the same round where a newer referral finds its talks open: they go on, for its figure.

    `answer_by_on` is reckoned from the next hours in which borrowers are written to; the day that
    holds is in the invitation.
    """

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    round: int
    referral: int
    overdue_minor: int
    currency: str
    taken_on: date
    answer_by_on: date
    policy_id: str
    policy_version: int


class BorrowerInvited(Struct, frozen=True, kw_only=True):
    """Asks the outside world: the invitation is to be sent to the borrower."""

    case_id: CaseId
    loan_key: LoanKey
    round: int
    overdue_minor: int
    currency: str
    answer_by_on: date
    policy_id: str
    policy_version: int


class InvitationWithdrawn(Struct, frozen=True, kw_only=True):
    """The hours ended before it could be sent. Nothing has left; it is made anew in the next."""

    case_id: CaseId
    loan_key: LoanKey
    round: int
    next_allowed_at: datetime
    policy_id: str
    policy_version: int


class InvitationReceipted(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    round: int
    receipt_id: str
    gateway: str


class InvitationAnswered(Struct, frozen=True, kw_only=True):
    """`instalments` is what the borrower offers; empty where the borrower only wants to talk."""

    case_id: CaseId
    loan_key: LoanKey
    round: int
    accepted: bool
    instalments: tuple[Instalment, ...]
    settle_by_on: date | None


class OfferInputs(Struct, frozen=True, kw_only=True):
    """What the plan was judged by. The last two are of the bank's offers: what was owed of the
    referral's figure, and the largest discount on it."""

    settlement_minor: int
    instalment_count: int
    total_minor: int
    first_due_on: date | None
    last_due_on: date | None
    term_months_max: int
    owed_minor: int | None = None
    discount_percent_max: int | None = None


class OfferRefused(Struct, frozen=True, kw_only=True):
    """The borrower's offer breaks a rule of the plan policy. The talks stay open."""

    case_id: CaseId
    loan_key: LoanKey
    round: int
    reasons: tuple[str, ...]
    inputs: OfferInputs
    policy_id: str
    policy_version: int


class AgreementProposed(Struct, frozen=True, kw_only=True):
    """Asks the outside world: both sides are to sign.

    `credited_minor` is money that was heard after the settlement's figure and counts towards it;
    `counts_from_on` is the day of that figure, and what was heard before it is in it. `offer`
    counts the proposals of the round from 1, so that a signature is never taken for one given to
    other terms. `proposed_by`: borrower, bank.
    """

    case_id: CaseId
    loan_key: LoanKey
    round: int
    offer: int
    proposed_by: str
    staff_id: StaffId | None
    settlement_minor: int
    credited_minor: int
    counts_from_on: date
    currency: str
    instalments: tuple[Instalment, ...]
    sign_by_on: date
    grace_days: int
    cure_days: int
    inputs: OfferInputs
    policy_id: str
    policy_version: int


class BorrowerSigned(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    round: int
    offer: int
    signed_at: datetime
    recorded_by: StaffId | None


class BankSigned(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    round: int
    offer: int
    signed_at: datetime
    recorded_by: StaffId | None


class AgreementSigned(Struct, frozen=True, kw_only=True):
    """Both have signed. From here nobody collects while it is kept (card rules art. 70)."""

    case_id: CaseId
    loan_key: LoanKey
    round: int
    settlement_minor: int
    instalments: tuple[Instalment, ...]
    currency: str
    signed_at: datetime


class PaymentNoted(Struct, frozen=True, kw_only=True):
    """Money that came while talks were open; it counts towards a later settlement. `value_on` is
    None where it was not said yet."""

    case_id: CaseId
    loan_key: LoanKey
    round: int
    repayment_id: str
    amount_minor: int
    currency: str
    noted_minor: int
    value_on: date | None = None


class InstalmentPaid(Struct, frozen=True, kw_only=True):
    """A part of a repayment was allocated to one instalment; `complete` says whether it is paid.

    `repayment_id` is None for money noted before the agreement was signed.
    """

    case_id: CaseId
    loan_key: LoanKey
    round: int
    instalment_index: int
    repayment_id: str | None
    amount_minor: int
    instalment_paid_minor: int
    currency: str
    complete: bool


class InstalmentMissed(Struct, frozen=True, kw_only=True):
    """Due day and grace have passed. The borrower may still pay until `cure_by_on`."""

    case_id: CaseId
    loan_key: LoanKey
    round: int
    instalment_index: int
    due_on: date
    unpaid_minor: int
    currency: str
    cure_by_on: date
    policy_id: str
    policy_version: int


class AgreementBreached(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    round: int
    instalment_index: int
    paid_minor: int
    unpaid_minor: int
    currency: str
    policy_id: str
    policy_version: int


class HoldNoted(Struct, frozen=True, kw_only=True):
    """One more reason why nothing goes on. Of the person, who is held with whatever case: death,
    moratorium, hardship; told before any referral too. `held`: intake holds the case while the
    person is held."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str


class HoldEnded(Struct, frozen=True, kw_only=True):
    """One of the reasons is over. What stood still goes on when it was the last."""

    case_id: CaseId
    loan_key: LoanKey
    reason: str


class AgreementHeld(Struct, frozen=True, kw_only=True):
    """The case or the person is held. Nothing is missed or breached until the release; money counts
    as ever.

    Also of an agreement that was breached: it may be judged again, or renewed.
    """

    case_id: CaseId
    loan_key: LoanKey
    round: int
    held_since_on: date


class AgreementReleased(Struct, frozen=True, kw_only=True):
    """Each last day that had not ended when the hold began moves by `held_days`."""

    case_id: CaseId
    loan_key: LoanKey
    round: int
    held_since_on: date
    held_days: int


class LatePaymentNoted(Struct, frozen=True, kw_only=True):
    """Money that is heard after a breach. `in_time`: its value day lies in the time that the
    borrower had to cure it. `noted_minor` is all such money so far; no instalment is filled."""

    case_id: CaseId
    loan_key: LoanKey
    round: int
    repayment_id: str
    amount_minor: int
    currency: str
    value_on: date
    in_time: bool
    noted_minor: int


class BreachContradicted(Struct, frozen=True, kw_only=True):
    """By its value day the money for what was breached had come in time: the agreement was kept.

    The breach stays said, for others act on it. `left_minor` is what the agreement still asks for;
    a mediator may offer it anew. `reason`: paid_in_time_heard_late.
    """

    case_id: CaseId
    loan_key: LoanKey
    round: int
    instalment_index: int
    cure_by_on: date
    left_minor: int
    currency: str
    reason: str


class AgreementFulfilled(Struct, frozen=True, kw_only=True):
    """`paid_minor` is all that was allocated, `surplus_minor` what came on top of it.

    After a breach that was contradicted it is the settlement, which has come in time as a whole,
    also where the rest is on offer anew.
    """

    case_id: CaseId
    loan_key: LoanKey
    round: int
    paid_minor: int
    surplus_minor: int
    currency: str


class MediationFailed(Struct, frozen=True, kw_only=True):
    """Reasons: declined, no_answer, not_signed. `detail` says more where there is more. `referral`
    is intake's number of the referral that the talks were for, None where it was not said yet.
    """

    case_id: CaseId
    loan_key: LoanKey
    round: int
    reason: str
    detail: str | None
    policy_id: str
    policy_version: int
    referral: int | None = None


class MediationClosed(Struct, frozen=True, kw_only=True):
    """Intake ended the talks: the reason is the closing's (cured, ...), `held` or `taken_back`. Or
    all of the figure has come in: `nothing_owed`; or what was offered anew after a breach was not
    signed: `not_renewed`.

    After a hold another round begins with the release, for intake still waits for an outcome.
    What was taken back begins another round only with a later referral. What was not renewed is
    again the agreement whose breach was contradicted.
    """

    case_id: CaseId
    loan_key: LoanKey
    round: int
    reason: str
    referral: int | None = None


MediationEvent: TypeAlias = (
    MediationTaken
    | BorrowerInvited
    | InvitationWithdrawn
    | InvitationReceipted
    | InvitationAnswered
    | OfferRefused
    | AgreementProposed
    | BorrowerSigned
    | BankSigned
    | AgreementSigned
    | PaymentNoted
    | InstalmentPaid
    | InstalmentMissed
    | AgreementBreached
    | HoldNoted
    | HoldEnded
    | AgreementHeld
    | AgreementReleased
    | LatePaymentNoted
    | BreachContradicted
    | AgreementFulfilled
    | MediationFailed
    | MediationClosed
)
