"""What a decision about a claim reads; `evolve` folds it from the events."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct, field

from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    AgreementNoted,
    DemandNoted,
    LimitationInterrupted,
)
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.limitation import Interruption
from arrears.shared.kernel.ids import CaseId, LoanKey, StaffId

Interrupting: TypeAlias = DemandNoted | LimitationInterrupted | AgreementNoted | AgreementEndNoted
LIMITATION: Final = "limitation"
ENFORCEMENT: Final = "enforcement"
FULFILLED: Final = "fulfilled"
SETTLED: Final = "settled"
OBEYED: Final = "obeyed"
IN_FULL: Final = "recovered_in_full"
DISMISSED: Final = "dismissed"
NOT_ACCEPTED: Final = "not_accepted"
WITHDRAWN: Final = "withdrawn"


class Phase(StrEnum):
    UNREFERRED = "unreferred"
    REFUSED = "refused"
    """Taken, and not filed as long as the gate names something."""
    FILED = "filed"
    REGISTERED = "registered"
    JUDGED = "judged"
    NOT_OBEYED = "not_obeyed"
    ENFORCING = "enforcing"
    CLOSED = "closed"


class Approval(Struct, frozen=True, kw_only=True):
    staff_id: StaffId
    amount_minor: int
    despite_limitation: bool


class Claim(Struct, frozen=True, kw_only=True):
    phase: Phase = Phase.UNREFERRED
    case_id: CaseId = CaseId("")
    loan_key: LoanKey = LoanKey("")
    currency: str = ""
    # --- Before the suit.
    interruptions: tuple[Interruption, ...] = ()
    """What can still decide the last day to sue, also at the next referral, which tells the due day
    (`limitation.kept`); after the judgment, the last day to apply for enforcement."""
    demand_delivered_on: date | None = None
    demand_recorded_by: StaffId | None = None
    """Who recorded the demand that the gate stands on; None once contact has told of one."""
    agreement_in_force: bool = False
    agreement_last_due_on: date | None = None
    agreement_breached: bool = False
    """The last one ended so, as it was said; money that was heard late may yet fulfil it."""
    referral: int = 0
    taken_on: date = date.min
    taken_at: datetime | None = None
    as_of_on: date | None = None
    total_minor: int | None = None
    """What is owed, as far as known; None where intake's figure was none."""
    limitation_expires_on: date = date.min
    """Before a referral: as a claim left it that was taken and came to nothing."""
    limitation_derivation: Derivation | None = None
    alarmed_at_days: int | None = None
    approvals: tuple[Approval, ...] = ()
    missing: tuple[str, ...] = ()
    pay_by_on: date | None = None
    """While the time to pay is missing, its last day."""
    held: bool = False
    held_until_on: date | None = None
    borrower_held_for: frozenset[str] = frozenset()
    """Why the person is held, with whatever case; known before any referral."""
    returned: bool = False
    """Intake has taken the case back and has not referred it again."""
    # --- The suit and after it.
    filings: int = 0
    filed_on: date = date.max
    registered_on: date | None = None
    silence_noted: bool = False
    """Of what the court is waited for now."""
    since_filing_minor: int = 0
    """Money that is not in the figure that was filed."""
    paid_on: dict[date, int] = field(default_factory=dict)
    """Of it, what is valued on which day, until a last day to obey is known."""
    in_time_minor: int = 0
    """Of it, what is valued by the last day to obey, once there is one."""
    awarded_minor: int = 0
    deducted_minor: int = 0
    """Of the money since filing, what the award is less already."""
    obey_by_on: date = date.max
    obey_moved_to_on: date | None = None
    apply_on: date | None = None
    apply_by_on: date = date.max
    apply_derivation: Derivation | None = None
    apply_alarmed_at_days: int | None = None
    applications: int = 0
    applied_by: StaffId | None = None
    """The person who applied for enforcement; it is applied for again where that was withheld."""
    lapsed: bool = False
    registered: bool = False
    searched: bool = False
    recovered_minor: int = 0
    closed_as: str = ""
    looked_at: datetime | None = None
    """When a request to the court was last withheld: what was heard by then may be on its way yet,
    so by itself nothing is asked of the court before it."""
    seen: frozenset[str] = frozenset()
    """Demands, promises and repayments that were counted, and requests that were withheld; each
    counts once."""

    @property
    def approved(self) -> bool:
        return any(self._stands(one) for one in self.approvals)

    @property
    def despite_limitation(self) -> bool:
        return any(one.despite_limitation and self._stands(one) for one in self.approvals)

    def _stands(self, approval: Approval) -> bool:
        """For a figure up to the approved one, and by somebody else than who recorded the demand:
        nobody approves what they did."""
        covers = (self.total_minor or 0) <= approval.amount_minor
        return covers and approval.staff_id != self.demand_recorded_by

    @property
    def stands_still(self) -> bool:
        """Nothing new is asked of the court: intake holds the case, or the person is held."""
        return self.held or bool(self.borrower_held_for)

    @property
    def obey_until_on(self) -> date:
        """The last day to obey: as the court named it, or the workday after a day off."""
        return self.obey_moved_to_on or self.obey_by_on

    @property
    def paid_minor(self) -> int:
        """What counts towards the award."""
        return self.since_filing_minor - self.deducted_minor

    @property
    def unpaid_minor(self) -> int:
        return max(0, self.awarded_minor - self.paid_minor)


NO_PERIOD_KNOWN: Final = (Phase.UNREFERRED, Phase.FILED, Phase.REGISTERED)
"""Whether one runs, and since when, only a later referral shows: acts are kept for it."""
ACTS_COUNT: Final = (*NO_PERIOD_KNOWN, Phase.REFUSED, Phase.NOT_OBEYED)
"""An act may decide a last day, now or later: it is kept, also where it comes too late by what is
known, for an earlier one that is heard after it may put it in time."""


def demand_reference(delivered_at: datetime) -> str:
    return f"demand {delivered_at.isoformat()}"


def agreement_reference(signed_at: datetime) -> str:
    return f"agreement {signed_at.isoformat()}"


def withheld_reference(filing: int, application: int) -> str:
    return f"withheld {filing}/{application}"


def judgment_reference(awarded_minor: int, currency: str, obey_by_on: date) -> str:
    return f"judgment {awarded_minor} {currency} {obey_by_on}"
