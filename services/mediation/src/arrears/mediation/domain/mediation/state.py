"""What a decision about a mediation reads."""

from datetime import date
from typing import Final, TypeAlias, TypeGuard

from msgspec import Struct

from arrears.mediation.domain.mediation.events import AgreementProposed
from arrears.mediation.domain.plan import Instalment, Pause
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

HELD: Final = "held"
NOT_RENEWED: Final = "not_renewed"


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


class Standing(Struct, frozen=True, kw_only=True):
    """What every state has."""

    held_for: frozenset[str] = frozenset()
    """Why nothing goes on: `held` where intake holds the case, and the reasons for which the person
    is held."""


class NotTaken(Standing, frozen=True, kw_only=True):
    pass


class Talking(Standing, frozen=True, kw_only=True):
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


class Proposed(Standing, frozen=True, kw_only=True):
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
    renews: "Breached | None" = None
    """The agreement whose rest it is, where a breach was contradicted. Nobody waits for its
    outcome."""
    seen: frozenset[str]


class InForce(Standing, frozen=True, kw_only=True):
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
    held_since_on: date | None = None
    pauses: tuple[Pause, ...] = ()
    """The holds that are over."""
    seen: frozenset[str]

    @property
    def open_instalment(self) -> Instalment:
        return self.terms.instalments[self.open_index]


class Held(Standing, frozen=True, kw_only=True):
    """Talks that a hold ended. Money is noted meanwhile, so that they can begin anew after it."""

    round: Round
    noted_minor: int
    seen: frozenset[str]


class LatePayment(Struct, frozen=True, kw_only=True):
    value_on: date
    amount_minor: int


class Breached(Standing, frozen=True, kw_only=True):
    """`agreement` as it stood at the breach; `late` is the money that was heard after it.

    `last_offer` counts on where the rest was offered anew, and not signed.
    """

    round: Round
    agreement: InForce
    last_offer: int
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


class Over(Standing, frozen=True, kw_only=True):
    round: Round
    how: str
    """fulfilled, failed, closed."""
    seen: frozenset[str]


Mediation: TypeAlias = NotTaken | Talking | Proposed | InForce | Breached | Held | Over


def is_invited(mediation: Mediation) -> TypeGuard[Talking | Proposed | InForce]:
    """The round that the borrower was invited to is not over."""
    return isinstance(mediation, Talking | Proposed | InForce) and mediation.invited


def is_talks(mediation: Mediation) -> TypeGuard[Talking | Proposed]:
    """Intake waits for the outcome of it."""
    if isinstance(mediation, Proposed):
        return mediation.renews is None
    return isinstance(mediation, Talking)


def agreement_of(mediation: Mediation) -> InForce | None:
    """The agreement in force, or the one that was breached."""
    match mediation:
        case InForce():
            return mediation
        case Breached(agreement=agreement) | Proposed(renews=Breached(agreement=agreement)):
            return agreement
        case _:
            return None


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
