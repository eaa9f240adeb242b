"""The rules of talks, from the referral to a plan: the test names are the rule book."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import (
    CloseMediation,
    HoldMediation,
    MediationCommand,
    ReceiptInvitation,
    RecordDecline,
    ResumeMediation,
    SignForBank,
)
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    BorrowerInvited,
    InvitationAnswered,
    InvitationReceipted,
    MediationTaken,
    OfferRefused,
)
from arrears.mediation.domain.mediation.state import InForce
from arrears.mediation.domain.plan import Instalment
from arrears.mediation.testing.case import (
    ACCEPT,
    ANSWERED_AT,
    APRIL,
    APRIL_MISSED,
    BANK_SIGNS,
    BORROWER_SIGNS,
    CASE,
    DECIDER,
    DECLINE,
    IN_FORCE,
    LOAN,
    MAY,
    MEDIATOR,
    NOW,
    OFFER,
    PLAN,
    SIGNED_AT,
    TAKE,
    TODAY,
    WILLING,
    end_of,
    lived,
    pay,
    wake_after,
)
from arrears.mediation.testing.said import closing, failure, invited, proposed, taken
from arrears.shared.testing.decider_spec import DeciderSpec

LESS = replace(MAY, amount_minor=20_000)

given = DeciderSpec(DECIDER).given


class TestTakeMediation:
    def test_invites_the_borrower_who_has_15_days_to_answer(self) -> None:
        given().when(TAKE).then(taken(date(2026, 3, 17)), invited(date(2026, 3, 17)))

    def test_a_later_referral_opens_another_round_once_the_last_is_over(self) -> None:
        later = replace(TAKE, referral=5, overdue_minor=70_000, now=NOW + timedelta(days=60))
        events = DECIDER.decide(later, DECIDER.fold(lived(TAKE, DECLINE)))
        taken = events[0]
        assert isinstance(taken, MediationTaken)
        assert (taken.round, taken.referral, taken.overdue_minor) == (2, 5, 70_000)

    def test_the_same_referral_again_opens_no_round(self) -> None:
        given(*lived(TAKE, DECLINE)).when(TAKE).then_nothing_happens()


class TestReceiptInvitation:
    RECEIPT = ReceiptInvitation(round=1, receipt_id="r-1", gateway="sandbox", now=NOW)

    def test_is_recorded_once(self) -> None:
        given(*lived(TAKE)).when(self.RECEIPT).then(
            InvitationReceipted(
                case_id=CASE, loan_key=LOAN, round=1, receipt_id="r-1", gateway="sandbox"
            )
        )
        given(*lived(TAKE, self.RECEIPT)).when(self.RECEIPT).then_nothing_happens()

    def test_one_of_an_earlier_round_changes_nothing(self) -> None:
        again = replace(TAKE, referral=5, now=NOW + timedelta(days=9))
        given(*lived(TAKE, DECLINE, again)).when(self.RECEIPT).then_nothing_happens()


class TestAnswerInvitation:
    def test_an_acceptable_offer_becomes_the_proposal(self) -> None:
        given(*lived(TAKE)).when(replace(ACCEPT, instalments=(MAY, APRIL))).then(
            InvitationAnswered(
                case_id=CASE,
                loan_key=LOAN,
                round=1,
                accepted=True,
                instalments=PLAN,
                settle_by_on=None,
            ),
            proposed("borrower", date(2026, 3, 14)),
        )

    @pytest.mark.parametrize("moved_on", [(OFFER,), (OFFER, BORROWER_SIGNS, BANK_SIGNS)])
    def test_what_staff_were_quicker_than_is_kept_and_decides_nothing(
        self, moved_on: tuple[MediationCommand, ...]
    ) -> None:
        """What was asked for is answered, whatever became of the talks."""
        before = lived(TAKE, *moved_on)
        for late, mark in ((TestReceiptInvitation.RECEIPT, "receipted"), (DECLINE, "answered")):
            (kept,) = DECIDER.decide(late, DECIDER.fold(before))
            assert DECIDER.fold((*before, kept)) == replace(DECIDER.fold(before), **{mark: True})
            given(*before, kept).when(late).then_nothing_happens()

    def test_a_decline_fails_the_mediation(self) -> None:
        given(*lived(TAKE)).when(DECLINE).then(
            InvitationAnswered(
                case_id=CASE,
                loan_key=LOAN,
                round=1,
                accepted=False,
                instalments=(),
                settle_by_on=None,
            ),
            failure("declined"),
        )

    def test_an_offer_that_breaks_a_rule_is_refused_with_all_rules_and_talks_stay_open(
        self,
    ) -> None:
        short = (Instalment(due_on=TODAY, amount_minor=99_999),)
        events = DECIDER.decide(replace(ACCEPT, instalments=short), DECIDER.fold(lived(TAKE)))
        answered, refused = events
        assert isinstance(answered, InvitationAnswered)
        assert answered.settle_by_on == date(2026, 3, 19)
        assert isinstance(refused, OfferRefused)
        assert refused.reasons == ("instalments_do_not_add_up", "instalment_due_in_the_past")

    def test_who_is_willing_without_an_offer_leaves_it_to_the_mediator(self) -> None:
        history = lived(TAKE, WILLING)
        assert len(history) == len(lived(TAKE)) + 1
        assert given(*history).is_due(ANSWERED_AT) == end_of(date(2026, 3, 19))

    def test_a_second_answer_changes_nothing(self) -> None:
        given(*lived(TAKE, WILLING)).when(ACCEPT).then_nothing_happens()

    def test_an_answer_after_intake_closed_changes_nothing(self) -> None:
        closed = CloseMediation(reason="cured", now=NOW)
        given(*lived(TAKE, closed)).when(ACCEPT).then_nothing_happens()

    def test_an_answer_to_an_earlier_round_changes_nothing(self) -> None:
        again = replace(TAKE, referral=5, now=NOW + timedelta(days=9))
        given(*lived(TAKE, DECLINE, again)).when(ACCEPT).then_nothing_happens()


class TestRecordOffer:
    def test_stands_in_the_name_of_the_bank(self) -> None:
        (proposed,) = DECIDER.decide(OFFER, DECIDER.fold(lived(TAKE)))
        assert isinstance(proposed, AgreementProposed)
        assert (proposed.proposed_by, proposed.staff_id, proposed.offer) == ("bank", MEDIATOR, 1)

    @pytest.mark.parametrize(
        ("instalments", "reason"),
        [
            ((), "no_instalments"),
            ((APRIL,), "instalments_do_not_add_up"),
            ((APRIL, replace(MAY, due_on=date(2031, 3, 5))), "term_too_long"),
            ((APRIL, MAY, replace(MAY, amount_minor=0)), "instalment_not_positive"),
            ((APRIL, replace(MAY, due_on=date(2026, 3, 4))), "instalment_due_in_the_past"),
        ],
    )
    def test_refuses_a_plan_that_breaks_a_rule(
        self, instalments: tuple[Instalment, ...], reason: str
    ) -> None:
        offer = replace(OFFER, instalments=instalments)
        given(*lived(TAKE)).when(offer).then_refused(reason)

    def test_allows_60_months_to_the_day(self) -> None:
        last = replace(MAY, due_on=date(2031, 3, 4))
        offer = replace(OFFER, instalments=(APRIL, last))
        assert len(DECIDER.decide(offer, DECIDER.fold(lived(TAKE)))) == 1

    def test_refuses_more_instalments_than_months(self) -> None:
        many = tuple(
            Instalment(due_on=date(2026, 4, 1) + timedelta(days=n), amount_minor=1)
            for n in range(61)
        )
        offer = replace(OFFER, settlement_minor=61, instalments=many)
        given(*lived(TAKE)).when(offer).then_refused("too_many_instalments")

    def test_refuses_another_currency(self) -> None:
        given(*lived(TAKE)).when(replace(OFFER, currency="USD")).then_refused("other_currency")

    def test_refuses_when_there_are_no_talks(self) -> None:
        given().when(OFFER).then_refused("mediation_not_taken")
        given(*lived(TAKE, DECLINE)).when(OFFER).then_refused("mediation_over")
        given(*lived(*IN_FORCE)).when(OFFER).then_refused("agreement_in_force")

    def test_the_same_terms_again_change_nothing(self) -> None:
        given(*lived(TAKE, OFFER)).when(OFFER).then_nothing_happens()

    def test_other_terms_replace_an_offer_and_its_signatures(self) -> None:
        other = replace(OFFER, settlement_minor=80_000, instalments=(APRIL, LESS))
        history = lived(TAKE, OFFER, BORROWER_SIGNS, other)
        given(*history).when(BANK_SIGNS).then_nothing_happens()
        bank = SignForBank(round=1, offer=2, now=SIGNED_AT)
        assert len(DECIDER.decide(bank, DECIDER.fold(history))) == 1


class TestWakeUp:
    def test_no_answer_in_15_days_fails_the_mediation(self) -> None:
        assert given(*lived(TAKE)).is_due(NOW) == end_of(date(2026, 3, 17))
        given(*lived(TAKE)).when(wake_after(date(2026, 3, 16))).then_nothing_happens()
        given(*lived(TAKE)).when(wake_after(date(2026, 3, 17))).then(failure("no_answer"))

    def test_talks_without_a_plan_end_as_declined(self) -> None:
        given(*lived(TAKE, WILLING)).when(wake_after(date(2026, 3, 19))).then(
            failure("declined", "no plan was agreed in time")
        )


class TestDeclineHoldAndClose:
    def test_a_decline_recorded_by_staff_fails_the_mediation(self) -> None:
        declined = RecordDecline(staff_id=MEDIATOR, now=ANSWERED_AT)
        given(*lived(TAKE, ACCEPT)).when(declined).then(
            failure("declined", "recorded by mediator-7")
        )
        given(*lived(*IN_FORCE)).when(declined).then_refused("agreement_in_force")

    def test_a_hold_ends_talks(self) -> None:
        given(*lived(TAKE, ACCEPT)).when(HoldMediation(now=SIGNED_AT)).then(closing("held"))

    def test_talks_begin_anew_with_the_release_for_what_is_left(self) -> None:
        held_at = NOW + timedelta(days=1)
        early, late = pay(20_000, TODAY, "p1"), pay(5_000, date(2026, 3, 20), "p2")
        history = lived(TAKE, early, HoldMediation(now=held_at), late)
        resumed = ResumeMediation(now=NOW + timedelta(days=30))
        taken, invited = DECIDER.decide(resumed, DECIDER.fold(history))
        assert isinstance(taken, MediationTaken)
        assert (taken.round, taken.referral, taken.overdue_minor) == (2, 4, 75_000)
        assert isinstance(invited, BorrowerInvited)
        assert invited.overdue_minor == 75_000

    def test_what_a_settlement_has_in_its_figure_is_not_asked_for_again(self) -> None:
        held = HoldMediation(now=SIGNED_AT)
        rest = replace(OFFER, settlement_minor=80_000, instalments=(APRIL, LESS))
        history = lived(TAKE, pay(20_000, TODAY, "p1"), rest, held)
        taken = DECIDER.decide(ResumeMediation(now=SIGNED_AT), DECIDER.fold(history))[0]
        assert isinstance(taken, MediationTaken)
        assert taken.overdue_minor == 80_000

    def test_a_release_without_a_hold_changes_nothing(self) -> None:
        for history in ((), lived(TAKE), lived(*IN_FORCE), lived(TAKE, DECLINE)):
            given(*history).when(ResumeMediation(now=SIGNED_AT)).then_nothing_happens()

    def test_held_talks_wait_for_nothing_and_end_with_the_case(self) -> None:
        history = lived(TAKE, HoldMediation(now=NOW))
        assert given(*history).is_due(NOW) is None
        given(*history).when(ACCEPT).then_nothing_happens()
        given(*history).when(OFFER).then_refused("mediation_over")
        given(*history).when(CloseMediation(reason="cured", now=SIGNED_AT)).then(closing("cured"))

    def test_an_agreement_in_force_outlives_a_hold(self) -> None:
        held = lived(*IN_FORCE, HoldMediation(now=SIGNED_AT))
        assert isinstance(DECIDER.fold(held), InForce)

    @pytest.mark.parametrize("history", [(TAKE,), (TAKE, ACCEPT), IN_FORCE, APRIL_MISSED])
    def test_a_cured_case_closes_it_whatever_its_state(
        self, history: tuple[MediationCommand, ...]
    ) -> None:
        closed = CloseMediation(reason="cured", now=SIGNED_AT)
        given(*lived(*history)).when(closed).then(closing("cured"))

    def test_what_is_over_is_not_closed_again(self) -> None:
        closed = CloseMediation(reason="cured", now=SIGNED_AT)
        given(*lived(TAKE, DECLINE)).when(closed).then_nothing_happens()
        given().when(closed).then_nothing_happens()
