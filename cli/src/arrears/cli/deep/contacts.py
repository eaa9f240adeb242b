"""Law 10: every contact had a permit that was good when it was made, and no permit breaks the law
or asks for more than is owed.

Judged from the events of contact, and the hours of mediation's own letters, in the order of their
shard, by the law's own limits: a policy may be stricter, never looser (GB/T 45251-2025; CBA
guideline of 2026-01-30). Hours and days are those of the clock that the borrower has when a permit
is given: what was said before counts on the day that this clock shows for its instant, whatever
clock was in force then. Otherwise a day would begin anew, or last longer, with a new profile.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from arrears.cli.deep.findings import Place, Report
from arrears.cli.deep.reading import NOT_JUDGED, Event, Row

CONTACT: Final = "contact"
MEDIATION: Final = "mediation"
LAW: Final = 10
OPENS_AT: Final = "08:00"
CLOSES_AT: Final = "22:00"
CONNECTED_MAX: Final = 3
"""Contacts of one person and day that connected, or of which nobody knows that they did not."""
UNANSWERED_MAX: Final = 6
"""Dials of one number and day that nobody answered."""
_HAS_NO_HOURS: Final = "letter"
_TOLD_APART: Final = frozenset({"hold", "parked"})
_BY_ITSELF: Final = frozenset({"time_is_over", "review_due"})
"""Why a stop is lifted that nobody asked to lift."""
_OF_A_MACHINE: Final = frozenset({"localtime", "posixrules"})
_NOT_REACHED: Final = frozenset({"no_answer", "returned", "not_home"})


@dataclass(slots=True)
class _Attempt:
    """One permit and what came of it."""

    channel: str
    number: str | None
    valid_from: datetime
    valid_until: datetime
    outcome: str | None = None
    receipt: Place | None = None


@dataclass(slots=True)
class _Person:
    """What the events of one borrower have said so far."""

    zone: str | None = None
    points: frozenset[tuple[str, str]] = frozenset()
    """Kind and sealed value of what the last profile names."""
    attempts: dict[str, _Attempt] = field(default_factory=dict)
    stops: dict[tuple[str, ...], datetime | None] = field(default_factory=dict)
    """When each that stands is to end; None: nobody said."""
    cut_short: dict[tuple[str, ...], list[datetime | None]] = field(default_factory=dict)
    """Ends of stops of the same kind that one with an earlier end has replaced."""
    closed: set[str] = field(default_factory=set)
    owed: dict[str, int] = field(default_factory=dict)
    """What is left of the figure that a case was referred with, in minor units."""


class Contacts:
    """One shard of contact's store: its events in order, everything is judged as it comes.

    `zone` is the bank's: its clock stands in for that of a borrower whose zone is not known.
    """

    def __init__(self, report: Report, zone: ZoneInfo) -> None:
        self._report = report
        self._zone = zone
        self._persons: dict[str, _Person] = defaultdict(_Person)
        self._judges: Mapping[str, Callable[[_Person, Event, Place], None]] = {
            "contact_points_recorded": self._points,
            "attempt_permitted": self._permitted,
            "attempt_withdrawn": self._withdrawn,
            "attempt_receipted": self._receipted,
            "attempt_concluded": self._concluded,
            "contact_stopped": self._stopped,
            "contact_resumed": self._resumed,
            "contact_ended": self._ended,
            "treatment_started": self._owes,
            "repayment_counted": self._owes,
        }

    def event(self, row: Row, event: Event) -> None:
        judge = self._judges.get(event.noun)
        if judge is None:
            return
        place = Place(CONTACT, "store", row.shard, row.seq, event.stream, event.version)
        try:
            judge(self._persons[event.stream], event, place)
        except NOT_JUDGED as error:
            self._report.say(LAW, place, f"{event.noun} cannot be judged: {error!r}")

    # --- Permits

    def _permitted(self, person: _Person, event: Event, place: Place) -> None:
        said = event.data
        self._report.count(LAW, "permits")
        at = datetime.fromisoformat(said["permitted_at"])
        attempt = _Attempt(
            channel=said["channel"],
            number=said["point"]["sealed"],
            valid_from=at,
            valid_until=datetime.fromisoformat(said["valid_until"]),
        )
        local = at.astimezone(_clock(person.zone) or self._zone)
        for wrong in self._wrongs(person, said, attempt, local):
            self._report.say(LAW, place, f"{said['attempt_id']} was permitted {wrong}")
        person.attempts[said["attempt_id"]] = attempt

    def _wrongs(
        self, person: _Person, said: Mapping[str, Any], attempt: _Attempt, local: datetime
    ) -> list[str]:
        wrongs = []
        if said["attempt_id"] in person.attempts:
            wrongs.append("a second time")
        if said["case_id"] in person.closed:
            wrongs.append("after its case was closed")
        standing = sorted(
            kind
            for scope, case_id, kind, _ in _standing(person, local)
            if scope == "person" or case_id == said["case_id"]
        )
        if standing:
            wrongs.append(f"while this stopped it: {', '.join(standing)}")
        owed = person.owed.get(said["case_id"], said["overdue_minor"])
        if said["overdue_minor"] > owed:
            wrongs.append(f"to ask for {said['overdue_minor']} where {owed} are owed (minor)")
        clock = local.strftime("%H:%M")
        if attempt.channel != _HAS_NO_HOURS and not OPENS_AT <= clock < CLOSES_AT:
            wrongs.append(f"at {clock} of the borrower's clock")
        # The same number said again is sealed anew: only one that stands beside ours in the last
        # profile is surely another.
        kind = said["point"]["kind"]
        others = {sealed for one, sealed in person.points if one == kind} - {attempt.number}
        day = local.date()
        today = [
            one
            for one in person.attempts.values()
            if one.valid_from.astimezone(local.tzinfo).date() == day
        ]
        connected = sum(one.outcome not in _NOT_REACHED for one in today)
        if connected >= CONNECTED_MAX:
            wrongs.append(f"after {connected} contacts of the person on {day}")
        unanswered = sum(
            one.channel == "call" and one.outcome == "no_answer" and one.number not in others
            for one in today
        )
        if attempt.channel == "call" and unanswered >= UNANSWERED_MAX:
            wrongs.append(f"after {unanswered} unanswered dials of the number on {day}")
        return wrongs

    def _withdrawn(self, person: _Person, event: Event, place: Place) -> None:
        if person.attempts.pop(event.data["attempt_id"], None) is None:
            self._report.say(LAW, place, "a permit was withdrawn that nobody has given")

    # --- What was made of them

    def _receipted(self, person: _Person, event: Event, place: Place) -> None:
        self._report.count(LAW, "contacts made")
        attempt_id = event.data["attempt_id"]
        attempt = person.attempts.get(attempt_id)
        if attempt is None:
            self._report.say(LAW, place, f"{attempt_id} was made without a permit")
            return
        at = datetime.fromisoformat(event.data["receipted_at"])
        if not attempt.valid_from <= at < attempt.valid_until:
            says = f"{attempt_id} was made at {at.isoformat()}, when its permit was not good"
            self._report.say(LAW, place, says)
        if attempt.receipt is not None:
            says = f"{attempt_id} was made a second time, first by {attempt.receipt}"
            self._report.say(LAW, place, says)
        attempt.receipt = place

    def _concluded(self, person: _Person, event: Event, place: Place) -> None:
        attempt = person.attempts.get(event.data["attempt_id"])
        if attempt is None:
            says = f"{event.data['attempt_id']} has an outcome, but no permit"
            self._report.say(LAW, place, says)
            return
        attempt.outcome = event.data["outcome"]

    # --- What stands against a contact

    def _points(self, person: _Person, event: Event, _place: Place) -> None:
        person.zone = event.data["zone"]
        person.points = frozenset((one["kind"], one["sealed"]) for one in event.data["points"])

    def _stopped(self, person: _Person, event: Event, _place: Place) -> None:
        stop = _stop(event, event.data["reason"])
        said = event.data.get("lifts_at")
        end = None if said is None else datetime.fromisoformat(said)
        if stop in person.stops and event.data["kind"] not in _TOLD_APART:
            before = person.stops[stop]
            if end is not None and (before is None or before > end):
                person.cut_short.setdefault(stop, []).append(before)
        person.stops[stop] = end

    def _resumed(self, person: _Person, event: Event, _place: Place) -> None:
        named = event.data.get("stop_reason")
        lifted = _stop(event, named or event.data["reason"])
        if event.data["kind"] == "hold" and named is None:
            person.stops = {
                stop: end for stop, end in person.stops.items() if stop[:3] != lifted[:3]
            }
        person.stops.pop(lifted, None)
        if event.data.get("recorded_by") is not None or event.data["reason"] not in _BY_ITSELF:
            person.cut_short.pop(lifted, None)

    def _owes(self, person: _Person, event: Event, _place: Place) -> None:
        left = event.data["overdue_minor" if event.noun == "treatment_started" else "owed_minor"]
        person.owed[event.data["case_id"]] = left

    def _ended(self, person: _Person, event: Event, _place: Place) -> None:
        person.closed.add(event.data["case_id"])


class Invitations:
    """One shard of mediation's store. It knows no borrower's zone: the hours are the bank's."""

    def __init__(self, report: Report, zone: ZoneInfo) -> None:
        self._report = report
        self._zone = zone

    def event(self, row: Row, event: Event) -> None:
        if event.noun != "borrower_invited":
            return
        self._report.count(LAW, "invitations to talks")
        place = Place(MEDIATION, "store", row.shard, row.seq, event.stream, event.version)
        try:
            clock = datetime.fromisoformat(event.time).astimezone(self._zone).strftime("%H:%M")
        except NOT_JUDGED as error:
            self._report.say(LAW, place, f"{event.noun} cannot be judged: {error!r}")
            return
        if not OPENS_AT <= clock < CLOSES_AT:
            self._report.say(LAW, place, f"the borrower was invited at {clock} of the bank's clock")


def _clock(zone: str | None) -> ZoneInfo | None:
    """None where no zone was said, or none of the zone database: some names are a machine's own."""
    if not zone or zone in _OF_A_MACHINE:
        return None
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return None


def _standing(person: _Person, at: datetime) -> set[tuple[str, ...]]:
    """What binds: no word has lifted it, and what was cut short has not come to its own end."""
    return set(person.stops) | {
        stop
        for stop, ends in person.cut_short.items()
        if any(end is None or end > at for end in ends)
    }


def _stop(event: Event, reason: str) -> tuple[str, ...]:
    """Scope, case, kind, and what tells two of a kind apart: why a hold, where an input is parked.

    A stop of a person is told of each case and counts once for all of them.
    """
    said = event.data
    case_id = said["case_id"] if said["scope"] == "case" else ""
    return said["scope"], case_id, said["kind"], reason if said["kind"] in _TOLD_APART else ""
