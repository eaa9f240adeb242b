"""What people do, as commands to the borrower's stream. Pure; the edge carries them out.

A case is named by its row of `case_list`, which knows whose it is.
"""

from datetime import date, datetime

from arrears.contact.application.projections.case_list import Row
from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    RecordHardship,
    RecordPromise,
    RecordRefusal,
    ResumeContact,
    StopContact,
)
from arrears.contact.domain.borrower.decisions import CATEGORY
from arrears.shared.kernel.ids import BorrowerId, StaffId
from arrears.shared.kernel.reaction import Issue


def record_promise(
    case: Row,
    *,
    amount_minor: int,
    currency: str,
    due_on: date,
    staff_id: StaffId,
    now: datetime,
) -> Issue:
    """Refused: figure_unknown, promise_already_pending, currency_differs_from_the_loan,
    amount_out_of_range, due_in_the_past, due_too_far_ahead, borrower_changed, case_closed,
    case_unknown."""
    command = RecordPromise(
        case_id=case.case_id,
        amount_minor=amount_minor,
        currency=currency,
        due_on=due_on,
        recorded_by=staff_id,
        now=now,
    )
    return _issue(case.borrower_id, command)


def record_hardship(case: Row, *, review_on: date, staff_id: StaffId, now: datetime) -> Issue:
    """Refused: review_not_in_the_future, review_too_far_ahead, borrower_changed, case_closed,
    case_unknown."""
    command = RecordHardship(
        case_id=case.case_id, review_on=review_on, recorded_by=staff_id, now=now
    )
    return _issue(case.borrower_id, command)


def record_refusal(case: Row, *, staff_id: StaffId, now: datetime) -> Issue:
    """Refused: borrower_changed, case_closed, case_unknown."""
    command = RecordRefusal(case_id=case.case_id, recorded_by=staff_id, now=now)
    return _issue(case.borrower_id, command)


def stop_borrower(
    borrower_id: BorrowerId,
    *,
    reason: str,
    until_on: date | None,
    staff_id: StaffId,
    now: datetime,
) -> Issue:
    """Nobody contacts the person, on any loan, to the end of the day or until a resumption.

    Refused: until_in_the_past, stopped_as_long_already.
    """
    command = StopContact(
        borrower_id=borrower_id,
        kind="staff",
        scope="person",
        reason=reason,
        until_on=until_on,
        said_at=now,
        recorded_by=staff_id,
        now=now,
    )
    return _issue(borrower_id, command)


def resume_borrower(
    borrower_id: BorrowerId, *, reason: str, staff_id: StaffId, now: datetime
) -> Issue:
    """Lifts what staff may lift: their own stop, a shield of hardship they have reviewed, and what
    is left of a hold whose case is closed."""
    command = ResumeContact(
        kinds=("staff", "hardship", "hold"),
        scope="person",
        reason=reason,
        recorded_by=staff_id,
        now=now,
    )
    return _issue(borrower_id, command)


def _issue(borrower_id: BorrowerId, command: BorrowerCommand) -> Issue:
    return Issue(category=CATEGORY, key=borrower_id, command=command)
