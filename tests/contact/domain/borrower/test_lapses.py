"""A promise that something stronger overtook is not broken: nobody was to be asked for money."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    ReleaseCase,
    ResumeContact,
    StopContact,
    WakeUp,
)
from arrears.contact.domain.borrower.events import BorrowerEvent
from arrears.contact.domain.borrower.promise_events import (
    PromiseBroken,
    PromiseKept,
    PromiseLapsed,
    PromisePartlyKept,
)
from arrears.contact.domain.values import PromiseId, StopKind
from arrears.contact.testing.borrower import (
    BORROWER,
    CASE,
    DUE_ON,
    EVENING,
    LOAN,
    OTHER,
    SHANGHAI,
    STAFF,
    claim_hardship,
    close,
    life,
    name_debtor,
    paid,
    promise,
    refer,
    stop_case,
    stop_person,
)
from arrears.shared.kernel.ids import CaseId

JUDGED_AT = datetime(2026, 3, 12, 0, 0, tzinfo=SHANGHAI).astimezone(UTC)
DAY_BEFORE = date(2026, 3, 11)
NEXT_EVENING = EVENING + timedelta(days=1)
VERDICTS = (PromiseKept, PromisePartlyKept, PromiseBroken, PromiseLapsed)


def stop(kind: StopKind, reason: str, case_id: CaseId = CASE, **changes: object) -> StopContact:
    """Said with the promise, and heard a day later."""
    command = stop_case(kind, reason, case_id, said_at=EVENING, now=NEXT_EVENING)
    return replace(command, **changes)


AGREED = stop("agreement", "agreement_signed")
HARDSHIP = claim_hardship(case_id=OTHER, now=NEXT_EVENING)
BREACHED = ResumeContact(
    kinds=("agreement",),
    scope="case",
    case_id=CASE,
    reason="agreement_breached",
    now=EVENING + timedelta(days=2),
)
LEFT = name_debtor(now=NEXT_EVENING)
CLOSED = close(reason="uncollectible", now=NEXT_EVENING)
PAID = paid(10_000, DUE_ON, now=EVENING + timedelta(days=7))


def verdict_on(*commands: BorrowerCommand, at: datetime = JUDGED_AT) -> BorrowerEvent:
    promised = life(refer(), refer("call", OTHER), promise())
    events = life(*commands, WakeUp(now=at), history=promised)
    (verdict,) = [event for event in events if isinstance(event, VERDICTS)]
    return verdict


@pytest.mark.parametrize(
    ("overtaken_by", "reason"),
    [
        (AGREED, "agreement"),
        (HARDSHIP, "hardship"),
        (stop("hold", "death"), "hold"),
        (stop("hold", "moratorium"), "hold"),
        (stop("hold", "hardship"), "hold"),
        (stop("hold", "death", OTHER), "hold"),
        (stop("hold", "moratorium", until_on=date(2026, 3, 12)), "hold"),
        (LEFT, "borrower_changed"),
        (replace(CLOSED, reason="cured"), "case_cured"),
        (replace(CLOSED, reason="settled"), "case_settled"),
    ],
)
def test_what_overtook_it_is_named(overtaken_by: BorrowerCommand, reason: str) -> None:
    assert verdict_on(overtaken_by) == PromiseLapsed(
        case_id=CASE,
        loan_key=LOAN,
        promise_id=PromiseId("case-1/promise-1"),
        paid_minor=0,
        reason=reason,
        judged_at=JUDGED_AT,
    )


def test_of_several_the_agreement_is_named() -> None:
    verdict = verdict_on(stop("hold", "death"), HARDSHIP, AGREED)
    assert isinstance(verdict, PromiseLapsed)
    assert verdict.reason == "agreement"


@pytest.mark.parametrize(
    "commands",
    [
        (),
        (stop("hold", "dispute"),),
        (stop("hold", "complaint"),),
        (stop_person("staff", "peace", now=NEXT_EVENING, recorded_by=STAFF),),
        (stop_person("parked", "legal", now=NEXT_EVENING),),
        (stop("agreement", "agreement_signed", OTHER),),
        (AGREED, BREACHED),
        (LEFT, replace(LEFT, debtor_id=BORROWER)),
        (CLOSED,),
        (stop("hold", "death"), ReleaseCase(case_id=CASE, reason="alive", now=JUDGED_AT)),
        (stop("hold", "moratorium", until_on=DAY_BEFORE),),
        (replace(HARDSHIP, review_on=date(2026, 3, 12)),),
    ],
)
def test_without_such_a_stop_at_its_judgement_it_is_broken(
    commands: Sequence[BorrowerCommand],
) -> None:
    assert isinstance(verdict_on(*commands), PromiseBroken)


def test_money_that_came_is_judged_by_the_money() -> None:
    assert isinstance(verdict_on(AGREED, PAID), PromisePartlyKept)
    assert isinstance(verdict_on(AGREED, replace(PAID, amount_minor=30_000)), PromiseKept)


@pytest.mark.parametrize(
    ("until_on", "verdict"), [(date(2026, 3, 12), PromiseLapsed), (DAY_BEFORE, PromiseBroken)]
)
def test_a_judgement_that_is_served_late_is_of_its_own_time(
    until_on: date, verdict: type[BorrowerEvent]
) -> None:
    held = stop("hold", "moratorium", until_on=until_on)
    assert isinstance(verdict_on(held, at=JUDGED_AT + timedelta(days=9)), verdict)


@pytest.mark.parametrize(
    ("until_on", "verdict"), [(None, PromiseLapsed), (DAY_BEFORE, PromiseBroken)]
)
def test_a_case_that_was_closed_meanwhile_is_judged_alike(
    until_on: date | None, verdict: type[BorrowerEvent]
) -> None:
    """Nothing lifts the stops of a closed case any more: their own end counts."""
    held = stop("hold", "moratorium", until_on=until_on)
    assert isinstance(verdict_on(held, CLOSED), verdict)
