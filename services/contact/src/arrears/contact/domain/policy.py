"""The bank's rules for contact: dated, versioned data, checked when it is loaded."""

from collections.abc import Container, Iterable, Sequence
from datetime import time
from itertools import pairwise
from typing import Annotated, Final

from msgspec import Meta

from arrears.contact.domain.values import CHANNELS, Channel
from arrears.shared.kernel import policy as kernel
from arrears.shared.kernel.policy import BadPolicy, Checked, Version, decode_policy

Text = Annotated[str, Meta(min_length=1, max_length=500)]
ClockTime = Annotated[str, Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
"""`"21:00"`, in quotes: YAML reads a bare 21:00 as the number 1260."""
Channels = Annotated[tuple[Channel, ...], Meta(min_length=1)]
TREATMENTS: Final = ("remind", "call", "demand", "visit")
"""What intake's strategy may refer a case for."""
PERSON_LIMIT_MAX: Final = 3
NUMBER_LIMIT_MAX: Final = 6
LAW_QUIET_FROM: Final = "22:00"
LAW_QUIET_UNTIL: Final = "08:00"
"""CBA guideline of 2026-01-30 and GB/T 45251-2025: nobody is disturbed from 22:00 to 08:00."""


class QuietHours(Checked, frozen=True, kw_only=True):
    """No attempt from `begins_at` (included) to `ends_at` (excluded) of the borrower's clock."""

    begins_at: ClockTime
    ends_at: ClockTime
    last_start_at: ClockTime
    """Nothing is planned to begin later, so that what begins also ends before the quiet hours."""
    channels: Channels
    source: Text

    @property
    def begins(self) -> time:
        return time.fromisoformat(self.begins_at)

    @property
    def ends(self) -> time:
        return time.fromisoformat(self.ends_at)

    @property
    def last_start(self) -> time:
        return time.fromisoformat(self.last_start_at)


class ConnectedLimit(Checked, frozen=True, kw_only=True):
    """Connected contacts of one person in one day of the person's clock, over all loans."""

    max: Annotated[int, Meta(ge=1, le=PERSON_LIMIT_MAX)]
    channels: Channels
    source: Text


class UnansweredLimit(Checked, frozen=True, kw_only=True):
    """Dials of one number in one day that nobody answered."""

    max: Annotated[int, Meta(ge=1, le=NUMBER_LIMIT_MAX)]
    source: Text


class TreatmentRule(Checked, frozen=True, kw_only=True):
    channel: Channel
    attempts_max: Annotated[int, Meta(ge=1, le=10)]
    outcome_days_max: Annotated[int, Meta(ge=1, le=60)]
    """After so many days without an outcome nobody waits for it any longer."""


class PointRule(Checked, frozen=True, kw_only=True):
    needed: dict[Channel, Annotated[str, Meta(min_length=1, max_length=40)]]
    wait_days_max: Annotated[int, Meta(ge=0, le=60)]
    """How long an attempt waits for a contact point before the borrower counts as unreachable."""


class PromiseRule(Checked, frozen=True, kw_only=True):
    days_max: Annotated[int, Meta(ge=1, le=366)]
    silences: Channels
    """Channels that rest while a promise is pending."""
    booking_days_max: Annotated[int, Meta(ge=0, le=7)] = 0
    """Workdays of the bank after the due day in which it may still book what was paid in time; the
    verdict waits for them."""


class HardshipRule(Checked, frozen=True, kw_only=True):
    review_days_max: Annotated[int, Meta(ge=1, le=366)]
    review_days_default: Annotated[int, Meta(ge=1, le=366)]


class Policy(Version, frozen=True, kw_only=True):
    title: Text
    quiet_hours: QuietHours
    connected_per_day: ConnectedLimit
    unanswered_per_number: UnansweredLimit
    contact_points: PointRule
    treatments: Annotated[dict[str, TreatmentRule], Meta(min_length=1)]
    promise: PromiseRule
    hardship: HardshipRule


def parse(text: str) -> Policy:
    """Read one policy file. Whatever is missing, unknown or out of range is named."""
    policy = decode_policy(text, Policy)
    _check(policy)
    return policy


def _check(policy: Policy) -> None:
    hours = policy.quiet_hours
    if not hours.ends < hours.last_start < hours.begins:
        raise BadPolicy(
            "quiet_hours",
            "must end in the morning, before last_start_at, and begin after it in the evening",
        )
    if hours.begins_at > LAW_QUIET_FROM:
        raise BadPolicy("quiet_hours.begins_at", f"must be {LAW_QUIET_FROM} or earlier, by law")
    if hours.ends_at < LAW_QUIET_UNTIL:
        raise BadPolicy("quiet_hours.ends_at", f"must be {LAW_QUIET_UNTIL} or later, by law")
    if "letter" in hours.channels:
        raise BadPolicy("quiet_hours.channels", "letters have no quiet hours")
    _must_name("quiet_hours.channels", {"sms", "call", "visit"}, hours.channels)
    _must_name("contact_points.needed", CHANNELS, policy.contact_points.needed)
    _must_name("treatments", TREATMENTS, policy.treatments)
    _must_name("connected_per_day.channels", {"call"}, policy.connected_per_day.channels)
    if policy.treatments["demand"].channel != "letter":
        raise BadPolicy("treatments.demand.channel", "a demand notice goes by letter")
    if policy.hardship.review_days_default > policy.hardship.review_days_max:
        raise BadPolicy("hardship.review_days_default", "must not exceed review_days_max")


def _must_name(field: str, wanted: Iterable[str], named: Container[str]) -> None:
    missing = sorted(name for name in wanted if name not in named)
    if missing:
        raise BadPolicy(field, f"must name {', '.join(missing)}")


class PolicyBook(kernel.PolicyBook[Policy]):
    """In a gap between versions, and after the last has ended, nobody is contacted.

    Days before the first version are judged by the first. The last version shapes plans where none
    is in force; it permits nothing.
    """

    __slots__ = ()

    def __init__(self, policies: Sequence[Policy]) -> None:
        """Raises BadPolicy also where a version forgets a treatment of the one before."""
        super().__init__(policies)
        for earlier, later in pairwise(self.versions):
            _must_name("treatments", earlier.treatments, later.treatments)
