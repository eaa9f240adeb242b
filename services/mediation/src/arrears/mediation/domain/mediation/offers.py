"""Plans on the table: what the bank's name may be put to, and how a plan is proposed."""

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec import Struct

from arrears.mediation.domain.mediation.commands import RecordOffer
from arrears.mediation.domain.mediation.events import AgreementProposed, MediationEvent, OfferInputs
from arrears.mediation.domain.mediation.state import (
    Breached,
    Held,
    InForce,
    Mediation,
    NotTaken,
    Over,
    Proposed,
    Talking,
    is_talks,
    owed_minor,
)
from arrears.mediation.domain.plan import Instalment, broken_rules, in_order, total_minor
from arrears.mediation.domain.policy import Policy
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import StaffId


class Offer(Struct, frozen=True, kw_only=True):
    """A plan on the table, before it is judged."""

    proposed_by: str
    staff_id: StaffId | None
    settlement_minor: int
    credited_minor: int
    counts_from_on: date
    instalments: tuple[Instalment, ...]
    owed_minor: int | None = None
    """What is left of the referral's figure, where the offer is the bank's."""
    discount_percent_max: int | None = None


def record_offer(
    command: RecordOffer, mediation: Mediation, policy: Policy, today: date
) -> Sequence[MediationEvent]:
    """A mediator may let go of a part of what is still owed, no more than the policy says, and asks
    for nothing that is not owed.

    After a breach that was contradicted they offer the rest of the agreement, no less and no more.
    """
    talks = _open_for_offers(mediation)
    if command.currency != talks.round.currency:
        raise Refused("other_currency", "currency")
    instalments = in_order(command.instalments)
    if isinstance(talks, Proposed) and _same_terms(talks, command, instalments):
        return ()
    renewal = not is_talks(talks)
    left_minor = owed_minor(talks)
    offer = Offer(
        proposed_by="bank",
        staff_id=command.staff_id,
        settlement_minor=command.settlement_minor,
        credited_minor=0,
        counts_from_on=today,
        instalments=instalments,
        owed_minor=left_minor,
        discount_percent_max=0 if renewal else policy.offer.discount_percent_max,
    )
    if renewal and offer.settlement_minor != left_minor:
        raise Refused("not_what_is_left", "settlement_minor")
    reasons = broken(offer, policy, today)
    if reasons:
        about = "settlement_minor" if reasons[0] == "nothing_to_settle" else "instalments"
        raise Refused(reasons[0], about)
    kept_percent = 100 - policy.offer.discount_percent_max
    if command.settlement_minor * 100 < left_minor * kept_percent:
        raise Refused("over_authority", "settlement_minor")
    if command.settlement_minor > left_minor:
        raise Refused("more_than_owed", "settlement_minor")
    return (proposed(talks, offer, policy, today),)


def proposed(
    talks: Talking | Proposed | Breached, offer: Offer, policy: Policy, today: date
) -> AgreementProposed:
    """To be signed before the first instalment falls due, so that none is missed at birth."""
    sign_by_on = today + timedelta(days=policy.signing.sign_within_days)
    return AgreementProposed(
        case_id=talks.round.case_id,
        loan_key=talks.round.loan_key,
        round=talks.round.number,
        offer=_last_offer(talks) + 1,
        proposed_by=offer.proposed_by,
        staff_id=offer.staff_id,
        settlement_minor=offer.settlement_minor,
        credited_minor=offer.credited_minor,
        counts_from_on=offer.counts_from_on,
        currency=talks.round.currency,
        instalments=offer.instalments,
        sign_by_on=min(sign_by_on, offer.instalments[0].due_on),
        grace_days=policy.performance.grace_days,
        cure_days=policy.performance.cure_days,
        inputs=inputs(offer, policy),
        policy_id=policy.id,
        policy_version=policy.version,
    )


def _open_for_offers(mediation: Mediation) -> Talking | Proposed | Breached:
    if isinstance(mediation, Breached) and mediation.contradicted:
        return mediation
    return open_talks(mediation)


def open_talks(mediation: Mediation) -> Talking | Proposed:
    match mediation:
        case Talking() | Proposed():
            return mediation
        case NotTaken():
            raise Refused("mediation_not_taken")
        case InForce():
            raise Refused("agreement_in_force")
        case Breached() | Over() | Held():
            raise Refused("mediation_over")


def _last_offer(talks: Talking | Proposed | Breached) -> int:
    match talks:
        case Talking():
            return 0
        case Proposed(terms=terms):
            return terms.offer
        case Breached(last_offer=last_offer):
            return last_offer


def _same_terms(
    proposed: Proposed, command: RecordOffer, instalments: tuple[Instalment, ...]
) -> bool:
    terms = proposed.terms
    return terms.settlement_minor == command.settlement_minor and terms.instalments == instalments


def broken(offer: Offer, policy: Policy, today: date) -> tuple[str, ...]:
    return broken_rules(
        offer.instalments,
        settlement_minor=offer.settlement_minor,
        today=today,
        rule=policy.plan,
    )


def inputs(offer: Offer, policy: Policy) -> OfferInputs:
    return OfferInputs(
        settlement_minor=offer.settlement_minor,
        instalment_count=len(offer.instalments),
        total_minor=total_minor(offer.instalments),
        first_due_on=offer.instalments[0].due_on if offer.instalments else None,
        last_due_on=offer.instalments[-1].due_on if offer.instalments else None,
        term_months_max=policy.plan.term_months_max,
        owed_minor=offer.owed_minor,
        discount_percent_max=offer.discount_percent_max,
    )
