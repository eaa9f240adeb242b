"""Was every attempt permitted, and every permit right? Judged from the events alone, offline.

This does not ask the permit again: it counts by itself, from what was recorded, so that a mistake
there shows here. Give it the events of one borrower in the order of the stream.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from arrears.contact.domain.borrower.events import (
    AttemptConcluded,
    AttemptDenied,
    AttemptPermitted,
    AttemptReceipted,
    AttemptWithdrawn,
    BorrowerEvent,
    ContactEnded,
    ContactResumed,
    ContactStopped,
    RepaymentCounted,
    TreatmentStarted,
)
from arrears.contact.domain.policy import Policy
from arrears.contact.domain.values import FAILED, AttemptId, StopKind

Breach: TypeAlias = Literal[
    "made_without_permit",
    "made_after_the_permit_ended",
    "made_twice",
    "permitted_twice",
    "permitted_while_stopped",
    "permitted_after_the_case_was_closed",
    "permitted_in_quiet_hours",
    "permitted_over_the_daily_limit",
    "asked_for_more_than_is_owed",
    "policy_unknown",
]
EVERY_CASE: Final = "*"
_TOLD_APART: Final = frozenset({"hold", "parked"})
_OVER_BY_ITSELF: Final = frozenset({"time_is_over", "review_due"})
"""Reasons of a resumption that nobody asked for: it lifts only what has ended by then."""
_Key: TypeAlias = tuple[str, StopKind, str]


class Finding(Struct, frozen=True, kw_only=True):
    breach: Breach
    attempt_id: AttemptId
    at: datetime


class Conduct(Struct, frozen=True, kw_only=True):
    """`made` counts receipts, and outcomes that no receipt announced and that reached somebody."""

    permitted: int
    denied: int
    made: int
    findings: tuple[Finding, ...]

    @property
    def made_without_permit(self) -> int:
        return sum(finding.breach == "made_without_permit" for finding in self.findings)

    @property
    def made_twice(self) -> int:
        return sum(finding.breach == "made_twice" for finding in self.findings)


def check(events: Iterable[BorrowerEvent], policies: Sequence[Policy]) -> Conduct:
    """What the events of one borrower show. A finding is a breach, an empty list is the proof."""
    audit = _Audit({(policy.id, policy.version): policy for policy in policies})
    for event in events:
        audit.see(event)
    return Conduct(
        permitted=len(audit.permits),
        denied=audit.denied,
        made=len(audit.made),
        findings=tuple(audit.findings),
    )


class _Audit:
    def __init__(self, policies: Mapping[tuple[str, int], Policy]) -> None:
        self.policies = policies
        self.permits: dict[AttemptId, AttemptPermitted] = {}
        self.outcomes: dict[AttemptId, str] = {}
        self.made: dict[AttemptId, str | None] = {}
        self.denied = 0
        self.findings: list[Finding] = []
        self._stopped: dict[_Key, datetime | None] = {}
        self._outlasting: dict[_Key, datetime | None] = {}
        """Ends of stops that another replaced before they were over; each binds until then."""
        self._ended: set[str] = set()
        self._owed_minor: dict[str, int] = {}

    def see(self, event: BorrowerEvent) -> None:  # noqa: C901 - one case for each event
        match event:
            case AttemptPermitted():
                self._permitted(event)
            case AttemptReceipted():
                self._receipted(event)
            case AttemptConcluded():
                self._concluded(event)
            case AttemptDenied():
                self.denied += 1
            case AttemptWithdrawn():
                self.denied += 1
                self.permits.pop(event.attempt_id, None)
            case TreatmentStarted():
                self._owed_minor[event.case_id] = event.overdue_minor
            case RepaymentCounted():
                self._owed_minor[event.case_id] = event.owed_minor
            case ContactStopped():
                self._stop(event)
            case ContactResumed():
                self._resume(event)
            case ContactEnded():
                self._ended.add(event.case_id)
            case _:
                pass

    def _stop(self, event: ContactStopped) -> None:
        key, ends_at = _stop(event, event.reason), event.lifts_at
        if key in self._stopped and event.kind not in _TOLD_APART:
            replaced = self._stopped[key]
            if _outlasts(replaced, ends_at):
                longest = self._outlasting.get(key, replaced)
                self._outlasting[key] = longest if _outlasts(longest, replaced) else replaced
        self._stopped[key] = ends_at

    def _resume(self, event: ContactResumed) -> None:
        by_itself = event.recorded_by is None and event.reason in _OVER_BY_ITSELF
        for stopped in (self._stopped,) if by_itself else (self._stopped, self._outlasting):
            for key in [key for key in stopped if _is_lifted(key, event)]:
                del stopped[key]

    def _is_stopped(self, case_id: str, at: datetime) -> bool:
        binding = [*self._stopped]
        binding += [key for key, end in self._outlasting.items() if end is None or end > at]
        return any(reach in (EVERY_CASE, case_id) for reach, *_ in binding)

    def _found(self, breach: Breach, attempt_id: AttemptId, at: datetime) -> None:
        self.findings.append(Finding(breach=breach, attempt_id=attempt_id, at=at))

    def _permitted(self, permit: AttemptPermitted) -> None:
        attempt_id, at = permit.attempt_id, permit.permitted_at
        if attempt_id in self.permits:
            self._found("permitted_twice", attempt_id, at)
        if self._is_stopped(permit.case_id, at):
            self._found("permitted_while_stopped", attempt_id, at)
        if permit.case_id in self._ended:
            self._found("permitted_after_the_case_was_closed", attempt_id, at)
        if permit.overdue_minor > self._owed_minor.get(permit.case_id, permit.overdue_minor):
            self._found("asked_for_more_than_is_owed", attempt_id, at)
        policy = self.policies.get((permit.policy_id, permit.policy_version))
        if policy is None:
            self._found("policy_unknown", attempt_id, at)
        else:
            self._judge(permit, policy)
        self.permits[attempt_id] = permit

    def _judge(self, permit: AttemptPermitted, policy: Policy) -> None:
        zone = ZoneInfo(permit.inputs.zone)
        local = permit.permitted_at.astimezone(zone)
        hours = policy.quiet_hours
        clock = local.strftime("%H:%M")
        if permit.channel != "letter" and not hours.ends_at <= clock < hours.begins_at:
            self._found("permitted_in_quiet_hours", permit.attempt_id, permit.permitted_at)
        limit = policy.connected_per_day
        if permit.channel in limit.channels:
            before = self._may_have_connected(local.date(), zone, limit.channels)
            if before >= limit.max:
                self._found(
                    "permitted_over_the_daily_limit", permit.attempt_id, permit.permitted_at
                )

    def _may_have_connected(self, day: date, zone: ZoneInfo, channels: Sequence[str]) -> int:
        return sum(
            1
            for attempt_id, permit in self.permits.items()
            if permit.channel in channels
            and permit.permitted_at.astimezone(zone).date() == day
            and self.outcomes.get(attempt_id) not in FAILED
        )

    def _receipted(self, receipt: AttemptReceipted) -> None:
        attempt_id, at = receipt.attempt_id, receipt.receipted_at
        permit = self.permits.get(attempt_id)
        if permit is None:
            self._found("made_without_permit", attempt_id, at)
        elif not permit.permitted_at <= at < permit.valid_until:
            self._found("made_after_the_permit_ended", attempt_id, at)
        if self.made.get(attempt_id) is not None:
            self._found("made_twice", attempt_id, at)
        self.made[attempt_id] = receipt.receipt_id

    def _concluded(self, concluded: AttemptConcluded) -> None:
        attempt_id, at = concluded.attempt_id, concluded.concluded_at
        if attempt_id not in self.permits:
            self._found("made_without_permit", attempt_id, at)
        if concluded.outcome not in FAILED:
            self.made.setdefault(attempt_id, None)
        self.outcomes[attempt_id] = concluded.outcome


def _outlasts(end: datetime | None, other: datetime | None) -> bool:
    """None: no end."""
    return other is not None and (end is None or end > other)


def _stop(event: ContactStopped | ContactResumed, reason: str) -> _Key:
    """A stop of a person is told of each case, and counts for all of them.

    Holds are told apart by their reasons, and parked input by the service that is its reason.
    """
    reach = EVERY_CASE if event.scope == "person" else event.case_id or ""
    return reach, event.kind, reason if event.kind in _TOLD_APART else ""


def _is_lifted(stop: _Key, event: ContactResumed) -> bool:
    lifted = _stop(event, event.stop_reason or event.reason)
    if event.kind == "hold" and event.stop_reason is None:
        return stop[:2] == lifted[:2]
    return stop == lifted
