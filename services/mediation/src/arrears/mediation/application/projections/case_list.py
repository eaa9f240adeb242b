"""One row for each case that mediation has or had: the mediators' list, `GET /cases`.

Rebuild at will: `arrears-mediation rebuild`.
"""

from datetime import date
from typing import Final, assert_never, get_args

from msgspec import Struct
from msgspec.structs import asdict, replace

from arrears.mediation.domain.mediation.events import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementHeld,
    AgreementProposed,
    AgreementReleased,
    AgreementSigned,
    BankSigned,
    BorrowerInvited,
    BorrowerSigned,
    BreachContradicted,
    HoldEnded,
    HoldNoted,
    InstalmentMissed,
    InstalmentPaid,
    InvitationAnswered,
    InvitationReceipted,
    InvitationWithdrawn,
    LatePaymentNoted,
    MediationClosed,
    MediationEvent,
    MediationFailed,
    MediationTaken,
    OfferRefused,
    PaymentNoted,
)
from arrears.mediation.domain.mediation.state import NOT_RENEWED
from arrears.mediation.domain.plan import Instalment, Pause, moved
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

NAME: Final = "case_list"
VERSION: Final = 4  # Raise it when `evolve` changes meaning; the runner then rebuilds.
HEARS: Final = frozenset(get_args(MediationEvent))


class Renewed(Struct, frozen=True, kw_only=True):
    """A breached agreement whose rest is on offer anew, as its row said it."""

    reason: str | None
    settlement_minor: int | None
    instalments: tuple[Instalment, ...]
    instalments_paid: int
    instalments_missed: int
    paid_minor: int
    late_minor: int


class Row(Struct, frozen=True, kw_only=True):
    """`status`: taken, invited, talking, proposed, in_force, and how it ended: fulfilled, breached,
    failed, closed.

    A breached case whose `reason` is `paid_in_time_heard_late` waits for a mediator: the agreement
    was kept, and what is left of it may be offered anew. `late_minor` is heard after the breach.
    While `held_since_on` is said no day of the agreement ends; by `pauses`, the holds that are
    over, its days have moved. `renews` is the breached agreement whose rest is on offer.
    """

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    round: int
    status: str
    reason: str | None = None
    overdue_minor: int
    currency: str
    next_step_by_on: date | None
    settlement_minor: int | None = None
    instalments: tuple[Instalment, ...] = ()
    instalments_paid: int = 0
    instalments_missed: int = 0
    paid_minor: int = 0
    late_minor: int = 0
    borrower_signed: bool = False
    bank_signed: bool = False
    held_since_on: date | None = None
    pauses: tuple[Pause, ...] = ()
    renews: Renewed | None = None


def key_of(event: MediationEvent) -> str | None:
    return event.case_id


def evolve(row: Row | None, event: MediationEvent) -> Row | None:
    """Fold one event into the row. Pure, so the test needs no database."""
    if isinstance(event, MediationTaken):
        if row is not None and row.round == event.round:
            return replace(row, overdue_minor=event.overdue_minor)
        return Row(
            case_id=event.case_id,
            loan_key=event.loan_key,
            borrower_id=event.borrower_id,
            round=event.round,
            status="taken",
            overdue_minor=event.overdue_minor,
            currency=event.currency,
            next_step_by_on=event.answer_by_on,
        )
    return None if row is None else _changed(row, event)


def _changed(  # noqa: C901, PLR0911, PLR0912 - one case for each event
    row: Row, event: MediationEvent
) -> Row:
    match event:
        case MediationTaken() | InvitationReceipted() | HoldNoted() | HoldEnded():
            return row
        case BorrowerInvited():
            return replace(row, status="invited", next_step_by_on=event.answer_by_on)
        case InvitationWithdrawn():
            return replace(row, status="taken") if row.status == "invited" else row
        case InvitationAnswered():
            if row.status != "invited":
                return row
            next_step_by_on = event.settle_by_on or row.next_step_by_on
            return replace(row, status="talking", next_step_by_on=next_step_by_on)
        case OfferRefused():
            return replace(row, reason=event.reasons[0])
        case AgreementProposed():
            return _proposed(row, event)
        case BorrowerSigned():
            return replace(row, borrower_signed=True)
        case BankSigned():
            return replace(row, bank_signed=True)
        case AgreementSigned():
            return _signed(row)
        case PaymentNoted():
            return _noted(row, event)
        case InstalmentPaid():
            return _paid(row, event)
        case InstalmentMissed():
            return replace(
                row,
                instalments_missed=row.instalments_missed + 1,
                next_step_by_on=event.cure_by_on,
            )
        case AgreementBreached():
            return replace(row, status="breached", next_step_by_on=None)
        case AgreementHeld():
            return replace(row, held_since_on=event.held_since_on)
        case AgreementReleased():
            return _released(row, event)
        case LatePaymentNoted():
            return replace(row, late_minor=event.noted_minor)
        case BreachContradicted():
            return replace(row, reason=event.reason)
        case AgreementFulfilled():
            return _fulfilled(row, event)
        case MediationFailed():
            return replace(row, status="failed", reason=event.reason, next_step_by_on=None)
        case MediationClosed():
            return _closed(row, event)
        case _:
            assert_never(event)


def _proposed(row: Row, event: AgreementProposed) -> Row:
    """A plan begins at nothing, also one that takes up the rest of another."""
    return replace(
        row,
        renews=_renewed(row) if row.status == "breached" else row.renews,
        status="proposed",
        reason=None,
        settlement_minor=event.settlement_minor,
        instalments=event.instalments,
        next_step_by_on=event.sign_by_on,
        instalments_paid=0,
        instalments_missed=0,
        paid_minor=0,
        late_minor=0,
        borrower_signed=False,
        bank_signed=False,
    )


def _renewed(row: Row) -> Renewed:
    return Renewed(
        reason=row.reason,
        settlement_minor=row.settlement_minor,
        instalments=row.instalments,
        instalments_paid=row.instalments_paid,
        instalments_missed=row.instalments_missed,
        paid_minor=row.paid_minor,
        late_minor=row.late_minor,
    )


def _as_before(row: Row) -> Row:
    """What was offered anew is left out again."""
    if row.renews is None:
        return row
    return replace(
        row,
        status="breached",
        next_step_by_on=None,
        borrower_signed=True,
        bank_signed=True,
        renews=None,
        **asdict(row.renews),
    )


def _signed(row: Row) -> Row:
    return replace(
        row,
        status="in_force",
        next_step_by_on=row.instalments[0].due_on,
        held_since_on=None,
        pauses=(),
        renews=None,
    )


def _noted(row: Row, event: PaymentNoted) -> Row:
    if row.renews is None:
        return row
    late_minor = row.renews.late_minor + event.amount_minor
    return replace(row, renews=replace(row.renews, late_minor=late_minor))


def _closed(row: Row, event: MediationClosed) -> Row:
    if event.reason == NOT_RENEWED:
        return _as_before(row)
    status = "breached" if row.status == "breached" else "closed"
    return replace(
        row, status=status, reason=event.reason, next_step_by_on=None, held_since_on=None
    )


def _released(row: Row, event: AgreementReleased) -> Row:
    pause = Pause(since_on=event.held_since_on, days=event.held_days)
    next_step_by_on = row.next_step_by_on
    if row.status == "in_force" and next_step_by_on is not None:
        next_step_by_on = moved(next_step_by_on, (pause,))
    return replace(
        row,
        next_step_by_on=next_step_by_on,
        held_since_on=None,
        pauses=(*row.pauses, pause),
    )


def _fulfilled(row: Row, event: AgreementFulfilled) -> Row:
    """Also after a breach: then the money that was heard late has filled the rest."""
    agreed = _as_before(row)
    return replace(
        agreed,
        status="fulfilled",
        reason=None,
        next_step_by_on=None,
        held_since_on=None,
        instalments_paid=len(agreed.instalments),
        paid_minor=event.paid_minor,
    )


def _paid(row: Row, event: InstalmentPaid) -> Row:
    paid_minor = row.paid_minor + event.amount_minor
    if not event.complete:
        return replace(row, paid_minor=paid_minor)
    done = event.instalment_index + 1
    following = row.instalments[done : done + 1]
    return replace(
        row,
        paid_minor=paid_minor,
        instalments_paid=done,
        next_step_by_on=moved(following[0].due_on, row.pauses) if following else None,
    )
