"""Decisions from the referral to a plan that both may sign."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    ReceiptInvitation,
    RecordDecline,
    RecordOffer,
    RecordRepayment,
    ResumeMediation,
    TakeMediation,
    WithdrawInvitation,
)
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    BorrowerInvited,
    InvitationAnswered,
    InvitationReceipted,
    InvitationWithdrawn,
    MediationEvent,
    MediationFailed,
    MediationTaken,
    OfferInputs,
    OfferRefused,
    PaymentNoted,
)
from arrears.mediation.domain.mediation.rules import Rules
from arrears.mediation.domain.mediation.state import (
    Held,
    InForce,
    Mediation,
    NotTaken,
    Over,
    Proposed,
    Talking,
    is_invited,
    received_minor,
    talking,
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


def take(command: TakeMediation, mediation: Mediation, rules: Rules) -> Sequence[MediationEvent]:
    """A later referral of the same case opens another round once the last one is over."""
    match mediation:
        case NotTaken():
            return _begin(command, 1, rules)
        case Over(round=last) | Held(round=last) if command.referral > last.referral:
            return _begin(command, last.number + 1, rules)
        case _:
            return ()


def resume(
    command: ResumeMediation, mediation: Mediation, rules: Rules
) -> Sequence[MediationEvent]:
    """After a hold the same referral is mediated again, for what is left of its figure."""
    if not isinstance(mediation, Held):
        return ()
    last = mediation.round
    again = TakeMediation(
        case_id=last.case_id,
        loan_key=last.loan_key,
        borrower_id=last.borrower_id,
        referral=last.referral,
        overdue_minor=max(0, last.overdue_minor - mediation.noted_minor),
        currency=last.currency,
        now=command.now,
    )
    return _begin(again, last.number + 1, rules)


def _begin(command: TakeMediation, number: int, rules: Rules) -> Sequence[MediationEvent]:
    policy, today = rules.today(command.now)
    taken = MediationTaken(
        case_id=command.case_id,
        loan_key=command.loan_key,
        borrower_id=command.borrower_id,
        round=number,
        referral=command.referral,
        overdue_minor=command.overdue_minor,
        currency=command.currency,
        taken_on=today,
        answer_by_on=rules.answer_by_on(rules.next_open(command.now)),
        policy_id=policy.id,
        policy_version=policy.version,
    )
    return (taken, *invite(talking(taken), rules, command.now))


def invite(talks: Talking, rules: Rules, now: datetime) -> Sequence[MediationEvent]:
    """Nobody is written to outside the hours; a timer comes back when they open."""
    if rules.next_open(now) > now:
        return ()
    policy, _ = rules.today(now)
    return (
        BorrowerInvited(
            case_id=talks.round.case_id,
            loan_key=talks.round.loan_key,
            round=talks.round.number,
            overdue_minor=talks.round.overdue_minor,
            currency=talks.round.currency,
            answer_by_on=rules.answer_by_on(now),
            policy_id=policy.id,
            policy_version=policy.version,
        ),
    )


def may_leave(
    invitation: BorrowerInvited, mediation: Mediation, rules: Rules, at: datetime
) -> bool:
    """Between the decision and the sending time may pass: the talks, and the hours."""
    stands = is_invited(mediation) and mediation.round.number == invitation.round
    return stands and rules.next_open(at) == at


def withdraw(
    command: WithdrawInvitation, mediation: Mediation, rules: Rules
) -> Sequence[MediationEvent]:
    """Where the round is over, its end has said so already."""
    if not is_invited(mediation) or mediation.receipted:
        return ()
    if command.round != mediation.round.number:
        return ()
    policy, _ = rules.today(command.now)
    return (
        InvitationWithdrawn(
            case_id=mediation.round.case_id,
            loan_key=mediation.round.loan_key,
            round=command.round,
            next_allowed_at=rules.next_open(command.now),
            policy_id=policy.id,
            policy_version=policy.version,
        ),
    )


def receipt(command: ReceiptInvitation, mediation: Mediation) -> Sequence[MediationEvent]:
    if not is_invited(mediation) or mediation.receipted:
        return ()
    if command.round != mediation.round.number:
        return ()
    return (
        InvitationReceipted(
            case_id=mediation.round.case_id,
            loan_key=mediation.round.loan_key,
            round=command.round,
            receipt_id=command.receipt_id,
            gateway=command.gateway,
        ),
    )


def answer(
    command: AnswerInvitation, mediation: Mediation, policy: Policy, today: date
) -> Sequence[MediationEvent]:
    """An acceptable offer becomes the proposal; any other leaves the talks open for a while.

    Where staff have proposed meanwhile, what the borrower said is recorded and changes nothing.
    """
    if not is_invited(mediation) or mediation.answered or command.round != mediation.round.number:
        return ()
    if not isinstance(mediation, Talking):
        return (_answered(mediation, command, None),)
    if not command.accepted:
        return (_answered(mediation, command, None), failed(mediation, "declined"))
    settle_by_on = today + timedelta(days=policy.offer.settle_within_days)
    if not command.instalments:
        return (_answered(mediation, command, settle_by_on),)
    offer = Offer(
        proposed_by="borrower",
        staff_id=None,
        settlement_minor=mediation.round.overdue_minor,
        credited_minor=mediation.noted_minor,
        counts_from_on=mediation.round.taken_on,
        instalments=in_order(command.instalments),
    )
    reasons = _broken(offer, policy, today)
    if not reasons:
        return (
            _answered(mediation, command, None),
            _proposed(mediation, offer, policy, today),
        )
    return (
        _answered(mediation, command, settle_by_on),
        OfferRefused(
            case_id=mediation.round.case_id,
            loan_key=mediation.round.loan_key,
            round=mediation.round.number,
            reasons=reasons,
            inputs=_inputs(offer, policy),
            policy_id=policy.id,
            policy_version=policy.version,
        ),
    )


def record_offer(
    command: RecordOffer, mediation: Mediation, policy: Policy, today: date
) -> Sequence[MediationEvent]:
    """A mediator may let go of a part of what is still owed, and no more than the policy says."""
    talks = _open_talks(mediation)
    if command.currency != talks.round.currency:
        raise Refused("other_currency", "currency")
    instalments = in_order(command.instalments)
    if isinstance(talks, Proposed) and _same_terms(talks, command, instalments):
        return ()
    owed_minor = max(0, talks.round.overdue_minor - received_minor(talks))
    offer = Offer(
        proposed_by="bank",
        staff_id=command.staff_id,
        settlement_minor=command.settlement_minor,
        credited_minor=0,
        counts_from_on=today,
        instalments=instalments,
        owed_minor=owed_minor,
    )
    reasons = _broken(offer, policy, today)
    if reasons:
        about = "settlement_minor" if reasons[0] == "nothing_to_settle" else "instalments"
        raise Refused(reasons[0], about)
    kept_percent = 100 - policy.offer.discount_percent_max
    if command.settlement_minor * 100 < owed_minor * kept_percent:
        raise Refused("over_authority", "settlement_minor")
    return (_proposed(talks, offer, policy, today),)


def record_decline(command: RecordDecline, mediation: Mediation) -> Sequence[MediationEvent]:
    if isinstance(mediation, Over) and mediation.how == "failed":
        return ()
    talks = _open_talks(mediation)
    detail = f"recorded by {command.staff_id}"
    return (failed(talks, "declined", detail),)


def note_repayment(
    command: RecordRepayment, mediation: Talking | Proposed | Held
) -> Sequence[MediationEvent]:
    if command.repayment_id in mediation.seen:
        return ()
    return (
        PaymentNoted(
            case_id=mediation.round.case_id,
            loan_key=mediation.round.loan_key,
            round=mediation.round.number,
            repayment_id=command.repayment_id,
            amount_minor=command.amount_minor,
            currency=command.currency,
            noted_minor=mediation.noted_minor + command.amount_minor,
        ),
    )


def failed(talks: Talking | Proposed, reason: str, detail: str | None = None) -> MediationFailed:
    rule = talks.terms if isinstance(talks, Proposed) else talks
    return MediationFailed(
        case_id=talks.round.case_id,
        loan_key=talks.round.loan_key,
        round=talks.round.number,
        reason=reason,
        detail=detail,
        policy_id=rule.policy_id,
        policy_version=rule.policy_version,
    )


def _open_talks(mediation: Mediation) -> Talking | Proposed:
    match mediation:
        case Talking() | Proposed():
            return mediation
        case NotTaken():
            raise Refused("mediation_not_taken")
        case InForce():
            raise Refused("agreement_in_force")
        case Over() | Held():
            raise Refused("mediation_over")


def _same_terms(
    proposed: Proposed, command: RecordOffer, instalments: tuple[Instalment, ...]
) -> bool:
    terms = proposed.terms
    return terms.settlement_minor == command.settlement_minor and terms.instalments == instalments


def _broken(offer: Offer, policy: Policy, today: date) -> tuple[str, ...]:
    return broken_rules(
        offer.instalments,
        settlement_minor=offer.settlement_minor,
        today=today,
        rule=policy.plan,
    )


def _inputs(offer: Offer, policy: Policy) -> OfferInputs:
    return OfferInputs(
        settlement_minor=offer.settlement_minor,
        instalment_count=len(offer.instalments),
        total_minor=total_minor(offer.instalments),
        first_due_on=offer.instalments[0].due_on if offer.instalments else None,
        last_due_on=offer.instalments[-1].due_on if offer.instalments else None,
        term_months_max=policy.plan.term_months_max,
        owed_minor=offer.owed_minor,
        discount_percent_max=(
            None if offer.owed_minor is None else policy.offer.discount_percent_max
        ),
    )


def _answered(
    talks: Talking | Proposed | InForce, command: AnswerInvitation, settle_by_on: date | None
) -> InvitationAnswered:
    return InvitationAnswered(
        case_id=talks.round.case_id,
        loan_key=talks.round.loan_key,
        round=talks.round.number,
        accepted=command.accepted,
        instalments=in_order(command.instalments),
        settle_by_on=settle_by_on,
    )


def _proposed(
    talks: Talking | Proposed, offer: Offer, policy: Policy, today: date
) -> AgreementProposed:
    """To be signed before the first instalment falls due, so that none is missed at birth."""
    sign_by_on = today + timedelta(days=policy.signing.sign_within_days)
    return AgreementProposed(
        case_id=talks.round.case_id,
        loan_key=talks.round.loan_key,
        round=talks.round.number,
        offer=talks.terms.offer + 1 if isinstance(talks, Proposed) else 1,
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
        inputs=_inputs(offer, policy),
        policy_id=policy.id,
        policy_version=policy.version,
    )
