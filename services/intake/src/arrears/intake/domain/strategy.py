"""The strategy: which rung of the policy's ladder a case takes next, and why.

A pure function of the case, the bank's last figures, the policy and the day. One rung after the
other: the next is taken when days past due, amount and the result of the rung before allow it, and
enough calendar days have passed since that one ended. A rung that was only stopped is taken again
a few times before it counts as done; one that a hold stopped, as often as it takes. Where something
else has to happen first the case waits: for a stage's report, a promise, an agreement, a hold, or
the bank's next fact.

Intake holds a case, contact the person where the reason is a death, a moratorium or hardship. So
the ladder of the person's other cases meets such a hold in their stops alone: it stays on the rung,
and no stop of this kind leads on to talks or a suit.

After a fulfilled agreement the case waits for the bank's word. Arrears that were due before are
what the agreement settled, and nothing follows from them; with arrears of a later due day the
ladder begins again (`loan/state.py`).
"""

from datetime import date, timedelta
from typing import NamedTuple, TypeAlias

from arrears.intake.domain.loan.state import FULFILLED, IN_FORCE, STOPPED, Case, Done
from arrears.intake.domain.policy import DEFAULT_CURRENCY, Policy, Step


class Figures(NamedTuple):
    """The bank's last word on the loan; `overdue_minor` is less what came in since."""

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


class WaitUntil(NamedTuple):
    """Only days are missing: the rung `rule` is free on `day`."""

    day: date
    rule: str


class WaitForWord(NamedTuple):
    """Nothing to do until somebody says something: a stage, the borrower, the bank, or staff.

    `rule`: borrower_changed, closed, held, agreement, promise, stage, paid, grace, ladder_ended, or
    the rung that waits for what `until` names: days_past_due, result, overdue_minor. `paid`: all
    that was overdue has come in, and the bank's next fact says how things stand.
    """

    rule: str
    until: str | None = None


NextStep: TypeAlias = Refer | GrantGrace | WaitUntil | WaitForWord


def review(  # noqa: PLR0911 - one return for each thing that may come first
    case: Case, figures: Figures, policy: Policy, day: date
) -> NextStep:
    paused = _pause(case)
    if paused is not None:
        return WaitForWord(paused)
    if figures.overdue_minor == 0:
        return WaitForWord("paid")
    if _in_grace(case, figures, policy):
        if case.grace_until is not None or policy.grace is None:
            return WaitForWord("grace", "days_past_due")
        return GrantGrace(policy.grace.days_past_due_below)
    next_rung = _next_rung(case, figures, policy)
    if next_rung is None:
        return WaitForWord("ladder_ended")
    step, before, last = next_rung
    missing = _unmet(step, before, figures)
    if missing is not None:
        return WaitForWord(step.treatment, missing)
    if last is None or case.step_on is None:
        return _refer(step, figures, "the first step")
    again = last.treatment == step.treatment
    days_after = max(step.days_after, policy.stopped_again_after_days if again else 0)
    free_on = case.step_on + timedelta(days=days_after)
    if day < free_on:
        return WaitUntil(free_on, step.treatment)
    since = f"{last.treatment} was stopped" if again else last.treatment
    return _refer(step, figures, f"{(day - case.step_on).days} days after {since}")


def _pause(case: Case) -> str | None:
    if case.closed is not None:
        return "closed"
    if case.holds:
        return "held"
    if case.agreement in (IN_FORCE, FULFILLED):
        return "agreement"
    if case.promise_id is not None:
        return "promise"
    return "stage" if case.awaiting else None


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


class _Rung(NamedTuple):
    """`before`: the end of the rung before it. `last`: what ended last, the rung's own stop too."""

    step: Step
    before: Done | None
    last: Done | None


def _next_rung(case: Case, figures: Figures, policy: Policy) -> _Rung | None:
    """The first rung above the highest one done that this risk does not skip; that one itself
    where it was only stopped.

    Rungs below the highest one done are never gone back to: staff may have jumped ahead.
    """
    known = [done for done in case.done if policy.rung_of(done.treatment) >= 0]
    known.sort(key=lambda done: policy.rung_of(done.treatment))
    last = known[-1] if known else None
    below = known[-2] if len(known) > 1 else None
    rung = -1 if last is None else policy.rung_of(last.treatment)
    if last is not None and last.result == STOPPED and last.stops <= policy.stopped_again_max:
        rung -= 1
    for step in policy.ladder[rung + 1 :]:
        if figures.risk not in step.skip_at_risk:
            again = last is not None and step.treatment == last.treatment
            return _Rung(step, below if again else last, last)
    return None


def _unmet(step: Step, before: Done | None, figures: Figures) -> str | None:
    """What this rung still asks for, apart from days."""
    if figures.days_past_due < step.days_past_due_min:
        return "days_past_due"
    if step.after_results and (before is None or before.result not in step.after_results):
        return "result"
    floors = step.overdue_minor_min
    if floors and figures.overdue_minor < floors.get(figures.currency, floors[DEFAULT_CURRENCY]):
        return "overdue_minor"
    return None


def _refer(step: Step, figures: Figures, since: str) -> Refer:
    reached = f"{figures.days_past_due} days past due reach {step.days_past_due_min}"
    return Refer(step.stage, step.treatment, step.treatment, f"{reached}; {since}")
