"""What a hold does to an agreement: its days stand still, and run on from the release."""

from datetime import date, datetime

import pytest

from arrears.mediation.domain.mediation.commands import (
    HoldMediation,
    MediationCommand,
    ResumeMediation,
    WakeUp,
)
from arrears.mediation.domain.mediation.events import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementHeld,
    AgreementReleased,
    BreachContradicted,
    InstalmentMissed,
    MediationEvent,
)
from arrears.mediation.domain.mediation.state import InForce
from arrears.mediation.domain.plan import Pause, moved
from arrears.mediation.testing.case import (
    APRIL,
    BREACHED,
    CASE,
    CONTRADICTED,
    CURE_ENDS,
    DAY_AFTER,
    DECIDER,
    GRACE_ENDS,
    IN_FORCE,
    LOAN,
    RENEW,
    at,
    both_sign,
    end_of,
    lived,
    pay,
    wake_after,
)
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given


def hold(day: date) -> HoldMediation:
    return HoldMediation(now=at(day))


def release(day: date) -> ResumeMediation:
    return ResumeMediation(now=at(day))


def said_at(history: tuple[MediationEvent, ...], asked: datetime) -> list[tuple[str, datetime]]:
    """What timers alone make of it, and when."""
    said: list[tuple[str, datetime]] = []
    due = DECIDER.due(DECIDER.fold(history), asked)
    while due is not None:
        events = DECIDER.decide(WakeUp(now=due), DECIDER.fold(history))
        said += [(type(event).__name__, due) for event in events]
        history = (*history, *events)
        due = DECIDER.due(DECIDER.fold(history), due)
    return said


MISSED = wake_after(GRACE_ENDS)


class TestWhileHeld:
    def test_the_hold_is_said_once_and_so_is_the_release(self) -> None:
        held = AgreementHeld(case_id=CASE, loan_key=LOAN, round=1, held_since_on=date(2026, 4, 3))
        released = AgreementReleased(
            case_id=CASE,
            loan_key=LOAN,
            round=1,
            held_since_on=date(2026, 4, 3),
            held_days=17,
        )
        given(*lived(*IN_FORCE)).when(hold(date(2026, 4, 3))).then(held)
        given(*lived(*IN_FORCE), held).when(hold(date(2026, 4, 9))).then_nothing_happens()
        given(*lived(*IN_FORCE), held).when(release(date(2026, 4, 20))).then(released)
        given(*lived(*IN_FORCE), held, released).when(
            release(date(2026, 4, 21))
        ).then_nothing_happens()

    @pytest.mark.parametrize("before", [(), (MISSED,)], ids=["in force", "missed"])
    def test_nothing_is_missed_or_breached(self, before: tuple[MediationCommand, ...]) -> None:
        history = lived(*IN_FORCE, *before, hold(date(2026, 4, 7)))
        assert given(*history).is_due(at(date(2026, 4, 7))) is None
        given(*history).when(wake_after(date(2026, 12, 31))).then_nothing_happens()

    def test_money_fills_instalments_and_fulfils_the_agreement(self) -> None:
        history = lived(*IN_FORCE, hold(date(2026, 4, 3)), pay(60_000, date(2026, 6, 1)))
        events = DECIDER.decide(pay(40_000, date(2026, 6, 2)), DECIDER.fold(history))
        assert isinstance(events[-1], AgreementFulfilled)


class TestAfterTheRelease:
    @pytest.mark.parametrize(
        ("held", "missed_on", "breached_on"),
        [
            ([], GRACE_ENDS, CURE_ENDS),
            ([("2026-03-10", "2026-03-20")], date(2026, 4, 16), date(2026, 4, 26)),
            ([("2026-03-25", "2026-06-23")], date(2026, 7, 5), date(2026, 7, 15)),
            ([("2026-04-06", "2026-05-06")], date(2026, 5, 6), date(2026, 5, 16)),
            ([("2026-04-06", "2026-04-06")], GRACE_ENDS, CURE_ENDS),
            ([("2026-04-07", "2026-05-07")], GRACE_ENDS, date(2026, 5, 16)),
            ([("2026-04-16", "2026-04-26")], GRACE_ENDS, date(2026, 4, 26)),
            (
                [("2026-04-02", "2026-04-12"), ("2026-04-20", "2026-04-30")],
                date(2026, 4, 16),
                date(2026, 5, 6),
            ),
        ],
        ids=[
            "no hold",
            "before the due day",
            "over the due day",
            "on the last day of grace",
            "for less than a day",
            "on the first day of cure",
            "on the last day of cure",
            "two holds",
        ],
    )
    def test_the_time_that_was_left_runs_on(
        self, held: list[tuple[str, str]], missed_on: date, breached_on: date
    ) -> None:
        history, said = lived(*IN_FORCE), list[tuple[str, datetime]]()
        asked = at(date(2026, 3, 3))
        for since, until in held:
            begins = at(date.fromisoformat(since))
            while (due := DECIDER.due(DECIDER.fold(history), asked)) and due <= begins:
                events = DECIDER.decide(WakeUp(now=due), DECIDER.fold(history))
                said += [(type(event).__name__, due) for event in events]
                history, asked = (*history, *events), due
            for command in (HoldMediation(now=begins), release(date.fromisoformat(until))):
                history = (*history, *DECIDER.decide(command, DECIDER.fold(history)))
            asked = at(date.fromisoformat(until))
        said += said_at(history, asked)
        assert said[0] == (InstalmentMissed.__name__, end_of(missed_on))
        assert said[-1] == (AgreementBreached.__name__, end_of(breached_on))

    def test_every_instalment_that_was_still_to_come_moves(self) -> None:
        history = lived(
            *IN_FORCE,
            hold(date(2026, 4, 2)),
            release(date(2026, 4, 12)),
            pay(60_000, date(2026, 4, 16)),
        )
        assert given(*history).is_due(at(date(2026, 4, 17))) == end_of(date(2026, 5, 16))

    def test_what_is_missed_says_the_day_up_to_which_it_may_be_paid(self) -> None:
        history = lived(*IN_FORCE, hold(date(2026, 4, 2)), release(date(2026, 4, 12)))
        (missed,) = DECIDER.decide(wake_after(date(2026, 4, 16)), DECIDER.fold(history))
        assert isinstance(missed, InstalmentMissed)
        assert (missed.due_on, missed.cure_by_on) == (APRIL.due_on, date(2026, 4, 26))


SIGN_ANEW = both_sign(at(date(2026, 4, 22)), offer=2)


class TestAfterABreach:
    def test_a_later_hold_does_not_lengthen_the_time_that_was_breached(self) -> None:
        history = lived(*BREACHED, hold(DAY_AFTER), release(date(2026, 4, 30)))
        late = DECIDER.decide(pay(60_000, date(2026, 4, 20)), DECIDER.fold(history))
        assert not any(isinstance(event, BreachContradicted) for event in late)

    @pytest.mark.parametrize(
        "ends", [(), (release(date(2026, 6, 16)),)], ids=["held still", "released"]
    )
    def test_the_instalments_behind_it_have_the_days_of_the_hold(
        self, ends: tuple[MediationCommand, ...]
    ) -> None:
        history = lived(*CONTRADICTED, hold(DAY_AFTER), *ends)
        rest = pay(40_000, date(2026, 6, 16), heard_at=at(date(2026, 6, 17)))
        assert isinstance(DECIDER.decide(rest, DECIDER.fold(history))[-1], AgreementFulfilled)

    @pytest.mark.parametrize("offered_first", [True, False])
    def test_what_is_signed_anew_under_the_hold_has_its_days_from_the_signing(
        self, offered_first: bool
    ) -> None:
        held = hold(date(2026, 4, 20))
        steps = (RENEW, held) if offered_first else (held, RENEW)
        history = lived(*CONTRADICTED, *steps, *SIGN_ANEW)
        state = DECIDER.fold(history)
        assert isinstance(state, InForce)
        assert state.held_since_on == date(2026, 4, 22)
        released = lived(*CONTRADICTED, *steps, *SIGN_ANEW, release(date(2026, 5, 2)))
        assert given(*released).is_due(at(date(2026, 5, 2))) == end_of(date(2026, 6, 16))


@pytest.mark.parametrize(
    ("last_day", "pauses", "expected"),
    [
        (date(2026, 4, 6), (), date(2026, 4, 6)),
        (date(2026, 4, 6), (("2026-04-06", 3),), date(2026, 4, 9)),
        (date(2026, 4, 6), (("2026-04-07", 3),), date(2026, 4, 6)),
        (date(2026, 4, 6), (("2026-04-01", 3), ("2026-04-09", 1)), date(2026, 4, 10)),
        (date(2026, 4, 6), (("2026-04-01", 3), ("2026-04-10", 1)), date(2026, 4, 9)),
    ],
)
def test_a_day_moves_by_the_holds_that_began_before_it_had_ended(
    last_day: date, pauses: tuple[tuple[str, int], ...], expected: date
) -> None:
    held = [Pause(since_on=date.fromisoformat(day), days=days) for day, days in pauses]
    assert moved(last_day, held) == expected
