"""A court that says nothing: the lawyers are told once, and nothing else follows."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import ClaimCommand, EndSuit, PauseClaim, WakeUp, Withhold
from arrears.legal.domain.claim.suit_events import ClaimRegistered, CourtSilenceNoted
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.testing.claim import (
    CASE,
    IN_CHINA,
    LAWYER,
    LOAN,
    NOW,
    REGISTER,
    TAKE,
    TODAY,
    demanded,
    derived,
    judged,
    lived_by,
    referred,
    start_of,
    wake_on,
)
from arrears.shared.testing.decider_spec import DeciderSpec

lived = partial(lived_by, IN_CHINA)
given = DeciderSpec(IN_CHINA).given
FILED = (demanded(TODAY), TAKE)
JUDGE = judged(date(2026, 12, 1), TODAY)


def silence(awaited: str, answer_by_on: date, derivation: Derivation) -> CourtSilenceNoted:
    return CourtSilenceNoted(
        case_id=CASE,
        loan_key=LOAN,
        awaited=awaited,
        answer_by_on=answer_by_on,
        filed_on=date(2026, 3, 2),
        derivation=derivation,
    )


@pytest.mark.parametrize(
    ("history", "last_day", "awaited", "derivation"),
    [
        (FILED, date(2026, 3, 9), "registration", derived("7d", date(2026, 3, 2))),
        (
            (*FILED, REGISTER),
            date(2026, 9, 4),
            "judgment",
            derived("6m", date(2026, 3, 4)),
        ),
        (
            (*FILED, wake_on(date(2026, 3, 10)), REGISTER),
            date(2026, 9, 4),
            "judgment",
            derived("6m", date(2026, 3, 4)),
        ),
    ],
    ids=["registers within 7 days", "judges within 6 months", "each is waited for on its own"],
)
def test_a_court_that_is_late_is_noted_once(
    history: Sequence[ClaimCommand], last_day: date, awaited: str, derivation: Derivation
) -> None:
    events = lived(*history)
    first = last_day + timedelta(days=1)
    assert given(*events).is_due(NOW + timedelta(days=3)) == start_of(first)
    given(*events).when(wake_on(last_day)).then_nothing_happens()
    said = silence(awaited, last_day, derivation)
    given(*events).when(wake_on(first)).then(said)
    given(*events, said).when(wake_on(first + timedelta(days=400))).then_nothing_happens()
    assert given(*events, said).is_due(start_of(first)) is None


def test_its_last_day_moves_to_a_workday() -> None:
    on = date(2026, 2, 9)
    early = (demanded(on), referred(on))
    # New Year's days off last from 15 to 23 February.
    (said,) = IN_CHINA.decide(wake_on(date(2026, 2, 25)), IN_CHINA.fold(lived(*early)))
    assert isinstance(said, CourtSilenceNoted)
    assert said.answer_by_on == date(2026, 2, 24)
    assert said.derivation == derived("7d", date(2026, 2, 9), date(2026, 2, 16))
    given(*lived(*early)).when(wake_on(date(2026, 2, 24))).then_nothing_happens()


def test_a_registration_of_before_its_day_was_kept_counts_from_the_filing() -> None:
    old = ClaimRegistered(case_id=CASE, loan_key=LOAN, docket="d-1", gateway="sandbox")
    woken = given(*lived(*FILED), old).is_due(NOW)
    assert woken == start_of(date(2026, 9, 3))


@pytest.mark.parametrize(
    "answer",
    [
        JUDGE,
        EndSuit(
            result="not_accepted",
            reason="the court said no",
            staff_id=LAWYER,
            now=NOW,
        ),
    ],
    ids=["judged", "not accepted"],
)
def test_a_court_that_has_answered_is_waited_for_no_more(answer: ClaimCommand) -> None:
    woken = lived(*FILED, answer, wake_on(date(2026, 10, 1)))
    assert not any(isinstance(event, CourtSilenceNoted) for event in woken)


def test_a_hold_or_a_late_answer_changes_nothing_about_it() -> None:
    held = PauseClaim(reason="hardship", until_on=None, now=NOW)
    late = replace(JUDGE, now=start_of(date(2026, 9, 20)))
    told = lived(*FILED, REGISTER, held, wake_on(date(2026, 9, 5)), late)
    assert [type(event).__name__ for event in told[-2:]] == ["CourtSilenceNoted", "JudgmentEntered"]


def test_a_suit_that_is_filed_again_is_waited_for_again() -> None:
    silent = wake_on(date(2026, 3, 10))
    ended = EndSuit(result="withdrawn", reason="filed elsewhere", staff_id=LAWYER, now=silent.now)
    later = silent.now + timedelta(days=1)
    again = replace(TAKE, referral=7, now=later)
    told = lived(*FILED, silent, ended, again)
    state = IN_CHINA.fold(told)
    assert not state.silence_noted
    assert IN_CHINA.due(state, later) == start_of(date(2026, 3, 19))


def test_one_that_had_not_reached_the_court_is_waited_for_anew() -> None:
    """The gateway was down for days: the request gave way, and is made again."""
    silent = wake_on(date(2026, 3, 10))
    later = silent.now + timedelta(hours=9)
    withheld = Withhold(filing=1, reason="news", looked_at=later, now=later)
    events = lived(*FILED, silent, withheld, WakeUp(now=later))
    assert given(*events).is_due(later) == start_of(date(2026, 3, 18))
