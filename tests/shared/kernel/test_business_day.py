"""The bank's days, also where clocks are turned at midnight."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar

INSTANTS = st.integers(978_307_200, 4_102_444_800).map(lambda at: datetime.fromtimestamp(at, UTC))
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia")


@pytest.mark.parametrize("zone", ZONES)
@given(instants=st.lists(INSTANTS, min_size=1, max_size=6))
def test_a_day_does_not_depend_on_what_was_asked_before(
    zone: str, instants: Sequence[datetime]
) -> None:
    calendar = BankCalendar(zone)
    near = [at + step for at in instants for step in (ONE_DAY / 24, -ONE_DAY / 24, 0 * ONE_DAY)]
    assert [calendar.day_of(at) for at in near] == [
        at.astimezone(ZoneInfo(zone)).date() for at in near
    ]


@pytest.mark.parametrize("zone", ZONES)
@given(at=INSTANTS)
def test_an_instant_lies_between_the_bounds_of_its_day(zone: str, at: datetime) -> None:
    calendar = BankCalendar(zone)
    day = calendar.day_of(at)
    assert calendar.start_of(day) <= at < calendar.start_of(day + ONE_DAY)
