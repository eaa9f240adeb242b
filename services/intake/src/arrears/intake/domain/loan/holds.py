"""Why nobody acts on a case: one hold for each reason, held until the last of them has ended."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from arrears.intake.domain.loan.commands import ReportStage
from arrears.intake.domain.loan.events import (
    CaseHeld,
    CaseReleased,
    HoldEnded,
    LoanEvent,
    LoanOverdueRecorded,
)
from arrears.intake.domain.loan.state import Case, Hold, Holds, without_hold
from arrears.shared.kernel.ids import StaffId

HARDSHIP: Final = "hardship"
HOLD_REASONS: Final = frozenset({"dispute", HARDSHIP, "death", "moratorium", "complaint"})
ENDED: Final = "hold_ended"


def hold(
    case: Case,
    latest: LoanOverdueRecorded,
    wanted: Hold,
    staff_id: StaffId | None = None,
) -> Sequence[LoanEvent]:
    """Hold the case for one more reason; or move the end of the hold that has this reason, or note
    what staff write of it."""
    if any(_says(one, wanted) for one in case.holds):
        return ()
    together = _end_of((*without_hold(case.holds, wanted.reason), wanted))
    return (
        CaseHeld(
            case_id=case.case_id,
            loan_key=latest.loan_key,
            reason=wanted.reason,
            until_on=together,
            staff_id=staff_id,
            note=wanted.note,
            hold_until_on=None if wanted.until_on == together else wanted.until_on,
        ),
    )


def _says(known: Hold, wanted: Hold) -> bool:
    """Whether the hold is known as it is wanted; without a note nothing is said of the last one."""
    same = (known.reason, known.until_on) == (wanted.reason, wanted.until_on)
    return same and wanted.note in (None, known.note)


def hold_for_hardship(
    command: ReportStage, case: Case, latest: LoanOverdueRecorded, review_on: date
) -> Sequence[LoanEvent]:
    """What the borrower tells a stage never shortens the hold for hardship that is there."""
    until_on = max(command.until_on or review_on, review_on)
    for known in case.holds:
        later = known.until_on is None or known.until_on >= until_on
        if known.reason == HARDSHIP and later:
            return ()
    return hold(case, latest, Hold(HARDSHIP, until_on))


def first_end(case: Case) -> date | None:
    """The day at whose end the first hold is over; None where all wait for a release."""
    return min((one.until_on for one in case.holds if one.until_on is not None), default=None)


def end_by(case: Case, latest: LoanOverdueRecorded, today: date) -> Sequence[LoanEvent]:
    """End the holds whose day has come."""
    over = [one.reason for one in case.holds if one.until_on is not None and one.until_on <= today]
    return end(case, latest, over, ENDED, today)


def end(
    case: Case,
    latest: LoanOverdueRecorded,
    over: Collection[str],
    reason: str,
    review_on: date,
    staff_id: StaffId | None = None,
) -> Sequence[LoanEvent]:
    """End the holds of these reasons, each with a word of its own; the last releases the case."""
    ending = [one.reason for one in case.holds if one.reason in over]
    left = tuple(one for one in case.holds if one.reason not in over)
    if not ending:
        return ()
    if not left:
        return (
            CaseReleased(
                case_id=case.case_id,
                loan_key=latest.loan_key,
                reason=reason,
                review_on=review_on,
                staff_id=staff_id,
            ),
        )
    return tuple(
        HoldEnded(
            case_id=case.case_id,
            loan_key=latest.loan_key,
            hold=name,
            reason=reason,
            until_on=_end_of(left),
            staff_id=staff_id,
        )
        for name in ending
    )


def _end_of(holds: Holds) -> date | None:
    """The day on which the last of them ends; None where one has no end."""
    days = [one.until_on for one in holds if one.until_on is not None]
    return max(days) if len(days) == len(holds) else None
