"""Under the live clock nothing unlawful leaves, whatever happened since the permit (protocol 3.7).

The real stage on the kernel's own owner; store, bus and gateway are in memory.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from arrears.contact.application.effects import ReceiptAnswer
from arrears.contact.application.handlers import stop_borrower
from arrears.contact.domain.borrower.commands import RecordContactPoints
from arrears.contact.domain.borrower.decisions import CATEGORY
from arrears.contact.domain.borrower.events import (
    AttemptAnsweredLate,
    AttemptConcluded,
    AttemptPermitted,
    AttemptWithdrawn,
)
from arrears.contact.domain.values import ContactPoint
from arrears.contact.main import make_stage
from arrears.contact.testing.borrower import refer
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Issue
from arrears.shared.runtime.effects import Effects
from arrears.shared.runtime.stage import Clock
from arrears.shared.testing.alone import BORROWER, HOME, SHANGHAI, STAFF, Alone, local


def receipt(request: EffectRequest) -> Sequence[AnswerAt]:
    event = request.event
    assert isinstance(event, AttemptPermitted)
    body = ReceiptAnswer(attempt_id=event.attempt_id, receipt_id=request.id, gateway="dialer")
    return [AnswerAt(at=request.at, body=body)]


class Contact(Alone):
    def __init__(self) -> None:
        super().__init__("contact", make_stage, receipt, time=local(2, 20))

    async def decide(self) -> None:
        """Everything but the gateway's turn."""
        await self.go_on(act=False)

    async def until_permit(self) -> datetime:
        """The next day's call is permitted; the clock stands at that moment."""
        profile = RecordContactPoints(
            borrower_id=BORROWER,
            points=(ContactPoint(kind="phone", sealed="p"),),
            zone="Asia/Shanghai",
            language=None,
            now=self.time,
        )
        referral = refer(now=self.time)
        for command in (profile, referral):
            await self.command(Issue(CATEGORY, BORROWER, command))
        await self.to_next_timer()
        assert self.nouns()[-1] == "attempt_permitted"
        return self.time

    async def to_next_timer(self) -> None:
        [timer] = self.store.timer_rows.values()
        assert timer.due_at is not None
        self.time = timer.due_at
        await self.decide()


@pytest.fixture
async def contact() -> Contact:
    found = Contact()
    await found.start()
    return found


async def test_a_permit_that_holds_lets_the_call_out(contact: Contact) -> None:
    await contact.until_permit()
    assert await contact.owner.act()
    await contact.decide()
    assert len(contact.gateway.asked) == 1
    assert contact.nouns()[-1] == "attempt_receipted"


async def test_the_clock_turned_quiet_while_the_call_waited(contact: Contact) -> None:
    await contact.until_permit()
    night = contact.time.astimezone(SHANGHAI).replace(hour=21, minute=0, second=1)
    contact.time = night.astimezone(UTC)
    assert await contact.owner.act()
    await contact.decide()
    assert contact.gateway.asked == []
    withdrawn = contact.last("attempt_withdrawn")
    assert withdrawn["rule"] == "quiet_hours"
    assert not contact.store.effect_rows
    await contact.to_next_timer()
    assert contact.nouns()[-2:] == ["attempt_withdrawn", "attempt_permitted"]
    permitted = contact.last("attempt_permitted")
    assert (permitted["attempt_id"], str(permitted["permitted_at"])[:13]) == (
        withdrawn["attempt_id"],
        str(withdrawn["next_allowed_at"])[:13],
    )
    assert await contact.owner.act()
    assert len(contact.gateway.asked) == 1


async def test_a_stop_that_only_the_store_has_seen_binds(contact: Contact) -> None:
    """A person stopped the contact through the API; the owner has not looked since."""
    await contact.until_permit()
    stop = stop_borrower(
        BORROWER, reason="complaint", until_on=None, staff_id=STAFF, now=contact.time
    )
    await contact.command(stop)
    assert await contact.owner.act()
    await contact.decide()
    assert contact.gateway.asked == []
    assert contact.last("attempt_withdrawn")["rule"] == "staff"
    assert contact.last("treatment_completed")["result"] == "stopped"


async def test_what_may_have_left_is_neither_asked_again_nor_called_withdrawn(
    contact: Contact,
) -> None:
    """The line broke after the call went out; when we are back it is night."""
    await contact.until_permit()
    contact.gateway.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await contact.owner.act()
    contact.time += timedelta(hours=14)
    await contact.restart()
    assert await contact.owner.act()
    await contact.decide()
    assert len(contact.gateway.asked) == 1
    assert contact.last("attempt_concluded")["outcome"] == "unknown"


async def test_what_may_have_left_is_asked_again_with_its_key_while_it_is_permitted(
    contact: Contact,
) -> None:
    await contact.until_permit()
    contact.gateway.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await contact.owner.act()
    await contact.restart()
    assert await contact.owner.act()
    assert len({request.id for request in contact.gateway.asked}) == 1


def test_a_rebuild_wants_no_further_answer_to_what_was_withdrawn_or_concluded(
    contact: Contact,
) -> None:
    assert {AttemptWithdrawn, AttemptConcluded, AttemptAnsweredLate} == contact.stage.ends_effect


@pytest.mark.parametrize(("clock", "asked"), [("feed", 1), ("live", 0)])
async def test_the_feeds_clock_looks_at_no_wall_clock(
    contact: Contact, clock: Clock, asked: int
) -> None:
    """No time passes in it between permit and sending: the same feed, the same history."""
    await contact.until_permit()
    codec = contact.owner.bench.codec
    midnight = contact.time + timedelta(hours=14)
    effects = Effects(
        contact.stage, contact.store, contact.gateway, codec, lambda: midnight, clock=clock
    )
    await effects.take([HOME])
    assert len(await effects.step()) == 1
    assert len(contact.gateway.asked) == asked
