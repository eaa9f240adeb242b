"""A stop never shortens what another of its kind protects."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.contact.domain.borrower.commands import ResumeContact, StopContact, WakeUp
from arrears.contact.domain.borrower.events import AttemptPermitted, BorrowerEvent
from arrears.contact.domain.values import StopKind
from arrears.contact.testing.borrower import (
    CASE,
    DECIDER,
    EVENING,
    LOAN,
    POLICIES,
    SHANGHAI,
    STAFF,
    life,
    refer,
    stop_person,
)
from arrears.contact.testing.conduct import check
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given

WEDNESDAY, FRIDAY = date(2026, 3, 4), date(2026, 3, 6)


def stop(reason: str, until_on: date | None, **changes: object) -> StopContact:
    command = stop_person("staff", reason, until_on=until_on, recorded_by=STAFF)
    return replace(command, **changes)


def ends(events: Sequence[BorrowerEvent]) -> list[datetime | None]:
    return [one.lifts_at for one in DECIDER.fold(events).stops]


def midnight_after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(days=1)


NO_LATER = [(None, WEDNESDAY), (FRIDAY, WEDNESDAY), (FRIDAY, FRIDAY), (None, None)]


@pytest.mark.parametrize("kind", ["hardship", "agreement"])
@pytest.mark.parametrize(("first", "second"), NO_LATER)
def test_one_that_ends_no_later_is_in_effect_already(
    kind: StopKind, first: date | None, second: date | None
) -> None:
    lawyer = stop("represented_by_a_lawyer", first, kind=kind)
    given(*life(lawyer)).when(stop("asked_for_peace", second, kind=kind)).then_nothing_happens()


@pytest.mark.parametrize(("first", "second"), NO_LATER)
def test_staff_whose_words_would_not_be_kept_are_refused(
    first: date | None, second: date | None
) -> None:
    lawyer = life(stop("represented_by_a_lawyer", first))
    given(*lawyer).when(stop("asked_for_peace", second)).then_refused("stopped_as_long_already")


def test_a_stop_that_ends_sooner_is_refused_though_it_gives_the_same_reason() -> None:
    lawyer = life(stop("represented_by_a_lawyer", FRIDAY))
    given(*lawyer).when(stop("represented_by_a_lawyer", WEDNESDAY)).then_refused(
        "stopped_as_long_already"
    )


def test_the_same_words_again_are_in_effect_already() -> None:
    lawyer = stop("represented_by_a_lawyer", FRIDAY)
    given(*life(lawyer)).when(lawyer).then_nothing_happens()


@pytest.mark.parametrize(("first", "second"), [(WEDNESDAY, FRIDAY), (WEDNESDAY, None)])
def test_one_that_lasts_longer_takes_its_place(first: date, second: date | None) -> None:
    events = life(stop("asked_for_peace", first), stop("represented_by_a_lawyer", second))
    assert ends(events) == [None if second is None else midnight_after(second)]


def test_what_is_stopped_on_the_case_does_not_count_for_the_person() -> None:
    of_case = stop("a_lawyer", None, scope="case", case_id=CASE, loan_key=LOAN)
    assert ends(life(of_case, stop("asked_for_peace", FRIDAY))) == [midnight_after(FRIDAY)]


def test_staff_who_resume_may_stop_for_less() -> None:
    resume = ResumeContact(kinds=("staff",), scope="person", reason="lawyer_left", now=EVENING)
    events = life(stop("represented_by_a_lawyer", None), resume, stop("peace", WEDNESDAY))
    assert ends(events) == [midnight_after(WEDNESDAY)]


@pytest.mark.parametrize("until_on", [WEDNESDAY, FRIDAY, None])
def test_intakes_last_word_on_its_own_hold_counts(until_on: date | None) -> None:
    held = stop("dispute", FRIDAY, kind="hold", scope="case", case_id=CASE, loan_key=LOAN)
    (hold,) = DECIDER.fold(life(held, replace(held, until_on=until_on))).cases[CASE].stops
    assert hold.lifts_at == (None if until_on is None else midnight_after(until_on))


def test_nobody_is_called_when_the_shorter_one_would_be_over() -> None:
    events = life(
        stop("in_hospital", None, kind="hardship"),
        stop("in_hospital", WEDNESDAY, kind="hardship"),
        WakeUp(now=midnight_after(WEDNESDAY)),
        refer(now=midnight_after(WEDNESDAY)),
    )
    while (due := DECIDER.due(DECIDER.fold(events), EVENING)) is not None:
        events = life(WakeUp(now=due), history=events)
    assert not any(isinstance(event, AttemptPermitted) for event in events)
    assert not check(events, POLICIES).findings
