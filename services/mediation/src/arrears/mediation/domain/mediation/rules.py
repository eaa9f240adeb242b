"""What decisions read beside the state: policies, the bank's days, hours of letters."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from arrears.mediation.domain.policy import Policy, PolicyBook
from arrears.shared.kernel.business_day import ONE_DAY, BankCalendar


@dataclass(frozen=True, slots=True)
class Rules:
    policies: PolicyBook
    calendar: BankCalendar

    def today(self, now: datetime) -> tuple[Policy, date]:
        day = self.calendar.day_of(now)
        return self.policies.on(day), day

    def answer_by_on(self, invited_at: datetime) -> date:
        policy, day = self.today(invited_at)
        return day + timedelta(days=policy.invitation.answer_within_days)

    def next_open(self, at: datetime) -> datetime:
        """The first instant from `at` on in which a borrower may be written to; any weekday."""
        day = self.calendar.day_of(at)
        while True:
            hours = self.policies.on(day).writing_hours
            if at < self._instant(day, hours.ends):
                return max(at, self._instant(day, hours.begins))
            day += ONE_DAY

    def _instant(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.calendar.zone).astimezone(UTC)
