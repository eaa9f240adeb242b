"""When a borrower is invited: the test names are the rule book."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import (
    CloseMediation,
    HoldMediation,
    MediationCommand,
    ReceiptInvitation,
    RecordDecline,
    ResumeMediation,
    WakeUp,
    WithdrawInvitation,
)
from arrears.mediation.domain.mediation.decisions import make_mediation_decider
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    BorrowerInvited,
    InvitationWithdrawn,
    MediationClosed,
    MediationFailed,
    MediationTaken,
    PaymentNoted,
)
from arrears.mediation.domain.mediation.state import NotTaken
from arrears.mediation.domain.policy import InvitationRule, PolicyBook, WritingHours
from arrears.mediation.testing.case import (
    ACCEPT,
    AT_NIGHT,
    BOOK,
    CALENDAR,
    CASE,
    DECIDER,
    LOAN,
    MEDIATOR,
    OFFER,
    TAKE,
    TODAY,
    lived,
    pay,
)
from arrears.shared.testing.decider_spec import DeciderSpec

MONDAY, TUESDAY = TODAY, date(2026, 3, 3)
FRIDAY, SATURDAY, SUNDAY = date(2026, 3, 6), date(2026, 3, 7), date(2026, 3, 8)

given = DeciderSpec(DECIDER).given


def local(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), CALENDAR.zone).astimezone(UTC)


MORNING = local(TUESDAY, "09:00")
LATER = local(TUESDAY, "00:30")
PAY = pay(20_000, TUESDAY, heard_at=LATER)


class TestWhen:
    @pytest.mark.parametrize(
        ("taken_at", "invited_at"),
        [
            (local(MONDAY, "00:00"), local(MONDAY, "09:00")),
            (local(MONDAY, "08:59"), local(MONDAY, "09:00")),
            (local(MONDAY, "18:00"), MORNING),
            (AT_NIGHT.now, MORNING),
            (local(FRIDAY, "23:59"), local(SATURDAY, "09:00")),
        ],
    )
    def test_outside_the_hours_it_waits_until_they_open_next(
        self, taken_at: datetime, invited_at: datetime
    ) -> None:
        history = lived(replace(TAKE, now=taken_at))
        assert [type(event) for event in history] == [MediationTaken]
        assert given(*history).is_due(taken_at) == invited_at
        invited = lived(replace(TAKE, now=taken_at), WakeUp(now=invited_at))
        assert [type(event) for event in invited] == [MediationTaken, BorrowerInvited]

    @pytest.mark.parametrize(
        "taken_at",
        [
            local(MONDAY, "09:00"),
            local(MONDAY, "17:59:59"),
            local(SATURDAY, "12:00"),
            local(SUNDAY, "12:00"),
        ],
    )
    def test_in_the_hours_of_any_weekday_it_leaves_at_once(self, taken_at: datetime) -> None:
        history = lived(replace(TAKE, now=taken_at))
        assert [type(event) for event in history] == [MediationTaken, BorrowerInvited]

    @pytest.mark.parametrize("looked_at", [local(TUESDAY, "08:00"), local(TUESDAY, "18:00")])
    def test_who_wakes_it_outside_the_hours_finds_nothing_to_do(self, looked_at: datetime) -> None:
        given(*lived(AT_NIGHT)).when(WakeUp(now=looked_at)).then_nothing_happens()

    def test_a_missed_morning_is_made_good_in_the_hours_or_the_next_morning(self) -> None:
        history = lived(AT_NIGHT)
        noon, evening = local(TUESDAY, "12:00"), local(TUESDAY, "20:00")
        assert given(*history).is_due(noon) == noon + timedelta(microseconds=1)
        assert given(*history).is_due(evening) == local(date(2026, 3, 4), "09:00")

    def test_the_days_to_answer_count_from_the_invitation(self) -> None:
        history = lived(AT_NIGHT, WakeUp(now=MORNING))
        answer_by_on = date(2026, 3, 18)
        for event in history:
            assert isinstance(event, MediationTaken | BorrowerInvited)
            assert event.answer_by_on == answer_by_on
        end = CALENDAR.start_of(answer_by_on + timedelta(days=1))
        assert given(*history).is_due(MORNING) == end
        failed = DECIDER.decide(WakeUp(now=end), DECIDER.fold(history))[-1]
        assert isinstance(failed, MediationFailed)
        assert failed.reason == "no_answer"

    def test_the_policy_of_its_day_says_the_hours_and_the_days_to_answer(self) -> None:
        first = replace(BOOK.on(MONDAY), valid_from=date(2020, 1, 1))
        second = replace(
            first,
            version=2,
            valid_from=TUESDAY,
            writing_hours=WritingHours(begins_at="10:30", ends_at="12:00"),
            invitation=InvitationRule(answer_within_days=3),
        )
        bank = make_mediation_decider(PolicyBook([first, second]), CALENDAR)
        taken = bank.decide(AT_NIGHT, NotTaken())
        state = bank.fold(taken)
        opens_at = local(TUESDAY, "10:30")
        assert bank.due(state, AT_NIGHT.now) == opens_at
        (invited,) = bank.decide(WakeUp(now=opens_at), state)
        assert isinstance(invited, BorrowerInvited)
        assert (invited.policy_version, invited.answer_by_on) == (2, date(2026, 3, 6))


class TestBeforeTheInvitation:
    """What comes while the hours are awaited."""

    def test_a_hold_ends_the_talks_and_nobody_is_invited(self) -> None:
        held = lived(AT_NIGHT, HoldMediation(now=LATER))
        assert isinstance(held[-1], MediationClosed)
        assert given(*held).is_due(LATER) is None

    def test_a_release_at_night_waits_for_the_morning_as_well(self) -> None:
        resumed = ResumeMediation(now=local(TUESDAY, "00:45"))
        history = lived(AT_NIGHT, HoldMediation(now=LATER), resumed)
        assert isinstance(history[-1], MediationTaken)
        assert given(*history).is_due(resumed.now) == MORNING

    def test_the_closing_of_the_case_ends_it(self) -> None:
        closed = lived(AT_NIGHT, CloseMediation(reason="cured", now=LATER))
        assert isinstance(closed[-1], MediationClosed)
        assert given(*closed).is_due(LATER) is None

    def test_a_decline_recorded_by_staff_ends_it(self) -> None:
        declined = lived(AT_NIGHT, RecordDecline(staff_id=MEDIATOR, now=LATER))
        assert isinstance(declined[-1], MediationFailed)
        assert given(*declined).is_due(LATER) is None

    def test_a_decline_of_talks_that_ended_otherwise_is_refused(self) -> None:
        decline = RecordDecline(staff_id=MEDIATOR, now=LATER)
        given(*lived(AT_NIGHT, decline)).when(decline).then_nothing_happens()
        closed = lived(AT_NIGHT, CloseMediation(reason="cured", now=LATER))
        given(*closed).when(decline).then_refused("mediation_over")

    def test_money_is_noted_and_the_invitation_names_the_figure_of_the_referral(self) -> None:
        history = lived(AT_NIGHT, PAY, WakeUp(now=MORNING))
        _, noted, invited = history
        assert isinstance(noted, PaymentNoted)
        assert isinstance(invited, BorrowerInvited)
        assert invited.overdue_minor == 100_000

    def test_an_offer_of_the_bank_takes_its_place(self) -> None:
        history = lived(AT_NIGHT, replace(OFFER, now=LATER))
        proposed = history[-1]
        assert isinstance(proposed, AgreementProposed)
        signed_by = CALENDAR.start_of(proposed.sign_by_on + timedelta(days=1))
        assert given(*history).is_due(LATER) == signed_by
        given(*history).when(WakeUp(now=MORNING)).then_nothing_happens()

    @pytest.mark.parametrize(
        "early",
        [
            replace(ACCEPT, now=LATER),
            ReceiptInvitation(round=1, receipt_id="r", gateway="sandbox", now=LATER),
            replace(TAKE, now=LATER),
        ],
    )
    def test_what_answers_no_invitation_changes_nothing(self, early: MediationCommand) -> None:
        given(*lived(AT_NIGHT)).when(early).then_nothing_happens()


class TestWithdrawn:
    """The gateway could not be given it in its hours."""

    EVENING = local(TUESDAY, "18:00")
    WITHDRAW = WithdrawInvitation(round=1, now=EVENING)
    INVITED = (AT_NIGHT, WakeUp(now=MORNING))

    def test_it_is_made_anew_when_the_hours_open_next(self) -> None:
        opens_at = local(date(2026, 3, 4), "09:00")
        given(*lived(*self.INVITED)).when(self.WITHDRAW).then(
            InvitationWithdrawn(
                case_id=CASE,
                loan_key=LOAN,
                round=1,
                next_allowed_at=opens_at,
                policy_id="cn-mediation",
                policy_version=1,
            )
        )
        history = lived(*self.INVITED, self.WITHDRAW)
        assert given(*history).is_due(self.EVENING) == opens_at
        (invited,) = DECIDER.decide(WakeUp(now=opens_at), DECIDER.fold(history))
        assert isinstance(invited, BorrowerInvited)
        assert invited.answer_by_on == date(2026, 3, 19)

    @pytest.mark.parametrize(
        "since",
        [
            (WITHDRAW,),
            (ReceiptInvitation(round=1, receipt_id="r", gateway="post", now=EVENING),),
            (CloseMediation(reason="cured", now=EVENING),),
            (HoldMediation(now=EVENING),),
            (HoldMediation(now=EVENING), ResumeMediation(now=EVENING)),
        ],
    )
    def test_what_is_not_awaited_any_more_is_not_withdrawn(
        self, since: tuple[MediationCommand, ...]
    ) -> None:
        given(*lived(*self.INVITED, *since)).when(self.WITHDRAW).then_nothing_happens()
