"""Under the live clock no invitation leaves at night, whatever happened since it was decided.

The real stage on the kernel's own owner; store, bus and gateway are in memory.
"""

from collections.abc import Sequence
from datetime import datetime

import pytest

from arrears.mediation.application.effects import InvitationSent
from arrears.mediation.domain.mediation.commands import (
    CloseMediation,
    MediationCommand,
    RecordOffer,
    TakeMediation,
)
from arrears.mediation.domain.mediation.decisions import CATEGORY
from arrears.mediation.domain.mediation.events import (
    AgreementProposed,
    BorrowerInvited,
    InvitationWithdrawn,
    MediationClosed,
)
from arrears.mediation.domain.plan import Instalment
from arrears.mediation.main import make_stage
from arrears.shared.kernel.ids import CaseId, LoanKey
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Issue
from arrears.shared.testing.alone import BORROWER, STAFF, Alone, local

CASE = CaseId("case-1")


def offer(at: datetime) -> RecordOffer:
    return RecordOffer(
        settlement_minor=50_000,
        currency="CNY",
        instalments=(Instalment(due_on=local(30, 12).date(), amount_minor=50_000),),
        staff_id=STAFF,
        now=at,
    )


def receipt(request: EffectRequest) -> Sequence[AnswerAt]:
    if not isinstance(request.event, BorrowerInvited):
        return ()
    body = InvitationSent(round=request.event.round, receipt_id=request.id, gateway="post")
    return [AnswerAt(at=request.at, body=body)]


class Mediation(Alone):
    def __init__(self) -> None:
        super().__init__("mediation", make_stage, receipt, time=local(2, 17, 59))

    async def say(self, command: MediationCommand) -> None:
        await self.command(Issue(CATEGORY, CASE, command))

    async def take(self, at: datetime) -> None:
        self.time = at
        await self.say(
            TakeMediation(
                case_id=CASE,
                loan_key=LoanKey("loan-1"),
                borrower_id=BORROWER,
                referral=4,
                overdue_minor=50_000,
                currency="CNY",
                now=at,
            )
        )


@pytest.fixture
async def mediation() -> Mediation:
    found = Mediation()
    await found.start()
    return found


async def test_in_its_hours_it_leaves(mediation: Mediation) -> None:
    await mediation.take(local(2, 17, 59))
    await mediation.go_on()
    assert mediation.nouns() == ["mediation_taken", "borrower_invited", "invitation_receipted"]


async def test_what_is_taken_at_night_leaves_in_the_morning(mediation: Mediation) -> None:
    await mediation.take(local(2, 23, 30))
    await mediation.go_on(local(3, 8, 59))
    assert mediation.nouns() == ["mediation_taken"]
    await mediation.go_on(local(3, 9))
    assert mediation.nouns()[1:] == ["borrower_invited", "invitation_receipted"]


async def test_a_worker_that_comes_too_late_sends_it_the_next_morning(mediation: Mediation) -> None:
    """Decided in the hours, or as of the hours, and nobody was there to send it."""
    await mediation.take(local(2, 17, 59))
    await mediation.go_on(local(2, 20))
    assert mediation.gateway.asked == []
    assert mediation.nouns()[1:] == ["borrower_invited", "invitation_withdrawn"]
    assert mediation.last("invitation_withdrawn")["next_allowed_at"] == "2026-03-03T01:00:00Z"
    await mediation.go_on(local(3, 19))
    assert mediation.gateway.asked == []
    assert mediation.nouns()[3:] == ["borrower_invited", "invitation_withdrawn"]
    await mediation.go_on(local(4, 9))
    assert len(mediation.gateway.asked) == 1
    assert mediation.nouns()[5:] == ["borrower_invited", "invitation_receipted"]
    assert mediation.last("borrower_invited")["answer_by_on"] == "2026-03-19"


def test_a_rebuild_wants_no_further_answer_to_what_was_withdrawn(mediation: Mediation) -> None:
    assert {InvitationWithdrawn, MediationClosed} <= mediation.stage.ends_effect


async def test_a_case_that_was_closed_meanwhile_is_written_no_letter(mediation: Mediation) -> None:
    """Intake's word came by a way that the owner has not looked at since."""
    await mediation.take(local(2, 12))
    await mediation.say(CloseMediation(reason="cured", now=mediation.time))
    await mediation.go_on()
    assert mediation.gateway.asked == []
    assert mediation.nouns()[1:] == ["borrower_invited", "mediation_closed"]
    assert not mediation.store.effect_rows


async def test_what_may_have_left_is_asked_for_again_under_its_key(mediation: Mediation) -> None:
    """The line broke while it was sent; when we are back it is night."""
    await mediation.take(local(2, 17, 59))
    mediation.gateway.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await mediation.go_on()
    await mediation.restart()
    await mediation.go_on(local(2, 23))
    assert len({request.id for request in mediation.gateway.asked}) == 1
    assert mediation.nouns()[-1] == "invitation_receipted"


async def test_what_may_have_left_is_not_asked_for_again_once_the_talks_are_over(
    mediation: Mediation,
) -> None:
    """Neither the invitation nor the signatures."""
    await mediation.take(local(2, 12))
    mediation.gateway.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await mediation.go_on()
    await mediation.say(offer(mediation.time))
    await mediation.say(CloseMediation(reason="cured", now=mediation.time))
    await mediation.restart()
    await mediation.go_on(local(2, 13))
    assert len(mediation.gateway.asked) == 1
    assert not mediation.store.effect_rows
    assert mediation.nouns()[1:] == ["borrower_invited", "agreement_proposed", "mediation_closed"]


async def test_a_proposal_of_the_evening_leaves_and_the_invitation_does_not(
    mediation: Mediation,
) -> None:
    await mediation.take(local(2, 17, 59))
    mediation.time = local(2, 20)
    await mediation.say(offer(mediation.time))
    await mediation.go_on()
    [request] = mediation.gateway.asked
    assert isinstance(request.event, AgreementProposed)
    assert mediation.nouns()[1:] == [
        "borrower_invited",
        "agreement_proposed",
        "invitation_withdrawn",
    ]
    await mediation.go_on(local(3, 12))
    assert len(mediation.gateway.asked) == 1
