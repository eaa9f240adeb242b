"""One row for each case that was referred to legal: the lawyers' list, `GET /cases`.

A demand, promise or agreement before the referral makes no row. Rebuild: `arrears-legal rebuild`.
"""

from datetime import date
from typing import Final, assert_never, get_args

from msgspec import Struct
from msgspec.structs import replace

from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    AgreementNoted,
    BorrowerHeld,
    BorrowerReleased,
    ClaimClosed,
    ClaimEnded,
    ClaimEvent,
    ClaimPaused,
    ClaimResumed,
    ClaimReturned,
    ClaimTaken,
    ClaimWithdrawn,
    DemandNoted,
    FilingApproved,
    FilingRefused,
    LimitationAlarmRaised,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.state import ENFORCEMENT, LIMITATION, Interrupting
from arrears.legal.domain.claim.suit_events import (
    AssetsSearched,
    ClaimFiled,
    ClaimRegistered,
    CourtSilenceNoted,
    EnforcementAlarmRaised,
    EnforcementApplied,
    EnforcementClosed,
    EnforcementLapsed,
    EnforcementWithheld,
    FilingWithheld,
    JudgmentEntered,
    JudgmentNotEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    MoneyRecovered,
    PaymentNoted,
)
from arrears.legal.domain.gate import LIMITATION_ALIVE, waits_until
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

NAME: Final = "case_list"
VERSION: Final = 8  # Raise it when `evolve` changes meaning; the runner then rebuilds.
_NOT_FILED: Final = ("refused", "returned")
HEARS: Final = frozenset(get_args(ClaimEvent))


class Row(Struct, frozen=True, kw_only=True):
    """`status`: refused, returned, filed, registered, judged, not_obeyed, enforcing, closed.

    `total_minor` is what is left to ask for, 0 where `total_known` says no: intake's figure, or the
    demand's where intake had none; from filing on the claim, from the judgment on the award; each
    less the money that is not in it. `paid_minor` came in since filing; the award is less
    `deducted_minor` of it already.

    `expires_on` is the last day of the clock that runs: limitation until the suit, then to obey,
    then to apply for enforcement. `deadline_on` is the next last day with whose end a right is
    lost: to sue (`deadline_rule` limitation) or to apply (enforcement); None once it is lost or
    used. `last_alarm_days` is the threshold of the last alarm before that day.

    `court_silent_since_on`: the last day on which the court should have registered or judged the
    claim; None where its time runs, and once it has answered. `pay_by_on` is the last of the days
    that the demand gave to pay, while the claim waits for them. `paused`: intake holds the case
    for `paused_for`; `borrower_held_for`: why the person has been held since the first referral.
    """

    case_id: CaseId
    loan_key: LoanKey
    borrower_id: BorrowerId
    status: str
    reason: str | None = None
    missing: tuple[str, ...] = ()
    pay_by_on: date | None = None
    paused: bool = False
    paused_for: str | None = None
    borrower_held_for: tuple[str, ...] = ()
    currency: str
    total_minor: int
    total_known: bool = True
    expires_on: date | None
    deadline_on: date | None = None
    deadline_rule: str | None = None
    last_alarm_days: int | None = None
    claim_minor: int | None = None
    court_fee_minor: int | None = None
    docket: str | None = None
    court_silent_since_on: date | None = None
    awarded_minor: int | None = None
    deducted_minor: int = 0
    paid_minor: int = 0
    recovered_minor: int = 0


def key_of(event: ClaimEvent) -> str | None:
    return event.case_id


def evolve(row: Row | None, event: ClaimEvent) -> Row | None:
    """Fold one event into the row. Pure, so the test needs no database."""
    if isinstance(event, ClaimTaken):
        return Row(
            case_id=event.case_id,
            loan_key=event.loan_key,
            borrower_id=event.borrower_id,
            status="refused",
            paused=False if row is None else row.paused,
            paused_for=None if row is None else row.paused_for,
            borrower_held_for=() if row is None else row.borrower_held_for,
            currency=event.currency,
            total_minor=event.overdue_minor,
            total_known=event.overdue_minor > 0,
            expires_on=event.limitation_expires_on,
            deadline_on=event.limitation_expires_on,
            deadline_rule=LIMITATION,
        )
    return None if row is None else _changed(row, event)


def _changed(  # noqa: C901, PLR0911, PLR0912 - one case for each event
    row: Row, event: ClaimEvent
) -> Row:
    match event:
        case DemandNoted(total_minor=total_minor):
            unknown = row.status in _NOT_FILED and not row.total_known
            known = replace(row, total_minor=total_minor, total_known=True) if unknown else row
            return _begun_anew(known, event)
        case LimitationInterrupted():
            return _begun_anew(_paid_before_filing(row, event), event)
        case AgreementNoted() | AgreementEndNoted():
            return _begun_anew(row, event)
        case ClaimTaken() | FilingApproved():
            return row
        case LimitationAlarmRaised(days_left=days) | EnforcementAlarmRaised(days_left=days):
            return replace(row, last_alarm_days=days)
        case EnforcementLapsed():
            return _without_deadline(row)
        case ClaimPaused(reason=reason):
            return replace(row, paused=True, paused_for=reason)
        case ClaimResumed():
            return replace(row, paused=False, paused_for=None)
        case BorrowerHeld() | BorrowerReleased():
            return _borrower_held(row, event)
        case ClaimReturned() if row.status == "refused":
            return replace(row, status="returned", missing=(), pay_by_on=None)
        case FilingRefused(missing=missing, inputs=inputs):
            until_on = waits_until(inputs, missing)
            refused = replace(row, status="refused", missing=missing, pay_by_on=until_on)
            return _without_deadline(refused) if LIMITATION_ALIVE in missing else refused
        case ClaimFiled():
            return _filed(row, event)
        case FilingWithheld() | EnforcementWithheld():
            return _withheld(row, event)
        case ClaimRegistered(docket=docket):
            status = "registered" if row.status == "filed" else row.status
            return replace(row, status=status, docket=docket, court_silent_since_on=None)
        case CourtSilenceNoted(answer_by_on=answer_by_on):
            return replace(row, court_silent_since_on=answer_by_on)
        case PaymentNoted():
            return _with_paid(_begun_anew(row, event), event.since_filing_minor)
        case JudgmentEntered():
            return _judged(row, event)
        case JudgmentNotEntered(reason=reason):
            return replace(row, reason=reason)
        case JudgmentNotObeyed(apply_by_on=apply_by_on):
            return replace(row, status="not_obeyed", expires_on=apply_by_on)
        case EnforcementApplied():
            return replace(_without_deadline(row), status="enforcing", expires_on=None)
        case MoneyRecovered():
            paid = _with_paid(row, row.paid_minor + event.amount_minor)
            return replace(paid, recovered_minor=event.recovered_minor)
        case ClaimReturned() | JudgmentObeyed() | AssetsSearched():
            return row
        case EnforcementClosed(result=reason) | ClaimWithdrawn(reason=reason):
            return replace(row, reason=reason)
        case ClaimClosed(reason=reason) | ClaimEnded(result=reason):
            return _closed(row, reason)
        case _:
            assert_never(event)


def _borrower_held(row: Row, event: BorrowerHeld | BorrowerReleased) -> Row:
    reasons = {*row.borrower_held_for, event.reason}
    if isinstance(event, BorrowerReleased):
        reasons.remove(event.reason)
    return replace(row, borrower_held_for=tuple(sorted(reasons)))


def _filed(row: Row, event: ClaimFiled) -> Row:
    return replace(
        _without_deadline(row),
        status="filed",
        missing=(),
        pay_by_on=None,
        total_minor=event.claim_minor,
        claim_minor=event.claim_minor,
        court_fee_minor=event.court_fee_minor,
        expires_on=None,
    )


def _withheld(row: Row, event: FilingWithheld | EnforcementWithheld) -> Row:
    """As if it had not been asked for, unless a person had entered what came of it."""
    if isinstance(event, FilingWithheld) and row.status == "filed":
        return replace(
            row,
            status="refused",
            missing=event.missing,
            claim_minor=None,
            court_fee_minor=None,
            court_silent_since_on=None,
            expires_on=event.limitation_expires_on,
            deadline_on=event.limitation_expires_on,
            deadline_rule=LIMITATION,
        )
    if isinstance(event, EnforcementWithheld) and row.status == "enforcing":
        return replace(
            row,
            status="not_obeyed",
            expires_on=event.apply_by_on,
            deadline_on=event.apply_by_on,
            deadline_rule=ENFORCEMENT,
        )
    return row


def _judged(row: Row, event: JudgmentEntered) -> Row:
    judged = replace(
        row,
        status="judged",
        reason=None,
        court_silent_since_on=None,
        awarded_minor=event.awarded_minor,
        deducted_minor=event.deducted_minor,
        expires_on=event.obey_moved_to_on or event.obey_by_on,
        deadline_on=event.apply_by_on,
        deadline_rule=ENFORCEMENT,
    )
    return _with_paid(judged, row.paid_minor)


def _closed(row: Row, reason: str) -> Row:
    return replace(
        _without_deadline(row),
        status="closed",
        reason=reason,
        pay_by_on=None,
        expires_on=None,
        court_silent_since_on=None,
    )


def _paid_before_filing(row: Row, event: LimitationInterrupted) -> Row:
    """Where the event does not say what is left, a part payment of before it was said has lowered
    the figure."""
    if event.left_minor is not None:
        return replace(row, total_minor=event.left_minor)
    if event.by != "part_payment" or row.status not in _NOT_FILED:
        return row
    return replace(row, total_minor=max(0, row.total_minor - event.amount_minor))


def _with_paid(row: Row, paid_minor: int) -> Row:
    asked_minor = row.claim_minor if row.awarded_minor is None else row.awarded_minor
    left_minor = max(0, (asked_minor or 0) - (paid_minor - row.deducted_minor))
    return replace(row, paid_minor=paid_minor, total_minor=left_minor)


def _begun_anew(row: Row, event: Interrupting | PaymentNoted) -> Row:
    """A clock that an act restarts has its alarms before it again."""
    if event.expires_on is None or event.expires_on == row.expires_on:
        return row
    return replace(
        row,
        expires_on=event.expires_on,
        deadline_on=event.expires_on,
        deadline_rule=event.clock,
        last_alarm_days=None,
    )


def _without_deadline(row: Row) -> Row:
    return replace(row, deadline_on=None, deadline_rule=None, last_alarm_days=None)
