"""The permit that every attempt needs. Closed on doubt: what is not surely allowed is denied.

The rules are asked in this order, and the first that denies is the answer:
a policy in force, case closed, borrower changed, agreement, hardship, hold, parked, staff, promise
pending, nothing owed, contact point, quiet hours, connected contacts of the day, unanswered dials
of the number.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from arrears.contact.domain import limits
from arrears.contact.domain.policy import Policy, PolicyBook
from arrears.contact.domain.quiet_hours import (
    ONE_DAY,
    closing_after,
    instant,
    is_quiet,
    local_day,
    next_opening,
    start_of_day,
)
from arrears.contact.domain.values import (
    AttemptId,
    Channel,
    Contact,
    ContactPoint,
    Scope,
    StopKind,
)
from arrears.shared.kernel.zones import zone_named

STOP_ORDER: Final[tuple[StopKind, ...]] = (
    "borrower_changed",
    "agreement",
    "hardship",
    "hold",
    "parked",
    "staff",
)
STOP_REASONS: Final[dict[StopKind, str]] = {
    "borrower_changed": "the_bank_names_another_borrower",
    "agreement": "an_agreement_is_being_kept",
    "hardship": "the_borrower_is_shielded_for_hardship",
    "hold": "the_case_is_held",
    "parked": "an_input_of_the_borrower_waits_for_staff",
    "staff": "staff_stopped_the_contact",
}
PERSON_HELD: Final = "the_person_is_held"
"""The reason of the rule `hold` where another case of the person is held, not this one."""
POLICY_MISSING: Final = "policy_in_force"
CASE_CLOSED: Final = "case_closed"
PROMISE_PENDING: Final = "promise_pending"
NOTHING_OWED: Final = "nothing_owed"
NO_CONTACT_POINT: Final = "contact_point"
QUIET_HOURS: Final = "quiet_hours"
CONNECTED_PER_DAY: Final = "connected_per_day"
UNANSWERED_PER_NUMBER: Final = "unanswered_per_number"
RULES: Final[tuple[str, ...]] = (
    POLICY_MISSING,
    CASE_CLOSED,
    *STOP_ORDER,
    PROMISE_PENDING,
    NOTHING_OWED,
    NO_CONTACT_POINT,
    QUIET_HOURS,
    CONNECTED_PER_DAY,
    UNANSWERED_PER_NUMBER,
)
PERMIT_ENDED: Final = "permit_ended"
"""Said at the moment of sending only: the rules would permit, but not by this permit."""


class StopSignal(Struct, frozen=True, kw_only=True):
    kind: StopKind
    lifts_at: datetime | None = None
    scope: Scope = "case"


class PermitRequest(Struct, frozen=True, kw_only=True):
    attempt_id: AttemptId
    channel: Channel
    at: datetime


class Standing(Struct, frozen=True, kw_only=True):
    """What is known of the person, and of the case, when the permit is asked for.

    `owed_minor`: what would be asked for; None where nothing says.
    """

    market_zone: ZoneInfo
    zone: str | None = None
    case_closed: bool = False
    stops: tuple[StopSignal, ...] = ()
    promise_judged_at: datetime | None = None
    owed_minor: int | None = None
    points: tuple[ContactPoint, ...] = ()
    contacts: tuple[Contact, ...] = ()


class PermitInputs(Struct, frozen=True, kw_only=True):
    """The figures that the verdict rests on; an auditor judges again from these alone."""

    local_time: str
    zone: str
    zone_from: str
    stops: tuple[str, ...]
    promise_pending: bool
    point_kind: str | None
    point_count: int
    connected_today: int
    unanswered_today: int
    owed_minor: int | None = None


class Permitted(Struct, frozen=True, kw_only=True):
    """Good for one attempt from now until before `valid_until`."""

    policy_id: str
    policy_version: int
    inputs: PermitInputs
    valid_until: datetime
    point: ContactPoint


class Denied(Struct, frozen=True, kw_only=True):
    """`next_allowed_at`: the first instant at which this rule no longer denies, or may not.

    None where no time, only an event can lift it.
    """

    policy_id: str | None
    policy_version: int | None
    inputs: PermitInputs
    rule: str
    reason: str
    next_allowed_at: datetime | None


Verdict: TypeAlias = Permitted | Denied


class _No(Struct, frozen=True):
    rule: str
    reason: str
    next_allowed_at: datetime | None = None


def permit(request: PermitRequest, standing: Standing, book: PolicyBook) -> Verdict:
    """May this attempt be made now? Pure: the same person, policy and time, the same answer."""
    known = zone_named(standing.zone)
    zone = known or standing.market_zone
    today = local_day(request.at, zone)
    policy = book.on(today)
    point = None if policy is None else _point(request.channel, standing, policy)
    inputs = _inputs(request, standing, policy, point, zone, known is not None)
    if policy is None:
        starts_on = book.next_start(today)
        # A version may be added to the book any day, so it is looked into again the next.
        lifted_at = request.at + ONE_DAY if starts_on is None else start_of_day(starts_on, zone)
        return Denied(
            policy_id=None,
            policy_version=None,
            inputs=inputs,
            rule=POLICY_MISSING,
            reason="no_version_of_the_policy_is_in_force",
            next_allowed_at=lifted_at,
        )
    for no in _objections(request, standing, policy, inputs, zone):
        return Denied(
            policy_id=policy.id,
            policy_version=policy.version,
            inputs=inputs,
            rule=no.rule,
            reason=no.reason,
            next_allowed_at=no.next_allowed_at,
        )
    assert point is not None, "the rule on contact points lets nobody pass without one"
    return Permitted(
        policy_id=policy.id,
        policy_version=policy.version,
        inputs=inputs,
        valid_until=_valid_until(request, policy, zone, today),
        point=point,
    )


def _objections(
    request: PermitRequest,
    standing: Standing,
    policy: Policy,
    inputs: PermitInputs,
    zone: ZoneInfo,
) -> Iterator[_No]:
    if standing.case_closed:
        yield _No(CASE_CLOSED, "the_case_is_closed")
    yield from _stop_signals(request, standing)
    judged_at = standing.promise_judged_at
    if judged_at is not None and request.channel in policy.promise.silences:
        yield _No(
            PROMISE_PENDING,
            "a_promise_is_pending",
            judged_at if judged_at > request.at else None,
        )
    if standing.owed_minor is not None and standing.owed_minor <= 0:
        yield _No(NOTHING_OWED, "nothing_is_left_to_ask_for")
    if inputs.point_kind is None:
        yield _No(NO_CONTACT_POINT, f"no_{policy.contact_points.needed[request.channel]}_is_known")
    hours = policy.quiet_hours
    if request.channel in hours.channels and is_quiet(request.at, zone, hours):
        yield _No(
            QUIET_HOURS, "the_borrowers_clock_is_quiet", next_opening(request.at, zone, hours)
        )
    tomorrow = start_of_day(local_day(request.at, zone) + ONE_DAY, zone)
    limit = policy.connected_per_day
    if request.channel in limit.channels and inputs.connected_today >= limit.max:
        yield _No(CONNECTED_PER_DAY, "enough_contacts_of_the_person_today", tomorrow)
    if request.channel == "call" and inputs.unanswered_today >= policy.unanswered_per_number.max:
        yield _No(UNANSWERED_PER_NUMBER, "enough_unanswered_dials_of_the_number_today", tomorrow)


def _stop_signals(request: PermitRequest, standing: Standing) -> Iterator[_No]:
    """The first signal in the order of the rules; of two of a kind the one that lasts longer."""
    for kind in STOP_ORDER:
        signals = [signal for signal in standing.stops if signal.kind == kind]
        if not signals:
            continue
        ends = [signal.lifts_at for signal in signals if signal.lifts_at is not None]
        timed = len(ends) == len(signals) and max(ends) > request.at
        of_person = kind == "hold" and all(signal.scope == "person" for signal in signals)
        reason = PERSON_HELD if of_person else STOP_REASONS[kind]
        yield _No(kind, reason, max(ends) if timed else None)


def _point(channel: Channel, standing: Standing, policy: Policy) -> ContactPoint | None:
    kind = policy.contact_points.needed[channel]
    return next((point for point in standing.points if point.kind == kind), None)


def _inputs(
    request: PermitRequest,
    standing: Standing,
    policy: Policy | None,
    point: ContactPoint | None,
    zone: ZoneInfo,
    zone_known: bool,
) -> PermitInputs:
    today = local_day(request.at, zone)
    connected = unanswered = 0
    if policy is not None:
        connected = limits.connected_on(today, standing.contacts, zone, policy.connected_per_day)
    if point is not None and request.channel == "call":
        numbers = [other.sealed for other in standing.points if other.kind == point.kind]
        unanswered = limits.unanswered_on(today, point.sealed, standing.contacts, zone, numbers)
    return PermitInputs(
        local_time=request.at.astimezone(zone).isoformat(),
        zone=zone.key,
        zone_from="borrower" if zone_known else "market",
        stops=tuple(kind for kind in STOP_ORDER if any(s.kind == kind for s in standing.stops)),
        promise_pending=standing.promise_judged_at is not None,
        point_kind=None if point is None else point.kind,
        point_count=len(standing.points),
        connected_today=connected,
        unanswered_today=unanswered,
        owed_minor=standing.owed_minor,
    )


def _valid_until(request: PermitRequest, policy: Policy, zone: ZoneInfo, today: date) -> datetime:
    """The counters are today's and the clock must not turn quiet; a letter has only the day."""
    midnight = instant(today + ONE_DAY, time(), zone)
    if request.channel not in policy.quiet_hours.channels:
        return midnight
    return min(midnight, closing_after(request.at, zone, policy.quiet_hours))
