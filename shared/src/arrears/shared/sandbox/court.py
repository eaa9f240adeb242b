"""The sandbox mediator's table, court and bailiff: talks, signatures, judgment, enforcement."""

from datetime import date, datetime, timedelta
from typing import Final

from arrears.shared.sandbox.borrower import next_payments
from arrears.shared.sandbox.dice import between, chance
from arrears.shared.sandbox.hours import at_ten, day_of, office_hour, working_day
from arrears.shared.sandbox.spoken import (
    CourtAnswer,
    EnforcementAnswer,
    MediationAnswer,
    SigningAnswer,
)
from arrears.shared.sandbox.story import Story, episode_at, story_of

FOREIGN_INSTALMENTS: Final = 6
OBEY_DAYS: Final = 15
JUDGED_AFTER_DAYS: Final = 30
JUDGED_AFTER_DAYS_MIN: Final = 5
ENFORCED_AFTER_DAYS: Final = 60


def mediation_answer(
    seed: int, loan_key: str, case_id: str, at: datetime, overdue_minor: int
) -> MediationAnswer:
    """The borrower's answer to an invitation, one or two days later, with a plan if accepted."""
    day = day_of(at)
    answered_on = day + timedelta(days=between(1, 2, "answers", seed, case_id))
    answered_at = office_hour(answered_on, seed, case_id)
    told = story_of(seed, loan_key)
    if told is not None:
        instalments = _story_instalments(told, answered_on, overdue_minor)
    elif overdue_minor >= FOREIGN_INSTALMENTS and chance(35, "agrees", seed, case_id):
        instalments = _equal_instalments(answered_on, overdue_minor)
    else:
        instalments = ()
    return MediationAnswer(
        accepted=bool(instalments), answered_at=answered_at, instalments=instalments
    )


def signing_answer(seed: int, loan_key: str, case_id: str, at: datetime) -> SigningAnswer:
    """Borrower the next day, bank the day after. Nine in ten strangers sign."""
    signs = story_of(seed, loan_key) is not None or chance(90, "signs", seed, case_id)
    first = day_of(at) + timedelta(days=1)
    return SigningAnswer(
        borrower_signed_at=office_hour(first, "signs", seed, case_id) if signs else None,
        bank_signed_at=office_hour(first + timedelta(days=1), "countersigns", seed, case_id),
    )


def court_answer(
    seed: int, loan_key: str, case_id: str, at: datetime, claim_minor: int
) -> CourtAnswer:
    """Registered within three days, judged on the story's day or 30 days after registration."""
    registered_on = working_day(day_of(at) + timedelta(days=1))
    judged_on = working_day(registered_on + timedelta(days=JUDGED_AFTER_DAYS))
    awarded = claim_minor
    obey_by_on = judged_on + timedelta(days=OBEY_DAYS)
    told = story_of(seed, loan_key)
    if told is not None:
        judged_on = _story_judged_on(told, day_of(at), judged_on)
        obey_by_on, awarded = _story_terms(told, judged_on, claim_minor)
    return CourtAnswer(
        registered_at=office_hour(registered_on, "registers", seed, case_id),
        judged_at=office_hour(judged_on, "judges", seed, case_id),
        awarded_minor=awarded,
        obey_by_on=obey_by_on,
    )


def enforcement_answer(
    seed: int, loan_key: str, case_id: str, at: datetime, judgment_minor: int
) -> EnforcementAnswer:
    """Assets are searched within ten days; concluded when the story's money has come.

    A stranger's search finds nothing: what is recovered is what the feed pays meanwhile.
    """
    day = day_of(at)
    searched_on = working_day(day + timedelta(days=between(5, 8, "searches", seed, case_id)))
    concluded_on = working_day(day + timedelta(days=ENFORCED_AFTER_DAYS))
    found = "none"
    told = story_of(seed, loan_key)
    if told is not None:
        coming = next_payments(told, day)
        amount = sum(payment.amount_minor for payment in coming)
        if amount >= judgment_minor:
            found = "full"
            concluded_on = coming[-1].on + timedelta(days=1)
        elif amount > 0:
            found = "part"
            concluded_on = coming[-1].on + timedelta(days=10)
        else:
            concluded_on = working_day(searched_on + timedelta(days=30))
        concluded_on = max(concluded_on, searched_on + timedelta(days=2))
    return EnforcementAnswer(
        searched_at=office_hour(searched_on, "searches", seed, case_id),
        found=found,
        concluded_at=at_ten(concluded_on),
    )


def _equal_instalments(agreed_on: date, overdue_minor: int) -> tuple[tuple[date, int], ...]:
    """Six, 30 days apart; the last one carries what does not divide."""
    share, rest = divmod(overdue_minor, FOREIGN_INSTALMENTS)
    return tuple(
        (
            agreed_on + timedelta(days=30 * number),
            share + (rest if number == FOREIGN_INSTALMENTS else 0),
        )
        for number in range(1, FOREIGN_INSTALMENTS + 1)
    )


def _story_instalments(
    told: Story, answered_on: date, overdue_minor: int
) -> tuple[tuple[date, int], ...]:
    """What the borrower means to pay from now on; nothing for who declines.

    A plan must add up to the figure that was named, so the last instalment carries what differs
    where talks began so late that a planned payment has come before them.
    """
    planned = episode_at(told, answered_on).planned
    coming = [(plan.on, plan.amount_minor) for plan in planned if plan.on > answered_on]
    if not coming:
        return ()
    last_on, _ = coming.pop()
    last_minor = overdue_minor - sum(amount for _, amount in coming)
    return (*coming, (last_on, last_minor)) if last_minor > 0 else ()


def _story_judged_on(told: Story, filed_on: date, otherwise_on: date) -> date:
    judged_on = episode_at(told, filed_on).judged_on
    if judged_on is None or (judged_on - filed_on).days < JUDGED_AFTER_DAYS_MIN:
        return otherwise_on
    return working_day(judged_on)


def _story_terms(told: Story, judged_on: date, claim_minor: int) -> tuple[date, int]:
    """Until when to obey, and how much: who obeys is given the time, who does not is not.

    The award is never more than the feed will pay to a borrower whose debt it then calls cured.
    """
    by_default = judged_on + timedelta(days=OBEY_DAYS)
    coming = next_payments(told, judged_on)
    if not coming or episode_at(told, judged_on).cured_on is None:
        return by_default, claim_minor
    awarded = min(claim_minor, sum(payment.amount_minor for payment in coming))
    if len(coming) == 1:
        return max(by_default, coming[0].on + timedelta(days=2)), awarded
    return min(by_default, coming[0].on - timedelta(days=2)), awarded
