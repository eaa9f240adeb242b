"""What decisions about a claim read beside its state, and the legal clocks they restart."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import NoteRepayment
from arrears.legal.domain.claim.state import ENFORCEMENT, LIMITATION, Claim, Phase
from arrears.legal.domain.deadlines import Deadline, Derivation, deadline
from arrears.legal.domain.limitation import Interruption, kept, renewed_by_all
from arrears.legal.domain.policy import Policy, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar, IsWorkday, booked_by


@dataclass(frozen=True, slots=True)
class Rules:
    """The policy by day, the bank's days, and the country's workdays."""

    policies: PolicyBook
    calendar: BankCalendar
    is_workday: IsWorkday
    announced_until: int | None = None
    """The last year whose workdays are announced; None where no year waits for that."""

    def day_of(self, at: datetime) -> date:
        return self.calendar.day_of(at)

    def policy_on(self, day: date) -> Policy:
        return self.policies.on(day)

    def policy_of(self, claim: Claim) -> Policy:
        """A claim keeps the periods of the policy under which it was taken."""
        return self.policies.on(claim.taken_on)

    def time_to_apply(
        self, policy: Policy, start_on: date, acts: Iterable[Interruption]
    ) -> Deadline:
        """For enforcement, counted from the last day to obey, or anew from what was noted after it
        and before the judgment was entered."""
        months = policy.enforcement.apply_within_months
        found = deadline(f"{months}m", start_on, self.is_workday)
        later = renewed_by_all(found.on, acts, months=months, is_workday=self.is_workday)
        return later or found

    def booked_by(self, claim: Claim) -> date:
        """The last of the bank's workdays after the last day to obey in which it books what was
        paid in time."""
        days = self.policy_of(claim).enforcement.booking_days_max
        return booked_by(claim.obey_until_on, days, self.is_workday)

    def is_in_figure(self, command: NoteRepayment, claim: Claim) -> bool:
        """Whether the newest referral's figure has counted this money, which was heard after it.

        Intake tells repayments and referrals of a loan in one order. What it told before a referral
        is not asked about here: the bank's figure held it or intake has taken it off, so its id is
        in `seen` or it changes nothing. What it tells after the referral it had not heard when it
        made the figure. So this money counts, unless the bank had counted it in the figure already
        and told us late: by the figure's day it was valued and stated. Counted or not, it is once.
        A referral that does not tell its figure's day stands for the day of the referral.
        """
        if claim.as_of_on is None:
            return command.value_on < claim.taken_on
        if command.value_on > claim.as_of_on:
            return False
        stated_at = command.now if command.stated_at is None else command.stated_at
        before = claim.taken_at is None or stated_at <= claim.taken_at
        return before and self.day_of(stated_at) <= claim.as_of_on

    def derivation_of(self, found: Deadline) -> Derivation:
        until = self.announced_until
        return Derivation(
            rule=found.rule,
            start_on=found.start_on,
            moved_from_on=found.raw_on if found.raw_on < found.on else None,
            provisional=until is not None and found.on.year > until,
        )

    def alarm_days_of(self, claim: Claim) -> tuple[int, ...]:
        """How many days before the last day of either clock an alarm is raised."""
        return self.policy_of(claim).limitation.alarm_days


class Clock(Struct, frozen=True, kw_only=True):
    """A legal period as an act leaves it; all None where neither runs."""

    name: str | None = None
    expires_on: date | None = None
    derivation: Derivation | None = None


def restarted(rules: Rules, claim: Claim, interruption: Interruption) -> Clock:
    """Which clock an act restarts, and its last day now. A suit that is running stops both.

    The time to apply for enforcement is interrupted as limitation is (civil procedure law
    art. 250), so after its end too a demand of the creditor revives nothing. An act that came too
    late is in time where another, heard after it, was earlier: so all of them are looked at.
    """
    acts = kept(claim.interruptions, interruption)
    match claim.phase:
        case Phase.REFUSED:
            months = rules.policy_of(claim).limitation.months
            clock = Clock(
                name=LIMITATION,
                expires_on=claim.limitation_expires_on,
                derivation=claim.limitation_derivation,
            )
            last_on = claim.limitation_expires_on
        case Phase.NOT_OBEYED:
            months = rules.policy_of(claim).enforcement.apply_within_months
            clock = Clock(
                name=ENFORCEMENT, expires_on=claim.apply_by_on, derivation=claim.apply_derivation
            )
            last_on = claim.apply_by_on
        case _:
            return Clock()
    later = renewed_by_all(last_on, acts, months=months, is_workday=rules.is_workday)
    if later is None:
        return clock
    return replace(clock, expires_on=later.on, derivation=rules.derivation_of(later))
