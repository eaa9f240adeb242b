"""The strategy: which rung of the policy's ladder a case takes next, and why.

A pure function of the case, the bank's last figures, the policy and the day. One rung after the
other: the next is taken when days past due, amount and the result of the rung before allow it, and
enough business days have passed since that one ended. Where something else has to happen first the
case waits: for a stage's report, a promise, an agreement, a hold, or the bank's next fact.
"""

from datetime import date, timedelta
from typing import NamedTuple

from arrears.intake.domain.loan.state import Case, Done
from arrears.intake.domain.policy import DEFAULT_CURRENCY, Policy, Step


class Figures(NamedTuple):
    """The bank's last word on the loan."""

    days_past_due: int
    overdue_minor: int
    currency: str
    risk: str


class Refer(NamedTuple):
    stage: str
    treatment: str
    rule: str
    reason: str


class GrantGrace(NamedTuple):
    until_days_past_due: int
    reason: str


class WaitUntil(NamedTuple):
    """Only days are missing: the rung is free on `day`."""

    day: date
    rule: str
    reason: str


class WaitForWord(NamedTuple):
    """Nothing to do until somebody says something: a stage, the borrower, the bank, or staff."""

    rule: str
    reason: str


NextStep = Refer | GrantGrace | WaitUntil | WaitForWord


def review(case: Case, figures: Figures, policy: Policy, day: date) -> NextStep:
    paused = _pause(case)
    if paused is not None:
        return paused
    if _in_grace(case, figures, policy):
        return _grace(case, figures, policy)
    step, before = _next_rung(case, figures, policy)
    if step is None:
        return WaitForWord("ladder_ended", "the last rung is done: the case waits for facts")
    missing = _unmet(step, before, figures)
    if missing is not None:
        return WaitForWord(step.treatment, missing)
    if before is None or case.step_on is None:
        return _refer(step, figures, "the first rung")
    free_on = case.step_on + timedelta(days=step.days_after)
    if day < free_on:
        return WaitUntil(
            free_on, step.treatment, f"{step.days_after} days after {case.step_on} are not over"
        )
    return _refer(step, figures, f"{(day - case.step_on).days} days since the last step")


def _pause(case: Case) -> WaitForWord | None:
    if case.closed is not None:
        return WaitForWord("closed", f"the case is closed: {case.closed}")
    if case.held is not None:
        return WaitForWord("held", f"the case is held: {case.held.reason}")
    if case.agreement in ("in_force", "fulfilled"):
        return WaitForWord("agreement", f"the agreement is {case.agreement}")
    if case.promise_id is not None:
        return WaitForWord("promise", f"promise {case.promise_id} is pending")
    if case.awaiting:
        return WaitForWord("stage", f"{case.stage} has not reported the end of {case.treatment}")
    return None


def _in_grace(case: Case, figures: Figures, policy: Policy) -> bool:
    """Grace is for a case that nobody has worked on yet; once granted it holds to its last day."""
    grace = policy.grace
    if grace is None or case.referral > 0 or case.done:
        return False
    if case.grace_until is not None:
        return figures.days_past_due < case.grace_until
    return (
        figures.days_past_due < grace.days_past_due_below
        and case.episode <= grace.episode_max
        and figures.risk in grace.risks
    )


def _grace(case: Case, figures: Figures, policy: Policy) -> GrantGrace | WaitForWord:
    if case.grace_until is not None or policy.grace is None:
        return WaitForWord("grace", f"grace below {case.grace_until} days past due")
    until = policy.grace.days_past_due_below
    return GrantGrace(
        until,
        f"episode {case.episode}, risk {figures.risk}, {figures.days_past_due} days past due"
        f" are below {until}",
    )


def _next_rung(case: Case, figures: Figures, policy: Policy) -> tuple[Step | None, Done | None]:
    """The first rung above the highest one done that this risk does not skip, and that one.

    Rungs below the highest one done are never gone back to: staff may have jumped ahead.
    """
    rung, before = -1, None
    for done in case.done:
        index = policy.rung_of(done.treatment)
        if index > rung:
            rung, before = index, done
    for step in policy.ladder[rung + 1 :]:
        if figures.risk not in step.skip_at_risk:
            return step, before
    return None, before


def _unmet(step: Step, before: Done | None, figures: Figures) -> str | None:
    if figures.days_past_due < step.days_past_due_min:
        return f"{figures.days_past_due} days past due are below {step.days_past_due_min}"
    if step.after_results and (before is None or before.result not in step.after_results):
        wanted = " or ".join(step.after_results)
        ended = "nothing" if before is None else f"{before.treatment}: {before.result}"
        return f"the step before must have ended with {wanted}, not with {ended}"
    floors = step.overdue_minor_min
    if floors:
        floor = floors.get(figures.currency, floors[DEFAULT_CURRENCY])
        if figures.overdue_minor < floor:
            return f"overdue {figures.overdue_minor} are below {floor} (minor units)"
    return None


def _refer(step: Step, figures: Figures, since: str) -> Refer:
    reached = f"{figures.days_past_due} days past due reach {step.days_past_due_min}"
    return Refer(step.stage, step.treatment, step.treatment, f"{reached}; {since}")
