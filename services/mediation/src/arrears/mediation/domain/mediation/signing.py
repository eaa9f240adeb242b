"""Decisions about signatures: the second one puts an agreement in force."""

from collections.abc import Sequence
from datetime import date

from arrears.mediation.domain.mediation.commands import SignForBank, SignForBorrower
from arrears.mediation.domain.mediation.events import (
    AgreementSigned,
    BankSigned,
    BorrowerSigned,
    MediationEvent,
)
from arrears.mediation.domain.mediation.evolve import in_force
from arrears.mediation.domain.mediation.performance import allocate, hold
from arrears.mediation.domain.mediation.state import (
    Breached,
    Held,
    InForce,
    Mediation,
    Over,
    Proposed,
    agreement_of,
)
from arrears.mediation.domain.mediation.talks import failed
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import StaffId


def sign(
    command: SignForBorrower | SignForBank, mediation: Mediation, today: date
) -> Sequence[MediationEvent]:
    by_gateway = command.round is not None
    if not isinstance(mediation, Proposed):
        if by_gateway or isinstance(mediation, InForce):
            return ()
        over = isinstance(mediation, Breached | Over | Held)
        raise Refused("mediation_over" if over else "nothing_to_sign")
    terms = mediation.terms
    if by_gateway and (command.round, command.offer) != (terms.round, terms.offer):
        return ()
    if today > terms.sign_by_on:
        return (failed(mediation, "not_signed", f"missing: {unsigned_by(mediation)}"),)
    if isinstance(command, SignForBorrower):
        return _borrower_signs(command, mediation, today)
    return _bank_signs(command, mediation, today)


def unsigned_by(proposed: Proposed) -> str:
    if proposed.borrower_signed:
        return "bank"
    return "borrower" if proposed.bank_signed else "borrower and bank"


def _must_not_be(staff_id: StaffId | None, *others: StaffId | None) -> None:
    """Four eyes: nobody binds the bank to what they offered or saw signed themselves. A gateway is
    nobody."""
    if staff_id is not None and staff_id in others:
        raise Refused("same_person")


def _borrower_signs(
    command: SignForBorrower, proposed: Proposed, today: date
) -> Sequence[MediationEvent]:
    if proposed.borrower_signed:
        return ()
    _must_not_be(command.staff_id, proposed.bank_recorded_by)
    signature = BorrowerSigned(
        case_id=proposed.round.case_id,
        loan_key=proposed.round.loan_key,
        round=proposed.round.number,
        offer=proposed.terms.offer,
        signed_at=command.now,
        recorded_by=command.staff_id,
    )
    if not proposed.bank_signed:
        return (signature,)
    return (signature, *_sealed(signature, proposed, today))


def _bank_signs(command: SignForBank, proposed: Proposed, today: date) -> Sequence[MediationEvent]:
    if proposed.bank_signed:
        return ()
    _must_not_be(command.staff_id, proposed.terms.staff_id, proposed.borrower_recorded_by)
    signature = BankSigned(
        case_id=proposed.round.case_id,
        loan_key=proposed.round.loan_key,
        round=proposed.round.number,
        offer=proposed.terms.offer,
        signed_at=command.now,
        recorded_by=command.staff_id,
    )
    if not proposed.borrower_signed:
        return (signature,)
    return (signature, *_sealed(signature, proposed, today))


def _sealed(
    last_signature: BorrowerSigned | BankSigned, proposed: Proposed, today: date
) -> Sequence[MediationEvent]:
    """The second signature puts the agreement in force and allocates what has already come. One
    that renews another may be signed while the case is held; its own days begin with it."""
    signed = AgreementSigned(
        case_id=proposed.round.case_id,
        loan_key=proposed.round.loan_key,
        round=proposed.round.number,
        settlement_minor=proposed.terms.settlement_minor,
        instalments=proposed.terms.instalments,
        currency=proposed.round.currency,
        signed_at=last_signature.signed_at,
    )
    agreement = in_force(proposed)
    before = agreement_of(proposed)
    held = hold(agreement, today) if before and before.held_since_on else ()
    return (signed, *held, *allocate(agreement, proposed.noted_minor, None))
