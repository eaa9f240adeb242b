"""Whose debt a loan is. A loan's home stays (protocol 1.1), so a case whose borrower is another now
still comes to the former one, who is nobody to speak to about it: it is stopped for good.

Whoever owes the loan now has no treatment here; what is referred is answered `stopped`, and staff
see it. Only the bank's word lifts the stop, by naming the person of this stream again.
"""

from datetime import datetime
from typing import Final

from arrears.contact.domain.borrower import stops
from arrears.contact.domain.borrower.commands import NameDebtor
from arrears.contact.domain.borrower.draft import Draft
from arrears.contact.domain.borrower.events import ContactResumed
from arrears.contact.domain.borrower.state import Stop
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

_LEFT: Final = Stop(kind="borrower_changed", reason="another_borrower_named", lifts_at=None)


def name(draft: Draft, command: NameDebtor) -> None:
    left = command.loan_key in draft.borrower.left_loans
    if command.debtor_id == command.borrower_id:
        if left:
            _take_up(draft, command)
        return
    if left and (command.case_id is None or command.case_id in draft.borrower.closed):
        return
    _leave(draft, command.case_id, command.loan_key, command.borrower_id, command.said_at)


def tell_of(draft: Draft, case_id: CaseId, loan_key: LoanKey, borrower_id: BorrowerId) -> None:
    """A case of the loan that comes later is stopped as the earlier one was."""
    if loan_key in draft.borrower.left_loans:
        _leave(draft, case_id, loan_key, borrower_id, draft.now)


def _leave(
    draft: Draft,
    case_id: CaseId | None,
    loan_key: LoanKey,
    borrower_id: BorrowerId,
    said_at: datetime,
) -> None:
    stops.halt(
        draft,
        _LEFT,
        case=(case_id, loan_key),
        borrower_id=borrower_id,
        said_at=said_at,
        recorded_by=None,
    )


def _take_up(draft: Draft, command: NameDebtor) -> None:
    """Said of the open cases of the loan that were stopped, else of the case that is named."""
    stopped: list[CaseId | None] = [
        file.case_id
        for file in draft.open_files()
        if file.loan_key == command.loan_key and _LEFT in file.stops
    ]
    for case_id in stopped or [command.case_id]:
        draft.say(
            ContactResumed(
                case_id=case_id,
                loan_key=command.loan_key,
                borrower_id=command.borrower_id,
                kind=_LEFT.kind,
                scope="case",
                reason="the_borrower_is_named_again",
                resumed_at=draft.now,
                recorded_by=None,
                stop_reason=_LEFT.reason,
            )
        )
