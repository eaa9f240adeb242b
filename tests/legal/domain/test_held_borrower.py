"""A hold of the person stands before every case of theirs: nothing new is asked of a court."""

from datetime import date, timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ClaimCommand,
    EndSuit,
    HoldBorrower,
    PauseClaim,
    ReleaseBorrower,
    ResumeClaim,
    WakeUp,
)
from arrears.legal.domain.claim.events import (
    BorrowerHeld,
    BorrowerReleased,
    ClaimResumed,
    FilingRefused,
)
from arrears.legal.domain.claim.suit_events import ClaimFiled, EnforcementApplied
from arrears.legal.testing.claim import (
    CASE,
    LAWYER,
    LOAN,
    NOW,
    SHIPPED,
    TAKE,
    TODAY,
    demanded,
    judged,
    lived_by,
    wake_on,
)
from arrears.shared.testing.decider_spec import DeciderSpec

lived = partial(lived_by, SHIPPED)
given = DeciderSpec(SHIPPED).given
LATER = NOW + timedelta(days=400)
DEMAND = demanded(now=NOW)
JUDGE = judged(date(2026, 4, 24), TODAY)
DEATH = HoldBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=NOW)
MORATORIUM = replace(DEATH, reason="moratorium")
NO_DEATH = ReleaseBorrower(reason="death", now=LATER)
NO_MORATORIUM = ReleaseBorrower(reason="moratorium", now=LATER)
HELD = PauseClaim(reason="death", until_on=None, now=NOW)
RESUMED = ResumeClaim(reason="released", now=LATER)

NOT_OBEYED = (DEMAND, TAKE, JUDGE, wake_on(date(2026, 4, 27)))


def test_it_is_noted_once_before_any_referral_and_so_is_its_end() -> None:
    held = BorrowerHeld(case_id=CASE, loan_key=LOAN, reason="death")
    given().when(DEATH).then(held)
    given(held).when(DEATH).then_nothing_happens()
    given(held).when(NO_DEATH).then(BorrowerReleased(case_id=CASE, loan_key=LOAN, reason="death"))
    given().when(NO_DEATH).then_nothing_happens()
    given(held).when(NO_MORATORIUM).then_nothing_happens()


@pytest.mark.parametrize(
    "before", [(DEATH, DEMAND, TAKE), (TAKE, DEATH, DEMAND)], ids=["known before", "told later"]
)
def test_nothing_is_filed_before_the_release(before: tuple[ClaimCommand, ...]) -> None:
    refused = lived(*before)[-1]
    assert isinstance(refused, FilingRefused)
    assert refused.missing == ("not_held",)
    assert isinstance(lived(*before, NO_DEATH)[-1], ClaimFiled)


def test_nothing_is_applied_for_before_the_release() -> None:
    history = lived(*NOT_OBEYED, DEATH)
    given(*history).when(wake_on(date(2026, 4, 28))).then_nothing_happens()
    apply = ApplyForEnforcement(staff_id=LAWYER, now=LATER)
    given(*history).when(apply).then_refused("case_is_held")
    released = lived(*NOT_OBEYED, DEATH, NO_DEATH)
    assert given(*released).is_due(LATER) == LATER + timedelta(microseconds=1)
    (applied,) = SHIPPED.decide(WakeUp(now=LATER), SHIPPED.fold(released))
    assert isinstance(applied, EnforcementApplied)


@pytest.mark.parametrize(
    ("holds", "ends"),
    [
        ((DEATH, MORATORIUM), (NO_DEATH, NO_MORATORIUM)),
        ((DEATH, MORATORIUM), (NO_MORATORIUM, NO_DEATH)),
        ((HELD, DEATH), (RESUMED, NO_DEATH)),
        ((HELD, DEATH), (NO_DEATH, RESUMED)),
    ],
)
def test_it_is_filed_when_the_last_hold_is_over(
    holds: tuple[ClaimCommand, ...], ends: tuple[ClaimCommand, ...]
) -> None:
    first, last = ends
    held = (TAKE, *holds, DEMAND)
    (noted,) = SHIPPED.decide(first, SHIPPED.fold(lived(*held)))
    assert isinstance(noted, BorrowerReleased | ClaimResumed)
    assert isinstance(lived(*held, first, last)[-1], ClaimFiled)


def test_it_outlasts_a_suit_that_came_to_nothing() -> None:
    withdrawn = EndSuit(result="withdrawn", reason="papers", staff_id=LAWYER, now=NOW)
    again = replace(TAKE, referral=7)
    refused = lived(DEMAND, TAKE, DEATH, withdrawn, again)[-1]
    assert isinstance(refused, FilingRefused)
    assert refused.missing == ("not_held",)
