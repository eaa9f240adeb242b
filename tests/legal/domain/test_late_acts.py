"""Acts after the end of a period, or heard late: the test names are the rule book."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ClaimCommand,
    EnterJudgment,
    NoteAgreement,
    NoteDemand,
    NotePromise,
    NoteRepayment,
    PauseClaim,
    TakeClaim,
    WakeUp,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import ClaimEvent, DemandNoted
from arrears.legal.domain.claim.suit_events import EnforcementLapsed
from arrears.legal.domain.limitation import Interruption, expiry
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

CALENDAR = BankCalendar("Asia/Shanghai")
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
FILED_ON, OBEY_BY, APPLY_BY = date(2026, 3, 2), date(2026, 4, 25), date(2028, 4, 25)
TOO_LATE = date(2028, 5, 10)

decider = make_claim_decider(load_policies(), CALENDAR, lambda _day: True)


def at(day: date) -> datetime:
    return CALENDAR.start_of(day) + timedelta(hours=10)


def demanded(on: date, heard_on: date | None = None) -> NoteDemand:
    return NoteDemand(
        case_id=CASE,
        loan_key=LOAN,
        total_minor=3_800_000,
        currency="CNY",
        delivered_at=at(on),
        now=at(heard_on or on),
    )


def promised(on: date) -> NotePromise:
    return NotePromise(
        case_id=CASE, loan_key=LOAN, promise_id="p1", amount_minor=5_000, currency="CNY", now=at(on)
    )


def paid(on: date) -> NoteRepayment:
    return NoteRepayment(
        case_id=CASE,
        loan_key=LOAN,
        repayment_id="r1",
        amount_minor=1,
        currency="CNY",
        value_on=on,
        now=at(on),
    )


def agreed(on: date) -> NoteAgreement:
    return NoteAgreement(case_id=CASE, loan_key=LOAN, signed_at=at(on), now=at(on))


def referred(on: date, due_on: date) -> TakeClaim:
    return TakeClaim(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BorrowerId("borrower-1"),
        referral=1,
        overdue_minor=3_800_000,
        balance_minor=9_000_000,
        currency="CNY",
        due_on=due_on,
        days_past_due=(on - due_on).days,
        now=at(on),
    )


def lived(*commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


JUDGE = EnterJudgment(
    awarded_minor=3_800_000, currency="CNY", obey_by_on=OBEY_BY, now=at(date(2026, 4, 10))
)
NOT_OBEYED = (
    demanded(date(2026, 1, 5)),
    referred(FILED_ON, due_on=date(2025, 11, 20)),
    JUDGE,
    WakeUp(now=CALENDAR.start_of(date(2026, 4, 28))),
    PauseClaim(reason="hardship", until_on=None, now=at(date(2026, 4, 28))),
)
LAPSED = (*NOT_OBEYED, WakeUp(now=at(date(2028, 4, 26))))


class TestTimeToApply:
    @pytest.mark.parametrize("history", [NOT_OBEYED, LAPSED])
    def test_a_demand_after_the_end_revives_nothing(
        self, history: tuple[ClaimCommand, ...]
    ) -> None:
        before = lived(*history)
        (noted,) = decider.decide(demanded(TOO_LATE), decider.fold(before))
        assert isinstance(noted, DemandNoted)
        assert (noted.clock, noted.expires_on) == ("enforcement", APPLY_BY)
        after = decider.fold((*before, noted))
        assert (after.apply_by_on, after.lapsed) == (APPLY_BY, history is LAPSED)

    @pytest.mark.parametrize("act", [promised(TOO_LATE), paid(TOO_LATE), agreed(TOO_LATE)])
    def test_what_the_debtor_does_after_the_end_begins_it_anew(self, act: ClaimCommand) -> None:
        before = lived(*LAPSED)
        assert isinstance(before[-1], EnforcementLapsed)
        after = decider.fold((*before, *decider.decide(act, decider.fold(before))))
        assert (after.apply_by_on, after.lapsed) == (date(2030, 5, 10), False)

    @pytest.mark.parametrize(
        ("on", "last_on"),
        [(APPLY_BY, date(2030, 4, 25)), (APPLY_BY + timedelta(days=1), APPLY_BY)],
    )
    def test_a_demand_on_the_last_day_is_in_time_and_one_a_day_later_is_not(
        self, on: date, last_on: date
    ) -> None:
        assert decider.fold(lived(*NOT_OBEYED, demanded(on))).apply_by_on == last_on


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
        claim = decider.fold(history)
        assert claim.limitation_expires_on == last_on
        again = replace(referred(REFERRED_ON, OLD_DUE), referral=2)
        referred_again = decider.decide(again, claim)
        assert decider.fold((*history, *referred_again)).limitation_expires_on == last_on

    def test_after_the_judgment(self) -> None:
        before = (*LAPSED, demanded(TOO_LATE))
        in_time = demanded(date(2028, 4, 20), TOO_LATE + timedelta(days=1))
        claim = decider.fold(lived(*before, in_time))
        assert (claim.apply_by_on, claim.lapsed) == (date(2030, 5, 10), False)

    def test_those_of_before_the_judgment_begin_no_time_to_apply(self) -> None:
        suit_days = demanded(date(2026, 4, 1))
        history = (*NOT_OBEYED[:2], suit_days, *NOT_OBEYED[2:])
        assert decider.fold(lived(*history)).interruptions == ()


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
        demanded(on) if by == "demand" else replace(paid(on), repayment_id=f"r{number}")
        for number, (by, on) in enumerate(acts)
    ]
    take = replace(referred(REFERRED_ON, OLD_DUE), overdue_minor=0)
    held = PauseClaim(reason="hardship", until_on=None, now=at(REFERRED_ON))
    history = (*heard[:heard_before], take, held, *heard[heard_before:])
    every = [Interruption(by=by, on=on) for by, on in acts]
    wanted = expiry(OLD_DUE, every, months=36, is_workday=lambda _day: True)
    assert wanted is not None
    assert decider.fold(lived(*history)).limitation_expires_on == wanted.on
