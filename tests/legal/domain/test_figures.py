"""Money counts against a claim once: in the figure of the referral, or after it."""

from datetime import date, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import ApproveFiling, ClaimCommand, NoteRepayment
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import FilingApproved, FilingRefused, LimitationInterrupted
from arrears.legal.domain.claim.suit_events import ClaimFiled, PaymentNoted
from arrears.legal.domain.policy import PolicyBook
from arrears.legal.testing.claim import (
    CALENDAR,
    CASE,
    DECIDER,
    LAWYER,
    LOAN,
    NOW,
    PROMPT,
    TODAY,
    at,
    demanded,
    every_day,
    judged,
    lived,
    lived_by,
    pay,
    referred,
)

DEMAND = demanded(TODAY, total_minor=1_000_000)
AS_OF = date(2026, 3, 1)
TAKE = referred(referral=1, overdue_minor=1_000_000, as_of_on=AS_OF)
AGAIN = replace(TAKE, referral=2, overdue_minor=600_000, now=NOW + timedelta(days=1))
JUDGE = judged(date(2026, 4, 10), TODAY, awarded_minor=1_000_000, filing=1)
BEFORE = at(AS_OF, 9)
AFTER = NOW + timedelta(days=3)


def paid(
    value_on: date, *, stated_at: datetime = AFTER, now: datetime = AFTER, number: int = 1
) -> NoteRepayment:
    return pay(400_000, value_on, f"r{number}", stated_at=stated_at, now=now)


def left(*commands: ClaimCommand) -> int:
    """What is left to ask for, before the court or after its judgment."""
    claim = DECIDER.fold(lived(*commands))
    if claim.awarded_minor:
        return claim.unpaid_minor
    return (claim.total_minor or 0) - claim.since_filing_minor


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("money", "counts"),
    [
        (paid(AS_OF + DAY), True),
        (paid(AS_OF + DAY, stated_at=BEFORE), True),
        (paid(AS_OF), True),
        (paid(AS_OF - 9 * DAY), True),
        (paid(AS_OF, stated_at=NOW - timedelta(hours=1)), True),
        (paid(AS_OF, stated_at=BEFORE), False),
        (paid(AS_OF - 9 * DAY, stated_at=BEFORE), False),
    ],
)
@pytest.mark.parametrize("later", [(), (DEMAND,), (DEMAND, JUDGE)])
def test_money_heard_after_the_referral_counts_unless_its_figure_held_it(
    money: NoteRepayment, counts: bool, later: tuple[ClaimCommand, ...]
) -> None:
    assert left(TAKE, *later, money) == (600_000 if counts else 1_000_000)
    assert left(TAKE, *later, money, money) == (600_000 if counts else 1_000_000)


def test_money_that_the_bank_tells_after_the_referral_of_the_figures_own_day_counts() -> None:
    same_day = replace(TAKE, as_of_on=NOW.date())
    assert left(same_day, paid(NOW.date(), stated_at=NOW + timedelta(hours=1))) == 600_000
    assert left(same_day, paid(NOW.date(), stated_at=NOW)) == 1_000_000


def test_money_heard_before_the_referral_is_in_its_figure() -> None:
    early = paid(AS_OF + DAY, now=NOW)
    reduced = replace(TAKE, overdue_minor=600_000)
    assert left(early, reduced) == 600_000
    assert left(early, reduced, early) == 600_000
    assert left(TAKE, early, AGAIN, early) == 600_000


def test_money_of_between_taking_and_filing_that_is_heard_after_filing_is_not_lost() -> None:
    filed = lived(TAKE, replace(DEMAND, now=NOW + 5 * DAY, delivered_at=NOW + 5 * DAY))
    late = paid(AS_OF + 3 * DAY, now=NOW + 6 * DAY)
    (noted,) = DECIDER.decide(late, DECIDER.fold(filed))
    assert isinstance(noted, PaymentNoted)
    assert noted.since_filing_minor == 400_000


@pytest.mark.parametrize(("value_on", "counts"), [(date(2026, 3, 1), False), (AFTER.date(), True)])
def test_a_referral_that_does_not_tell_its_figures_day_stands_for_its_own(
    value_on: date, counts: bool
) -> None:
    assert left(replace(TAKE, as_of_on=None), paid(value_on)) == (600_000 if counts else 1_000_000)


def test_money_that_the_figure_held_still_begins_the_limitation_anew() -> None:
    noted = lived(TAKE, paid(AS_OF, stated_at=BEFORE))[-1]
    assert isinstance(noted, LimitationInterrupted)
    assert (noted.expires_on, noted.left_minor) == (date(2029, 3, 1), 1_000_000)


@forall(
    heard=st.lists(
        st.one_of(st.just("refer"), st.just("demand"), st.integers(1, 6)), min_size=1, max_size=14
    )
)
def test_whatever_the_order_each_repayment_is_taken_off_once(heard: list[str | int]) -> None:
    taken_off: set[int] = set()
    figure = replace(TAKE, overdue_minor=10_000_000)
    history = lived(figure)
    for step in heard:
        command: ClaimCommand = DEMAND
        if step == "refer":
            overdue_minor = 10_000_000 - 400_000 * len(taken_off)
            figure = replace(figure, referral=figure.referral + 1, overdue_minor=overdue_minor)
            command = figure
        elif isinstance(step, int):
            taken_off.add(step)
            command = paid(AS_OF + DAY, number=step)
        history = (*history, *DECIDER.decide(command, DECIDER.fold(history)))
    claim = DECIDER.fold(history)
    left_minor = (claim.total_minor or 0) - claim.since_filing_minor
    assert left_minor == 10_000_000 - 400_000 * len(taken_off)


filing = replace(PROMPT.filing, approval_from_minor=500_000)
strict = make_claim_decider(PolicyBook([replace(PROMPT, filing=filing)]), CALENDAR, every_day)
APPROVE = ApproveFiling(staff_id=LAWYER, now=NOW)
after = partial(lived_by, strict)
"""The history where a claim of 5,000 or more needs approval."""


class TestApproval:
    SMALL = replace(TAKE, overdue_minor=600_000)
    LARGE = replace(TAKE, referral=2, overdue_minor=90_000_000)

    def test_keeps_the_figure_that_it_was_given_for(self) -> None:
        approved = after(self.SMALL, APPROVE)[-2]
        assert isinstance(approved, FilingApproved)
        assert approved.amount_minor == 600_000

    def test_stands_up_to_that_figure_and_not_for_more(self) -> None:
        refused = after(self.SMALL, APPROVE, self.LARGE, DEMAND)[-1]
        assert isinstance(refused, FilingRefused)
        assert refused.missing == ("approval",)
        again = after(self.SMALL, APPROVE, self.LARGE, DEMAND, APPROVE)
        assert [type(event) for event in again[-2:]] == [FilingApproved, ClaimFiled]
        less = replace(self.LARGE, overdue_minor=599_999)
        assert isinstance(after(self.SMALL, APPROVE, less, DEMAND)[-1], ClaimFiled)

    def test_an_event_of_before_it_was_kept_stands_for_the_figure_of_the_day(self) -> None:
        old = FilingApproved(case_id=CASE, loan_key=LOAN, staff_id=LAWYER, despite_limitation=False)
        history = (*after(self.SMALL), old)
        small = strict.decide(DEMAND, strict.fold(history))
        assert isinstance(small[-1], ClaimFiled)
        large = (*history, *strict.decide(self.LARGE, strict.fold(history)))
        assert isinstance(strict.decide(DEMAND, strict.fold(large))[-1], FilingRefused)
