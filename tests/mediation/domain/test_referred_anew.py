"""A newer referral that finds talks open: they go on, and their end is that of the newer one."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import (
    HoldMediation,
    MediationCommand,
    RecordDecline,
    RecordRepayment,
    ResumeMediation,
    TakeBackMediation,
    WakeUp,
)
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    BorrowerInvited,
    InstalmentPaid,
    MediationClosed,
    MediationFailed,
    MediationTaken,
)
from arrears.mediation.domain.mediation.state import InForce
from arrears.mediation.testing.case import (
    ACCEPT,
    ANSWERED_AT,
    APRIL,
    AT_NIGHT,
    DECIDER,
    MEDIATOR,
    NOW,
    TAKE,
    TODAY,
    WILLING,
    both_sign,
    lived,
    offer,
    pay,
)
from arrears.mediation.testing.said import taken
from arrears.shared.testing.decider_spec import DeciderSpec

AGAIN = replace(TAKE, referral=6, overdue_minor=90_000, now=ANSWERED_AT)


LESS = offer(80_000)
SIGNED = both_sign(ANSWERED_AT)

given = DeciderSpec(DECIDER).given


def heard(amount_minor: int, name: str = "p1") -> RecordRepayment:
    return pay(amount_minor, TODAY, name, ANSWERED_AT)


def taken_anew(answer_by_on: date) -> MediationTaken:
    return taken(answer_by_on, referral=6, overdue_minor=90_000, taken_on=date(2026, 3, 4))


@pytest.mark.parametrize(
    ("before", "answer_by_on"),
    [
        ((AT_NIGHT,), date(2026, 3, 18)),
        ((TAKE,), date(2026, 3, 17)),
        ((TAKE, WILLING), date(2026, 3, 19)),
        ((TAKE, ACCEPT), date(2026, 3, 14)),
        ((TAKE, LESS, SIGNED[0]), date(2026, 3, 14)),
    ],
    ids=["not invited yet", "invited", "talking", "proposed", "signed by one"],
)
class TestOpenTalks:
    def test_take_it_up_and_invite_nobody_again(
        self, before: tuple[MediationCommand, ...], answer_by_on: date
    ) -> None:
        given(*lived(*before)).when(AGAIN).then(taken_anew(answer_by_on))
        asked = AT_NIGHT.now
        assert given(*lived(*before, AGAIN)).is_due(asked) == given(*lived(*before)).is_due(asked)

    @pytest.mark.parametrize("referral", [4, 5, 6])
    def test_hear_it_once_and_no_older_one(
        self, before: tuple[MediationCommand, ...], answer_by_on: date, referral: int
    ) -> None:
        assert answer_by_on
        history = lived(*before, AGAIN)
        given(*history).when(replace(AGAIN, referral=referral)).then_nothing_happens()

    @pytest.mark.parametrize(
        "ending",
        [
            RecordDecline(staff_id=MEDIATOR, now=ANSWERED_AT),
            WakeUp(now=NOW + timedelta(days=30)),
            HoldMediation(now=ANSWERED_AT),
            TakeBackMediation(now=ANSWERED_AT),
        ],
        ids=["declined", "time is over", "held", "taken back"],
    )
    def test_end_under_its_number(
        self,
        before: tuple[MediationCommand, ...],
        answer_by_on: date,
        ending: MediationCommand,
    ) -> None:
        assert answer_by_on
        invited = () if before != (AT_NIGHT,) else (WakeUp(now=ANSWERED_AT),)
        ended = DECIDER.decide(ending, DECIDER.fold(lived(*before, AGAIN, *invited)))[-1]
        assert isinstance(ended, MediationFailed | MediationClosed)
        assert ended.referral == 6


class TestItsFigure:
    def test_is_what_the_borrower_is_invited_about(self) -> None:
        history = lived(AT_NIGHT, AGAIN, WakeUp(now=ANSWERED_AT))
        (invited,) = (event for event in history if isinstance(event, BorrowerInvited))
        assert invited.overdue_minor == 90_000

    @pytest.mark.parametrize("before", [(TAKE, heard(10_000)), (TAKE, heard(10_000), LESS)])
    def test_has_taken_off_what_was_heard_before_it(
        self, before: tuple[MediationCommand, ...]
    ) -> None:
        other = offer(85_000)
        for after, owed_minor in (((), 90_000), ((heard(4_000, "p2"),), 86_000)):
            (proposed,) = DECIDER.decide(other, DECIDER.fold(lived(*before, AGAIN, *after)))
            assert isinstance(proposed, AgreementProposed)
            assert proposed.inputs.owed_minor == owed_minor

    def test_is_what_the_borrower_offers_to_pay(self) -> None:
        offers = replace(ACCEPT, instalments=(replace(APRIL, amount_minor=90_000),))
        proposed = DECIDER.decide(offers, DECIDER.fold(lived(TAKE, heard(10_000), AGAIN)))[-1]
        assert isinstance(proposed, AgreementProposed)
        assert (proposed.settlement_minor, proposed.credited_minor) == (90_000, 0)
        assert proposed.counts_from_on == date(2026, 3, 4)

    def test_is_asked_for_after_a_hold(self) -> None:
        history = lived(TAKE, heard(10_000), AGAIN, HoldMediation(now=ANSWERED_AT))
        taken = DECIDER.decide(ResumeMediation(now=ANSWERED_AT), DECIDER.fold(history))[0]
        assert isinstance(taken, MediationTaken)
        assert (taken.round, taken.referral, taken.overdue_minor) == (2, 6, 90_000)


def test_what_is_proposed_may_still_be_signed_with_all_its_money() -> None:
    history = lived(TAKE, heard(10_000), ACCEPT, SIGNED[0], AGAIN, heard(4_000, "p2"), SIGNED[1])
    assert isinstance(DECIDER.fold(history), InForce)
    (paid,) = (event for event in history if isinstance(event, InstalmentPaid))
    assert paid.amount_minor == 14_000


def test_a_payment_of_before_is_not_counted_again() -> None:
    given(*lived(TAKE, heard(10_000), AGAIN)).when(heard(10_000)).then_nothing_happens()
