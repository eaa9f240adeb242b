"""People's commands on a case: hold, release, refer, take back, close. Each has a name to it."""

from collections.abc import Sequence
from typing import Final, assert_never

from arrears.intake.domain.loan.commands import (
    CloseCase,
    HoldCase,
    ReferCase,
    ReleaseCase,
    ReturnCase,
    StaffCommand,
)
from arrears.intake.domain.loan.events import (
    CaseClosed,
    CaseReturned,
    LoanEvent,
    LoanOverdueRecorded,
)
from arrears.intake.domain.loan.holds import HOLD_REASONS, end, hold
from arrears.intake.domain.loan.owed import Owed, minor_of
from arrears.intake.domain.loan.rules import LoanRules
from arrears.intake.domain.loan.stages import referral
from arrears.intake.domain.loan.state import (
    FULFILLED,
    IN_FORCE,
    SETTLED,
    UNCOLLECTIBLE,
    Case,
    Hold,
    Loan,
)
from arrears.intake.domain.policy import TAKEN_BACK, TREATMENTS
from arrears.intake.domain.strategy import Refer
from arrears.shared.kernel.decider import Refused

WORDS_MAX: Final = 500
BY_HAND: Final = "by_hand"


def decide_staff(rules: LoanRules, command: StaffCommand, loan: Loan) -> Sequence[LoanEvent]:
    case, latest = loan.case, loan.latest
    if case is None or latest is None or case.case_id != command.case_id:
        raise Refused(
            "case_closed" if _is_over(rules, command, loan) else "case_unknown", "case_id"
        )
    _check_words(command.reason, "reason")
    _check_words(command.staff_id, "staff_id")
    if case.closed is not None:
        if isinstance(command, CloseCase) and case.closed == command.outcome:
            return ()
        raise Refused("case_closed", "case_id")
    match command:
        case HoldCase():
            return _hold(rules, command, case, latest)
        case ReleaseCase():
            return _release(rules, command, case, latest)
        case ReferCase() if loan.is_of_another:
            raise Refused("borrower_changed", "case_id")
        case ReferCase():
            return _refer(rules, command, case, Owed(latest, minor_of(loan.paid_since)))
        case ReturnCase():
            return _return(rules, command, case, latest)
        case CloseCase():
            return _close(rules, command, case, latest)
        case _:
            assert_never(command)


def _is_over(rules: LoanRules, command: StaffCommand, loan: Loan) -> bool:
    """Whether the case is one of an episode that has ended: ids are derived from its number."""
    if loan.latest is None:
        return False
    key = loan.latest.loan_key
    return any(rules.case_id(key, n) == command.case_id for n in range(1, loan.episode + 1))


def _hold(
    rules: LoanRules, command: HoldCase, case: Case, latest: LoanOverdueRecorded
) -> Sequence[LoanEvent]:
    if command.reason not in HOLD_REASONS:
        raise Refused("unknown_hold_reason", "reason")
    if command.note is not None:
        _check_words(command.note, "note")
    if command.until_on is not None and command.until_on < rules.review_day(command.now):
        raise Refused("until_in_the_past", "until_on")
    wanted = Hold(command.reason, command.until_on, command.note)
    return hold(case, latest, wanted, command.staff_id)


def _release(
    rules: LoanRules, command: ReleaseCase, case: Case, latest: LoanOverdueRecorded
) -> Sequence[LoanEvent]:
    if command.hold is not None and command.hold not in HOLD_REASONS:
        raise Refused("unknown_hold_reason", "hold")
    over = [one.reason for one in case.holds] if command.hold is None else [command.hold]
    review_on = rules.review_day(command.now)
    return end(case, latest, over, command.reason, review_on, command.staff_id)


def _refer(rules: LoanRules, command: ReferCase, case: Case, owed: Owed) -> Sequence[LoanEvent]:
    if command.stage not in TREATMENTS:
        raise Refused("unknown_stage", "stage")
    if command.treatment not in TREATMENTS[command.stage]:
        raise Refused("unknown_treatment", "treatment")
    if case.holds:
        raise Refused("case_held", "case_id")
    if case.agreement == IN_FORCE:
        raise Refused("agreement_in_force", "case_id")
    if owed.overdue_minor == 0:
        raise Refused("nothing_overdue", "case_id")
    if case.awaiting and (case.stage, case.treatment) == (command.stage, command.treatment):
        return ()
    today = rules.calendar.day_of(command.now)
    step = Refer(command.stage, command.treatment, BY_HAND, command.reason)
    policy = rules.policies.on(today)
    return (referral(case, owed, step, policy, today, command.staff_id),)


def _return(
    rules: LoanRules, command: ReturnCase, case: Case, latest: LoanOverdueRecorded
) -> Sequence[LoanEvent]:
    if case.stage is None:
        return ()
    return (
        CaseReturned(
            case_id=case.case_id,
            loan_key=latest.loan_key,
            stage=case.stage,
            result=TAKEN_BACK,
            staff_id=command.staff_id,
            review_on=rules.review_day(command.now),
        ),
    )


def _close(
    rules: LoanRules, command: CloseCase, case: Case, latest: LoanOverdueRecorded
) -> Sequence[LoanEvent]:
    if command.outcome not in (UNCOLLECTIBLE, SETTLED):
        raise Refused("unknown_outcome", "outcome")
    if command.outcome == SETTLED and case.agreement != FULFILLED:
        raise Refused("no_fulfilled_agreement", "outcome")
    return (
        CaseClosed(
            case_id=case.case_id,
            loan_key=latest.loan_key,
            reason=command.outcome,
            closed_at=command.now,
            closed_on=rules.calendar.day_of(command.now),
            result=command.reason,
            staff_id=command.staff_id,
        ),
    )


def _check_words(words: str, field: str) -> None:
    if not 1 <= len(words) <= WORDS_MAX:
        raise Refused("wrong_length", field)
    if not words.isprintable():
        raise Refused("control_characters", field)
