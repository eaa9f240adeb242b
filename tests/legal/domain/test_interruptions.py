"""What interrupts limitation, and its alarms: the test names are the rule book."""

from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import (
    ApproveFiling,
    ClaimCommand,
    NoteAgreementEnd,
    PauseClaim,
    WakeUp,
)
from arrears.legal.domain.claim.events import (
    AgreementEndNoted,
    AgreementNoted,
    ClaimEvent,
    ClaimTaken,
    FilingRefused,
    LimitationAlarmRaised,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.suit_events import ClaimFiled
from arrears.legal.testing.claim import (
    CALENDAR,
    CASE,
    DECIDER,
    DEMAND,
    LAWYER,
    LOAN,
    NOW,
    TAKE,
    TODAY,
    agreed,
    claim_of,
    derived,
    lived,
    pay,
    promised,
    start_of,
    wake_on,
)
from arrears.shared.testing.decider_spec import DeciderSpec

LONG_AGO = datetime(2023, 3, 2, 1, 30, tzinfo=UTC)
given = DeciderSpec(DECIDER).given


class TestInterruptions:
    def test_a_promise_is_noted_even_before_any_referral(self) -> None:
        given().when(promised(TODAY, "p1")).then(
            LimitationInterrupted(
                case_id=CASE,
                loan_key=LOAN,
                by="promise",
                on=TODAY,
                reference="p1",
                amount_minor=5_000,
                currency="CNY",
                clock=None,
                expires_on=None,
            )
        )

    def test_a_later_referral_forgets_no_interruption(self) -> None:
        again = replace(TAKE, referral=7, now=NOW + timedelta(days=30))
        taken = lived(TAKE, promised(TODAY, "p1"), again)[-2]
        assert isinstance(taken, ClaimTaken)
        assert taken.limitation_expires_on == date(2029, 3, 2)

    def test_the_same_promise_twice_counts_once(self) -> None:
        history = lived(promised(TODAY, "p1"), promised(TODAY, "p2"))
        given(*history).when(promised(TODAY, "p1")).then_nothing_happens()

    def test_money_is_noted_even_before_any_referral(self) -> None:
        given().when(pay(5_000, TODAY, "r1")).then(
            LimitationInterrupted(
                case_id=CASE,
                loan_key=LOAN,
                by="part_payment",
                on=TODAY,
                reference="r1",
                amount_minor=5_000,
                currency="CNY",
                clock=None,
                expires_on=None,
            )
        )

    def test_money_for_a_refused_claim_restarts_the_clock_and_lowers_the_claim(self) -> None:
        history = lived(TAKE, pay(300_000, date(2026, 3, 9), "p1"))
        assert history[-1] == LimitationInterrupted(
            case_id=CASE,
            loan_key=LOAN,
            by="part_payment",
            on=date(2026, 3, 9),
            reference="p1",
            amount_minor=300_000,
            currency="CNY",
            clock="limitation",
            expires_on=date(2029, 3, 9),
            derivation=derived("36m", date(2026, 3, 9)),
            left_minor=3_500_000,
        )
        assert claim_of(DECIDER.decide(DEMAND, DECIDER.fold(history))) == 3_500_000

    def test_money_that_pays_all_leaves_no_claim(self) -> None:
        (interrupted, refused) = lived(TAKE, pay(3_800_000, date(2026, 3, 9)))[-2:]
        assert isinstance(interrupted, LimitationInterrupted)
        assert isinstance(refused, FilingRefused)
        assert refused.missing == ("demand_delivered", "total_known")

    def test_the_same_money_twice_counts_once(self) -> None:
        paid = pay(300_000, date(2026, 3, 9))
        given(*lived(TAKE, paid, pay(1, date(2026, 3, 10)))).when(paid).then_nothing_happens()


class TestAgreements:
    AGREED = agreed()
    BREACHED = NoteAgreementEnd(result="breached", now=NOW + timedelta(days=60))

    def test_while_one_is_kept_nothing_is_filed(self) -> None:
        taken, refused = DECIDER.decide(TAKE, DECIDER.fold(lived(DEMAND, self.AGREED)))
        assert isinstance(taken, ClaimTaken)
        assert isinstance(refused, FilingRefused)
        assert refused.missing == ("no_agreement_in_force",)

    def test_the_claim_is_filed_when_it_is_breached(self) -> None:
        history = lived(DEMAND, self.AGREED, TAKE)
        events = DECIDER.decide(self.BREACHED, DECIDER.fold(history))
        assert [type(event) for event in events] == [AgreementEndNoted, ClaimFiled]

    def test_it_begins_the_limitation_anew(self) -> None:
        noted, refused = DECIDER.decide(self.AGREED, DECIDER.fold(lived(TAKE)))
        assert noted == AgreementNoted(
            case_id=CASE,
            loan_key=LOAN,
            signed_at=NOW,
            signed_on=TODAY,
            clock="limitation",
            expires_on=date(2029, 3, 2),
            derivation=derived("36m", TODAY),
        )
        assert isinstance(refused, FilingRefused)
        assert refused.missing == ("demand_delivered", "no_agreement_in_force")

    def test_the_same_agreement_again_changes_nothing_not_even_after_its_end(self) -> None:
        given(*lived(TAKE, self.AGREED)).when(self.AGREED).then_nothing_happens()
        history = lived(TAKE, self.AGREED, self.BREACHED)
        given(*history).when(self.AGREED).then_nothing_happens()

    def test_an_end_without_an_agreement_changes_nothing(self) -> None:
        given(*lived(TAKE)).when(self.BREACHED).then_nothing_happens()
        given().when(self.BREACHED).then_nothing_happens()


class TestLimitationTimers:
    OLD = replace(TAKE, due_on=date(2023, 10, 10))

    def test_alarms_are_raised_180_90_and_30_days_before_the_end(self) -> None:
        history = lived(self.OLD)
        raised: list[tuple[date, ClaimEvent]] = []
        at = NOW
        while (due := DECIDER.due(DECIDER.fold(history), at)) is not None:
            at = due
            events = DECIDER.decide(WakeUp(now=at), DECIDER.fold(history))
            raised += [(CALENDAR.day_of(at), event) for event in events]
            history = (*history, *events)
        assert [(day, getattr(event, "days_left", None)) for day, event in raised] == [
            (date(2026, 4, 13), 180),
            (date(2026, 7, 12), 90),
            (date(2026, 9, 10), 30),
            (date(2026, 10, 11), None),
        ]
        assert isinstance(raised[0][1], LimitationAlarmRaised)
        assert isinstance(raised[-1][1], FilingRefused)
        assert raised[-1][1].missing == ("demand_delivered", "limitation_alive")

    @pytest.mark.parametrize(
        "waits_for",
        [
            PauseClaim(reason="hardship", until_on=None, now=NOW),
            agreed(signed_at=LONG_AGO),
            ApproveFiling(staff_id=LAWYER, now=NOW),
        ],
    )
    def test_they_are_raised_whatever_the_claim_waits_for(self, waits_for: ClaimCommand) -> None:
        history = lived(self.OLD, waits_for)
        assert given(*history).is_due(NOW) == start_of(date(2026, 4, 13))
        events = DECIDER.decide(wake_on(date(2026, 4, 13)), DECIDER.fold(history))
        alarm = events[-1]
        assert isinstance(alarm, LimitationAlarmRaised)
        assert alarm.missing == DECIDER.fold((*history, *events)).missing
        given(*history, *events).when(wake_on(date(2026, 4, 14))).then_nothing_happens()

    def test_they_are_raised_also_where_a_person_would_sue_after_the_end(self) -> None:
        history = lived(self.OLD, ApproveFiling(staff_id=LAWYER, despite_limitation=True, now=NOW))
        days = []
        at = NOW
        while (due := DECIDER.due(DECIDER.fold(history), at)) is not None:
            history, at = (*history, *DECIDER.decide(WakeUp(now=due), DECIDER.fold(history))), due
            days.append(CALENDAR.day_of(due))
        assert days == [date(2026, 4, 13), date(2026, 7, 12), date(2026, 9, 10)]

    def test_an_interruption_quiets_the_alarms(self) -> None:
        history = lived(self.OLD, wake_on(date(2026, 4, 13)), promised(TODAY, "p1"))
        assert given(*history).is_due(NOW) == start_of(date(2028, 9, 3))

    def test_a_claim_that_is_close_to_its_end_raises_only_the_nearest(self) -> None:
        history = lived(replace(TAKE, due_on=date(2023, 3, 30)))
        due = given(*history).is_due(NOW)
        assert due is not None
        assert due - NOW < timedelta(seconds=1)
        (alarm,) = DECIDER.decide(WakeUp(now=due), DECIDER.fold(history))
        assert isinstance(alarm, LimitationAlarmRaised)
        assert alarm.days_left == 30
