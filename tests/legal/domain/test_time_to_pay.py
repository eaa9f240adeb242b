"""The days that a demand gives to pay, and the least sum that is sued for."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ApproveFiling,
    ClaimCommand,
    CloseClaim,
    NoteDemand,
    PauseClaim,
    ReturnClaim,
    TakeClaim,
    WakeUp,
)
from arrears.legal.domain.claim.decisions import ClaimDecider, make_claim_decider
from arrears.legal.domain.claim.events import ClaimEvent, ClaimTaken, DemandNoted, FilingRefused
from arrears.legal.domain.claim.suit_events import ClaimFiled
from arrears.legal.domain.policy import FilingRule, PolicyBook
from arrears.legal.testing import claim
from arrears.legal.testing.claim import CALENDAR, LAWYER, at, pay
from arrears.shared.service.workdays import workdays_of

TAKEN_ON, DUE = date(2026, 6, 1), date(2026, 2, 20)
POLICY = load_policies().on(TAKEN_ON)


def under(filing: FilingRule, months: int = 36) -> ClaimDecider:
    limitation = replace(POLICY.limitation, months=months)
    book = PolicyBook([replace(POLICY, filing=filing, limitation=limitation)])
    return make_claim_decider(book, CALENDAR, workdays_of("CN"))


shipped = under(POLICY.filing)
older = under(FilingRule(approval_from_minor=None))


def demanded(on: date, heard_on: date | None = None) -> NoteDemand:
    return claim.demanded(on, heard_on, total_minor=500_000)


def referred(
    on: date = TAKEN_ON, *, minor: int = 500_000, due_on: date = DUE, currency: str = "CNY"
) -> TakeClaim:
    return claim.referred(on, due_on, overdue_minor=minor, currency=currency, as_of_on=on)


def lived(decider: ClaimDecider, *commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    """What these leave behind, with every timer that is due before each of them."""
    events: tuple[ClaimEvent, ...] = ()
    now = at(date(2026, 1, 1))
    for command in commands:
        state = decider.fold(events)
        while (due := decider.due(state, now)) is not None and due <= command.now:
            events = (*events, *decider.decide(WakeUp(now=due), state))
            state, now = decider.fold(events), due
        events = (*events, *decider.decide(command, state))
        now = command.now
    return events


def filed_on(decider: ClaimDecider, *commands: ClaimCommand) -> date | None:
    """The day on which it is filed by itself, within two months."""
    events = lived(decider, *commands, WakeUp(now=at(date(2026, 8, 1))))
    return next((event.filed_on for event in events if isinstance(event, ClaimFiled)), None)


class TestTimeToPay:
    def test_a_demand_that_has_just_come_gives_its_days_and_the_gate_says_until_when(self) -> None:
        *_, noted, refused = lived(shipped, referred(), demanded(TAKEN_ON))
        assert isinstance(noted, DemandNoted)
        assert isinstance(refused, FilingRefused)
        assert refused.missing == ("time_to_pay_over",)
        assert refused.inputs.pay_by_on == date(2026, 6, 16)

    @pytest.mark.parametrize(
        ("delivered_on", "last_on"),
        [
            (date(2026, 6, 1), date(2026, 6, 16)),
            (date(2026, 5, 29), date(2026, 6, 15)),  # 13 June is a Saturday.
            (date(2026, 6, 4), date(2026, 6, 22)),  # 19 June is a holiday, a Friday.
        ],
    )
    def test_it_is_filed_by_itself_when_they_are_over(
        self, delivered_on: date, last_on: date
    ) -> None:
        commands = (referred(), demanded(delivered_on, heard_on=max(delivered_on, TAKEN_ON)))
        state = shipped.fold(lived(shipped, *commands))
        after = at(max(delivered_on, TAKEN_ON))
        assert shipped.due(state, after) == at(last_on + timedelta(days=1), 0)
        assert filed_on(shipped, *commands) == last_on + timedelta(days=1)

    @pytest.mark.parametrize(("days_ago", "waits"), [(16, False), (15, True)])
    def test_what_was_demanded_long_ago_is_filed_at_once(self, days_ago: int, waits: bool) -> None:
        early = demanded(TAKEN_ON + timedelta(days=1 - days_ago))
        last = lived(shipped, early, referred(TAKEN_ON + timedelta(days=1)))[-1]
        assert isinstance(last, FilingRefused if waits else ClaimFiled)

    def test_a_second_demand_gives_its_own_days(self) -> None:
        commands = (referred(), demanded(TAKEN_ON), demanded(date(2026, 6, 10)))
        *_, refused = lived(shipped, *commands)
        assert isinstance(refused, FilingRefused)
        assert refused.inputs.pay_by_on == date(2026, 6, 25)
        assert filed_on(shipped, *commands) == date(2026, 6, 26)

    def test_an_older_one_that_is_heard_later_takes_no_days_away(self) -> None:
        heard_late = demanded(date(2026, 5, 1), heard_on=date(2026, 6, 3))
        commands = (referred(), demanded(TAKEN_ON), heard_late)
        assert filed_on(shipped, *commands) == date(2026, 6, 17)

    def test_the_last_day_to_sue_comes_first(self) -> None:
        """A period so short that its last day lies among the days to pay."""
        short = under(POLICY.filing, months=1)
        fifty = under(replace(POLICY.filing, days_after_demand=50), months=1)
        assert filed_on(short, referred(due_on=TAKEN_ON), demanded(TAKEN_ON)) == date(2026, 6, 17)
        assert filed_on(fifty, referred(due_on=TAKEN_ON), demanded(TAKEN_ON)) == TAKEN_ON

    def test_where_it_is_over_already_nothing_is_lost_by_waiting(self) -> None:
        old = referred(due_on=date(2022, 1, 10))
        approve = ApproveFiling(staff_id=LAWYER, despite_limitation=True, now=at(TAKEN_ON, 12))
        assert filed_on(shipped, old, demanded(TAKEN_ON), approve) == date(2026, 6, 17)

    def test_what_else_is_missing_then_is_said_then(self) -> None:
        hold = PauseClaim(reason="dispute", until_on=None, now=at(TAKEN_ON, 11))
        events = lived(
            shipped, referred(), hold, demanded(TAKEN_ON), WakeUp(now=at(date(2026, 8, 1)))
        )
        said = [event.missing for event in events if isinstance(event, FilingRefused)]
        assert said == [
            ("demand_delivered",),
            ("time_to_pay_over", "not_held"),
            ("not_held",),
        ]
        assert shipped.due(shipped.fold(events), at(date(2026, 8, 1))) == at(date(2028, 12, 3), 0)

    @pytest.mark.parametrize(
        "over",
        [
            ReturnClaim(result="taken_back", now=at(TAKEN_ON, 12)),
            CloseClaim(reason="cured", now=at(TAKEN_ON, 12)),
        ],
    )
    def test_nobody_waits_for_it_in_a_case_that_legal_no_longer_has(
        self, over: ClaimCommand
    ) -> None:
        waits = (referred(), demanded(TAKEN_ON), over)
        assert filed_on(shipped, *waits) is None
        again = replace(referred(date(2026, 6, 8)), referral=7)
        if isinstance(over, ReturnClaim):
            assert filed_on(shipped, *waits, again) == date(2026, 6, 17)

    def test_a_policy_of_before_gives_none(self) -> None:
        assert filed_on(older, referred(), demanded(TAKEN_ON)) == TAKEN_ON


class TestLeastSum:
    @pytest.mark.parametrize(
        ("minor", "currency", "sued"),
        [
            (100_000, "CNY", True),
            (99_999, "CNY", False),
            (20_000, "JPY", True),
            (19_999, "JPY", False),
            (99_999, "USD", False),
        ],
    )
    def test_less_is_not_sued_for(self, minor: int, currency: str, sued: bool) -> None:
        demand = replace(demanded(date(2026, 5, 1)), currency=currency)
        last = lived(shipped, demand, referred(minor=minor, currency=currency))[-1]
        assert isinstance(last, ClaimFiled if sued else FilingRefused)
        if isinstance(last, FilingRefused):
            assert last.missing == ("least_sum_reached",)
            assert last.inputs.least_minor == {"JPY": 20_000}.get(currency, 100_000)

    def test_money_that_leaves_less_stops_the_filing_and_a_new_figure_allows_it(self) -> None:
        paid = pay(450_000, date(2026, 6, 3))
        waits = (referred(), demanded(TAKEN_ON), paid)
        assert filed_on(shipped, *waits) is None
        more = replace(referred(date(2026, 7, 1), minor=120_000), referral=7)
        taken, filed = shipped.decide(more, shipped.fold(lived(shipped, *waits)))
        assert isinstance(taken, ClaimTaken)
        assert isinstance(filed, ClaimFiled)

    def test_a_sum_that_is_not_known_is_said_as_that_alone(self) -> None:
        last = lived(shipped, demanded(date(2026, 5, 1)), referred(minor=0))[-1]
        assert isinstance(last, FilingRefused)
        assert last.missing == ("total_known",)

    def test_a_policy_of_before_sues_for_any_sum(self) -> None:
        last = lived(older, demanded(date(2026, 5, 1)), referred(minor=1))[-1]
        assert isinstance(last, ClaimFiled)

    @pytest.mark.parametrize(
        ("least", "currency", "minor"),
        [({}, "CNY", 0), ({"default": 7}, "CNY", 7), ({"default": 7, "JPY": 1}, "JPY", 1)],
    )
    def test_it_is_known_by_currency(
        self, least: Mapping[str, int], currency: str, minor: int
    ) -> None:
        rule = FilingRule(approval_from_minor=None, amount_minor_min=dict(least))
        assert rule.least_minor(currency) == minor
