"""What interrupts limitation before the due day is known: the test names are the rule book."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import example, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from arrears.legal.domain.claim.commands import ClaimCommand, NoteAgreementEnd, NoteRepayment
from arrears.legal.domain.claim.events import AgreementEndNoted, ClaimTaken
from arrears.legal.domain.limitation import BY_DEBTOR, Interruption, expiry, kept
from arrears.legal.testing.claim import (
    SHIPPED,
    agreed,
    at,
    demanded,
    every_day,
    lived_by,
    pay,
    promised,
    referred,
)

lived = partial(lived_by, SHIPPED)


def paid(on: date, number: int = 1) -> NoteRepayment:
    return pay(100_000, on, f"r{number}")


def breached(on: date) -> NoteAgreementEnd:
    return NoteAgreementEnd(result="breached", now=at(on))


def last_day(*commands: ClaimCommand) -> date:
    """The last day to sue, as the referral at the end of these finds it."""
    taken = next(event for event in lived(*commands) if isinstance(event, ClaimTaken))
    return taken.limitation_expires_on


def test_a_part_payment_in_time_restarts_the_period_and_so_does_a_demand_after_it() -> None:
    commands = (paid(date(2026, 2, 10)), demanded(date(2026, 3, 20)))
    again = referred(date(2026, 4, 1), due_on=date(2023, 3, 1))
    assert last_day(*commands, again) == date(2029, 3, 20)


def test_a_demand_alone_comes_too_late_where_the_period_has_ended() -> None:
    again = referred(date(2026, 4, 1), due_on=date(2023, 3, 1))
    assert last_day(demanded(date(2026, 3, 20)), again) == date(2026, 3, 1)


def test_an_agreement_that_is_kept_for_years_and_breached_leaves_the_claim_alive() -> None:
    months = [date(2026 + n // 12, n % 12 + 1, 18) for n in range(2, 42)]
    payments = [paid(day, number) for number, day in enumerate(months)]
    signed = agreed(date(2026, 3, 3), last_due_on=date(2030, 2, 20))
    end = breached(date(2029, 8, 5))
    again = referred(date(2029, 8, 21), due_on=date(2025, 12, 21))
    assert last_day(signed, *payments, again) == date(2032, 6, 18)
    assert last_day(signed, *payments, end, again) == date(2032, 8, 5)


@pytest.mark.parametrize(
    ("last_due_on", "begins_on"),
    [
        (date(2030, 2, 20), date(2029, 8, 5)),
        (date(2029, 7, 20), date(2029, 7, 20)),
        (None, None),
    ],
)
def test_a_breach_begins_the_period_with_the_last_instalment_or_before_it(
    last_due_on: date | None, begins_on: date | None
) -> None:
    noted = lived(agreed(date(2026, 3, 3), last_due_on), breached(date(2029, 8, 5)))[-1]
    assert isinstance(noted, AgreementEndNoted)
    assert noted.begins_on == begins_on


def test_a_claim_that_waits_has_its_period_begin_anew_by_the_breach() -> None:
    take = referred(date(2026, 3, 1), due_on=date(2025, 12, 21))
    noted = lived(take, agreed(date(2026, 3, 3), date(2027, 1, 20)), breached(date(2026, 8, 5)))[-2]
    assert isinstance(noted, AgreementEndNoted)
    assert (noted.clock, noted.expires_on) == ("limitation", date(2029, 8, 5))


def test_money_that_was_heard_before_the_referral_is_noted_once() -> None:
    before = lived(paid(date(2026, 2, 10)))
    assert tuple(SHIPPED.decide(paid(date(2026, 2, 10)), SHIPPED.fold(before))) == ()


FIRST, LAST = date(2010, 1, 1), date(2025, 12, 31)
ACTS = st.lists(
    st.one_of(
        st.builds(
            Interruption,
            by=st.sampled_from(["demand", "demand", "demand", "suit", "part_payment"]),
            on=st.dates(FIRST, LAST),
        ),
        st.builds(
            Interruption,
            by=st.just("demand"),
            on=st.integers(0, 200).map(lambda days: FIRST + timedelta(days=days)),
        ),
    ),
    max_size=25,
)


def fold(acts: Sequence[Interruption]) -> tuple[Interruption, ...]:
    found: tuple[Interruption, ...] = ()
    for act in acts:
        found = kept(found, act)
    return found


@settings(max_examples=400)
@forall(acts=ACTS, due_on=st.dates(FIRST, LAST), months=st.sampled_from([1, 2, 6, 36, 240]))
def test_what_is_kept_finds_the_same_last_day_as_the_full_list(
    acts: list[Interruption], due_on: date, months: int
) -> None:
    by_all = expiry(due_on, acts, months=months, is_workday=lambda day: day.weekday() < 5)
    by_kept = expiry(due_on, fold(acts), months=months, is_workday=lambda day: day.weekday() < 5)
    assert by_all is not None
    assert by_kept is not None
    assert by_kept.on == by_all.on


@forall(acts=ACTS)
@example([Interruption(by="demand", on=FIRST + timedelta(days=days)) for days in (0, 1, 28)])
def test_no_more_than_two_acts_are_kept_of_any_28_days(acts: list[Interruption]) -> None:
    found = fold(acts)
    for first, third in zip(found, found[2:], strict=False):
        assert third.on - first.on > timedelta(days=28)
    assert all(act.by not in BY_DEBTOR for act in found[1:])


STEPS = st.lists(
    st.tuples(st.sampled_from(["part_payment", "demand", "promise"]), st.dates(FIRST, LAST)),
    max_size=12,
)


@settings(max_examples=200)
@forall(steps=STEPS, due_on=st.dates(date(2008, 1, 1), LAST))
def test_the_referral_finds_the_last_day_that_the_full_list_gives(
    steps: list[tuple[str, date]], due_on: date
) -> None:
    heard: list[ClaimCommand] = []
    acts = []
    for number, (by, on) in enumerate(steps):
        acts.append(Interruption(by=by, on=on))
        match by:
            case "part_payment":
                heard.append(paid(on, number))
            case "demand":
                heard.append(demanded(on))
            case _:
                heard.append(promised(on, f"p{number}"))
    naive = expiry(due_on, acts, months=36, is_workday=every_day)
    assert naive is not None
    assert last_day(*heard, referred(date(2026, 4, 1), due_on)) == naive.on
