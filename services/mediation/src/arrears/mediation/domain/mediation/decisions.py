"""What follows from a command to a mediation, and when it wants to be woken."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import Final, TypeAlias, assert_never

from arrears.mediation.domain.mediation import breach, holds, offers, performance, signing, talks
from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    CloseMediation,
    HoldBorrower,
    HoldMediation,
    MediationCommand,
    ReceiptInvitation,
    RecordDecline,
    RecordOffer,
    RecordRepayment,
    ReleaseBorrower,
    ResumeMediation,
    SignForBank,
    SignForBorrower,
    TakeBackMediation,
    TakeMediation,
    WakeUp,
    WithdrawInvitation,
)
from arrears.mediation.domain.mediation.events import MediationEvent
from arrears.mediation.domain.mediation.evolve import evolve
from arrears.mediation.domain.mediation.rules import Rules
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
)
from arrears.mediation.domain.policy import PolicyBook
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar
from arrears.shared.kernel.decider import SOON, Decider

CATEGORY = "mediation.mediation"
TAKEN_BACK: Final = "taken_back"

MediationDecider: TypeAlias = Decider[Mediation, MediationCommand, MediationEvent]


def decide(  # noqa: C901, PLR0911, PLR0912 - one case for each command
    rules: Rules, command: MediationCommand, mediation: Mediation
) -> Sequence[MediationEvent]:
    """Say what follows from a command. A command already in effect yields nothing."""
    policy, today = rules.today(command.now)
    match command:
        case TakeMediation():
            return talks.take(command, mediation, rules)
        case WithdrawInvitation():
            return talks.withdraw(command, mediation, rules)
        case ReceiptInvitation():
            return talks.receipt(command, mediation)
        case AnswerInvitation():
            return talks.answer(command, mediation, policy, today)
        case RecordOffer():
            return offers.record_offer(command, mediation, policy, today)
        case RecordDecline():
            return talks.record_decline(command, mediation)
        case SignForBorrower() | SignForBank():
            return signing.sign(command, mediation, today)
        case RecordRepayment():
            return _record_repayment(command, mediation, today)
        case HoldMediation():
            return holds.hold_case(mediation, rules, command.now)
        case ResumeMediation():
            return holds.release_case(mediation, rules, command.now)
        case HoldBorrower():
            return holds.hold_borrower(command, mediation, rules)
        case ReleaseBorrower():
            return holds.release_borrower(command, mediation, rules)
        case TakeBackMediation():
            return _take_back(mediation)
        case CloseMediation(reason=reason):
            return _close(mediation, reason)
        case WakeUp():
            return _wake(rules, mediation, command.now)
        case _:
            assert_never(command)


def due(rules: Rules, mediation: Mediation, after: datetime) -> datetime | None:
    """The end of the day that the mediation waits for; at once where that has passed.

    Nobody is invited late in the evening because the morning was missed: then it is the next one.
    """
    match mediation:
        case NotTaken() | Held() | Breached() | Over() | InForce(held_since_on=date()):
            return None
        case Talking(invited=False):
            return rules.next_open(after + SOON)
        case Talking(deadline_on=last_day):
            instant = rules.calendar.start_of(last_day + ONE_DAY)
        case Proposed(terms=terms):
            instant = rules.calendar.start_of(terms.sign_by_on + ONE_DAY)
        case InForce():
            instant = performance.next_look_at(mediation, rules.calendar)
        case _:
            assert_never(mediation)
    return max(instant, after + SOON)


def make_mediation_decider(policies: PolicyBook, calendar: BankCalendar) -> MediationDecider:
    rules = Rules(policies=policies, calendar=calendar)
    return Decider(
        category=CATEGORY,
        initial=NotTaken(),
        evolve=evolve,
        decide=partial(decide, rules),
        due=partial(due, rules),
        wake=lambda now: WakeUp(now=now),
    )


def _record_repayment(
    command: RecordRepayment, mediation: Mediation, today: date
) -> Sequence[MediationEvent]:
    """What is heard after the figure was said counts, whatever its value day.

    Intake says money and referrals in one order, and a referral's figure has taken off all that it
    had heard before: what comes behind the referral is not in it, also where it is dated back. A
    settlement of the bank has in it what was heard before the offer. Of money that the bank's own
    figure may have known nobody here can say so, and asking for too little harms nobody (decision
    0021).
    """
    if isinstance(mediation, NotTaken | Over):
        return ()
    if command.currency != mediation.round.currency or command.amount_minor <= 0:
        return ()
    match mediation:
        case Proposed(renews=Breached()):
            return breach.note_meanwhile(command, mediation, today)
        case Talking() | Proposed() | Held():
            return talks.note_repayment(command, mediation)
        case InForce():
            return performance.record_repayment(command, mediation)
        case Breached():
            return breach.note_late(command, mediation, today)
        case _:
            assert_never(mediation)


def _take_back(mediation: Mediation) -> Sequence[MediationEvent]:
    """No failure: a failed mediation would open the way to a suit. An agreement in force is kept
    whoever has the case, and so is its renewal; what has ended is heard back as an echo, and
    nothing follows."""
    if is_talks(mediation) or isinstance(mediation, Held):
        return _close(mediation, TAKEN_BACK)
    return ()


def _close(mediation: Mediation, reason: str) -> Sequence[MediationEvent]:
    if isinstance(mediation, NotTaken | Over):
        return ()
    return (talks.closed(mediation.round, reason),)


def _wake(rules: Rules, mediation: Mediation, now: datetime) -> Sequence[MediationEvent]:
    today = rules.calendar.day_of(now)
    match mediation:
        case Talking(invited=False):
            return talks.invite_or_end(mediation, rules, now)
        case Talking(deadline_on=last_day) if last_day < today:
            if mediation.answered:
                return (talks.failed(mediation, "declined", "no plan was agreed in time"),)
            return (talks.failed(mediation, "no_answer"),)
        case Proposed(terms=terms) if terms.sign_by_on < today:
            unsigned = f"missing: {signing.unsigned_by(mediation)}"
            return (talks.failed(mediation, "not_signed", unsigned),)
        case InForce():
            return performance.look(mediation, today)
        case _:
            return ()
