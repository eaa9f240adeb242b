"""What a decision about a claim reads, folded from its events."""

from datetime import date, datetime
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    AgreementNoted,
    AssetsSearched,
    ClaimClosed,
    ClaimEvent,
    ClaimFiled,
    ClaimPaused,
    ClaimRegistered,
    ClaimResumed,
    ClaimReturned,
    ClaimTaken,
    ClaimWithdrawn,
    DemandNoted,
    EnforcementAlarmRaised,
    EnforcementApplied,
    EnforcementClosed,
    EnforcementLapsed,
    FilingApproved,
    FilingRefused,
    JudgmentEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    LimitationAlarmRaised,
    LimitationInterrupted,
    MoneyRecovered,
    PaymentNoted,
)
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.limitation import Interruption
from arrears.shared.kernel.ids import CaseId, LoanKey, StaffId

Interrupting: TypeAlias = DemandNoted | LimitationInterrupted | AgreementNoted
LIMITATION: Final = "limitation"
ENFORCEMENT: Final = "enforcement"


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


class Claim(Struct, frozen=True, kw_only=True):
    phase: Phase = Phase.UNREFERRED
    case_id: CaseId = CaseId("")
    loan_key: LoanKey = LoanKey("")
    currency: str = ""
    # --- Before the suit.
    interruptions: tuple[Interruption, ...] = ()
    """Those known before the due day is; afterwards they are in `limitation_expires_on`."""
    demand_delivered_on: date | None = None
    demand_recorded_by: StaffId | None = None
    """Who recorded the demand that the gate stands on; None once contact has told of one."""
    agreement_in_force: bool = False
    referral: int = 0
    taken_on: date = date.min
    total_minor: int | None = None
    """What is owed, as far as known; None where intake's figure was none."""
    limitation_expires_on: date = date.max
    limitation_derivation: Derivation | None = None
    alarmed_at_days: int | None = None
    approved_by: frozenset[StaffId] = frozenset()
    despite_limitation_by: frozenset[StaffId] = frozenset()
    missing: tuple[str, ...] = ()
    held: bool = False
    held_until_on: date | None = None
    returned: bool = False
    """Intake has taken the case back and has not referred it again."""
    # --- The suit and after it.
    filed_on: date = date.max
    since_filing_minor: int = 0
    awarded_minor: int = 0
    obey_by_on: date = date.max
    apply_on: date | None = None
    apply_by_on: date = date.max
    apply_derivation: Derivation | None = None
    apply_alarmed_at_days: int | None = None
    lapsed: bool = False
    registered: bool = False
    searched: bool = False
    recovered_minor: int = 0
    seen: frozenset[str] = frozenset()
    """Demands, promises and repayments that were counted; each counts once."""

    @property
    def approved(self) -> bool:
        """By somebody else than who recorded the demand: nobody approves what they did."""
        return bool(self.approved_by - {self.demand_recorded_by})

    @property
    def despite_limitation(self) -> bool:
        return bool(self.despite_limitation_by - {self.demand_recorded_by})

    @property
    def unpaid_minor(self) -> int:
        return max(0, self.awarded_minor - self.since_filing_minor)


def evolve(  # noqa: C901, PLR0911, PLR0912 - one case for each event
    claim: Claim, event: ClaimEvent
) -> Claim:
    """Apply one fact. Never refuses and never raises: what happened, happened."""
    match event:
        case DemandNoted() | LimitationInterrupted() | AgreementNoted():
            return _interrupted(claim, event)
        case AgreementEndNoted():
            return replace(claim, agreement_in_force=False)
        case ClaimTaken():
            return _taken(claim, event)
        case ClaimPaused(until_on=until_on):
            return replace(claim, held=True, held_until_on=until_on)
        case ClaimResumed():
            return replace(claim, held=False, held_until_on=None)
        case ClaimReturned():
            return replace(claim, returned=True, missing=())
        case FilingApproved():
            return _approved(claim, event)
        case FilingRefused(missing=missing):
            return replace(claim, missing=missing)
        case LimitationAlarmRaised(days_left=days_left):
            return replace(claim, alarmed_at_days=days_left)
        case ClaimFiled(filed_on=filed_on):
            return replace(
                claim, phase=Phase.FILED, filed_on=filed_on, registered=False, missing=()
            )
        case ClaimRegistered():
            phase = Phase.REGISTERED if claim.phase is Phase.FILED else claim.phase
            return replace(claim, registered=True, phase=phase)
        case PaymentNoted() | MoneyRecovered():
            return _paid(claim, event)
        case JudgmentEntered():
            return replace(
                claim,
                phase=Phase.JUDGED,
                awarded_minor=event.awarded_minor,
                obey_by_on=event.obey_by_on,
                apply_by_on=event.apply_by_on,
                apply_derivation=event.derivation,
            )
        case JudgmentNotObeyed(apply_on=apply_on):
            return replace(claim, phase=Phase.NOT_OBEYED, apply_on=apply_on)
        case EnforcementAlarmRaised(days_left=days_left):
            return replace(claim, apply_alarmed_at_days=days_left)
        case EnforcementLapsed():
            return replace(claim, lapsed=True)
        case EnforcementApplied():
            return replace(claim, phase=Phase.ENFORCING)
        case AssetsSearched():
            return replace(claim, searched=True)
        case JudgmentObeyed() | EnforcementClosed() | ClaimWithdrawn():
            return claim
        case ClaimClosed():
            return replace(claim, phase=Phase.CLOSED)
        case _:
            assert_never(event)


def demand_reference(delivered_at: datetime) -> str:
    return f"demand {delivered_at.isoformat()}"


def agreement_reference(signed_at: datetime) -> str:
    return f"agreement {signed_at.isoformat()}"


def _interrupted(
    claim: Claim, event: DemandNoted | LimitationInterrupted | AgreementNoted
) -> Claim:
    changed = _noted(claim, event)
    if changed.phase is Phase.UNREFERRED:
        interruptions = (*claim.interruptions, _interruption(event))
        return replace(
            changed, case_id=event.case_id, loan_key=event.loan_key, interruptions=interruptions
        )
    if event.expires_on is None:
        return changed
    if event.clock == ENFORCEMENT:
        return _may_apply_until(changed, event.expires_on, event.derivation)
    if event.expires_on == claim.limitation_expires_on:
        return changed
    return replace(
        changed,
        limitation_expires_on=event.expires_on,
        limitation_derivation=event.derivation,
        alarmed_at_days=None,
    )


def _approved(claim: Claim, event: FilingApproved) -> Claim:
    changed = replace(claim, approved_by=claim.approved_by | {event.staff_id})
    if not event.despite_limitation:
        return changed
    despite_limitation_by = claim.despite_limitation_by | {event.staff_id}
    return replace(changed, despite_limitation_by=despite_limitation_by)


def _noted(claim: Claim, event: Interrupting) -> Claim:
    match event:
        case DemandNoted():
            unknown = claim.total_minor is None and claim.phase is Phase.REFUSED
            told = claim.demand_delivered_on is not None and claim.demand_recorded_by is None
            return replace(
                claim,
                demand_delivered_on=event.delivered_on,
                demand_recorded_by=None if told else event.recorded_by,
                total_minor=event.total_minor if unknown else claim.total_minor,
                seen=claim.seen | {demand_reference(event.delivered_at)},
            )
        case LimitationInterrupted(by="part_payment", amount_minor=amount_minor):
            left = None if claim.total_minor is None else max(0, claim.total_minor - amount_minor)
            return replace(claim, total_minor=left, seen=claim.seen | {event.reference})
        case LimitationInterrupted():
            return replace(claim, seen=claim.seen | {event.reference})
        case AgreementNoted(signed_at=signed_at):
            seen = claim.seen | {agreement_reference(signed_at)}
            return replace(claim, agreement_in_force=True, seen=seen)
        case _:
            assert_never(event)


def _interruption(event: Interrupting) -> Interruption:
    match event:
        case DemandNoted(delivered_on=on):
            return Interruption(by="demand", on=on)
        case LimitationInterrupted(by=by, on=on):
            return Interruption(by=by, on=on)
        case AgreementNoted(signed_on=on):
            return Interruption(by="agreement", on=on)
        case _:
            assert_never(event)


def _taken(claim: Claim, event: ClaimTaken) -> Claim:
    return replace(
        claim,
        phase=Phase.REFUSED,
        case_id=event.case_id,
        loan_key=event.loan_key,
        currency=event.currency,
        interruptions=(),
        referral=event.referral,
        taken_on=event.taken_on,
        total_minor=event.overdue_minor if event.overdue_minor > 0 else None,
        limitation_expires_on=event.limitation_expires_on,
        limitation_derivation=event.derivation,
        alarmed_at_days=None,
        missing=(),
        returned=False,
    )


def _paid(claim: Claim, event: PaymentNoted | MoneyRecovered) -> Claim:
    changed = replace(
        claim,
        since_filing_minor=claim.since_filing_minor + event.amount_minor,
        seen=claim.seen | {event.repayment_id},
    )
    if isinstance(event, MoneyRecovered):
        return replace(changed, recovered_minor=claim.recovered_minor + event.amount_minor)
    if event.expires_on is None:
        return changed
    return _may_apply_until(changed, event.expires_on, event.derivation)


def _may_apply_until(claim: Claim, last_on: date, derivation: Derivation | None) -> Claim:
    if last_on == claim.apply_by_on:
        return claim
    return replace(
        claim,
        apply_by_on=last_on,
        apply_derivation=derivation,
        apply_alarmed_at_days=None,
        lapsed=False,
    )
