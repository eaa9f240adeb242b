"""Protocol 3.10: overdue timers are woken one after the other, in the bank's working hours."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import CaseId, LoanKey
from arrears.shared.runtime.overdue import following, slots
from arrears.shared.testing.toy import toy_stages
from arrears.shared.testing.toy_desk import Desk, NoticePlanned

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = BankCalendar("Asia/Shanghai")
NOW = datetime(2026, 3, 2, 10, 30, tzinfo=ZONE).astimezone(UTC)


def _clocks(start: datetime, per_hour: int, count: int) -> list[str]:
    found = islice(slots(start, per_hour, CALENDAR), count)
    return [at.astimezone(ZONE).strftime("%d %H:%M") for at in found]


class TestSlots:
    def test_they_begin_at_once_within_working_hours(self) -> None:
        assert _clocks(NOW, 2, 3) == ["02 10:30", "02 11:00", "02 11:30"]

    @pytest.mark.parametrize(
        ("clock", "first"), [(3, "02 09:00"), (9, "02 09:00"), (18, "03 09:00"), (23, "03 09:00")]
    )
    def test_at_night_they_wait_for_the_morning(self, clock: int, first: str) -> None:
        start = datetime(2026, 3, 2, clock, tzinfo=ZONE).astimezone(UTC)
        assert _clocks(start, 4, 1) == [first]

    def test_no_hour_holds_more_than_it_may(self) -> None:
        found = list(islice(slots(NOW, 7, CALENDAR), 300))
        for at in found:
            assert sum(at <= other < at + timedelta(hours=1) for other in found) <= 7
            assert 9 <= at.astimezone(ZONE).hour < 18
        assert found == sorted(set(found))


class TestFollowing:
    def test_it_says_what_would_follow_and_what_would_be_asked(self) -> None:
        contact = toy_stages()[1]
        planned = NoticePlanned(case_id=CaseId("c"), loan_key=LoanKey("l"), referral=1, send_at=NOW)
        found = following(contact, "contact.borrower", Desk(waiting=(planned,)), NOW)
        assert found.events == ("arrears.contact.notice_sent.v1",)
        assert found.effects == ("letter",)

    def test_what_would_fail_is_named(self) -> None:
        contact = toy_stages()[1]
        found = following(contact, "contact.borrower", None, NOW)
        assert (found.events, found.error) == ((), "AttributeError")
