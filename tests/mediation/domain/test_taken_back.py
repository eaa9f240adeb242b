"""What intake's return of a case does to talks and agreements."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import (
    CloseMediation,
    HoldMediation,
    MediationCommand,
    ResumeMediation,
    TakeBackMediation,
    WakeUp,
)
from arrears.mediation.domain.mediation.events import MediationTaken
from arrears.mediation.testing.case import (
    ACCEPT,
    ANSWERED_AT,
    AT_NIGHT,
    BREACHED,
    DECIDER,
    DECLINE,
    NOW,
    OFFER,
    TAKE,
    WILLING,
    both_sign,
    lived,
    pay,
)
from arrears.mediation.testing.said import closing
from arrears.shared.testing.decider_spec import DeciderSpec

SIGNED = both_sign(ANSWERED_AT)
PAY = pay(100_000, date(2026, 3, 30), heard_at=ANSWERED_AT)
HELD = HoldMediation(now=ANSWERED_AT)
TAKE_BACK = TakeBackMediation(now=ANSWERED_AT)

given = DeciderSpec(DECIDER).given


@pytest.mark.parametrize(
    "before",
    [
        (AT_NIGHT,),
        (TAKE,),
        (TAKE, WILLING),
        (TAKE, ACCEPT),
        (TAKE, ACCEPT, SIGNED[0]),
        (TAKE, HELD),
    ],
    ids=["not invited yet", "invited", "talking", "proposed", "signed by one", "held"],
)
class TestTalks:
    def test_end_without_a_failure(self, before: tuple[MediationCommand, ...]) -> None:
        given(*lived(*before)).when(TAKE_BACK).then(closing("taken_back"))

    def test_wait_for_nothing_and_nobody_afterwards(
        self, before: tuple[MediationCommand, ...]
    ) -> None:
        history = lived(*before, TAKE_BACK)
        assert given(*history).is_due(ANSWERED_AT) is None
        for late in (ACCEPT, *SIGNED, HELD, ResumeMediation(now=ANSWERED_AT), TAKE_BACK, PAY):
            given(*history).when(late).then_nothing_happens()
        given(*history).when(OFFER).then_refused("mediation_over")

    def test_a_later_referral_begins_another_round(
        self, before: tuple[MediationCommand, ...]
    ) -> None:
        history = lived(*before, TAKE_BACK)
        given(*history).when(replace(TAKE, now=ANSWERED_AT)).then_nothing_happens()
        again = DECIDER.decide(replace(TAKE, referral=5, now=ANSWERED_AT), DECIDER.fold(history))
        assert isinstance(again[0], MediationTaken)
        assert (again[0].round, again[0].referral) == (2, 5)


@pytest.mark.parametrize(
    "before",
    [
        (TAKE, DECLINE),
        (TAKE, WakeUp(now=NOW + timedelta(days=17))),
        (TAKE, ACCEPT, *SIGNED, PAY),
        BREACHED,
        (TAKE, CloseMediation(reason="cured", now=ANSWERED_AT)),
    ],
    ids=["declined", "no answer", "fulfilled", "breached", "closed"],
)
def test_an_echo_of_what_mediation_said_itself_changes_nothing(
    before: tuple[MediationCommand, ...],
) -> None:
    history = lived(*before)
    assert given(*history).is_due(NOW + timedelta(days=60)) is None
    given(*history).when(TAKE_BACK).then_nothing_happens()


def test_an_agreement_in_force_stays_in_force() -> None:
    given(*lived(TAKE, ACCEPT, *SIGNED)).when(TAKE_BACK).then_nothing_happens()


def test_a_case_that_mediation_never_had_is_not_taken_back() -> None:
    given().when(TAKE_BACK).then_nothing_happens()
