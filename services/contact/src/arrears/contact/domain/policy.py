"""The bank's rules for contact: dated, versioned data, checked when it is loaded."""

from collections.abc import Container, Iterable, Sequence
from datetime import date, time
from itertools import pairwise
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from arrears.contact.domain.values import CHANNELS, Channel

Text = Annotated[str, Meta(min_length=1, max_length=500)]
ClockTime = Annotated[str, Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
"""`"21:00"`, in quotes: YAML reads a bare 21:00 as the number 1260."""
Channels = Annotated[tuple[Channel, ...], Meta(min_length=1)]
TREATMENTS: Final = ("remind", "call", "demand", "visit")
"""What intake's strategy may refer a case for."""
PERSON_LIMIT_MAX: Final = 3
NUMBER_LIMIT_MAX: Final = 6


class BadPolicy(ValueError):
    """The message names the policy, the field and the rule it breaks."""


class QuietHours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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


class ConnectedLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Connected contacts of one person in one day of the person's clock, over all loans."""

    max: Annotated[int, Meta(ge=1, le=PERSON_LIMIT_MAX)]
    channels: Channels
    source: Text


class UnansweredLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dials of one number in one day that nobody answered."""

    max: Annotated[int, Meta(ge=1, le=NUMBER_LIMIT_MAX)]
    source: Text


class TreatmentRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    channel: Channel
    attempts_max: Annotated[int, Meta(ge=1, le=10)]
    outcome_days_max: Annotated[int, Meta(ge=1, le=60)]
    """After so many days without an outcome nobody waits for it any longer."""


class PointRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    needed: dict[Channel, Annotated[str, Meta(min_length=1, max_length=40)]]
    wait_days_max: Annotated[int, Meta(ge=0, le=60)]
    """How long an attempt waits for a contact point before the borrower counts as unreachable."""


class PromiseRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    days_max: Annotated[int, Meta(ge=1, le=366)]
    silences: Channels
    """Channels that rest while a promise is pending."""


class HardshipRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    review_days_max: Annotated[int, Meta(ge=1, le=366)]
    review_days_default: Annotated[int, Meta(ge=1, le=366)]


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Text
    version: Annotated[int, Meta(ge=1)]
    title: Text
    valid_from: date
    valid_until: date | None = None
    sources: Annotated[tuple[Text, ...], Meta(min_length=1)]
    quiet_hours: QuietHours
    connected_per_day: ConnectedLimit
    unanswered_per_number: UnansweredLimit
    contact_points: PointRule
    treatments: Annotated[dict[str, TreatmentRule], Meta(min_length=1)]
    promise: PromiseRule
    hardship: HardshipRule


def parse(text: str) -> Policy:
    """Read one policy file. Whatever is missing, unknown or out of range is named."""
    try:
        policy = msgspec.yaml.decode(text.encode(), type=Policy)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # The reader of YAML lets days that no month has, and numbers without end, escape.
        raise BadPolicy(f"contact policy: {error}") from error
    _check(policy)
    return policy


def _check(policy: Policy) -> None:
    hours = policy.quiet_hours
    if not hours.ends < hours.last_start < hours.begins:
        raise _broken(
            policy,
            "quiet_hours",
            "must end in the morning, before last_start_at, and begin after it in the evening",
        )
    if "letter" in hours.channels:
        raise _broken(policy, "quiet_hours.channels", "letters have no quiet hours")
    _must_name(policy, "quiet_hours.channels", {"sms", "call", "visit"}, hours.channels)
    _must_name(policy, "contact_points.needed", CHANNELS, policy.contact_points.needed)
    _must_name(policy, "treatments", TREATMENTS, policy.treatments)
    _must_name(policy, "connected_per_day.channels", {"call"}, policy.connected_per_day.channels)
    if policy.treatments["demand"].channel != "letter":
        raise _broken(policy, "treatments.demand.channel", "a demand notice goes by letter")
    if policy.hardship.review_days_default > policy.hardship.review_days_max:
        raise _broken(policy, "hardship.review_days_default", "must not exceed review_days_max")
    if policy.valid_until is not None and policy.valid_until < policy.valid_from:
        raise _broken(policy, "valid_until", "must not lie before valid_from")


def _must_name(policy: Policy, field: str, wanted: Iterable[str], named: Container[str]) -> None:
    missing = sorted(name for name in wanted if name not in named)
    if missing:
        raise _broken(policy, field, f"must name {', '.join(missing)}")


def _broken(policy: Policy, field: str, rule: str) -> BadPolicy:
    return BadPolicy(f"policy {policy.id} version {policy.version}: {field}: {rule}")


class PolicyBook:
    """All versions of one policy, at most one in force on a day.

    A feed may tell of years before the first version: those days are judged by the first. A day
    that lies in a gap, or after the last version has ended, has no policy, and then nobody is
    contacted.
    """

    __slots__ = ("_newest_first", "_oldest")

    def __init__(self, policies: Sequence[Policy]) -> None:
        if not policies:
            raise BadPolicy("contact policy: no version found")
        ordered = sorted(policies, key=lambda policy: policy.valid_from)
        for earlier, later in pairwise(ordered):
            _check_succession(earlier, later)
        self._oldest = ordered[0]
        self._newest_first = tuple(reversed(ordered))

    def on(self, day: date) -> Policy | None:
        for policy in self._newest_first:
            if policy.valid_from <= day:
                over = policy.valid_until is not None and policy.valid_until < day
                return None if over else policy
        return self._oldest

    def last(self) -> Policy:
        """The newest version: it shapes plans where no version is in force; it permits nothing."""
        return self._newest_first[0]

    def next_start(self, day: date) -> date | None:
        """When a policy comes into force again, on a day without one."""
        starts = [p.valid_from for p in self._newest_first if p.valid_from > day]
        return min(starts, default=None)


def _check_succession(earlier: Policy, later: Policy) -> None:
    if earlier.id != later.id:
        raise _broken(later, "id", f"another policy, {earlier.id}, lies in the same book")
    if earlier.valid_from == later.valid_from:
        raise _broken(later, "valid_from", f"two versions begin on {later.valid_from}")
    if earlier.version >= later.version:
        raise _broken(later, "version", "begins after a higher one")
    _must_name(later, "treatments", earlier.treatments, later.treatments)
    if earlier.valid_until is not None and earlier.valid_until >= later.valid_from:
        raise _broken(later, "valid_from", f"overlaps version {earlier.version}")
