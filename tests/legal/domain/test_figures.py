"""Money counts against a claim once: in the figure of the referral, or after it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ApproveFiling,
    ClaimCommand,
    EnterJudgment,
    NoteDemand,
    NoteRepayment,
    TakeClaim,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import (
    ClaimEvent,
    FilingApproved,
    FilingRefused,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.suit_events import ClaimFiled, PaymentNoted
from arrears.legal.domain.policy import FilingRule, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId

CALENDAR = BankCalendar("Asia/Shanghai")
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
LAWYER = StaffId("lawyer-3")
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)

DEMAND = NoteDemand(
    case_id=CASE, loan_key=LOAN, total_minor=1_000_000, currency="CNY", delivered_at=NOW, now=NOW
)
AS_OF = date(2026, 3, 1)
TAKE = TakeClaim(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BorrowerId("borrower-1"),
    referral=1,
    overdue_minor=1_000_000,
    balance_minor=9_000_000,
    currency="CNY",
    due_on=date(2025, 11, 20),
    days_past_due=102,
    as_of_on=AS_OF,
    now=NOW,
)
AGAIN = replace(TAKE, referral=2, overdue_minor=600_000, now=NOW + timedelta(days=1))
JUDGE = EnterJudgment(
    awarded_minor=1_000_000, currency="CNY", obey_by_on=date(2026, 4, 10), filing=1, now=NOW
)
BEFORE = CALENDAR.start_of(AS_OF) + timedelta(hours=9)
AFTER = NOW + timedelta(days=3)

policy = load_policies().on(NOW.date())
PROMPT = replace(
    policy,
    filing=FilingRule(approval_from_minor=None),
    enforcement=replace(policy.enforcement, booking_days_max=0),
)
"""Without days to pay and to book, which have tables of their own: time to pay, booking."""
decider = make_claim_decider(PolicyBook([PROMPT]), CALENDAR, lambda _day: True)


def pay(
    value_on: date, *, stated_at: datetime = AFTER, now: datetime = AFTER, number: int = 1
) -> NoteRepayment:
    return NoteRepayment(
        case_id=CASE,
        loan_key=LOAN,
        repayment_id=f"r{number}",
        amount_minor=400_000,
        currency="CNY",
        value_on=value_on,
        stated_at=stated_at,
        now=now,
    )


def lived(*commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def left(*commands: ClaimCommand) -> int:
    """What is left to ask for, before the court or after its judgment."""
    claim = decider.fold(lived(*commands))
    if claim.awarded_minor:
        return claim.unpaid_minor
    return (claim.total_minor or 0) - claim.since_filing_minor


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("money", "counts"),
    [
        (pay(AS_OF + DAY), True),
        (pay(AS_OF + DAY, stated_at=BEFORE), True),
        (pay(AS_OF), True),
        (pay(AS_OF - 9 * DAY), True),
        (pay(AS_OF, stated_at=NOW - timedelta(hours=1)), True),
        (pay(AS_OF, stated_at=BEFORE), False),
        (pay(AS_OF - 9 * DAY, stated_at=BEFORE), False),
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
    assert left(same_day, pay(NOW.date(), stated_at=NOW + timedelta(hours=1))) == 600_000
    assert left(same_day, pay(NOW.date(), stated_at=NOW)) == 1_000_000


def test_money_heard_before_the_referral_is_in_its_figure() -> None:
    early = pay(AS_OF + DAY, now=NOW)
    reduced = replace(TAKE, overdue_minor=600_000)
    assert left(early, reduced) == 600_000
    assert left(early, reduced, early) == 600_000
    assert left(TAKE, early, AGAIN, early) == 600_000


def test_money_of_between_taking_and_filing_that_is_heard_after_filing_is_not_lost() -> None:
    filed = lived(TAKE, replace(DEMAND, now=NOW + 5 * DAY, delivered_at=NOW + 5 * DAY))
    late = pay(AS_OF + 3 * DAY, now=NOW + 6 * DAY)
    (noted,) = decider.decide(late, decider.fold(filed))
    assert isinstance(noted, PaymentNoted)
    assert noted.since_filing_minor == 400_000


@pytest.mark.parametrize(("value_on", "counts"), [(date(2026, 3, 1), False), (AFTER.date(), True)])
def test_a_referral_that_does_not_tell_its_figures_day_stands_for_its_own(
    value_on: date, counts: bool
) -> None:
    assert left(replace(TAKE, as_of_on=None), pay(value_on)) == (600_000 if counts else 1_000_000)


def test_money_that_the_figure_held_still_begins_the_limitation_anew() -> None:
    noted = lived(TAKE, pay(AS_OF, stated_at=BEFORE))[-1]
    assert isinstance(noted, LimitationInterrupted)
    assert (noted.expires_on, noted.left_minor) == (date(2029, 3, 1), 1_000_000)


@forall(
    heard=st.lists(
        st.one_of(st.just("refer"), st.just("demand"), st.integers(1, 6)), min_size=1, max_size=14
    )
)
def test_whatever_the_order_each_repayment_is_taken_off_once(heard: list[str | int]) -> None:
    paid: set[int] = set()
    figure = replace(TAKE, overdue_minor=10_000_000)
    history = lived(figure)
    for step in heard:
        command: ClaimCommand = DEMAND
        if step == "refer":
            overdue_minor = 10_000_000 - 400_000 * len(paid)
            figure = replace(figure, referral=figure.referral + 1, overdue_minor=overdue_minor)
            command = figure
        elif isinstance(step, int):
            paid.add(step)
            command = pay(AS_OF + DAY, number=step)
        history = (*history, *decider.decide(command, decider.fold(history)))
    claim = decider.fold(history)
    left_minor = (claim.total_minor or 0) - claim.since_filing_minor
    assert left_minor == 10_000_000 - 400_000 * len(paid)


filing = replace(PROMPT.filing, approval_from_minor=500_000)
strict = make_claim_decider(
    PolicyBook([replace(PROMPT, filing=filing)]), CALENDAR, lambda _day: True
)
APPROVE = ApproveFiling(staff_id=LAWYER, now=NOW)


def after(*commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    """The history where a claim of 5,000 or more needs approval."""
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *strict.decide(command, strict.fold(events)))
    return events


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
