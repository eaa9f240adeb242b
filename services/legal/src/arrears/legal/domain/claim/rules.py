"""What decisions about a claim read beside its state, and the legal clocks they restart."""

from dataclasses import dataclass
from datetime import date, datetime

from arrears.legal.domain.claim.state import ENFORCEMENT, LIMITATION, Claim, Phase
from arrears.legal.domain.deadlines import IsWorkday, deadline
from arrears.legal.domain.limitation import Interruption, after
from arrears.legal.domain.policy import Policy, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy by day, the bank's days, and the country's workdays."""

    policies: PolicyBook
    calendar: BankCalendar
    is_workday: IsWorkday

    def day_of(self, at: datetime) -> date:
        return self.calendar.day_of(at)

    def policy_on(self, day: date) -> Policy:
        return self.policies.on(day)

    def policy_of(self, claim: Claim) -> Policy:
        """A claim keeps the periods of the policy under which it was taken."""
        return self.policies.on(claim.taken_on)

    def alarm_days_of(self, claim: Claim) -> tuple[int, ...]:
        """How many days before the last day of either clock an alarm is raised."""
        return self.policy_of(claim).limitation.alarm_days


def restarted(
    rules: Rules, claim: Claim, interruption: Interruption
) -> tuple[str | None, date | None]:
    """Which clock an act restarts, and its new last day. A suit that is running stops both."""
    if claim.phase is Phase.REFUSED:
        last_day = after(
            claim.limitation_expires_on,
            interruption,
            months=rules.policy_of(claim).limitation.months,
            is_workday=rules.is_workday,
        )
        return LIMITATION, last_day
    if claim.phase is Phase.NOT_OBEYED:
        months = rules.policy_of(claim).enforcement.apply_within_months
        renewed = deadline(f"{months}m", interruption.on, rules.is_workday).on
        return ENFORCEMENT, max(claim.apply_by_on, renewed)
    return None, None
