"""Whether the court may still be asked: the claim and the day at the moment of asking."""

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ClaimCommand,
    CloseEnforcement,
    EndSuit,
    PauseClaim,
    ResumeClaim,
    WakeUp,
    Withhold,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.rules import Rules
from arrears.legal.domain.claim.state import Phase
from arrears.legal.domain.claim.suit_events import ClaimFiled, EnforcementApplied
from arrears.legal.domain.claim.withholding import Objection, objection
from arrears.legal.testing.claim import (
    CALENDAR,
    DEMAND,
    FILED,
    LAWYER,
    NOW,
    TAKE,
    at,
    judged,
    lived_by,
)
from arrears.shared.service.workdays import workdays_of

RULES = Rules(load_policies(), CALENDAR, workdays_of("CN"))
decider = make_claim_decider(RULES.policies, CALENDAR, RULES.is_workday)
lived = partial(lived_by, decider)
LATER = NOW + timedelta(hours=5)
LETTER = replace(DEMAND, delivered_at=NOW, staff_id=LAWYER, now=LATER)
JUDGE = judged(date(2026, 3, 20), staff_id=LAWYER, now=LATER)
ENDED = EndSuit(result="not_accepted", reason="papers", staff_id=LAWYER, now=LATER)
WITHHELD = Withhold(filing=1, reason="news", looked_at=LATER, now=NOW)
NOT_OBEYED = (*FILED, JUDGE, WakeUp(now=at(date(2026, 3, 25))))
APPLY = ApplyForEnforcement(staff_id=LAWYER, now=at(date(2026, 3, 25)))
NOT_APPLIED = Withhold(filing=1, application=1, reason="news", looked_at=APPLY.now, now=APPLY.now)
OVERTAKEN = Objection(reason="overtaken")


def not_allowed(*missing: str) -> Objection:
    return Objection(reason="not_allowed", missing=missing)


@pytest.mark.parametrize(
    ("since", "asked_at", "found"),
    [
        ((), LATER, None),
        ((), at(date(2028, 1, 5)), None),
        # The last day to sue is 5 January 2029, three years after the demand.
        ((), at(date(2029, 1, 6)), not_allowed("limitation_alive")),
        ((LETTER,), LATER, not_allowed("time_to_pay_over")),
        ((LETTER,), at(date(2026, 3, 18)), None),
        ((JUDGE,), LATER, OVERTAKEN),
        ((ENDED,), LATER, OVERTAKEN),
        ((WITHHELD,), LATER, OVERTAKEN),
        ((WITHHELD, WakeUp(now=LATER)), LATER, OVERTAKEN),
    ],
)
def test_a_filing(
    since: tuple[ClaimCommand, ...], asked_at: datetime, found: Objection | None
) -> None:
    asked = lived(*FILED)[-1]
    assert isinstance(asked, ClaimFiled)
    assert objection(RULES, asked, decider.fold(lived(*FILED, *since)), asked_at) == found


@pytest.mark.parametrize(
    ("since", "found"),
    [
        ((), None),
        ((CloseEnforcement(staff_id=LAWYER, now=APPLY.now),), OVERTAKEN),
        ((NOT_APPLIED,), OVERTAKEN),
        # Another one came in its place: the court is asked for that one.
        ((NOT_APPLIED, APPLY), OVERTAKEN),
    ],
)
def test_an_application(since: tuple[ClaimCommand, ...], found: Objection | None) -> None:
    asked = lived(*NOT_OBEYED, APPLY)[-1]
    assert isinstance(asked, EnforcementApplied)
    claim = decider.fold(lived(*NOT_OBEYED, APPLY, *since))
    assert objection(RULES, asked, claim, APPLY.now) == found


@pytest.mark.parametrize(
    ("history", "withheld", "phase"),
    [
        ((*FILED, JUDGE), WITHHELD, Phase.JUDGED),
        ((*NOT_OBEYED, APPLY), WITHHELD, Phase.ENFORCING),
        (
            (*NOT_OBEYED, APPLY, CloseEnforcement(staff_id=LAWYER, now=APPLY.now)),
            NOT_APPLIED,
            Phase.CLOSED,
        ),
    ],
)
def test_what_has_come_of_a_request_since_stands(
    history: tuple[ClaimCommand, ...], withheld: Withhold, phase: Phase
) -> None:
    assert decider.fold(lived(*history, withheld)).phase is phase


def test_what_a_person_applied_for_is_applied_for_again_in_their_name() -> None:
    state = decider.fold(lived(*NOT_OBEYED, APPLY, NOT_APPLIED))
    due = decider.due(state, APPLY.now)
    assert due is not None
    (again,) = decider.decide(WakeUp(now=due), state)
    assert isinstance(again, EnforcementApplied)
    assert (again.recorded_by, again.filing, again.application) == (LAWYER, 1, 2)


@pytest.mark.parametrize(
    ("since", "last_on", "alarmed_at_days"),
    [((), date(2026, 4, 7), 90), ((LETTER,), date(2029, 3, 2), None)],
    ids=["the last day stays", "it has moved"],
)
def test_alarms_begin_anew_with_another_last_day(
    since: tuple[ClaimCommand, ...], last_on: date, alarmed_at_days: int | None
) -> None:
    delivered_at = at(date(2023, 4, 6))
    demanded = replace(DEMAND, delivered_at=delivered_at, now=delivered_at)
    held = PauseClaim(reason="dispute", until_on=None, now=NOW)
    released = ResumeClaim(reason="settled", now=NOW)
    old = (replace(TAKE, due_on=date(2022, 11, 20)), held, demanded, WakeUp(now=NOW), released)
    filed = lived(*old)
    assert isinstance(filed[-1], ClaimFiled)
    claim = decider.fold(lived(*old, *since, WITHHELD))
    assert (claim.limitation_expires_on, claim.alarmed_at_days) == (last_on, alarmed_at_days)


def test_before_the_time_of_the_look_nothing_is_filed_again() -> None:
    """What had come by then is heard first; a promise on the way would open the gate."""
    state = decider.fold(lived(*FILED, WITHHELD))
    assert decider.due(state, NOW) == LATER
    early = replace(DEMAND, delivered_at=datetime(2026, 1, 6, 2, 0, tzinfo=UTC), now=NOW)
    assert not any(isinstance(event, ClaimFiled) for event in decider.decide(early, state))
    (filed,) = decider.decide(WakeUp(now=LATER), state)
    assert isinstance(filed, ClaimFiled)
    assert filed.filing == 2
