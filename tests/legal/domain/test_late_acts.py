"""Acts after the end of a period, or heard late: the test names are the rule book."""

from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import (
    ClaimCommand,
    NoteDemand,
    NoteRepayment,
    PauseClaim,
    WakeUp,
)
from arrears.legal.domain.claim.events import DemandNoted
from arrears.legal.domain.claim.suit_events import EnforcementLapsed
from arrears.legal.domain.limitation import Interruption, expiry
from arrears.legal.testing.claim import (
    FILED,
    JUDGE,
    SHIPPED,
    agreed,
    at,
    demanded,
    every_day,
    lived_by,
    pay,
    promised,
    referred,
    wake_on,
)

lived = partial(lived_by, SHIPPED)
APPLY_BY = date(2028, 4, 25)
TOO_LATE = date(2028, 5, 10)


def paid(on: date, repayment_id: str = "r1") -> NoteRepayment:
    return pay(1, on, repayment_id)


NOT_OBEYED = (
    *FILED,
    JUDGE,
    wake_on(date(2026, 4, 28)),
    PauseClaim(reason="hardship", until_on=None, now=at(date(2026, 4, 28))),
)
LAPSED = (*NOT_OBEYED, WakeUp(now=at(date(2028, 4, 26))))


class TestTimeToApply:
    @pytest.mark.parametrize("history", [NOT_OBEYED, LAPSED])
    def test_a_demand_after_the_end_revives_nothing(
        self, history: tuple[ClaimCommand, ...]
    ) -> None:
        before = lived(*history)
        (noted,) = SHIPPED.decide(demanded(TOO_LATE), SHIPPED.fold(before))
        assert isinstance(noted, DemandNoted)
        assert (noted.clock, noted.expires_on) == ("enforcement", APPLY_BY)
        after = SHIPPED.fold((*before, noted))
        assert (after.apply_by_on, after.lapsed) == (APPLY_BY, history is LAPSED)

    @pytest.mark.parametrize("act", [promised(TOO_LATE), paid(TOO_LATE), agreed(TOO_LATE)])
    def test_what_the_debtor_does_after_the_end_begins_it_anew(self, act: ClaimCommand) -> None:
        before = lived(*LAPSED)
        assert isinstance(before[-1], EnforcementLapsed)
        after = SHIPPED.fold((*before, *SHIPPED.decide(act, SHIPPED.fold(before))))
        assert (after.apply_by_on, after.lapsed) == (date(2030, 5, 10), False)

    @pytest.mark.parametrize(
        ("on", "last_on"),
        [(APPLY_BY, date(2030, 4, 25)), (APPLY_BY + timedelta(days=1), APPLY_BY)],
    )
    def test_a_demand_on_the_last_day_is_in_time_and_one_a_day_later_is_not(
        self, on: date, last_on: date
    ) -> None:
        assert SHIPPED.fold(lived(*NOT_OBEYED, demanded(on))).apply_by_on == last_on


OLD_DUE, EXPIRED = date(2020, 1, 10), date(2023, 1, 10)
REFERRED_ON = date(2025, 1, 6)


class TestActsHeardOutOfOrder:
    """An act that came too late by what was known is in time once an earlier one is heard."""

    @pytest.mark.parametrize(
        ("commands", "last_on"),
        [
            ((demanded(date(2024, 6, 3)),), EXPIRED),
            (
                (demanded(date(2024, 6, 3)), demanded(date(2022, 6, 1), REFERRED_ON)),
                date(2027, 6, 3),
            ),
            (
                (demanded(date(2024, 6, 3)), demanded(date(2021, 5, 3), REFERRED_ON)),
                date(2024, 5, 3),
            ),
            (
                (
                    demanded(date(2026, 6, 3)),
                    demanded(date(2024, 6, 3), REFERRED_ON),
                    demanded(date(2022, 6, 1), REFERRED_ON),
                ),
                date(2029, 6, 3),
            ),
        ],
    )
    @pytest.mark.parametrize("heard_before_the_referral", [0, 1])
    def test_before_the_suit(
        self, commands: tuple[NoteDemand, ...], last_on: date, heard_before_the_referral: int
    ) -> None:
        before, after = commands[:heard_before_the_referral], commands[heard_before_the_referral:]
        history = lived(*before, referred(REFERRED_ON, OLD_DUE), *after)
        claim = SHIPPED.fold(history)
        assert claim.limitation_expires_on == last_on
        again = replace(referred(REFERRED_ON, OLD_DUE), referral=7)
        referred_again = SHIPPED.decide(again, claim)
        assert SHIPPED.fold((*history, *referred_again)).limitation_expires_on == last_on

    def test_after_the_judgment(self) -> None:
        before = (*LAPSED, demanded(TOO_LATE))
        in_time = demanded(date(2028, 4, 20), TOO_LATE + timedelta(days=1))
        claim = SHIPPED.fold(lived(*before, in_time))
        assert (claim.apply_by_on, claim.lapsed) == (date(2030, 5, 10), False)

    def test_those_of_before_the_judgment_begin_no_time_to_apply(self) -> None:
        suit_days = demanded(date(2026, 4, 1))
        history = (*NOT_OBEYED[:2], suit_days, *NOT_OBEYED[2:])
        assert SHIPPED.fold(lived(*history)).interruptions == ()


ACTS = st.lists(
    st.tuples(st.sampled_from(["demand", "part_payment"]), st.dates(OLD_DUE, date(2032, 1, 1))),
    max_size=10,
)


@settings(max_examples=300)
@forall(acts=ACTS, heard_before=st.integers(0, 10))
def test_the_last_day_is_that_of_all_acts_in_whatever_order_they_are_heard(
    acts: list[tuple[str, date]], heard_before: int
) -> None:
    heard = [
        demanded(on) if by == "demand" else paid(on, f"r{number}")
        for number, (by, on) in enumerate(acts)
    ]
    take = replace(referred(REFERRED_ON, OLD_DUE), overdue_minor=0)
    held = PauseClaim(reason="hardship", until_on=None, now=at(REFERRED_ON))
    history = (*heard[:heard_before], take, held, *heard[heard_before:])
    every = [Interruption(by=by, on=on) for by, on in acts]
    wanted = expiry(OLD_DUE, every, months=36, is_workday=every_day)
    assert wanted is not None
    assert SHIPPED.fold(lived(*history)).limitation_expires_on == wanted.on
