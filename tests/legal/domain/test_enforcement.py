"""Enforcement, from the application to its result: the test names are the rule book."""

from datetime import date, datetime, timedelta

from msgspec.structs import replace

from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    CloseEnforcement,
    NoteAgreement,
    NoteAgreementEnd,
    PauseClaim,
    RecordSearch,
    ResumeClaim,
    WakeUp,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import ClaimEvent
from arrears.legal.domain.claim.suit_events import (
    AssetsSearched,
    EnforcementAlarmRaised,
    EnforcementApplied,
    EnforcementClosed,
    EnforcementLapsed,
    MoneyRecovered,
)
from arrears.legal.domain.policy import PolicyBook
from arrears.legal.testing.claim import (
    CALENDAR,
    CASE,
    DECIDER,
    DEMAND,
    ENFORCING,
    FILED,
    JUDGED,
    LAWYER,
    LOAN,
    NOT_OBEYED,
    NOW,
    OBEY_BY,
    POLICY,
    PROMPT,
    VERSION,
    closed,
    derived,
    every_day,
    lived,
    pay,
    start_of,
    wake_on,
)
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given
HELD = PauseClaim(reason="hardship", until_on=None, now=start_of(date(2026, 4, 26)))


class TestApplyForEnforcement:
    APPLY = ApplyForEnforcement(staff_id=LAWYER, now=start_of(date(2026, 4, 26)))

    def test_follows_by_itself_the_next_day_for_what_is_unpaid(self) -> None:
        history = lived(*JUDGED, pay(1_000_000, OBEY_BY), wake_on(date(2026, 4, 26)))
        assert given(*history).is_due(start_of(date(2026, 4, 26))) == start_of(date(2026, 4, 27))
        given(*history).when(wake_on(date(2026, 4, 27))).then(
            EnforcementApplied(
                case_id=CASE,
                loan_key=LOAN,
                unpaid_minor=2_800_000,
                awarded_minor=3_800_000,
                currency="CNY",
                enforcement_fee_minor=32_000,
                apply_by_on=date(2028, 4, 25),
                recorded_by=None,
                policy_id=POLICY,
                policy_version=VERSION,
            )
        )

    def test_staff_may_apply_earlier(self) -> None:
        (applied,) = DECIDER.decide(self.APPLY, DECIDER.fold(lived(*NOT_OBEYED)))
        assert isinstance(applied, EnforcementApplied)
        assert applied.recorded_by == LAWYER

    def test_is_refused_before_its_time(self) -> None:
        given(*lived(*FILED)).when(self.APPLY).then_refused("judgment_not_entered")
        given(*lived(*JUDGED)).when(self.APPLY).then_refused("time_to_obey_is_running")

    def test_sleeps_while_an_agreement_is_kept(self) -> None:
        at = start_of(date(2026, 4, 26))
        agreed = NoteAgreement(case_id=CASE, loan_key=LOAN, signed_at=at, now=at)
        history = lived(*NOT_OBEYED, agreed)
        given(*history).when(wake_on(date(2026, 4, 27))).then_nothing_happens()
        given(*history).when(self.APPLY).then_refused("agreement_in_force")
        assert given(*history).is_due(at) == start_of(date(2027, 10, 29))

    def test_follows_when_the_agreement_is_breached(self) -> None:
        at = start_of(date(2026, 4, 26))
        agreed = NoteAgreement(case_id=CASE, loan_key=LOAN, signed_at=at, now=at)
        breached = NoteAgreementEnd(result="breached", now=at + timedelta(days=40))
        woken = given(*lived(*NOT_OBEYED, agreed, breached))
        due = woken.is_due(breached.now)
        assert due is not None
        assert due - breached.now < timedelta(seconds=1)
        (applied,) = DECIDER.decide(WakeUp(now=due), DECIDER.fold(woken.events))
        assert isinstance(applied, EnforcementApplied)

    def test_is_refused_while_the_case_is_held(self) -> None:
        given(*lived(*NOT_OBEYED, HELD)).when(self.APPLY).then_refused("case_is_held")
        given(*lived(*NOT_OBEYED, HELD)).when(wake_on(date(2026, 4, 27))).then_nothing_happens()

    def test_a_part_payment_begins_the_two_years_anew_and_quiets_the_alarms(self) -> None:
        history = lived(*NOT_OBEYED, HELD, wake_on(date(2027, 10, 28)), pay(1, date(2027, 11, 1)))
        assert days_and_alarms(history, start_of(date(2027, 11, 2))) == [
            (date(2029, 5, 5), 180),
            (date(2029, 8, 3), 90),
            (date(2029, 10, 2), 30),
            (date(2029, 11, 2), None),
        ]

    def test_alarms_are_raised_180_90_and_30_days_before_the_two_years_end(self) -> None:
        history = lived(*NOT_OBEYED, HELD)
        assert days_and_alarms(history, start_of(date(2026, 4, 26))) == [
            (date(2027, 10, 28), 180),
            (date(2028, 1, 26), 90),
            (date(2028, 3, 26), 30),
            (date(2028, 4, 26), None),
        ]
        given(*history).when(wake_on(date(2027, 10, 28))).then(
            EnforcementAlarmRaised(
                case_id=CASE,
                loan_key=LOAN,
                days_left=180,
                apply_by_on=date(2028, 4, 25),
                unpaid_minor=3_800_000,
                currency="CNY",
                derivation=derived("24m", OBEY_BY),
            )
        )

    def test_no_alarm_where_it_follows_the_same_day_or_was_applied_for(self) -> None:
        late = ResumeClaim(reason="over", now=start_of(date(2028, 1, 10)))
        events = DECIDER.decide(wake_on(date(2028, 1, 10)), DECIDER.fold(lived(*NOT_OBEYED, late)))
        assert [type(event) for event in events] == [EnforcementApplied]
        given(*lived(*ENFORCING)).when(wake_on(date(2028, 1, 26))).then_nothing_happens()

    def test_two_years_without_it_are_noted_and_it_is_still_accepted(self) -> None:
        by_hand = replace(PROMPT, enforcement=replace(PROMPT.enforcement, apply_by_itself=False))
        patient = make_claim_decider(PolicyBook([by_hand]), CALENDAR, every_day)
        history = lived(*JUDGED)
        history = (*history, *patient.decide(wake_on(date(2026, 4, 26)), patient.fold(history)))
        due = patient.due(patient.fold(history), start_of(date(2026, 4, 26)))
        assert due == start_of(date(2027, 10, 28))
        due = start_of(date(2028, 4, 26))
        (lapsed,) = patient.decide(WakeUp(now=due), patient.fold(history))
        assert lapsed == EnforcementLapsed(
            case_id=CASE, loan_key=LOAN, apply_by_on=date(2028, 4, 25)
        )
        state = patient.fold((*history, lapsed))
        assert patient.due(state, due) is None
        assert len(patient.decide(replace(self.APPLY, now=due), state)) == 1

    def test_after_them_a_release_applies_for_nothing_by_itself(self) -> None:
        history = lived(*NOT_OBEYED, HELD, wake_on(date(2028, 4, 26)))
        over = ResumeClaim(reason="over", now=start_of(date(2028, 5, 10)))
        history = (*history, *DECIDER.decide(over, DECIDER.fold(history)))
        given(*history).when(wake_on(date(2028, 5, 11))).then_nothing_happens()
        assert DECIDER.due(DECIDER.fold(history), over.now) is None
        by_hand = DECIDER.decide(replace(self.APPLY, now=over.now), DECIDER.fold(history))
        paid = DECIDER.decide(pay(1, date(2028, 5, 12)), DECIDER.fold(history))
        anew = DECIDER.decide(wake_on(date(2028, 5, 13)), DECIDER.fold((*history, *paid)))
        assert [type(event) for event in (*by_hand, *anew)] == [EnforcementApplied] * 2


class TestEnforcement:
    SEARCHED = RecordSearch(found="part", now=start_of(date(2026, 5, 5)))
    CONCLUDED = CloseEnforcement(now=start_of(date(2026, 6, 20)))

    def test_a_search_is_recorded_once(self) -> None:
        given(*lived(*ENFORCING)).when(self.SEARCHED).then(
            AssetsSearched(case_id=CASE, loan_key=LOAN, found="part")
        )
        given(*lived(*ENFORCING, self.SEARCHED)).when(self.SEARCHED).then_nothing_happens()

    def test_everything_recovered_closes_it_at_once(self) -> None:
        first = pay(3_000_000, date(2026, 5, 10), "p1")
        given(*lived(*ENFORCING, first)).when(pay(900_000, date(2026, 5, 20), "p2")).then(
            recovered("p2", 900_000, 3_900_000),
            enforced("recovered_in_full", 3_900_000, 0),
            closed("recovered_in_full"),
        )

    def test_a_part_is_what_has_come_when_the_court_concludes(self) -> None:
        history = lived(*ENFORCING, pay(500_000, date(2026, 5, 10)))
        given(*history).when(self.CONCLUDED).then(
            enforced("recovered_in_part", 500_000, 3_300_000), closed("recovered_in_part")
        )

    def test_nothing_recovered_means_no_assets_whatever_the_search_said(self) -> None:
        given(*lived(*ENFORCING, self.SEARCHED)).when(self.CONCLUDED).then(
            enforced("no_assets", 0, 3_800_000), closed("no_assets")
        )

    def test_staff_may_close_it_and_the_result_follows_the_money(self) -> None:
        by_hand = replace(self.CONCLUDED, staff_id=LAWYER)
        given(*lived(*ENFORCING)).when(by_hand).then(
            replace(enforced("no_assets", 0, 3_800_000), recorded_by=LAWYER), closed("no_assets")
        )
        given(*lived(*JUDGED)).when(by_hand).then_refused("enforcement_not_applied_for")

    def test_an_agreement_or_a_hold_is_noted_and_stops_nothing(self) -> None:
        at = start_of(date(2026, 5, 1))
        agreed = NoteAgreement(case_id=CASE, loan_key=LOAN, signed_at=at, now=at)
        history = (*ENFORCING, agreed, HELD)
        names = [type(event).__name__ for event in lived(*history)[-2:]]
        assert names == ["AgreementNoted", "ClaimPaused"]
        given(*lived(*history)).when(self.SEARCHED).then(
            AssetsSearched(case_id=CASE, loan_key=LOAN, found="part")
        )
        given(*lived(*history)).when(self.CONCLUDED).then(
            enforced("no_assets", 0, 3_800_000), closed("no_assets")
        )

    def test_the_same_money_twice_counts_once(self) -> None:
        paid = pay(500_000, date(2026, 5, 10))
        other = pay(1, date(2026, 5, 11))
        given(*lived(*ENFORCING, paid, other)).when(paid).then_nothing_happens()

    def test_what_is_closed_stays_closed(self) -> None:
        history = lived(*ENFORCING, self.CONCLUDED)
        given(*history).when(pay(1, date(2026, 7, 1))).then_nothing_happens()
        again = replace(DEMAND, delivered_at=NOW)
        given(*history).when(again).then_nothing_happens()


# --- Short words for long events.


def days_and_alarms(history: tuple[ClaimEvent, ...], at: datetime) -> list[tuple[date, int | None]]:
    """The days on which the timer says something, and the thresholds of the alarms."""
    found: list[tuple[date, int | None]] = []
    while (due := DECIDER.due(DECIDER.fold(history), at)) is not None:
        (event,) = DECIDER.decide(WakeUp(now=due), DECIDER.fold(history))
        found.append((CALENDAR.day_of(due), getattr(event, "days_left", None)))
        history, at = (*history, event), due
    return found


def recovered(repayment_id: str, amount_minor: int, so_far_minor: int) -> MoneyRecovered:
    return MoneyRecovered(
        case_id=CASE,
        loan_key=LOAN,
        repayment_id=repayment_id,
        amount_minor=amount_minor,
        currency="CNY",
        recovered_minor=so_far_minor,
    )


def enforced(result: str, recovered_minor: int, unpaid_minor: int) -> EnforcementClosed:
    return EnforcementClosed(
        case_id=CASE,
        loan_key=LOAN,
        result=result,
        recovered_minor=recovered_minor,
        unpaid_minor=unpaid_minor,
        currency="CNY",
        recorded_by=None,
    )
