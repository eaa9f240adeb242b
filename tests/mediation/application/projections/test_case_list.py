"""The mediators' list follows a mediation's life."""

from datetime import UTC, date, datetime
from functools import reduce

from msgspec.structs import replace

from arrears.mediation.application.projections.case_list import Row, evolve, key_of
from arrears.mediation.domain.mediation.events import (
    AgreementHeld,
    AgreementReleased,
    BankSigned,
    BorrowerSigned,
    InvitationAnswered,
    InvitationReceipted,
    InvitationWithdrawn,
    MediationEvent,
)
from arrears.mediation.domain.plan import Pause
from arrears.mediation.testing.case import APRIL, CASE, CURE_ENDS, JUNE, LOAN
from arrears.mediation.testing.said import (
    breached,
    closing,
    contradicted,
    fulfilled,
    invited,
    late,
    noted,
    part,
    proposed,
    signed,
    taken,
)

TAKEN = taken(date(2026, 3, 17))
INVITED = invited(date(2026, 3, 18))
RECEIPT = InvitationReceipted(
    case_id=CASE, loan_key=LOAN, round=1, receipt_id="r", gateway="sandbox"
)
WITHDRAWN = InvitationWithdrawn(
    case_id=CASE,
    loan_key=LOAN,
    round=1,
    next_allowed_at=datetime(2026, 3, 3, 1, tzinfo=UTC),
    policy_id="cn-mediation",
    policy_version=1,
)
CLOSED = closing("cured")


def project(*events: MediationEvent) -> Row | None:
    empty: Row | None = None
    return reduce(evolve, events, empty)


def test_a_case_that_was_taken_waits_for_the_hours_in_which_it_may_be_written_to() -> None:
    row = project(TAKEN)
    assert row is not None
    assert (row.status, row.next_step_by_on) == ("taken", date(2026, 3, 17))


def test_a_newer_referral_changes_only_the_figure_of_talks_that_are_open() -> None:
    before = project(TAKEN, INVITED)
    again = replace(TAKEN, referral=6, overdue_minor=120_000, taken_on=date(2026, 3, 9))
    assert before is not None
    assert project(TAKEN, INVITED, again) == replace(before, overdue_minor=120_000)


def test_an_invited_borrower_has_until_the_day_of_the_invitation_to_answer() -> None:
    row = project(TAKEN, INVITED, RECEIPT)
    assert row is not None
    assert (row.status, row.next_step_by_on) == ("invited", date(2026, 3, 18))


def test_a_withdrawn_invitation_is_waited_for_again() -> None:
    row = project(TAKEN, INVITED, WITHDRAWN)
    assert row is not None
    assert row.status == "taken"


def test_a_closed_case_waits_for_nothing() -> None:
    row = project(TAKEN, CLOSED)
    assert row is not None
    assert (row.status, row.reason, row.next_step_by_on) == ("closed", "cured", None)


BREACHED = breached(0, 100_000)
LATE = late("p1", 60_000, CURE_ENDS, 60_000)
CONTRADICTED = contradicted(40_000)


def test_a_breach_that_was_none_is_shown_to_mediators_with_its_money() -> None:
    row = project(TAKEN, INVITED, BREACHED, LATE, CONTRADICTED)
    assert row is not None
    assert (row.status, row.reason, row.late_minor) == (
        "breached",
        "paid_in_time_heard_late",
        60_000,
    )


def test_a_breached_case_stays_breached_when_the_case_is_closed() -> None:
    row = project(TAKEN, INVITED, BREACHED, LATE, CONTRADICTED, CLOSED)
    assert row is not None
    assert (row.status, row.reason) == ("breached", "cured")


def test_an_agreement_that_was_fulfilled_after_all_shows_no_breach() -> None:
    row = project(TAKEN, INVITED, BREACHED, LATE, CONTRADICTED, fulfilled(0))
    assert row is not None
    assert (row.status, row.reason, row.paid_minor) == ("fulfilled", None, 100_000)


PROPOSED = proposed("bank", date(2026, 3, 12))
SIGNED = signed(datetime(2026, 3, 3, 1, tzinfo=UTC))
BY_BOTH = [
    signs(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        offer=1,
        signed_at=SIGNED.signed_at,
        recorded_by=None,
    )
    for signs in (BorrowerSigned, BankSigned)
]
IN_FORCE = (TAKEN, INVITED, PROPOSED, *BY_BOTH, SIGNED)
SINCE = date(2026, 3, 20)
HELD = AgreementHeld(case_id=CASE, loan_key=LOAN, round=1, held_since_on=SINCE)
RELEASED = AgreementReleased(
    case_id=CASE, loan_key=LOAN, round=1, held_since_on=SINCE, held_days=10
)
APRIL_PAID = part(0, "p1", 60_000, 60_000, complete=True)


def test_a_hold_is_shown_and_the_days_of_the_agreement_move_with_the_release() -> None:
    held = project(*IN_FORCE, HELD)
    released = project(*IN_FORCE, HELD, RELEASED)
    paid = project(*IN_FORCE, HELD, RELEASED, APRIL_PAID)
    assert held is not None
    assert (held.held_since_on, held.next_step_by_on) == (SINCE, date(2026, 4, 1))
    assert released is not None
    assert (released.held_since_on, released.next_step_by_on) == (None, date(2026, 4, 11))
    assert released.pauses == (Pause(since_on=SINCE, days=10),)
    assert paid is not None
    assert paid.next_step_by_on == date(2026, 5, 11)


def test_what_is_signed_under_a_hold_has_none_of_its_days_yet() -> None:
    row = project(*IN_FORCE, HELD, RELEASED, BREACHED, PROPOSED, SIGNED)
    assert row is not None
    assert (row.pauses, row.next_step_by_on) == ((), APRIL.due_on)


OFFERED_ANEW = replace(PROPOSED, offer=2, settlement_minor=40_000, instalments=(JUNE,))
MEANWHILE = noted("p2", 15_000, None)
NOT_RENEWED = closing("not_renewed")
TWICE_OFFERED = (*IN_FORCE, BREACHED, LATE, CONTRADICTED, OFFERED_ANEW, OFFERED_ANEW)


def test_what_is_not_renewed_waits_for_a_mediator_again_with_all_its_money() -> None:
    before = project(*IN_FORCE, BREACHED, LATE, CONTRADICTED)
    row = project(*TWICE_OFFERED, MEANWHILE, NOT_RENEWED)
    assert before is not None
    assert row == replace(before, late_minor=75_000)


def test_what_is_signed_anew_or_fulfilled_renews_nothing_any_more() -> None:
    signed = project(*TWICE_OFFERED, SIGNED)
    over = project(*TWICE_OFFERED, fulfilled(0))
    assert signed is not None
    assert (signed.status, signed.renews, signed.settlement_minor) == ("in_force", None, 40_000)
    assert over is not None
    assert (over.status, over.renews, over.settlement_minor) == ("fulfilled", None, 100_000)


def test_a_case_that_is_over_is_not_held() -> None:
    row = project(*IN_FORCE, HELD, CLOSED)
    assert row is not None
    assert (row.status, row.held_since_on) == ("closed", None)


def test_an_answer_that_comes_when_talks_have_moved_on_changes_no_row() -> None:
    row = project(TAKEN, INVITED)
    assert row is not None
    declined = InvitationAnswered(
        case_id=CASE, loan_key=LOAN, round=1, accepted=False, instalments=(), settle_by_on=None
    )
    talking, in_force = evolve(row, declined), replace(row, status="in_force")
    assert talking is not None
    assert talking.status == "talking"
    assert evolve(in_force, declined) == in_force


def test_rows_are_kept_by_case() -> None:
    assert key_of(TAKEN) == CASE


def test_events_without_a_beginning_make_no_row() -> None:
    assert project(CLOSED) is None
    assert project(part(0, None, 1, 1, complete=True)) is None
