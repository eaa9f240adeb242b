"""Decisions from the referral to a plan that both may sign."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    ReceiptInvitation,
    RecordDecline,
    RecordRepayment,
    TakeMediation,
    WithdrawInvitation,
)
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    BorrowerInvited,
    InvitationAnswered,
    InvitationReceipted,
    InvitationWithdrawn,
    MediationClosed,
    MediationEvent,
    MediationFailed,
    MediationTaken,
    OfferRefused,
    PaymentNoted,
)
from arrears.mediation.domain.mediation.evolve import talking
from arrears.mediation.domain.mediation.offers import Offer, broken, inputs, open_talks, proposed
from arrears.mediation.domain.mediation.rules import Rules
from arrears.mediation.domain.mediation.state import (
    HELD,
    NOT_RENEWED,
    Breached,
    Held,
    InForce,
    Mediation,
    NotTaken,
    Over,
    Proposed,
    Round,
    Talking,
    is_invited,
    is_talks,
    owed_minor,
)
from arrears.mediation.domain.plan import in_order
from arrears.mediation.domain.policy import Policy

NOTHING_OWED: Final = "nothing_owed"


def take(command: TakeMediation, mediation: Mediation, rules: Rules) -> Sequence[MediationEvent]:
    """A later referral of the same case opens another round once the last one is over. Talks that
    are open take it up, for intake waits for the outcome of its newest referral."""
    match mediation:
        case NotTaken():
            return _begin(command, 1, mediation, rules)
        case (
            Over(round=last)
            | Held(round=last)
            | Breached(round=last)
            | Proposed(round=last, renews=Breached())
        ) if command.referral > last.referral:
            return _begin(command, last.number + 1, mediation, rules)
        case Talking() | Proposed() if command.referral > mediation.round.referral:
            return (_referred_anew(command, mediation, rules.calendar.day_of(command.now)),)
        case _:
            return ()


def _referred_anew(
    command: TakeMediation, talks: Talking | Proposed, today: date
) -> MediationTaken:
    """Nobody is invited a second time, and what is proposed stays; days and policy are those that
    the talks have."""
    match talks:
        case Talking(deadline_on=last_day):
            rule: Talking | AgreementProposed = talks
        case Proposed(terms=terms):
            rule, last_day = terms, terms.sign_by_on
    return MediationTaken(
        case_id=command.case_id,
        loan_key=command.loan_key,
        borrower_id=command.borrower_id,
        round=talks.round.number,
        referral=command.referral,
        overdue_minor=command.overdue_minor,
        currency=command.currency,
        taken_on=today,
        answer_by_on=last_day,
        policy_id=rule.policy_id,
        policy_version=rule.policy_version,
    )


def resume(mediation: Mediation, rules: Rules, now: datetime) -> Sequence[MediationEvent]:
    """After a hold the same referral is mediated again, for what is left of its figure."""
    if not isinstance(mediation, Held):
        return ()
    last, left_minor = mediation.round, owed_minor(mediation)
    if left_minor == 0:
        return (closed(last, NOTHING_OWED),)
    again = TakeMediation(
        case_id=last.case_id,
        loan_key=last.loan_key,
        borrower_id=last.borrower_id,
        referral=last.referral,
        overdue_minor=left_minor,
        currency=last.currency,
        now=now,
    )
    return _begin(again, last.number + 1, mediation, rules)


def _begin(
    command: TakeMediation, number: int, before: Mediation, rules: Rules
) -> Sequence[MediationEvent]:
    """Who is held as a person is not invited before the release, as after a hold of the case.
    Intake refers no case that it holds."""
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
    talks = talking(taken)
    if before.held_for - {HELD}:
        return (taken, closed(talks.round, HELD))
    return (taken, *invite_or_end(talks, rules, command.now))


def invite_or_end(talks: Talking, rules: Rules, now: datetime) -> Sequence[MediationEvent]:
    """Nobody is invited to talk about nothing, and nobody is written to outside the hours; a timer
    comes back when they open."""
    if owed_minor(talks) == 0:
        return (closed(talks.round, NOTHING_OWED),)
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


def is_over(asked: BorrowerInvited | AgreementProposed, mediation: Mediation) -> bool:
    """Whether the round that asks for it has ended: nobody waits for what comes of it."""
    if not isinstance(mediation, Talking | Proposed | InForce):
        return True
    return mediation.round.number != asked.round


def may_leave(
    invitation: BorrowerInvited, mediation: Mediation, rules: Rules, at: datetime
) -> bool:
    """Between the decision and the sending time may pass: the talks, what they are about, and the
    hours."""
    if not is_invited(mediation) or mediation.round.number != invitation.round:
        return False
    return not _is_paid(mediation) and rules.next_open(at) == at


def withdraw(
    command: WithdrawInvitation, mediation: Mediation, rules: Rules
) -> Sequence[MediationEvent]:
    """Where the round is over, its end has said so already."""
    if not is_invited(mediation) or mediation.receipted:
        return ()
    if command.round != mediation.round.number:
        return ()
    if _is_paid(mediation):
        return (closed(mediation.round, NOTHING_OWED),)
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
    reasons = broken(offer, policy, today)
    if not reasons:
        return (
            _answered(mediation, command, None),
            proposed(mediation, offer, policy, today),
        )
    return (
        _answered(mediation, command, settle_by_on),
        OfferRefused(
            case_id=mediation.round.case_id,
            loan_key=mediation.round.loan_key,
            round=mediation.round.number,
            reasons=reasons,
            inputs=inputs(offer, policy),
            policy_id=policy.id,
            policy_version=policy.version,
        ),
    )


def record_decline(command: RecordDecline, mediation: Mediation) -> Sequence[MediationEvent]:
    if isinstance(mediation, Over) and mediation.how == "failed":
        return ()
    talks = open_talks(mediation)
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
            value_on=command.value_on,
        ),
    )


def closed(of: Round, reason: str) -> MediationClosed:
    return MediationClosed(
        case_id=of.case_id,
        loan_key=of.loan_key,
        round=of.number,
        reason=reason,
        referral=of.referral,
    )


def _is_paid(mediation: Talking | Proposed | InForce) -> bool:
    """While nothing is proposed; a proposal says for itself what is still to be paid."""
    return isinstance(mediation, Talking) and owed_minor(mediation) == 0


def failed(
    talks: Talking | Proposed, reason: str, detail: str | None = None
) -> MediationFailed | MediationClosed:
    """A failure opens the way to a suit. It is none where all has been paid meanwhile; nor where a
    renewal comes to nothing, for the breach was said long ago."""
    if not is_talks(talks):
        return closed(talks.round, NOT_RENEWED)
    if owed_minor(talks) == 0:
        return closed(talks.round, NOTHING_OWED)
    rule = talks.terms if isinstance(talks, Proposed) else talks
    return MediationFailed(
        case_id=talks.round.case_id,
        loan_key=talks.round.loan_key,
        round=talks.round.number,
        reason=reason,
        detail=detail,
        policy_id=rule.policy_id,
        policy_version=rule.policy_version,
        referral=talks.round.referral,
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
