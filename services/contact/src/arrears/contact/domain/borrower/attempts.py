"""Attempts: planned, asked for a permit, permitted or denied, and back again when they may be."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from arrears.contact.domain.borrower import endings
from arrears.contact.domain.borrower.draft import Draft, Rules
from arrears.contact.domain.borrower.events import (
    AttemptDenied,
    AttemptPermitted,
    AttemptRequested,
    AttemptRescheduled,
)
from arrears.contact.domain.borrower.state import Attempt, Borrower, CaseFile, Stop, Treatment
from arrears.contact.domain.permit import (
    NO_CONTACT_POINT,
    NOTHING_OWED,
    STOP_ORDER,
    Denied,
    PermitRequest,
    Permitted,
    Standing,
    StopSignal,
    permit,
)
from arrears.contact.domain.quiet_hours import local_day
from arrears.contact.domain.schedule import plan
from arrears.contact.domain.values import AttemptId, Scope
from arrears.shared.kernel.ids import CaseId


def attempt_of(file: CaseFile) -> Attempt | None:
    return None if file.treatment is None else file.treatment.attempt


def request(draft: Draft, case_id: CaseId) -> None:
    """Plan the treatment's next attempt."""
    file = draft.file(case_id)
    assert file is not None
    assert file.treatment is not None
    treatment = file.treatment
    rule = draft.policy.treatments[treatment.treatment]
    attempt_id = AttemptId(f"{case_id}/{file.attempts_count + 1}")
    attempt_no = treatment.attempts_made + 1
    draft.say(
        AttemptRequested(
            attempt_id=attempt_id,
            case_id=case_id,
            loan_key=file.loan_key,
            referral=treatment.referral,
            treatment=treatment.treatment,
            channel=rule.channel,
            attempt_no=attempt_no,
            planned_at=plan(
                attempt_id,
                attempt_no,
                rule.attempts_max,
                after=draft.now,
                zone=draft.zone,
                policy=draft.policy,
                taken=_days_taken(draft),
            ),
            requested_at=draft.now,
        )
    )


def _days_taken(draft: Draft) -> Counter[date]:
    """How many attempts of the person each day already holds, made or planned."""
    zone = draft.zone
    taken = Counter(
        local_day(contact.at, zone)
        for contact in draft.borrower.contacts
        if contact.may_have_connected
    )
    for file in draft.borrower.cases.values():
        attempt = attempt_of(file)
        if attempt is not None and attempt.planned_at is not None:
            taken[local_day(attempt.planned_at, zone)] += 1
    return taken


def reschedule(draft: Draft, file: CaseFile, attempt: Attempt, reason: str) -> None:
    """The attempt waited for an event, and this is it."""
    treatment = file.treatment
    assert treatment is not None
    rule = draft.policy.treatments[treatment.treatment]
    draft.say(
        AttemptRescheduled(
            attempt_id=attempt.attempt_id,
            case_id=file.case_id,
            loan_key=file.loan_key,
            channel=attempt.channel,
            planned_at=plan(
                attempt.attempt_id,
                attempt.attempt_no,
                rule.attempts_max,
                after=draft.now,
                zone=draft.zone,
                policy=draft.policy,
                taken=_days_taken(draft),
            ),
            reason=reason,
            rescheduled_at=draft.now,
        )
    )


def ask_permit(draft: Draft, case_id: CaseId) -> None:
    """The attempt's time has come."""
    file = draft.file(case_id)
    if file is None or file.treatment is None or file.treatment.attempt is None:
        return
    treatment, attempt = file.treatment, file.treatment.attempt
    if attempt.planned_at is None or attempt.planned_at > draft.now:
        return
    request = PermitRequest(attempt_id=attempt.attempt_id, channel=attempt.channel, at=draft.now)
    verdict = permit(request, standing(draft.rules, draft.borrower, file), draft.rules.book)
    if isinstance(verdict, Permitted):
        _permit(draft, file, treatment, attempt, verdict)
    else:
        _deny(draft, file, treatment, attempt, verdict)


def standing(rules: Rules, borrower: Borrower, file: CaseFile) -> Standing:
    return Standing(
        market_zone=rules.calendar.zone,
        zone=borrower.zone,
        case_closed=file.case_id in borrower.closed,
        stops=(*_signals(borrower.stops, "person"), *_signals(file.stops, "case")),
        promise_judged_at=None if file.promise is None else file.promise.judgement_at,
        owed_minor=None if file.treatment is None else file.treatment.overdue_minor,
        points=borrower.points,
        contacts=borrower.contacts,
    )


def _signals(stops: Iterable[Stop], scope: Scope) -> Iterator[StopSignal]:
    for stop in stops:
        yield StopSignal(kind=stop.kind, lifts_at=stop.lifts_at, scope=scope)


def _permit(
    draft: Draft, file: CaseFile, treatment: Treatment, attempt: Attempt, verdict: Permitted
) -> None:
    rule = draft.policy.treatments[treatment.treatment]
    draft.say(
        AttemptPermitted(
            attempt_id=attempt.attempt_id,
            case_id=file.case_id,
            loan_key=file.loan_key,
            referral=treatment.referral,
            treatment=treatment.treatment,
            channel=attempt.channel,
            attempt_no=attempt.attempt_no,
            point=verdict.point,
            overdue_minor=treatment.overdue_minor,
            currency=treatment.currency,
            days_past_due=treatment.days_past_due,
            policy_id=verdict.policy_id,
            policy_version=verdict.policy_version,
            inputs=verdict.inputs,
            permitted_at=draft.now,
            valid_until=verdict.valid_until,
            outcome_expected_by=draft.now + timedelta(days=rule.outcome_days_max),
        )
    )


def _deny(
    draft: Draft, file: CaseFile, treatment: Treatment, attempt: Attempt, verdict: Denied
) -> None:
    waits_until = None
    if verdict.rule == NO_CONTACT_POINT:
        waits_until = draft.now + timedelta(days=draft.policy.contact_points.wait_days_max)
    elif verdict.rule == NOTHING_OWED:
        rule = draft.policy.treatments[treatment.treatment]
        waits_until = draft.now + timedelta(days=rule.outcome_days_max)
    draft.say(
        AttemptDenied(
            attempt_id=attempt.attempt_id,
            case_id=file.case_id,
            loan_key=file.loan_key,
            referral=treatment.referral,
            treatment=treatment.treatment,
            channel=attempt.channel,
            attempt_no=attempt.attempt_no,
            rule=verdict.rule,
            reason=verdict.reason,
            next_allowed_at=verdict.next_allowed_at,
            waits_until=waits_until,
            policy_id=verdict.policy_id,
            policy_version=verdict.policy_version,
            inputs=verdict.inputs,
            denied_at=draft.now,
        )
    )
    _end_where_stopped(draft, file)


def _end_where_stopped(draft: Draft, file: CaseFile) -> None:
    """Of a stop without an end nobody can say when it is over, so the referral is answered, as it
    is by a stop that comes after it."""
    endless = [
        stop.kind
        for stop in (*draft.borrower.stops, *file.stops)
        if stop.lifts_at is None and stop.kind != "parked"
    ]
    if endless:
        endings.end_treatment(draft, file, "stopped", min(endless, key=STOP_ORDER.index))


def stop_waiting(draft: Draft, case_id: CaseId) -> None:
    """Nobody has told us how to reach the borrower, or the bank what is owed after all."""
    file = draft.file(case_id)
    attempt = None if file is None else attempt_of(file)
    if file is None or attempt is None or attempt.waits_until is None:
        return
    if attempt.waits_until > draft.now:
        return
    if attempt.denied_by == NOTHING_OWED:
        endings.end_treatment(draft, file, "stopped", NOTHING_OWED)
    else:
        endings.unreachable(draft, file, "no_contact_point")
