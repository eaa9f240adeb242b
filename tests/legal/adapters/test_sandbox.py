"""A whole claim through the sandbox: every effect is answered, in time, and the same again."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec
import pytest

from arrears.legal.adapters.policies import load_policies
from arrears.legal.adapters.sandbox import SandboxCourt
from arrears.legal.application.effects import Answer, effect_of, on_answer
from arrears.legal.application.projections import case_list
from arrears.legal.domain.claim.commands import ClaimCommand, NoteRepayment
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import ClaimEvent, ClaimTaken
from arrears.legal.testing.claim import BORROWER, CALENDAR, CASE, TODAY, at, demanded, pay, referred
from arrears.shared.kernel.ids import EventId, stream_name
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest
from arrears.shared.service.workdays import workdays_of

NOW = at(TODAY, 23) + timedelta(minutes=59)
SEED = 7
CLAIM_MINOR = 3_800_000
DEMAND = demanded(TODAY - timedelta(days=60), total_minor=CLAIM_MINOR)
TAKE = referred(overdue_minor=CLAIM_MINOR, now=NOW)
decider = make_claim_decider(load_policies(), CALENDAR, workdays_of("CN"))


def request(event: ClaimEvent, at: datetime) -> EffectRequest:
    return EffectRequest(
        id=EventId(f"event-{type(event).__name__}"),
        stream=stream_name("legal.claim", CASE),
        borrower_id=BORROWER,
        at=at,
        event=event,
    )


def carry_out(asked: EffectRequest) -> Sequence[AnswerAt]:
    (answers,) = asyncio.run(SandboxCourt(SEED).carry_out([asked]))
    return answers


def live(*payments: NoteRepayment) -> tuple[ClaimEvent, ...]:
    """File a claim, then let payments, answers and timers come in order of time."""
    history: tuple[ClaimEvent, ...] = tuple(decider.decide(DEMAND, decider.initial))
    said = decider.decide(TAKE, decider.fold(history))
    waiting: list[AnswerAt] = [AnswerAt(at=payment.now, body=payment) for payment in payments]
    at = NOW
    while True:
        history = (*history, *said)
        for event in said:
            if effect_of(event) is not None:
                waiting += carry_out(request(event, at))
        state = decider.fold(history)
        due = decider.due(state, at)
        first = min(waiting, key=lambda answer: answer.at, default=None)
        if first is not None and (due is None or first.at <= due):
            waiting.remove(first)
            at = max(at, first.at)
            said = decider.decide(command_of(first.body, at), state)
        elif due is not None and decider.wake is not None:
            at = due
            said = decider.decide(decider.wake(at), state)
        else:
            return history


def command_of(body: object, at: datetime) -> ClaimCommand:
    if isinstance(body, NoteRepayment):
        return body
    return on_answer(msgspec.json.decode(msgspec.json.encode(body), type=Answer), at)


def row_of(history: Sequence[ClaimEvent]) -> case_list.Row:
    row: case_list.Row | None = None
    for event in history:
        row = case_list.evolve(row, event)
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("payments", "ending"),
    [
        ((), "no_assets"),
        ((pay(CLAIM_MINOR, date(2026, 4, 15)),), "obeyed"),
        ((pay(1_000_000, date(2026, 5, 10)),), "recovered_in_part"),
        (
            (pay(1_000_000, date(2026, 4, 10)), pay(2_800_000, date(2026, 5, 10))),
            "recovered_in_full",
        ),
    ],
)
def test_ends_by_the_money_that_the_feed_brings(
    payments: tuple[NoteRepayment, ...], ending: str
) -> None:
    row = row_of(live(*payments))
    assert (row.status, row.reason, row.expires_on) == ("closed", ending, None)
    assert row.paid_minor == sum(payment.amount_minor for payment in payments)


def test_the_same_requests_get_the_same_answers() -> None:
    assert live() == live()


def test_every_request_is_answered_after_it_was_made() -> None:
    for event in live():
        if effect_of(event) is not None:
            answers = carry_out(request(event, NOW))
            assert len(answers) == 2
            assert all(answer.at > NOW for answer in answers)


def test_what_asks_nothing_is_refused() -> None:
    taken = next(event for event in live() if isinstance(event, ClaimTaken))
    assert effect_of(taken) is None
    with pytest.raises(TypeError, match="ClaimTaken"):
        carry_out(request(taken, NOW))


def test_the_list_shows_a_filed_claim_with_its_fee() -> None:
    filed = live()[:3]
    row = row_of(filed)
    assert (row.status, row.claim_minor, row.court_fee_minor) == ("filed", CLAIM_MINOR, 75_000)


def test_a_demand_before_the_referral_makes_no_row() -> None:
    (noted,) = decider.decide(DEMAND, decider.initial)
    assert case_list.evolve(None, noted) is None
