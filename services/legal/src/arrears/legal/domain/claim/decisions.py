"""What follows from a command to a claim, and when it wants to be woken."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial, reduce
from typing import Final, TypeAlias, assert_never

from arrears.legal.domain.claim import acts, court, endings, filing, suit, withholding
from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ApproveFiling,
    ClaimCommand,
    CloseClaim,
    CloseEnforcement,
    EndSuit,
    EnterJudgment,
    HoldBorrower,
    NoteAgreement,
    NoteAgreementEnd,
    NoteDemand,
    NotePromise,
    NoteRepayment,
    PauseClaim,
    RecordSearch,
    RegisterClaim,
    ReleaseBorrower,
    ResumeClaim,
    ReturnClaim,
    TakeClaim,
    WakeUp,
    Withhold,
)
from arrears.legal.domain.claim.events import ClaimEvent
from arrears.legal.domain.claim.evolve import evolve
from arrears.legal.domain.claim.rules import Rules
from arrears.legal.domain.claim.state import Claim, Phase
from arrears.legal.domain.policy import PolicyBook
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar, IsWorkday
from arrears.shared.kernel.decider import SOON, Decider

CATEGORY: Final = "legal.claim"

ClaimDecider: TypeAlias = Decider[Claim, ClaimCommand, ClaimEvent]


def decide(  # noqa: C901, PLR0911, PLR0912 - one case for each command
    rules: Rules, command: ClaimCommand, claim: Claim
) -> Sequence[ClaimEvent]:
    """Say what follows from a command. A command already in effect yields nothing."""
    match command:
        case NoteDemand():
            return acts.note_demand(rules, command, claim)
        case NotePromise():
            return acts.note_promise(rules, command, claim)
        case NoteRepayment():
            return _note_repayment(rules, command, claim)
        case NoteAgreement():
            return acts.note_agreement(rules, command, claim)
        case NoteAgreementEnd():
            return acts.note_agreement_end(rules, command, claim)
        case TakeClaim():
            return filing.take(rules, command, claim)
        case PauseClaim():
            return filing.pause(command, claim)
        case ResumeClaim():
            return filing.resume(rules, command, claim)
        case HoldBorrower():
            return filing.hold_borrower(command, claim)
        case ReleaseBorrower():
            return filing.release_borrower(rules, command, claim)
        case ReturnClaim():
            return filing.give_back(command, claim)
        case CloseClaim(reason=reason):
            return endings.close_with_case(claim, reason)
        case ApproveFiling():
            return filing.approve(rules, command, claim)
        case Withhold():
            return withholding.withhold(rules, command, claim)
        case RegisterClaim():
            return suit.register(rules, command, claim)
        case EnterJudgment():
            return suit.enter_judgment(rules, command, claim)
        case EndSuit():
            return endings.end_suit(command, claim)
        case ApplyForEnforcement():
            return suit.apply_for_enforcement(rules, command, claim)
        case RecordSearch():
            return suit.record_search(command, claim)
        case CloseEnforcement():
            return suit.close_enforcement(command, claim)
        case WakeUp(now=now):
            return _wake(rules, claim, now)
        case _:
            assert_never(command)


def due(rules: Rules, claim: Claim, after: datetime) -> datetime | None:
    """The start of the next day on which something is to be done; at once where it has passed, but
    not before all that was heard when a request was withheld."""
    days = _due_days(rules, claim, rules.day_of(after))
    if not days:
        return None
    return max(rules.calendar.start_of(min(days)), after + SOON, claim.looked_at or after)


def make_claim_decider(
    policies: PolicyBook,
    calendar: BankCalendar,
    is_workday: IsWorkday,
    announced_until: int | None = None,
) -> ClaimDecider:
    rules = Rules(policies, calendar, is_workday, announced_until)
    return Decider(
        category=CATEGORY,
        initial=Claim(),
        evolve=evolve,
        decide=partial(decide, rules),
        due=partial(due, rules),
        wake=lambda now: WakeUp(now=now),
    )


def _note_repayment(rules: Rules, command: NoteRepayment, claim: Claim) -> Sequence[ClaimEvent]:
    if claim.phase is Phase.CLOSED or command.repayment_id in claim.seen:
        return ()
    if claim.currency not in ("", command.currency) or command.amount_minor <= 0:
        return ()
    if claim.phase in (Phase.UNREFERRED, Phase.REFUSED):
        return acts.note_part_payment(rules, command, claim)
    return suit.note_payment(rules, command, claim)


def _due_days(rules: Rules, claim: Claim, today: date) -> list[date]:
    """The days at whose start the claim wants to be looked at; past ones are overdue."""
    days = []
    if claim.held and claim.held_until_on is not None and claim.phase is not Phase.CLOSED:
        days.append(claim.held_until_on + ONE_DAY)
    match claim.phase:
        case Phase.REFUSED:
            days.extend(_waiting_days(rules, claim, today))
        case Phase.FILED | Phase.REGISTERED:
            days.extend(court.silence_days(rules, claim))
        case Phase.JUDGED:
            days.append(rules.booked_by(claim) + ONE_DAY)
        case Phase.NOT_OBEYED:
            if claim.apply_on is not None and _may_apply(claim):
                days.append(claim.apply_on)
            elif not claim.lapsed:
                days.extend(suit.alarm_days(rules, claim, today))
                days.append(claim.apply_by_on + ONE_DAY)
        case _:
            pass
    return days


def _waiting_days(rules: Rules, claim: Claim, today: date) -> list[date]:
    """Of a claim that is not filed: the end of the time to pay, the alarms, the end of limitation;
    today where its gate was not looked at since its filing was withheld."""
    days = [] if claim.missing or claim.returned else [today]
    days += [] if claim.pay_by_on is None else [claim.pay_by_on + ONE_DAY]
    if filing.limitation_matters(claim):
        days.extend(filing.alarm_days(rules, claim, today))
        if not claim.returned and not claim.despite_limitation:
            days.append(claim.limitation_expires_on + ONE_DAY)
    return days


def _wake(rules: Rules, claim: Claim, now: datetime) -> Sequence[ClaimEvent]:
    """All that is due by now, one thing after the other: the second may follow from the first."""
    events: list[ClaimEvent] = []
    while step := _next_step(rules, claim, now):
        events.extend(step)
        claim = reduce(evolve, step, claim)
    return events


def _next_step(rules: Rules, claim: Claim, now: datetime) -> Sequence[ClaimEvent]:
    today = rules.day_of(now)
    if claim.held and claim.held_until_on is not None and claim.held_until_on < today:
        return filing.resume(rules, ResumeClaim(reason="time_passed", now=now), claim)
    match claim.phase:
        case Phase.REFUSED:
            said = filing.look_again(rules, claim, now)
            return said or filing.raise_alarm(rules, claim, today)
        case Phase.FILED | Phase.REGISTERED:
            return court.note_silence(rules, claim, today)
        case Phase.JUDGED if rules.booked_by(claim) < today:
            return suit.judge_obedience(rules, claim, today)
        case Phase.NOT_OBEYED:
            return _after_disobedience(rules, claim, today)
        case _:
            return ()


def _after_disobedience(rules: Rules, claim: Claim, today: date) -> Sequence[ClaimEvent]:
    is_over = claim.apply_by_on < today and not claim.lapsed
    if is_over and claim.applied_by is None:
        return suit.lapse(claim)
    if claim.apply_on is not None and _may_apply(claim):
        if claim.apply_on > today:
            return ()
        return suit.apply(rules, claim, today, claim.applied_by)
    if claim.lapsed:
        return ()
    return suit.lapse(claim) if is_over else suit.raise_alarm(rules, claim, today)


def _may_apply(claim: Claim) -> bool:
    """Whether enforcement follows by itself. Once the time to apply is over the debtor may object:
    whether to apply all the same is for a person. While an agreement is kept, or the case or the
    person is held, it sleeps."""
    if claim.lapsed and claim.applied_by is None:
        return False
    return not claim.stands_still and not claim.agreement_in_force
