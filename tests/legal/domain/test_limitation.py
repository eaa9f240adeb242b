"""How long a claim may be sued for."""

from datetime import date, timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from arrears.legal.domain import alarms
from arrears.legal.domain.limitation import BY_DEBTOR, Interruption, expiry, renewed
from arrears.legal.testing.claim import every_day

DUE = date(2020, 3, 2)
ENDS = date(2023, 3, 2)


def last_day(*interruptions: Interruption) -> date:
    found = expiry(DUE, interruptions, months=36, is_workday=every_day)
    assert found is not None
    return found.on


def test_three_years_from_the_due_day() -> None:
    assert last_day() == ENDS


@pytest.mark.parametrize("by", ["demand", "promise", "part_payment", "agreement"])
def test_an_interruption_begins_the_period_anew(by: str) -> None:
    assert last_day(Interruption(by=by, on=date(2022, 6, 1))) == date(2025, 6, 1)


def test_interruptions_follow_one_another() -> None:
    chain = [Interruption(by="demand", on=date(year, 2, 1)) for year in (2028, 2025, 2022)]
    assert last_day(*chain) == date(2031, 2, 1)


def test_a_demand_on_the_last_day_is_in_time_and_one_a_day_later_is_not() -> None:
    assert last_day(Interruption(by="demand", on=ENDS)) == date(2026, 3, 2)
    assert last_day(Interruption(by="demand", on=ENDS + timedelta(days=1))) == ENDS


@pytest.mark.parametrize("by", sorted(BY_DEBTOR))
def test_what_the_debtor_does_after_the_end_revives_the_claim(by: str) -> None:
    assert last_day(Interruption(by=by, on=date(2024, 1, 1))) == date(2027, 1, 1)


def test_a_demand_counts_again_after_a_revival() -> None:
    revived = Interruption(by="promise", on=date(2024, 1, 1))
    assert last_day(Interruption(by="demand", on=date(2025, 1, 1)), revived) == date(2028, 1, 1)


def test_an_early_act_heard_late_brings_the_end_no_nearer() -> None:
    early = Interruption(by="promise", on=date(2021, 1, 1))
    assert renewed(date(2025, 6, 1), early, months=36, is_workday=every_day) is None


@forall(
    acts=st.lists(
        st.builds(
            Interruption,
            by=st.sampled_from(["demand", "promise"]),
            on=st.dates(DUE, date(2035, 1, 1)),
        ),
        max_size=6,
    ),
    one_more=st.builds(Interruption, by=st.just("demand"), on=st.dates(DUE, date(2035, 1, 1))),
)
def test_one_more_interruption_never_shortens_the_period(
    acts: list[Interruption], one_more: Interruption
) -> None:
    assert last_day(*acts, one_more) >= last_day(*acts) >= ENDS


@pytest.mark.parametrize(
    ("left", "raised", "threshold", "days_to_come"),
    [
        (181, None, None, [180, 90, 30]),
        (180, None, 180, [180, 90, 30]),
        (180, 180, None, [90, 30]),
        (90, 180, 90, [90, 30]),
        (31, None, 90, [180, 90, 30]),
        (30, 90, 30, [30]),
        (0, 30, None, []),
        (0, None, 30, [180, 90, 30]),
        (-1, None, None, []),
        (-1, 90, None, []),
    ],
)
def test_an_alarm_is_that_of_the_nearest_threshold_and_none_after_the_end(
    left: int, raised: int | None, threshold: int | None, days_to_come: list[int]
) -> None:
    today = ENDS - timedelta(days=left)
    assert alarms.reached(ENDS, (180, 90, 30), raised, today) == threshold
    found = alarms.days_of(ENDS, (180, 90, 30), raised, today)
    assert [(ENDS - day).days for day in found] == days_to_come
