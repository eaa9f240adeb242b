"""What a decision about a mediation reads, folded from its events."""

from datetime import date
from typing import Final, TypeAlias, TypeGuard, assert_never

from msgspec import Struct
from msgspec.structs import replace

from arrears.mediation.domain.mediation.events import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementProposed,
    AgreementSigned,
    BankSigned,
    BorrowerInvited,
    BorrowerSigned,
    BreachContradicted,
    InstalmentMissed,
    InstalmentPaid,
    InvitationAnswered,
    InvitationReceipted,
    InvitationWithdrawn,
    LatePaymentNoted,
    MediationClosed,
    MediationEvent,
    MediationFailed,
    MediationTaken,
    OfferRefused,
    PaymentNoted,
)
from arrears.mediation.domain.plan import Instalment
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

HELD: Final = "held"


class Round(Struct, frozen=True, kw_only=True):
    """What stays the same while one referral is being mediated."""

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    number: int
    referral: int
    overdue_minor: int
    currency: str
    taken_on: date


class NotTaken(Struct, frozen=True):
    pass


class Talking(Struct, frozen=True, kw_only=True):
    """Taken, invited as soon as hours allow it, and after an answer until there is a plan.

    `deadline_on` is the last day of it, once the borrower is invited.
    """

    round: Round
    deadline_on: date
    policy_id: str
    policy_version: int
    invited: bool = False
    receipted: bool = False
    answered: bool = False
    noted_minor: int = 0
    seen: frozenset[str] = frozenset()
    """Repayments that were counted; a repayment delivered twice counts once."""


class Proposed(Struct, frozen=True, kw_only=True):
    round: Round
    terms: AgreementProposed
    invited: bool
    receipted: bool
    answered: bool
    borrower_signed: bool = False
    bank_signed: bool = False
    borrower_recorded_by: StaffId | None = None
    bank_recorded_by: StaffId | None = None
    """Who recorded the signature; None where a gateway told of it."""
    noted_minor: int
    """Money to be allocated as soon as both have signed."""
    received_minor: int
    """All money since the referral, also what a settlement of the bank has in its figure."""
    renewal: bool = False
    """The rest of an agreement whose breach was contradicted. Nobody waits for its outcome."""
    seen: frozenset[str]


class InForce(Struct, frozen=True, kw_only=True):
    """Instalments before `open_index` are paid; those before `missed_before` were missed."""

    round: Round
    terms: AgreementProposed
    invited: bool
    receipted: bool
    answered: bool
    open_index: int = 0
    open_paid_minor: int = 0
    paid_minor: int = 0
    missed_before: int = 0
    seen: frozenset[str]

    @property
    def open_instalment(self) -> Instalment:
        return self.terms.instalments[self.open_index]


class Held(Struct, frozen=True, kw_only=True):
    """Talks that a hold ended. Money is noted meanwhile, so that they can begin anew after it."""

    round: Round
    noted_minor: int
    seen: frozenset[str]


class LatePayment(Struct, frozen=True, kw_only=True):
    value_on: date
    amount_minor: int


class Breached(Struct, frozen=True, kw_only=True):
    """`agreement` as it stood at the breach; `late` is the money that was heard after it."""

    round: Round
    agreement: InForce
    late: tuple[LatePayment, ...] = ()
    contradicted: bool = False
    seen: frozenset[str]

    @property
    def late_minor(self) -> int:
        return sum(payment.amount_minor for payment in self.late)

    @property
    def left_minor(self) -> int:
        """What the agreement still asks for; below nothing where more came."""
        agreement = self.agreement
        return agreement.terms.settlement_minor - agreement.paid_minor - self.late_minor


class Over(Struct, frozen=True, kw_only=True):
    round: Round
    how: str
    """fulfilled, failed, closed."""
    seen: frozenset[str]


Mediation: TypeAlias = NotTaken | Talking | Proposed | InForce | Breached | Held | Over


def evolve(  # noqa: C901, PLR0911, PLR0912 - one case for each event
    mediation: Mediation, event: MediationEvent
) -> Mediation:
    """Apply one fact. Never refuses and never raises: what happened, happened."""
    match event:
        case MediationTaken():
            seen = frozenset[str]() if isinstance(mediation, NotTaken) else mediation.seen
            return replace(talking(event), seen=seen)
        case BorrowerInvited():
            return _invited(mediation, event)
        case OfferRefused():
            return mediation
        case InvitationReceipted():
            return replace(mediation, receipted=True) if is_invited(mediation) else mediation
        case InvitationWithdrawn():
            return replace(mediation, invited=False) if is_invited(mediation) else mediation
        case InvitationAnswered(settle_by_on=settle_by_on):
            if isinstance(mediation, Talking):
                deadline_on = settle_by_on or mediation.deadline_on
                return replace(mediation, answered=True, deadline_on=deadline_on)
            return replace(mediation, answered=True) if is_invited(mediation) else mediation
        case AgreementProposed():
            return _proposed(mediation, event)
        case BorrowerSigned() | BankSigned():
            return _signed(mediation, event)
        case AgreementSigned():
            return in_force(mediation) if isinstance(mediation, Proposed) else mediation
        case PaymentNoted():
            return _noted(mediation, event)
        case InstalmentPaid():
            return _paid(mediation, event) if isinstance(mediation, InForce) else mediation
        case InstalmentMissed(instalment_index=index):
            if isinstance(mediation, InForce):
                return replace(mediation, missed_before=index + 1)
            return mediation
        case AgreementBreached():
            return _breached(mediation)
        case LatePaymentNoted():
            return _noted_late(mediation, event) if isinstance(mediation, Breached) else mediation
        case BreachContradicted():
            if isinstance(mediation, Breached):
                return replace(mediation, contradicted=True)
            return mediation
        case AgreementFulfilled():
            return _over(mediation, "fulfilled")
        case MediationFailed():
            return _over(mediation, "failed")
        case MediationClosed(reason=reason):
            return _closed(mediation, reason)
        case _:
            assert_never(event)


def is_invited(mediation: Mediation) -> TypeGuard[Talking | Proposed | InForce]:
    """The round that the borrower was invited to is not over."""
    return isinstance(mediation, Talking | Proposed | InForce) and mediation.invited


def is_talks(mediation: Mediation) -> TypeGuard[Talking | Proposed]:
    """Intake waits for the outcome of it."""
    if isinstance(mediation, Proposed):
        return not mediation.renewal
    return isinstance(mediation, Talking)


def talking(event: MediationTaken) -> Talking:
    return Talking(
        round=Round(
            case_id=event.case_id,
            loan_key=event.loan_key,
            borrower_id=event.borrower_id,
            number=event.round,
            referral=event.referral,
            overdue_minor=event.overdue_minor,
            currency=event.currency,
            taken_on=event.taken_on,
        ),
        deadline_on=event.answer_by_on,
        policy_id=event.policy_id,
        policy_version=event.policy_version,
    )


def _invited(mediation: Mediation, event: BorrowerInvited) -> Mediation:
    """The days to answer count from the invitation, by the policy of its day."""
    if not isinstance(mediation, Talking):
        return mediation
    return replace(
        mediation,
        invited=True,
        deadline_on=event.answer_by_on,
        policy_id=event.policy_id,
        policy_version=event.policy_version,
    )


def _proposed(mediation: Mediation, event: AgreementProposed) -> Mediation:
    """A new offer replaces one that is not signed by both, with its signatures."""
    if isinstance(mediation, Talking | Proposed):
        return Proposed(
            round=mediation.round,
            terms=event,
            invited=mediation.invited,
            receipted=mediation.receipted,
            answered=mediation.answered,
            noted_minor=event.credited_minor,
            received_minor=received_minor(mediation),
            renewal=isinstance(mediation, Proposed) and mediation.renewal,
            seen=mediation.seen,
        )
    return _renewal(mediation, event) if isinstance(mediation, Breached) else mediation


def _renewal(breached: Breached, event: AgreementProposed) -> Proposed:
    """From here on the round is about what was left of the agreement."""
    return Proposed(
        round=replace(breached.round, overdue_minor=max(0, breached.left_minor)),
        terms=event,
        invited=False,
        receipted=False,
        answered=False,
        noted_minor=event.credited_minor,
        received_minor=0,
        renewal=True,
        seen=breached.seen,
    )


def _signed(mediation: Mediation, event: BorrowerSigned | BankSigned) -> Mediation:
    if not isinstance(mediation, Proposed):
        return mediation
    if isinstance(event, BorrowerSigned):
        return replace(mediation, borrower_signed=True, borrower_recorded_by=event.recorded_by)
    return replace(mediation, bank_signed=True, bank_recorded_by=event.recorded_by)


def in_force(signed: Proposed) -> InForce:
    return InForce(
        round=signed.round,
        terms=signed.terms,
        invited=signed.invited,
        receipted=signed.receipted,
        answered=signed.answered,
        seen=signed.seen,
    )


def _noted(mediation: Mediation, event: PaymentNoted) -> Mediation:
    if not isinstance(mediation, Talking | Proposed | Held):
        return mediation
    noted = replace(
        mediation,
        noted_minor=mediation.noted_minor + event.amount_minor,
        seen=mediation.seen | {event.repayment_id},
    )
    if isinstance(noted, Proposed):
        return replace(noted, received_minor=noted.received_minor + event.amount_minor)
    return noted


def received_minor(talks: Talking | Proposed) -> int:
    """All money since the referral."""
    return talks.received_minor if isinstance(talks, Proposed) else talks.noted_minor


def owed_minor(mediation: Talking | Proposed | Held | Breached) -> int:
    """What is left of the referral's figure, or of the agreement after a breach; not below 0."""
    match mediation:
        case Talking() | Proposed():
            left_minor = mediation.round.overdue_minor - received_minor(mediation)
        case Held():
            left_minor = mediation.round.overdue_minor - mediation.noted_minor
        case Breached():
            left_minor = mediation.left_minor
    return max(0, left_minor)


def _paid(agreement: InForce, event: InstalmentPaid) -> InForce:
    repayment = event.repayment_id
    return replace(
        agreement,
        open_index=event.instalment_index + 1 if event.complete else event.instalment_index,
        open_paid_minor=0 if event.complete else event.instalment_paid_minor,
        paid_minor=agreement.paid_minor + event.amount_minor,
        seen=agreement.seen if repayment is None else agreement.seen | {repayment},
    )


def _breached(mediation: Mediation) -> Mediation:
    if not isinstance(mediation, InForce):
        return mediation
    return Breached(round=mediation.round, agreement=mediation, seen=mediation.seen)


def _noted_late(breached: Breached, event: LatePaymentNoted) -> Breached:
    payment = LatePayment(value_on=event.value_on, amount_minor=event.amount_minor)
    return replace(
        breached, late=(*breached.late, payment), seen=breached.seen | {event.repayment_id}
    )


def _closed(mediation: Mediation, reason: str) -> Mediation:
    if reason == HELD and isinstance(mediation, Talking | Proposed):
        return Held(
            round=mediation.round, noted_minor=received_minor(mediation), seen=mediation.seen
        )
    return _over(mediation, "closed")


def _over(mediation: Mediation, how: str) -> Mediation:
    if isinstance(mediation, NotTaken):
        return mediation
    return Over(round=mediation.round, how=how, seen=mediation.seen)
