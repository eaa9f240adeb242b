"""Every last day is kept with its derivation: rule, first day, the move, and if it is certain."""

from datetime import date, timedelta
from functools import partial

import msgspec
import pytest
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ClaimCommand,
    PauseClaim,
    WakeUp,
)
from arrears.legal.domain.claim.events import (
    AgreementNoted,
    ClaimClosed,
    ClaimEvent,
    ClaimTaken,
    DemandNoted,
    LimitationAlarmRaised,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.suit_events import (
    EnforcementAlarmRaised,
    JudgmentEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    PaymentNoted,
)
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.testing.claim import (
    IN_CHINA,
    agreed,
    at,
    demanded,
    derived,
    judged,
    lived_by,
    pay,
    promised,
    referred,
    start_of,
    wake_on,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import StaffId
from arrears.shared.service.workdays import announced_until

lived = partial(lived_by, IN_CHINA)
TAKEN_ON = date(2023, 3, 1)
NOW = at(TAKEN_ON)
TAKE = referred(TAKEN_ON, due_on=date(2022, 10, 1))
DEMAND = demanded(TAKEN_ON)
PROMISE = promised(TAKEN_ON)
AGREED = agreed(TAKEN_ON)
PAY = pay(5_000, TAKEN_ON)
JUDGE = judged(date(2024, 5, 1), TAKEN_ON)
HELD = PauseClaim(reason="hardship", until_on=None, now=NOW)
NOT_OBEYED = (DEMAND, TAKE, JUDGE, HELD, wake_on(date(2024, 5, 7)))

A_DAY_OFF = date(2025, 10, 1)
"""The national holiday; it lasts until the 8th."""
SUNDAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("commands", "kind", "last_on", "derivation"),
    [
        (
            (TAKE,),
            ClaimTaken,
            date(2025, 10, 9),
            derived("36m", TAKE.due_on, moved_from_on=A_DAY_OFF),
        ),
        (
            (TAKE, DEMAND),
            DemandNoted,
            date(2026, 3, 2),
            derived("36m", TAKEN_ON, moved_from_on=SUNDAY),
        ),
        (
            (TAKE, PROMISE),
            LimitationInterrupted,
            date(2026, 3, 2),
            derived("36m", TAKEN_ON, moved_from_on=SUNDAY),
        ),
        (
            (TAKE, PAY),
            LimitationInterrupted,
            date(2026, 3, 2),
            derived("36m", TAKEN_ON, moved_from_on=SUNDAY),
        ),
        (
            (TAKE, AGREED),
            AgreementNoted,
            date(2026, 3, 2),
            derived("36m", TAKEN_ON, moved_from_on=SUNDAY),
        ),
        (
            (DEMAND, TAKE, JUDGE),
            JudgmentEntered,
            date(2026, 5, 6),
            derived("24m", JUDGE.obey_by_on, moved_from_on=date(2026, 5, 1)),
        ),
        (
            (*NOT_OBEYED, replace(PAY, value_on=date(2024, 7, 1))),
            PaymentNoted,
            date(2026, 7, 1),
            derived("24m", date(2024, 7, 1)),
        ),
        (
            (*NOT_OBEYED, replace(PAY, value_on=date(2025, 7, 1))),
            PaymentNoted,
            date(2027, 7, 1),
            derived("24m", date(2025, 7, 1), provisional=True),
        ),
        (
            (TAKE, wake_on(date(2025, 9, 30))),
            LimitationAlarmRaised,
            date(2025, 10, 9),
            derived("36m", TAKE.due_on, moved_from_on=A_DAY_OFF),
        ),
        (
            (*NOT_OBEYED, wake_on(date(2026, 4, 30))),
            EnforcementAlarmRaised,
            date(2026, 5, 6),
            derived("24m", JUDGE.obey_by_on, moved_from_on=date(2026, 5, 1)),
        ),
    ],
)
def test_the_event_keeps_how_its_last_day_was_found(
    commands: tuple[ClaimCommand, ...],
    kind: type[ClaimEvent],
    last_on: date,
    derivation: Derivation,
) -> None:
    found = [event for event in lived(*commands) if isinstance(event, kind)][-1]
    said = msgspec.structs.asdict(found)
    assert said["derivation"] == derivation
    assert last_on in (
        said.get("expires_on"),
        said.get("limitation_expires_on"),
        said.get("apply_by_on"),
    )


@pytest.mark.parametrize(
    ("obey_by_on", "moved_to_on", "last_on"),
    [
        (date(2024, 4, 30), None, date(2024, 4, 30)),
        (date(2024, 5, 1), date(2024, 5, 6), date(2024, 5, 6)),
        (date(2024, 5, 11), None, date(2024, 5, 11)),  # A Saturday that is worked for the holiday.
        (date(2024, 5, 18), date(2024, 5, 20), date(2024, 5, 20)),
    ],
)
def test_a_day_to_obey_that_is_a_day_off_moves_to_the_next_workday(
    obey_by_on: date, moved_to_on: date | None, last_on: date
) -> None:
    history = lived(DEMAND, TAKE, replace(JUDGE, obey_by_on=obey_by_on))
    entered = history[-1]
    assert isinstance(entered, JudgmentEntered)
    assert entered.obey_moved_to_on == moved_to_on
    claim = IN_CHINA.fold(history)
    assert IN_CHINA.due(claim, NOW) == start_of(last_on + timedelta(days=1))
    assert tuple(IN_CHINA.decide(wake_on(last_on), claim)) == ()
    with pytest.raises(Refused, match="time_to_obey_is_running"):
        IN_CHINA.decide(
            ApplyForEnforcement(staff_id=StaffId("li.wei"), now=start_of(last_on)), claim
        )
    (said,) = IN_CHINA.decide(wake_on(last_on + timedelta(days=1)), claim)
    assert isinstance(said, JudgmentNotObeyed)
    assert (said.obey_by_on, said.obey_moved_to_on) == (obey_by_on, moved_to_on)


@pytest.mark.parametrize("heard", [timedelta(hours=12), timedelta(hours=30)])
def test_money_of_the_day_it_moved_to_obeys_also_where_it_is_heard_the_next(
    heard: timedelta,
) -> None:
    last_on = date(2024, 5, 6)
    before = lived(DEMAND, TAKE, JUDGE)
    heard_at = start_of(last_on) + heard
    before = (*before, *IN_CHINA.decide(WakeUp(now=heard_at), IN_CHINA.fold(before)))
    paid = replace(PAY, amount_minor=3_800_000, value_on=last_on, now=heard_at)
    found = IN_CHINA.decide(paid, IN_CHINA.fold(before))
    assert [type(event) for event in found] == [PaymentNoted, JudgmentObeyed, ClaimClosed]


def test_an_act_that_brings_no_later_day_repeats_the_derivation_of_the_day() -> None:
    early = replace(PROMISE, promise_id="p2", now=NOW - timedelta(days=300))
    noted = lived(TAKE, PROMISE, early)[-1]
    assert isinstance(noted, LimitationInterrupted)
    assert noted.expires_on == date(2026, 3, 2)
    assert noted.derivation == derived("36m", TAKEN_ON, moved_from_on=SUNDAY)


def test_before_the_referral_no_clock_runs_and_nothing_is_derived() -> None:
    (noted,) = lived(DEMAND)
    assert isinstance(noted, DemandNoted)
    assert noted.derivation is None


@pytest.mark.parametrize("kind", [ClaimTaken, LimitationAlarmRaised, DemandNoted])
def test_events_of_before_it_was_kept_still_decode(kind: type[ClaimEvent]) -> None:
    history = lived(TAKE, wake_on(date(2025, 9, 30)), DEMAND)
    event = next(one for one in history if isinstance(one, kind))
    old = msgspec.json.decode(msgspec.json.encode(event))
    del old["derivation"]
    found = msgspec.json.decode(msgspec.json.encode(old), type=kind)
    assert found == replace(event, derivation=None)
    assert IN_CHINA.fold((*history[:1], found)).limitation_expires_on >= date(2025, 10, 9)


def test_china_announces_its_workdays_year_by_year_and_others_need_not() -> None:
    until = announced_until("CN")
    assert until is not None
    assert until >= 2026
    assert announced_until("US") is None
