"""Obedience is judged by the day of the money, and after the bank has had its days to book it."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ClaimCommand,
    EnterJudgment,
    NoteRepayment,
    WakeUp,
)
from arrears.legal.domain.claim.decisions import ClaimDecider, make_claim_decider
from arrears.legal.domain.claim.events import ClaimClosed, ClaimEvent, ClaimWithdrawn
from arrears.legal.domain.claim.suit_events import (
    EnforcementApplied,
    EnforcementClosed,
    EnforcementLapsed,
    JudgmentEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    MoneyRecovered,
    PaymentNoted,
)
from arrears.legal.domain.policy import PolicyBook
from arrears.legal.testing import claim
from arrears.legal.testing.claim import (
    CALENDAR,
    JUDGED_ON,
    LAWYER,
    TODAY,
    at,
    demanded,
    pay,
    referred,
)
from arrears.shared.kernel.decider import SOON, Refused
from arrears.shared.service.workdays import workdays_of

FILED_ON = TODAY
OBEY_BY = date(2026, 4, 24)  # A Friday.
AWARDED = 500_000
POLICY = load_policies().on(FILED_ON)


def under(booking_days_max: int) -> ClaimDecider:
    rule = replace(POLICY.enforcement, booking_days_max=booking_days_max)
    book = PolicyBook([replace(POLICY, enforcement=rule)])
    return make_claim_decider(book, CALENDAR, workdays_of("CN"))


shipped = under(POLICY.enforcement.booking_days_max)


def paid(
    value_on: date, heard_on: date, minor: int = AWARDED, repayment_id: str = "r1"
) -> NoteRepayment:
    said_at = at(heard_on, 0)
    return pay(minor, value_on, repayment_id, stated_at=said_at, now=said_at)


def judged(obey_by_on: date = OBEY_BY, *, deducted_minor: int = 0) -> EnterJudgment:
    return claim.judged(
        obey_by_on, awarded_minor=AWARDED, deducted_minor=deducted_minor, staff_id=LAWYER
    )


BEFORE: tuple[ClaimCommand, ...] = (
    demanded(total_minor=AWARDED),
    referred(overdue_minor=AWARDED, as_of_on=FILED_ON),
)


def lived(*commands: ClaimCommand, decider: ClaimDecider = shipped) -> tuple[ClaimEvent, ...]:
    """What follows, with every timer that is due before each of them."""
    events: tuple[ClaimEvent, ...] = ()
    now = at(date(2026, 1, 1))
    for command in (*BEFORE, *commands):
        state = decider.fold(events)
        while (due := decider.due(state, now)) is not None and due < command.now:
            events = (*events, *decider.decide(WakeUp(now=due), state))
            state, now = decider.fold(events), due
        events = (*events, *decider.decide(command, state))
        now = command.now
    return events


def said(events: Sequence[ClaimEvent]) -> list[type]:
    """All that was said after the judgment."""
    kinds: list[type] = [type(event) for event in events]
    return kinds[kinds.index(PaymentNoted) :] if PaymentNoted in kinds else kinds[-1:]


@pytest.mark.parametrize(
    ("obey_by_on", "days", "verdict_on"),
    [
        (OBEY_BY, 0, date(2026, 4, 25)),
        (OBEY_BY, 1, date(2026, 4, 28)),
        (OBEY_BY, 2, date(2026, 4, 29)),
        (date(2026, 4, 25), 0, date(2026, 4, 28)),  # Moved to Monday.
        (date(2026, 4, 25), 2, date(2026, 4, 30)),
        (date(2026, 4, 30), 2, date(2026, 5, 8)),  # Rest from 1 to 5 May.
    ],
)
def test_the_verdict_waits_for_the_workdays_to_book(
    obey_by_on: date, days: int, verdict_on: date
) -> None:
    decider = under(days)
    state = decider.fold(lived(judged(obey_by_on), decider=decider))
    assert decider.due(state, at(JUDGED_ON)) == at(verdict_on, 0)
    assert not decider.decide(WakeUp(now=at(verdict_on, 0) - timedelta(hours=1)), state)
    (verdict,) = decider.decide(WakeUp(now=at(verdict_on, 0)), state)
    assert isinstance(verdict, JudgmentNotObeyed)
    assert (verdict.obey_by_on, verdict.apply_on) == (obey_by_on, verdict_on + timedelta(days=1))


def test_what_was_paid_in_time_and_booked_on_monday_was_obeyed_in_time() -> None:
    events = lived(judged(), paid(OBEY_BY, date(2026, 4, 27)))
    assert said(events) == [PaymentNoted, JudgmentObeyed, ClaimClosed]
    assert not any(isinstance(event, JudgmentNotObeyed) for event in events)


def test_nobody_applies_while_the_bank_may_still_book_it() -> None:
    apply = ApplyForEnforcement(staff_id=LAWYER, now=at(date(2026, 4, 27)))
    with pytest.raises(Refused, match="time_to_obey_is_running"):
        lived(judged(), apply)


class TestHeardDuringTheEnforcement:
    LATE = date(2026, 5, 20)

    def test_what_had_come_in_time_withdraws_it(self) -> None:
        events = lived(judged(), paid(OBEY_BY, self.LATE))
        assert said(events) == [PaymentNoted, ClaimWithdrawn, JudgmentObeyed, ClaimClosed]
        assert [event.reason for event in events if isinstance(event, ClaimWithdrawn)] == ["obeyed"]
        assert any(isinstance(event, EnforcementApplied) for event in events)

    def test_what_came_a_day_late_is_recovered(self) -> None:
        events = lived(judged(), paid(OBEY_BY + timedelta(days=1), self.LATE))
        assert [type(event) for event in events[-3:]] == [
            MoneyRecovered,
            EnforcementClosed,
            ClaimClosed,
        ]

    def test_a_part_in_time_is_noted_and_the_rest_is_recovered(self) -> None:
        part = paid(OBEY_BY, self.LATE, 200_000)
        rest = paid(self.LATE, self.LATE, 300_000, "r2")
        events = lived(judged(), part, rest)
        assert said(events) == [PaymentNoted, MoneyRecovered, EnforcementClosed, ClaimClosed]
        closed = events[-2]
        assert isinstance(closed, EnforcementClosed)
        assert (closed.result, closed.recovered_minor) == ("recovered_in_full", 300_000)
        assert said(lived(judged(), replace(rest, repayment_id="r0"), part))[-3:] == [
            PaymentNoted,
            EnforcementClosed,
            ClaimClosed,
        ]

    def test_what_the_award_is_less_already_has_not_obeyed_it(self) -> None:
        during = paid(date(2026, 3, 20), date(2026, 3, 20), 100_000, "r0")
        almost = paid(OBEY_BY, self.LATE, AWARDED - 1)
        history = (during, judged(deducted_minor=100_000), almost)
        assert isinstance(lived(*history)[-1], PaymentNoted)
        last_cent = paid(OBEY_BY, self.LATE, 1, "r2")
        assert isinstance(lived(*history, last_cent)[-2], JudgmentObeyed)


ENTERED_ON = date(2026, 5, 20)
LATE_ENTRY = replace(judged(), now=at(ENTERED_ON))


def then(*commands: ClaimCommand, days: int = 2) -> tuple[ClaimEvent, ...]:
    """What follows on such a late entry, with the timers of the next days."""
    until = at(ENTERED_ON + timedelta(days=days))
    over = pay(0, ENTERED_ON, "nothing", now=until)
    events = lived(*commands, over)
    kinds: list[type] = [type(event) for event in events]
    return events[kinds.index(JudgmentEntered) :]


class TestEnteredAfterTheLastDay:
    """Lawyers enter papers late: what counts is what was paid by the last day to obey."""

    def test_what_was_paid_by_then_has_obeyed_it(self) -> None:
        events = then(paid(OBEY_BY, date(2026, 4, 27)), LATE_ENTRY)
        assert said(events) == [ClaimClosed]
        assert isinstance(events[1], JudgmentObeyed)

    def test_it_is_judged_at_once_and_enforced_the_next_day(self) -> None:
        _, verdict, applied = then(LATE_ENTRY)
        assert isinstance(verdict, JudgmentNotObeyed)
        assert (verdict.obey_by_on, verdict.paid_minor) == (OBEY_BY, 0)
        assert verdict.apply_on == ENTERED_ON + timedelta(days=1)
        assert isinstance(applied, EnforcementApplied)
        state = shipped.fold(lived(LATE_ENTRY))
        assert shipped.due(state, LATE_ENTRY.now) == LATE_ENTRY.now + SOON

    def test_the_workdays_to_book_are_waited_for(self) -> None:
        entered_on = OBEY_BY + timedelta(days=3)
        events = lived(replace(judged(), now=at(entered_on)))
        assert isinstance(events[-1], JudgmentEntered)
        state = shipped.fold(events)
        assert shipped.due(state, at(entered_on)) == at(date(2026, 4, 29), 0)

    def test_a_part_that_came_after_it_is_not_in_time(self) -> None:
        """What then comes to light may have been in time, and is not all of the award."""
        after = paid(OBEY_BY + timedelta(days=3), date(2026, 4, 28), 100_000, "r0")
        in_time = paid(OBEY_BY, date(2026, 5, 25), AWARDED - 100_000)
        events = then(after, LATE_ENTRY, in_time, days=6)
        kinds = [type(event) for event in events]
        assert JudgmentObeyed not in kinds
        assert kinds[-3:] == [PaymentNoted, EnforcementClosed, ClaimClosed]

    def test_the_part_that_was_in_time_is(self) -> None:
        before = paid(OBEY_BY, date(2026, 4, 27), 100_000, "r0")
        in_time = paid(OBEY_BY, date(2026, 5, 25), AWARDED - 100_000)
        events = then(before, LATE_ENTRY, in_time, days=6)
        assert [type(event) for event in events[-3:]] == [
            ClaimWithdrawn,
            JudgmentObeyed,
            ClaimClosed,
        ]

    def test_what_was_paid_after_it_has_begun_the_time_to_apply_anew(self) -> None:
        after = paid(date(2026, 4, 28), date(2026, 4, 28), 100_000)
        entered = then(after, LATE_ENTRY)[0]
        assert isinstance(entered, JudgmentEntered)
        assert entered.apply_by_on == date(2028, 4, 28)
        assert entered.derivation is not None
        assert entered.derivation.start_on == date(2026, 4, 28)

    @pytest.mark.parametrize("obey_by_on", [FILED_ON - timedelta(days=1), date(2016, 4, 24)])
    def test_no_judgment_was_to_be_obeyed_before_the_filing(self, obey_by_on: date) -> None:
        with pytest.raises(Refused, match="before_the_filing"):
            lived(replace(LATE_ENTRY, obey_by_on=obey_by_on))

    def test_after_the_time_to_apply_nothing_is_applied_for_by_itself(self) -> None:
        """The debtor may object then: whether the bank applies all the same is for a person."""
        late = at(date(2028, 5, 8))
        events = lived(replace(LATE_ENTRY, now=late))
        state = shipped.fold(events)
        said_then: list[ClaimEvent] = []
        now = late
        while (due := shipped.due(state, now)) is not None and due < late + timedelta(days=60):
            said_then.extend(shipped.decide(WakeUp(now=due), state))
            state, now = shipped.fold((*events, *said_then)), due
        assert [type(event) for event in said_then] == [JudgmentNotObeyed, EnforcementLapsed]
        apply = ApplyForEnforcement(staff_id=LAWYER, now=now)
        assert isinstance(shipped.decide(apply, state)[0], EnforcementApplied)
