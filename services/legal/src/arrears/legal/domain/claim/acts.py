"""Acts of the parties that a claim notes: demand, promise, part payment, agreement.

They are noted before any referral too. Limitation runs without us, and whether such an act has
interrupted it is known only when a referral tells the due day.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from arrears.legal.domain.claim.commands import (
    NoteAgreement,
    NoteAgreementEnd,
    NoteDemand,
    NotePromise,
    NoteRepayment,
)
from arrears.legal.domain.claim.endings import settle
from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    AgreementNoted,
    ClaimEvent,
    DemandNoted,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.evolve import evolve
from arrears.legal.domain.claim.filing import look_again
from arrears.legal.domain.claim.rules import Clock, Rules, restarted
from arrears.legal.domain.claim.state import (
    ACTS_COUNT,
    FULFILLED,
    Claim,
    Phase,
    agreement_reference,
    demand_reference,
)
from arrears.legal.domain.limitation import INSTALMENTS, Interruption
from arrears.shared.kernel.decider import Refused

LONG_AGO: Final = timedelta(days=20 * 366)
"""No claim lives longer, whatever interrupts it (civil code art. 188)."""


def note_demand(rules: Rules, command: NoteDemand, claim: Claim) -> Sequence[ClaimEvent]:
    """Without it the claim could not be filed later."""
    if command.staff_id is not None:
        _check_demand(command, claim)
    if claim.phase is Phase.CLOSED or demand_reference(command.delivered_at) in claim.seen:
        return ()
    delivered_on = rules.day_of(command.delivered_at)
    clock = restarted(rules, claim, Interruption(by="demand", on=delivered_on))
    noted = DemandNoted(
        case_id=command.case_id,
        loan_key=command.loan_key,
        total_minor=command.total_minor,
        currency=command.currency,
        delivered_at=command.delivered_at,
        delivered_on=delivered_on,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
        recorded_by=command.staff_id,
    )
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def note_promise(rules: Rules, command: NotePromise, claim: Claim) -> Sequence[ClaimEvent]:
    """Who promises accepts the debt."""
    if claim.phase not in ACTS_COUNT or command.promise_id in claim.seen:
        return ()
    on = rules.day_of(command.now)
    clock = restarted(rules, claim, Interruption(by="promise", on=on))
    noted = LimitationInterrupted(
        case_id=command.case_id,
        loan_key=command.loan_key,
        by="promise",
        on=on,
        reference=command.promise_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
    )
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def note_part_payment(rules: Rules, command: NoteRepayment, claim: Claim) -> Sequence[ClaimEvent]:
    """Money for a claim that is not filed. Whether it lowers the figure: `rules.is_in_figure`."""
    clock = restarted(rules, claim, Interruption(by="part_payment", on=command.value_on))
    left_minor = claim.total_minor
    if claim.phase is Phase.REFUSED:
        counted = rules.is_in_figure(command, claim)
        if counted and clock.expires_on == claim.limitation_expires_on:
            return ()
        if left_minor is not None and not counted:
            left_minor = max(0, left_minor - command.amount_minor)
    noted = LimitationInterrupted(
        case_id=command.case_id,
        loan_key=command.loan_key,
        by="part_payment",
        on=command.value_on,
        reference=command.repayment_id,
        amount_minor=command.amount_minor,
        currency=command.currency,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
        left_minor=left_minor,
    )
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def note_agreement(rules: Rules, command: NoteAgreement, claim: Claim) -> Sequence[ClaimEvent]:
    if claim.phase is Phase.CLOSED or agreement_reference(command.signed_at) in claim.seen:
        return ()
    signed_on = rules.day_of(command.signed_at)
    clock = restarted(rules, claim, Interruption(by="agreement", on=signed_on))
    noted = AgreementNoted(
        case_id=command.case_id,
        loan_key=command.loan_key,
        signed_at=command.signed_at,
        signed_on=signed_on,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
        last_due_on=command.last_due_on,
    )
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def note_agreement_end(
    rules: Rules, command: NoteAgreementEnd, claim: Claim
) -> Sequence[ClaimEvent]:
    """A fulfilled agreement ends the claim on the debt that it settled: the debtor has performed
    what was agreed (civil code art. 509; in enforcement, civil procedure law art. 241); so also
    where it was said to be breached before, for the money was heard late. Of a breached one the
    whole debt is owed again, and the claim goes on."""
    if claim.phase is Phase.CLOSED:
        return ()
    fulfilled = command.result == FULFILLED
    if not claim.agreement_in_force and not (fulfilled and claim.agreement_breached):
        return ()
    if fulfilled:
        noted = AgreementEndNoted(
            case_id=claim.case_id, loan_key=claim.loan_key, result=command.result
        )
        return (noted, *settle(evolve(claim, noted)))
    begins_on, clock = None, Clock()
    if claim.agreement_last_due_on is not None:
        begins_on = min(claim.agreement_last_due_on, rules.day_of(command.now))
        clock = restarted(rules, claim, Interruption(by=INSTALMENTS, on=begins_on))
    noted = AgreementEndNoted(
        case_id=claim.case_id,
        loan_key=claim.loan_key,
        result=command.result,
        begins_on=begins_on,
        clock=clock.name,
        expires_on=clock.expires_on,
        derivation=clock.derivation,
    )
    return (noted, *look_again(rules, evolve(claim, noted), command.now))


def _check_demand(command: NoteDemand, claim: Claim) -> None:
    if claim.phase is Phase.CLOSED:
        raise Refused("claim_closed")
    if command.delivered_at > command.now:
        raise Refused("in_the_future", "delivered_at")
    if command.delivered_at < command.now - LONG_AGO:
        raise Refused("too_long_ago", "delivered_at")
    if command.total_minor <= 0:
        raise Refused("not_positive", "total_minor")
    if claim.currency and command.currency != claim.currency:
        raise Refused("other_currency", "currency")
