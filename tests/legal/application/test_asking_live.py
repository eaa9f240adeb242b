"""Under the live clock the court is asked only for what may still be asked of it.

The real stage on the kernel's own owner; store, bus and gateway are in memory.
"""

from datetime import date, timedelta
from typing import Any

import pytest

from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    EndSuit,
    EnterJudgment,
    NoteDemand,
)
from arrears.legal.domain.claim.suit_events import ClaimFiled, EnforcementApplied
from arrears.shared.contracts.intake import (
    CaseClosed,
    CaseHeld,
    CaseReleased,
    CaseReturned,
    RepaymentRecorded,
)
from arrears.shared.kernel.ids import CaseId, LoanKey
from arrears.shared.service.rederiving import rederive
from arrears.shared.testing.alone import STAFF, local

CASE = CaseId("case-1")
LOAN = LoanKey("loan-1")

CURED = CaseClosed(case_id=CASE, loan_key=LOAN, reason="cured", closed_at=local(2, 12))
HELD = CaseHeld(case_id=CASE, loan_key=LOAN, reason="death", until_on=None)
RELEASED = CaseReleased(case_id=CASE, loan_key=LOAN, reason="heirs_found")
RETURNED = CaseReturned(case_id=CASE, loan_key=LOAN, stage="legal", result="taken_back")


def paid(amount_minor: int, day: int) -> RepaymentRecorded:
    return RepaymentRecorded(
        loan_key=LOAN,
        case_id=CASE,
        repayment_id=f"pay-{day}",
        amount_minor=amount_minor,
        currency="CNY",
        value_on=date(2026, 3, day),
        stated_at=local(day, 9),
    )


FILED = ["demand_noted", "claim_taken", "claim_filed"]
BEHIND = len(FILED)


async def test_with_nothing_new_the_court_is_asked(legal: Any) -> None:
    await legal.refer()
    await legal.go_on()
    assert len(legal.gateway.asked) == 1
    assert legal.nouns() == [*FILED, "claim_registered"]


async def test_days_later_too_the_court_is_asked_once_where_nothing_came(legal: Any) -> None:
    await legal.filed_without_a_court()
    await legal.the_court_is_there(local(6, 10))
    assert len(legal.gateway.asked) == 1
    assert legal.nouns() == [*FILED, "claim_registered"]


async def test_who_has_paid_meanwhile_is_not_sued(legal: Any) -> None:
    """The case was closed while the filing waited; the court has never heard of it."""
    await legal.filed_without_a_court()
    legal.time = local(3, 9)
    await legal.say(paid(3_800_000, 3), CURED)
    await legal.go_on()
    assert legal.nouns() == FILED
    await legal.the_court_is_there(local(5, 10))
    assert legal.gateway.asked == []
    assert legal.nouns()[BEHIND:] == ["filing_withheld", "limitation_interrupted", "claim_closed"]
    assert legal.last("filing_withheld")["reason"] == "news"
    assert not legal.store.effect_rows
    assert not legal.store.agenda_rows


async def test_what_came_while_the_worker_was_down_is_heard_first(legal: Any) -> None:
    """It lies in Kafka and no row of ours tells of it; a worker's first poll brings nothing yet."""
    await legal.filed_without_a_court()
    legal.time = local(3, 9)
    await legal.say(CURED)
    legal.time = local(5, 10)
    await legal.restart()
    assert not await legal.owner.act()
    await legal.go_on()
    assert legal.gateway.asked == []
    assert legal.nouns()[BEHIND:] == ["filing_withheld", "claim_closed"]


async def test_a_part_payment_is_taken_off_before_it_is_filed_again(legal: Any) -> None:
    await legal.filed_without_a_court()
    legal.time = local(3, 9)
    await legal.say(paid(800_000, 3))
    await legal.the_court_is_there(local(3, 10))
    assert legal.nouns()[BEHIND:] == [
        "filing_withheld",
        "limitation_interrupted",
        "claim_filed",
        "claim_registered",
    ]
    [asked] = legal.gateway.asked
    assert isinstance(asked.event, ClaimFiled)
    assert (asked.event.claim_minor, asked.event.filing) == (3_000_000, 2)
    assert asked.event.filed_on == date(2026, 3, 3)


async def test_who_is_held_is_sued_after_the_release(legal: Any) -> None:
    await legal.filed_without_a_court()
    legal.time = local(2, 18)
    await legal.say(HELD)
    await legal.the_court_is_there(local(4, 10))
    assert legal.gateway.asked == []
    assert legal.nouns()[BEHIND:] == ["filing_withheld", "claim_paused", "filing_refused"]
    assert legal.last("filing_refused")["missing"] == ["not_held"]
    await legal.say(RELEASED)
    await legal.go_on(local(9, 10))
    assert legal.nouns()[BEHIND + 3 :] == ["claim_resumed", "claim_filed", "claim_registered"]
    assert len(legal.gateway.asked) == 1


async def test_what_was_held_and_released_meanwhile_is_filed_again_once(legal: Any) -> None:
    """Each word would open the gate or shut it; it is looked at when all of them are heard."""
    await legal.filed_without_a_court()
    legal.time = local(3, 9)
    await legal.say(HELD, paid(100_000, 3), RELEASED, paid(200_000, 4))
    await legal.the_court_is_there(local(4, 10))
    assert legal.nouns().count("claim_filed") == 2
    assert legal.nouns().count("filing_withheld") == 1
    assert legal.last("claim_filed")["claim_minor"] == 3_500_000


async def test_a_case_that_was_taken_back_and_referred_again_is_not_lost(legal: Any) -> None:
    """Of a claim before the court both would only be noted, and intake would wait for ever."""
    await legal.filed_without_a_court()
    legal.time = local(3, 9)
    await legal.say(RETURNED)
    await legal.the_court_is_there(local(4, 10))
    assert legal.gateway.asked == []
    assert legal.nouns()[BEHIND:] == ["filing_withheld", "claim_returned"]
    legal.time = local(5, 10)
    await legal.filed_anew()
    assert legal.last("claim_filed")["claim_minor"] == 3_900_000
    assert len(legal.gateway.asked) == 1


async def test_what_a_lawyer_has_entered_meanwhile_stands(legal: Any) -> None:
    """Nobody was there to file it, so it was filed by hand: a gateway would file it twice."""
    await legal.filed_without_a_court()
    legal.time = local(3, 9)
    await legal.enter(
        EnterJudgment(
            awarded_minor=3_800_000,
            currency="CNY",
            obey_by_on=date(2026, 3, 20),
            staff_id=STAFF,
            now=legal.time,
        )
    )
    await legal.the_court_is_there(local(4, 10))
    assert legal.gateway.asked == []
    assert legal.nouns()[BEHIND:] == ["judgment_entered", "filing_withheld"]
    assert legal.last("filing_withheld")["reason"] == "overtaken"
    await legal.go_on(local(25, 10))
    await legal.go_on(local(26, 10))
    assert legal.nouns()[-3:] == ["judgment_not_obeyed", "enforcement_applied", "assets_searched"]


async def test_a_suit_that_was_withdrawn_meanwhile_is_not_filed(legal: Any) -> None:
    await legal.filed_without_a_court()
    legal.time = local(3, 9)
    await legal.enter(
        EndSuit(result="withdrawn", reason="the debtor died", staff_id=STAFF, now=legal.time)
    )
    await legal.the_court_is_there(local(4, 10))
    assert legal.gateway.asked == []
    assert legal.nouns()[BEHIND:] == ["claim_ended", "filing_withheld"]


async def test_a_newer_demand_gives_its_days_to_pay(legal: Any) -> None:
    """A lawyer's letter, entered while the filing waited."""
    await legal.filed_without_a_court()
    legal.time = local(3, 9)
    await legal.enter(
        NoteDemand(
            case_id=CASE,
            loan_key=LOAN,
            total_minor=3_800_000,
            currency="CNY",
            delivered_at=local(2, 15),
            staff_id=STAFF,
            now=legal.time,
        )
    )
    await legal.the_court_is_there(local(4, 10))
    assert legal.gateway.asked == []
    withheld = legal.last("filing_withheld")
    assert (withheld["reason"], withheld["missing"]) == ("not_allowed", ["time_to_pay_over"])
    assert withheld["limitation_expires_on"] == "2029-03-02"
    assert legal.nouns()[BEHIND + 1 :] == ["filing_withheld", "filing_refused"]
    await legal.go_on(local(18, 10))
    assert legal.nouns()[-2:] == ["claim_filed", "claim_registered"]
    assert len(legal.gateway.asked) == 1


async def test_what_may_have_left_and_may_go_no_more_is_in_doubt(legal: Any) -> None:
    """The line broke while the court was asked, and the case was cured since: staff find out."""
    await legal.refer()
    legal.gateway.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await legal.go_on()
    [filing] = legal.asked()
    legal.time = local(3, 9)
    await legal.say(CURED)
    await legal.the_court_is_there(local(3, 10))
    assert legal.asked() == [filing]
    assert legal.store.effect_rows[filing].in_doubt
    await legal.settle(filing, carried_out=False)
    await legal.go_on(local(3, 11))
    assert legal.asked() == [filing]
    assert legal.nouns()[BEHIND:] == ["doubt_settled", "filing_withheld", "claim_closed"]


async def test_what_may_have_left_is_asked_for_again_under_its_key(legal: Any) -> None:
    await legal.refer()
    legal.gateway.trouble.append(ConnectionError())
    with pytest.raises(ConnectionError):
        await legal.go_on()
    await legal.the_court_is_there(local(3, 10))
    assert len(legal.asked()) == 2
    assert len(set(legal.asked())) == 1
    assert legal.nouns() == [*FILED, "claim_registered"]


async def test_an_application_is_withheld_and_follows_again(legal: Any) -> None:
    """Enforcement that a lawyer asked for waits for the court; meanwhile the person is held."""
    await legal.not_obeyed()
    await legal.restart(gateway=False)
    await legal.enter(ApplyForEnforcement(staff_id=STAFF, now=legal.time))
    await legal.say(HELD)
    await legal.go_on()
    before = len(legal.nouns())
    assert legal.nouns()[-1] == "enforcement_applied"
    await legal.the_court_is_there(local(26, 15))
    assert legal.nouns()[before:] == ["enforcement_withheld", "claim_paused"]
    await legal.say(paid(800_000, 26), RELEASED)
    await legal.go_on(local(27, 10))
    assert legal.nouns()[before + 2 :] == [
        "payment_noted",
        "claim_resumed",
        "enforcement_applied",
        "assets_searched",
    ]
    applied = legal.last("enforcement_applied")
    assert (applied["unpaid_minor"], applied["recorded_by"]) == (3_000_000, STAFF)
    [asked] = [one for one in legal.gateway.asked if isinstance(one.event, EnforcementApplied)]
    assert asked.event.unpaid_minor == 3_000_000


async def test_after_a_rebuild_what_was_withheld_is_not_asked_for_any_more(legal: Any) -> None:
    """Other requests have had two answers and it had one: that is not one too few."""
    await legal.not_obeyed()
    await legal.restart(gateway=False)
    await legal.enter(ApplyForEnforcement(staff_id=STAFF, now=legal.time))
    await legal.say(HELD)
    await legal.go_on()
    await legal.the_court_is_there(local(26, 15))
    await legal.say(RELEASED)
    await legal.go_on(local(27, 10))
    await legal.go_on(local(31, 23))
    await legal.go_on(local(31, 23) + timedelta(days=2))
    assert legal.nouns().count("enforcement_applied") == 2
    assert legal.nouns()[-2:] == ["enforcement_closed", "claim_closed"]
    derived = await rederive(legal.stage, legal.store)
    assert derived.effects == []
    applied = legal.gateway.asked[-1].event
    assert (applied.filing, applied.application) == (1, 2)
