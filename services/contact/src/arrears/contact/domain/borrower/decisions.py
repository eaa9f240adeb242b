"""What follows from a command. A command that is already in effect yields nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import assert_never

from arrears.contact.domain.borrower import (
    debtor,
    hardship,
    outcomes,
    promises,
    sending,
    stops,
    timers,
    treatments,
)
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    CountRepayment,
    EndContact,
    EndTreatment,
    NameDebtor,
    NoteOutcome,
    NoteReceipt,
    RecordContactPoints,
    RecordHardship,
    RecordPromise,
    RecordRefusal,
    ReleaseCase,
    ResumeContact,
    StartTreatment,
    StopContact,
    WakeUp,
    WithdrawAttempt,
)
from arrears.contact.domain.borrower.draft import Draft, Rules
from arrears.contact.domain.borrower.events import AttemptPermitted, BorrowerEvent
from arrears.contact.domain.borrower.evolve import evolve
from arrears.contact.domain.borrower.state import Borrower
from arrears.contact.domain.permit import Denied
from arrears.contact.domain.policy import Policy, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar, IsWorkday, is_weekday
from arrears.shared.kernel.decider import Decider

CATEGORY = "contact.borrower"


def make_borrower_decider(
    policies: Sequence[Policy],
    market_zone: str,
    *,
    is_workday: IsWorkday = is_weekday,
    sandbox_points: bool = False,
) -> Decider[Borrower, BorrowerCommand, BorrowerEvent]:
    """The borrower under these policies.

    `market_zone` is the bank's: its days, and its clock where a borrower's is unknown.
    `is_workday` tells the days on which the bank books payments.
    `sandbox_points` lets attempts go to contact points of the sandbox where the bank's feed has
    brought no profile; every such event names them so.
    """
    rules = Rules(PolicyBook(policies), BankCalendar(market_zone), sandbox_points, is_workday)

    def decide(command: BorrowerCommand, borrower: Borrower) -> Sequence[BorrowerEvent]:
        draft = Draft(rules, borrower, command.now)
        _follow(draft, command)
        timers.serve(draft)
        return tuple(draft.events)

    return Decider(
        category=CATEGORY,
        initial=Borrower(),
        evolve=evolve,
        decide=decide,
        due=timers.due,
        wake=_wake,
    )


def _wake(now: datetime) -> BorrowerCommand:
    return WakeUp(now=now)


def _follow(draft: Draft, command: BorrowerCommand) -> None:  # noqa: C901, PLR0912
    match command:
        case WakeUp():
            pass  # What is due is served after every command.
        case NoteReceipt():
            outcomes.receipt(draft, command)
        case NoteOutcome():
            outcomes.conclude(draft, command)
        case WithdrawAttempt():
            sending.withdraw(draft, command)
        case StartTreatment():
            treatments.start(draft, command)
        case EndTreatment():
            treatments.end(draft, command)
        case RecordContactPoints():
            treatments.record_points(draft, command)
        case CountRepayment():
            treatments.count(draft, command)
            promises.count(draft, command)
        case RecordPromise():
            promises.record(draft, command)
        case RecordHardship():
            hardship.record(draft, command)
        case RecordRefusal():
            promises.record_refusal(draft, command)
        case StopContact():
            stops.stop(draft, command)
        case NameDebtor():
            debtor.name(draft, command)
        case ResumeContact():
            stops.resume(draft, command)
        case ReleaseCase():
            stops.release(draft, command)
        case EndContact():
            stops.end(draft, command)
        case _:
            assert_never(command)


def make_objection(
    policies: Sequence[Policy], market_zone: str
) -> Callable[[AttemptPermitted, Borrower, datetime], Denied | None]:
    """Asked of a permitted attempt at the moment of sending, under the same policies."""
    rules = Rules(PolicyBook(policies), BankCalendar(market_zone), sandbox_points=False)
    return lambda permitted, borrower, at: sending.objection(permitted, borrower, at, rules)
