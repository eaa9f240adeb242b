"""What the loan's decisions read, and how each event changes it.

The state has a fixed size: it keeps the newest fact, never a list of facts. An older state stays
valid for ever, because nothing here is changed in place.
"""

from datetime import date, datetime
from typing import Final, TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from arrears.intake.domain.loan.events import (
    CaseAssessed,
    CaseClosed,
    CaseHeld,
    CaseOpened,
    CaseReferred,
    CaseReleased,
    CaseReturned,
    GraceGranted,
    HoldEnded,
    LoanBorrowerChanged,
    LoanCuredRecorded,
    LoanEvent,
    LoanOverdueRecorded,
    RepaymentRecorded,
    StageReported,
)
from arrears.intake.domain.loan.owed import PaidSince, left_by, may_count, with_repayment
from arrears.intake.domain.policy import TAKEN_BACK
from arrears.shared.kernel.ids import BorrowerId, CaseId

CURED: Final = "cured"
UNCOLLECTIBLE: Final = "uncollectible"
SETTLED: Final = "settled"
IN_FORCE: Final = "in_force"
FULFILLED: Final = "fulfilled"
STOPPED: Final = "stopped"
"""A hold, an agreement, a shield or staff ended the treatment: nothing came of it."""
_HELD: Final = frozenset({"hold", "hardship"})
"""Why contact stopped a treatment where the case is held, or the person for another case."""
_PAID: Final = frozenset({"obeyed", "recovered_in_full", "settled"})
"""Results of a suit after which nothing is left of what it was about."""
BORROWER_CHANGED: Final = "borrower_changed"
"""Why a stage gives a case back, and nobody gets it, that another borrower owes by now."""


class Split(Struct, frozen=True, gc=False):
    """What is left of the newest known split after the repayments that came since."""

    costs_minor: int
    interest_minor: int
    principal_minor: int


class Done(Struct, frozen=True, gc=False):
    """A treatment that has ended, and how it ended the last time."""

    treatment: str
    result: str | None
    stops: int = 0
    """How often it was only stopped; by a hold does not count (decision 0028)."""


class Hold(Struct, frozen=True, gc=False):
    """Nobody acts on the case until the day is over; None: until a release. `note` is what staff
    wrote last."""

    reason: str
    until_on: date | None
    note: str | None = None


Holds: TypeAlias = tuple[Hold, ...]
"""One for each reason, so bounded by the number of reasons."""


class Case(Struct, frozen=True, kw_only=True, gc=False):
    """The case of the current episode. `closed` is None while it is open."""

    case_id: CaseId
    episode: int
    since_on: date
    """As-of day of the fact that opened it: money of an earlier value day that its figures may have
    counted is not its money."""
    review_on: date
    closed: str | None = None
    assessed: CaseAssessed | None = None
    grace_until: int | None = None

    stage: str | None = None
    treatment: str | None = None
    referral: int = 0
    awaiting: bool = False
    """A referral is out and its stage has not reported the end."""
    done: tuple[Done, ...] = ()
    """Treatments that have ended, each once: bounded by the number of treatments."""
    step_on: date | None = None
    """The day from which the strategy counts: the last end of a treatment or of a pause."""

    holds: Holds = ()
    promise_id: str | None = None
    agreement: str | None = None
    """None, in_force, fulfilled or breached."""
    performed_on: date | None = None
    """The day on which we heard that what was agreed or awarded had been paid."""
    refused: bool = False
    promises_broken: int = 0
    unreachable: bool = False
    """Nobody could reach the borrower, who has been reached by none and said nothing since."""
    last_report_id: str | None = None


class Loan(Struct, frozen=True, kw_only=True, gc=False):
    borrower_id: BorrowerId | None = None
    first_borrower_id: BorrowerId | None = None
    """Who was named before the bank first named another: the loan's stream stays with them, here
    and in every stage (protocol 1.1). None while nobody else was named."""
    currency: str | None = None
    """What the bank's overdue facts are in. A repayment or a cure before them fixes none."""
    episode: int = 0
    latest: LoanOverdueRecorded | None = None
    """The newest overdue fact: the bank's current figures."""
    cured_as_of_on: date | None = None
    cured_stated_at: datetime | None = None
    case: Case | None = None
    """The case of the running episode; None before the first and after a cure."""
    left: Split | None = None
    paid_since: PaidSince = ()
    """The money that the newest overdue fact cannot have counted; before the first, the newest."""
    last_fact_id: str | None = None
    last_repayment_id: str | None = None
    last_repayment_minor: int = 0

    @property
    def is_of_another(self) -> bool:
        """Whether somebody else owes the loan than whom our streams are about."""
        return self.first_borrower_id not in (None, self.borrower_id)


initial: Final = Loan()


def evolve(  # noqa: PLR0911 - one case for each event
    loan: Loan, event: LoanEvent
) -> Loan:
    """Apply one fact. Never refuses and never raises: what happened, happened."""
    match event:
        case LoanOverdueRecorded():
            return _overdue(loan, event)
        case RepaymentRecorded():
            return _repaid(loan, event)
        case LoanCuredRecorded():
            return _cured(loan, event)
        case LoanBorrowerChanged():
            first = loan.first_borrower_id or event.was
            return replace(loan, borrower_id=event.now_is, first_borrower_id=first)
        case CaseOpened():
            return _opened(loan, event)
        case _:
            case = loan.case
            if case is None or case.case_id != event.case_id:
                return loan
            return replace(loan, case=_case(case, event))


def _overdue(loan: Loan, event: LoanOverdueRecorded) -> Loan:
    if event.outdated:
        return replace(loan, last_fact_id=event.fact_id)
    case = loan.case
    if case is not None:
        case = replace(case, review_on=event.review_on)
        if case.performed_on is not None and event.due_on >= case.performed_on:
            case = _anew(case)
    return replace(
        loan,
        borrower_id=event.borrower_id if loan.borrower_id is None else loan.borrower_id,
        currency=event.currency,
        episode=event.episode,
        latest=event,
        case=case,
        left=_split_of(event),
        paid_since=left_by(event, loan.paid_since),
        last_fact_id=event.fact_id,
    )


def _anew(case: Case) -> Case:
    """Arrears that began after a fulfilled agreement, or after what a court awarded was paid, are
    none that it settled: the ladder begins again, whatever was done about the old ones."""
    return replace(case, agreement=None, performed_on=None, done=())


def _split_of(event: LoanOverdueRecorded) -> Split | None:
    costs, interest, principal = event.fees_minor, event.interest_minor, event.principal_minor
    if costs is None or interest is None or principal is None:
        return None
    return Split(costs, interest, principal)


def _repaid(loan: Loan, event: RepaymentRecorded) -> Loan:
    left = loan.left
    if left is not None and event.costs_minor is not None:
        left = Split(
            left.costs_minor - event.costs_minor,
            left.interest_minor - (event.interest_minor or 0),
            left.principal_minor - (event.principal_minor or 0),
        )
    latest, paid = loan.latest, loan.paid_since
    if latest is None or not may_count(latest, event.value_on, event.stated_at):
        paid = with_repayment(paid, event)
    return replace(
        loan,
        left=left,
        paid_since=paid,
        last_repayment_id=event.repayment_id,
        last_repayment_minor=event.amount_minor,
    )


def _cured(loan: Loan, event: LoanCuredRecorded) -> Loan:
    if event.outdated:
        return replace(loan, last_fact_id=event.fact_id)
    return replace(
        loan,
        cured_as_of_on=event.as_of_on,
        cured_stated_at=event.stated_at,
        case=None,
        left=None,
        paid_since=left_by(event, loan.paid_since),
        last_fact_id=event.fact_id,
    )


def _opened(loan: Loan, event: CaseOpened) -> Loan:
    review_on = event.opened_on if loan.latest is None else loan.latest.review_on
    return replace(
        loan,
        episode=event.episode,
        case=Case(
            case_id=event.case_id,
            episode=event.episode,
            since_on=event.as_of_on,
            review_on=review_on,
        ),
    )


_CaseChange = (
    CaseAssessed
    | GraceGranted
    | CaseReferred
    | CaseHeld
    | HoldEnded
    | CaseReleased
    | CaseReturned
    | StageReported
    | CaseClosed
)


def _case(  # noqa: PLR0911 - one case for each event
    case: Case, event: _CaseChange
) -> Case:
    match event:
        case CaseAssessed():
            return replace(case, assessed=event)
        case GraceGranted():
            return replace(case, grace_until=event.until_days_past_due)
        case CaseReferred():
            return replace(
                case,
                stage=event.stage,
                treatment=event.treatment,
                referral=event.referral,
                awaiting=True,
            )
        case CaseHeld():
            return replace(case, holds=with_hold(case.holds, event))
        case HoldEnded():
            return replace(case, holds=without_hold(case.holds, event.hold))
        case CaseReleased():
            return replace(case, holds=(), step_on=event.review_on, review_on=event.review_on)
        case CaseReturned():
            return _returned(case, event)
        case StageReported():
            return _reported(case, event)
        case CaseClosed():
            return replace(case, closed=event.reason)
        case _:
            assert_never(event)


def _returned(case: Case, event: CaseReturned) -> Case:
    back = replace(case, stage=None, treatment=None, awaiting=False)
    if not case.awaiting or case.treatment is None or event.review_on is None:
        return back
    return replace(
        back,
        done=_with_done(case.done, Done(case.treatment, event.result)),
        step_on=event.review_on,
        review_on=event.review_on,
    )


def with_hold(holds: Holds, event: CaseHeld) -> Holds:
    own = event.until_on if event.hold_until_on is None else event.hold_until_on
    noted = (hold.note for hold in holds if hold.reason == event.reason)
    note = next(noted, None) if event.note is None else event.note
    return (*without_hold(holds, event.reason), Hold(event.reason, own, note))


def without_hold(holds: Holds, reason: str) -> Holds:
    return tuple(hold for hold in holds if hold.reason != reason)


def _reported(  # noqa: C901, PLR0911 - one case for each report
    case: Case, event: StageReported
) -> Case:
    """Only what the strategy asks about is kept; the rest of a report is history's business."""
    case = replace(case, review_on=event.review_on, last_report_id=event.report_id)
    match event.report:
        case "treatment_completed" | "mediation_failed" | "mediation_closed":
            return case if is_of_the_past(case, event) else _ended(case, event)
        case "judgment_obeyed" | "enforcement_closed" | "claim_ended":
            ended = _ended(case, event)
            paid = event.result in _PAID
            return replace(ended, performed_on=event.review_on) if paid else ended
        case "agreement_signed":
            return replace(case, agreement=IN_FORCE, performed_on=None, unreachable=False)
        case "agreement_fulfilled":
            ended = _ended(case, event)
            return replace(ended, agreement=FULFILLED, performed_on=event.review_on)
        case "agreement_breached":
            return replace(_ended(case, event), agreement="breached", performed_on=None)
        case "promise_made":
            return replace(case, promise_id=event.promise_id, unreachable=False)
        case "promise_kept" | "promise_partly_kept" | "promise_broken" | "promise_lapsed":
            return _promise_ended(case, event)
        case "refusal_reported":
            return replace(case, refused=True, unreachable=False)
        case "hardship_reported":
            return replace(case, unreachable=False)
        case "unreachable_reported":
            return replace(case, unreachable=True)
        case _:
            return case


def _ended(case: Case, event: StageReported) -> Case:
    treatment = event.treatment or case.treatment
    done = case.done
    if treatment is not None:
        stops = sum(one.stops for one in done if one.treatment == treatment)
        stops += event.result == STOPPED and event.detail not in _HELD
        done = _with_done(done, Done(treatment, event.result, stops))
    unreachable = event.result == "unreachable" or (case.unreachable and event.result != "reached")
    case = replace(case, done=done, unreachable=unreachable)
    if case.stage not in (None, event.stage):
        return case  # Another stage is at work, and the next rung waits for its end.
    return replace(case, awaiting=False, step_on=event.review_on)


def is_of_the_past(case: Case, event: StageReported) -> bool:
    """A treatment that is not out any more; talks for an older referral, or that staff ended: they
    did not fail.
    """
    if event.report == "treatment_completed":
        return not case.awaiting or event.referral != case.referral
    if event.referral not in (None, case.referral) and case.stage == event.stage:
        return True
    return case.stage != event.stage and any(
        done.treatment == event.treatment and done.result == TAKEN_BACK for done in case.done
    )


def _with_done(done: tuple[Done, ...], ended: Done) -> tuple[Done, ...]:
    return (*(item for item in done if item.treatment != ended.treatment), ended)


def _promise_ended(case: Case, event: StageReported) -> Case:
    broken = case.promises_broken + (event.report == "promise_broken")
    if event.promise_id != case.promise_id:
        return replace(case, promises_broken=broken)
    return replace(case, promise_id=None, promises_broken=broken, step_on=event.review_on)
