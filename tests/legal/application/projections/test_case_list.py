"""The lawyers' list: what it shows of a claim."""

from datetime import date, timedelta
from functools import reduce

import pytest
from msgspec.structs import replace

from arrears.legal.application.projections.case_list import Row, evolve
from arrears.legal.domain.claim.commands import (
    ClaimCommand,
    CloseClaim,
    EndSuit,
    HoldBorrower,
    NoteDemand,
    PauseClaim,
    RegisterClaim,
    ReleaseBorrower,
    ResumeClaim,
    ReturnClaim,
    WakeUp,
    Withhold,
)
from arrears.legal.domain.claim.decisions import ClaimDecider
from arrears.legal.domain.claim.events import ClaimReturned, LimitationInterrupted
from arrears.legal.domain.claim.suit_events import ClaimRegistered
from arrears.legal.testing.claim import (
    BORROWER,
    CASE,
    DECIDER,
    LOAN,
    NOW,
    SHIPPED,
    TODAY,
    at,
    demanded,
    judged,
    lived_by,
    pay,
    promised,
    referred,
    start_of,
    wake_on,
)
from arrears.shared.kernel.ids import StaffId

TAKE = referred(due_on=date(2023, 10, 10))
DEMAND = demanded(TODAY)
JUDGE = judged(on=TODAY)
HELD = PauseClaim(reason="hardship", until_on=None, now=NOW)


def demanded_after(wake: WakeUp, days: int) -> NoteDemand:
    at = wake.now + timedelta(days=days)
    return replace(DEMAND, delivered_at=at, now=at)


def shown(*commands: ClaimCommand, by: ClaimDecider = DECIDER) -> Row:
    """The row that the history of these commands makes."""
    found = reduce(evolve, lived_by(by, *commands), None)
    assert found is not None
    return found


def row(status: str) -> Row:
    return Row(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BORROWER,
        status=status,
        missing=("demand_delivered",) if status == "refused" else (),
        currency="CNY",
        total_minor=100_000,
        expires_on=None,
    )


ALARMED = wake_on(date(2026, 9, 10))
OVER = wake_on(date(2026, 10, 11))
NOT_FILED = Withhold(
    filing=1,
    reason="not_allowed",
    missing=("not_held",),
    looked_at=NOW + timedelta(hours=9),
    now=NOW,
)
NOT_ENFORCED = Withhold(
    filing=1,
    application=1,
    reason="news",
    looked_at=at(date(2026, 4, 27), 9),
    now=start_of(date(2026, 4, 27)),
)
NOT_OBEYED = (TAKE, DEMAND, JUDGE, HELD, wake_on(date(2026, 4, 26)))


@pytest.mark.parametrize(
    ("commands", "shows"),
    [
        ((TAKE,), ("limitation", date(2026, 10, 10), None)),
        ((TAKE, ALARMED), ("limitation", date(2026, 10, 10), 30)),
        ((TAKE, ALARMED, promised(date(2026, 9, 11))), ("limitation", date(2029, 9, 11), None)),
        ((TAKE, OVER), (None, None, None)),
        ((TAKE, HELD, OVER, demanded_after(OVER, 0)), (None, None, None)),
        (
            (TAKE, HELD, OVER, demanded_after(OVER, 0), demanded_after(OVER, 1)),
            (None, None, None),
        ),
        ((TAKE, OVER, promised(date(2026, 11, 2))), ("limitation", date(2029, 11, 2), None)),
        ((TAKE, DEMAND), (None, None, None)),
        ((TAKE, DEMAND, NOT_FILED), ("limitation", date(2029, 3, 2), None)),
        ((TAKE, DEMAND, JUDGE, NOT_FILED), ("enforcement", date(2028, 4, 25), None)),
        ((TAKE, DEMAND, JUDGE), ("enforcement", date(2028, 4, 25), None)),
        (NOT_OBEYED, ("enforcement", date(2028, 4, 25), None)),
        ((*NOT_OBEYED, wake_on(date(2028, 1, 26))), ("enforcement", date(2028, 4, 25), 90)),
        ((*NOT_OBEYED, wake_on(date(2028, 4, 26))), (None, None, None)),
        ((TAKE, DEMAND, JUDGE, NOT_OBEYED[-1], wake_on(date(2026, 4, 27))), (None, None, None)),
        (
            (TAKE, DEMAND, JUDGE, NOT_OBEYED[-1], wake_on(date(2026, 4, 27)), NOT_ENFORCED),
            ("enforcement", date(2028, 4, 25), None),
        ),
    ],
)
def test_the_next_day_that_would_lose_a_right_and_its_last_alarm(
    commands: tuple[ClaimCommand, ...], shows: tuple[str | None, date | None, int | None]
) -> None:
    found = shown(*commands)
    assert (found.deadline_rule, found.deadline_on, found.last_alarm_days) == shows


def test_what_was_not_handed_to_the_court_is_shown_as_not_filed() -> None:
    found = shown(TAKE, DEMAND, NOT_FILED)
    assert (found.status, found.missing) == ("refused", ("not_held",))
    assert (found.claim_minor, found.court_fee_minor, found.total_minor) == (None, None, 3_800_000)
    applied = (TAKE, DEMAND, JUDGE, NOT_OBEYED[-1], wake_on(date(2026, 4, 27)), NOT_ENFORCED)
    assert shown(*applied).status == "not_obeyed"


def test_the_last_day_to_pay_is_shown_while_the_claim_waits_for_it() -> None:
    waits = shown(TAKE, DEMAND, by=SHIPPED)
    assert (waits.missing, waits.pay_by_on) == (("time_to_pay_over",), date(2026, 3, 17))
    over = wake_on(date(2026, 3, 18))
    closed = CloseClaim(reason="cured", now=NOW)
    returned = ReturnClaim(result="taken_back", now=NOW)
    for after in (over, closed, returned):
        assert shown(TAKE, DEMAND, after, by=SHIPPED).pay_by_on is None
    assert shown(TAKE, DEMAND, over, by=SHIPPED).status == "filed"


def test_what_was_paid_to_the_last_cent_is_not_asked_for_again_by_a_demand() -> None:
    """It is the figure only where intake had none."""
    paid = replace(PAY, amount_minor=TAKE.overdue_minor)
    found = shown(TAKE, paid, DEMAND)
    assert (found.status, found.missing, found.total_minor) == ("refused", ("total_known",), 0)
    unknown = replace(TAKE, overdue_minor=0)
    assert shown(unknown, replace(HELD, reason="dispute"), DEMAND).total_minor == 3_700_000


def test_a_hold_hides_no_answer_that_waits_for_a_lawyer() -> None:
    wrong = replace(JUDGE, currency="USD")
    over = ResumeClaim(reason="released", now=NOW)
    held = shown(TAKE, DEMAND, wrong, HELD)
    assert (held.paused, held.paused_for, held.reason) == (True, "hardship", "other_currency")
    again = shown(TAKE, DEMAND, wrong, HELD, over)
    assert (again.paused, again.paused_for, again.reason) == (False, None, "other_currency")
    assert shown(TAKE, HELD, replace(TAKE, referral=7)).paused_for == "hardship"


def test_why_the_person_is_held_is_shown_until_the_release() -> None:
    death = HoldBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=NOW)
    hardship = replace(death, reason="hardship")
    again = replace(TAKE, referral=7)
    assert shown(TAKE, hardship, death, again).borrower_held_for == ("death", "hardship")
    over = ReleaseBorrower(reason="death", now=NOW)
    assert shown(TAKE, hardship, death, over).borrower_held_for == ("hardship",)
    assert shown(death, TAKE, over).borrower_held_for == ()


@pytest.mark.parametrize(("before", "after"), [("refused", "returned"), ("judged", "judged")])
def test_a_return_shows_where_nothing_is_filed_yet(before: str, after: str) -> None:
    found = evolve(row(before), ClaimReturned(case_id=CASE, loan_key=LOAN, result="taken_back"))
    assert found is not None
    assert (found.status, found.missing) == (after, ())


@pytest.mark.parametrize(("before", "after"), [("filed", "registered"), ("judged", "judged")])
def test_a_docket_moves_a_claim_on_and_never_back(before: str, after: str) -> None:
    said = ClaimRegistered(case_id=CASE, loan_key=LOAN, docket="d-1", gateway="sandbox")
    found = evolve(row(before), said)
    assert found is not None
    assert (found.status, found.docket) == (after, "d-1")


PAY = pay(400_000, date(2026, 3, 3), "r1")
MORE = replace(PAY, repayment_id="r2", amount_minor=100_000)
OLD_MONEY = replace(PAY, repayment_id="r3", value_on=date(2026, 2, 1))
AWARD = replace(JUDGE, awarded_minor=3_000_000)
LESS = replace(AWARD, deducted_minor=100_000, staff_id=StaffId("l"))
WITHDRAWN = EndSuit(result="withdrawn", reason="papers", staff_id=StaffId("l"), now=NOW)


@pytest.mark.parametrize(
    ("commands", "total_minor", "paid_minor"),
    [
        ((TAKE,), 3_800_000, 0),
        ((TAKE, PAY), 3_400_000, 0),
        ((TAKE, PAY, OLD_MONEY), 3_400_000, 0),
        ((replace(TAKE, overdue_minor=0), DEMAND), 3_700_000, 0),
        ((replace(TAKE, overdue_minor=0), HELD, DEMAND), 3_700_000, 0),
        ((TAKE, PAY, DEMAND), 3_400_000, 0),
        ((TAKE, PAY, DEMAND, MORE), 3_300_000, 100_000),
        ((TAKE, PAY, DEMAND, MORE, AWARD), 2_900_000, 100_000),
        ((TAKE, PAY, DEMAND, MORE, LESS), 3_000_000, 100_000),
        ((TAKE, DEMAND, AWARD, replace(PAY, amount_minor=2_999_999)), 1, 2_999_999),
        ((TAKE, DEMAND, MORE, WITHDRAWN, PAY), 3_700_000, 100_000),
    ],
)
def test_the_total_is_what_is_left_to_ask_for(
    commands: tuple[ClaimCommand, ...], total_minor: int, paid_minor: int
) -> None:
    found = shown(*commands)
    assert (found.total_minor, found.paid_minor) == (total_minor, paid_minor)


def test_a_part_payment_of_before_its_event_said_what_is_left_lowers_the_total() -> None:
    state = DECIDER.fold(DECIDER.decide(TAKE, DECIDER.initial))
    noted = DECIDER.decide(PAY, state)[0]
    assert isinstance(noted, LimitationInterrupted)
    found = evolve(shown(TAKE), replace(noted, left_minor=None))
    assert found is not None
    assert found.total_minor == 3_400_000


def test_an_answer_that_was_not_entered_shows_why_until_a_judgment_is() -> None:
    odd = replace(JUDGE, currency="USD")
    assert shown(TAKE, DEMAND, odd).reason == "other_currency"
    assert shown(TAKE, DEMAND, odd, JUDGE).reason is None


def test_a_court_that_is_silent_is_shown_until_it_answers() -> None:
    filed = (DEMAND, TAKE)
    silent = (*filed, wake_on(date(2026, 3, 10)))
    register = RegisterClaim(docket="d-1", gateway="court", now=NOW + timedelta(days=9))
    again = wake_on(date(2026, 9, 12))
    assert shown(*filed).court_silent_since_on is None
    assert shown(*silent).court_silent_since_on == date(2026, 3, 9)
    assert shown(*silent, register).court_silent_since_on is None
    assert shown(*silent, register, again).court_silent_since_on == date(2026, 9, 11)
    assert shown(*silent, register, again, JUDGE).court_silent_since_on is None
    assert shown(*silent, WITHDRAWN).court_silent_since_on is None
    assert shown(*silent, NOT_FILED).court_silent_since_on is None
