"""Hardship protects the person: a claim on one loan shields all of them until the review.

Every open case is reported, for the others act by case: those that are known when it is claimed,
and one that comes while the shield stands. A loan that somebody else owes now is no case of theirs.
"""

from datetime import date, timedelta

from arrears.contact.domain.borrower import stops
from arrears.contact.domain.borrower.commands import RecordHardship
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.events import HardshipReported
from arrears.contact.domain.borrower.state import Stop
from arrears.contact.domain.values import AttemptId
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import CaseId, LoanKey, StaffId


def record(draft: Draft, command: RecordHardship) -> None:
    draft.debtors_file(command.case_id)
    today = draft.rules.calendar.day_of(draft.now)
    if command.review_on <= today:
        raise Refused("review_not_in_the_future", "review_on")
    if command.review_on > today + timedelta(days=draft.policy.hardship.review_days_max):
        raise Refused("review_too_far_ahead", "review_on")
    _shield(draft, command.review_on, None, command.recorded_by)


def hear(draft: Draft, attempt_id: AttemptId, review_on: date | None) -> None:
    """Told to an attempt: the day the borrower named where it can hold, else the policy's."""
    rule = draft.policy.hardship
    today = draft.rules.calendar.day_of(draft.now)
    if review_on is None or review_on <= today:
        review_on = today + timedelta(days=rule.review_days_default)
    latest_on = today + timedelta(days=rule.review_days_max)
    _shield(draft, min(review_on, latest_on), attempt_id, None)


def tell_of(draft: Draft, case_id: CaseId, loan_key: LoanKey) -> None:
    """A case that came while the shield stands is reported too, so that others spare it."""
    shield = _standing(draft)
    if shield is None or shield.lifts_at is None or shield.lifts_at <= draft.now:
        return
    if loan_key in draft.borrower.left_loans:
        return
    review_on = draft.rules.calendar.day_of(shield.lifts_at)
    file = draft.file(case_id)
    if file is None or file.hardship_review_on is None or file.hardship_review_on < review_on:
        _report(draft, case_id, loan_key, review_on, None, None)


def _standing(draft: Draft) -> Stop | None:
    return next((stop for stop in draft.borrower.stops if stop.kind == "hardship"), None)


def _shield(
    draft: Draft, review_on: date, attempt_id: AttemptId | None, recorded_by: StaffId | None
) -> None:
    """A claim prolongs a shield and never shortens it."""
    borrower_id = draft.borrower.borrower_id
    assert borrower_id is not None, "a case is only known of a borrower who is named"
    lifts_at = draft.rules.calendar.start_of(review_on)
    shield = _standing(draft)
    if shield is not None and (shield.lifts_at is None or shield.lifts_at >= lifts_at):
        for file in draft.open_files():
            tell_of(draft, file.case_id, file.loan_key)
        return
    for file in draft.open_files():
        if file.loan_key not in draft.borrower.left_loans:
            _report(draft, file.case_id, file.loan_key, review_on, attempt_id, recorded_by)
    stops.halt(
        draft,
        Stop(kind="hardship", reason="hardship_reported", lifts_at=lifts_at),
        case=None,
        borrower_id=borrower_id,
        said_at=draft.now,
        recorded_by=recorded_by,
    )


def _report(
    draft: Draft,
    case_id: CaseId,
    loan_key: LoanKey,
    review_on: date,
    attempt_id: AttemptId | None,
    recorded_by: StaffId | None,
) -> None:
    draft.say(
        HardshipReported(
            case_id=case_id,
            loan_key=loan_key,
            review_on=review_on,
            attempt_id=attempt_id,
            recorded_by=recorded_by,
            reported_at=draft.now,
        )
    )
