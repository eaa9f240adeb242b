"""A whole mediation through the sandbox: every effect is answered, in time, and the same again."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from arrears.mediation.adapters.sandbox import SandboxMediator
from arrears.mediation.application.effects import Answer, effect_of, on_answer
from arrears.mediation.application.projections import case_list
from arrears.mediation.domain.mediation.events import MediationEvent, MediationTaken
from arrears.mediation.testing.case import AT_NIGHT, BORROWER, DECIDER
from arrears.shared.kernel.ids import CaseId, EventId, LoanKey, stream_name
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest

STRANGERS = LoanKey("loan-1@/core-banking/strangers")
NOW, SEED = AT_NIGHT.now, 7


def request(case_id: CaseId, event: MediationEvent, at: datetime) -> EffectRequest:
    return EffectRequest(
        id=EventId(f"{case_id}-{type(event).__name__}"),
        stream=stream_name("mediation.mediation", case_id),
        borrower_id=BORROWER,
        at=at,
        event=event,
    )


def carry_out(asked: EffectRequest) -> Sequence[AnswerAt]:
    (answers,) = asyncio.run(SandboxMediator(SEED).carry_out([asked]))
    return answers


def live(case_id: CaseId) -> tuple[MediationEvent, ...]:
    """Take a case and let answers and timers come in order of time, without any money."""
    take = replace(AT_NIGHT, case_id=case_id, loan_key=STRANGERS, overdue_minor=123_457)
    history: tuple[MediationEvent, ...] = tuple(DECIDER.decide(take, DECIDER.initial))
    waiting = answers_to(case_id, history, NOW)
    at = NOW
    while True:
        state = DECIDER.fold(history)
        due = DECIDER.due(state, at)
        first = min(waiting, key=lambda answer: answer.at, default=None)
        if first is not None and (due is None or first.at <= due):
            waiting.remove(first)
            body = msgspec.json.decode(msgspec.json.encode(first.body), type=Answer)
            at = max(at, first.at)
            said = DECIDER.decide(on_answer(body, at), state)
        elif due is not None and DECIDER.wake is not None:
            at = due
            said = DECIDER.decide(DECIDER.wake(at), state)
        else:
            return history
        history = (*history, *said)
        waiting += answers_to(case_id, said, at)


def answers_to(case_id: CaseId, events: Sequence[MediationEvent], at: datetime) -> list[AnswerAt]:
    return [
        answer
        for event in events
        if effect_of(event) is not None
        for answer in carry_out(request(case_id, event, at))
    ]


def test_strangers_decline_or_sign_and_do_not_pay_or_do_not_sign() -> None:
    endings = set()
    for number in range(60):
        history = live(CaseId(f"case-{number}"))
        last = history[-1]
        endings.add(getattr(last, "reason", type(last).__name__))
    assert endings == {"declined", "not_signed", "AgreementBreached"}


def test_the_same_request_gets_the_same_answers() -> None:
    assert live(CaseId("case-3")) == live(CaseId("case-3"))


def test_every_request_is_answered_after_it_was_made() -> None:
    for number in range(40):
        case_id = CaseId(f"case-{number}")
        for event in live(case_id):
            if effect_of(event) is not None:
                answers = carry_out(request(case_id, event, NOW))
                assert answers
                assert all(NOW < answer.at < NOW + timedelta(days=10) for answer in answers)


def test_what_asks_nothing_is_refused() -> None:
    taken = live(CaseId("case-1"))[0]
    assert isinstance(taken, MediationTaken)
    assert effect_of(taken) is None
    with pytest.raises(TypeError, match="MediationTaken"):
        carry_out(request(CaseId("case-1"), taken, NOW))


def test_the_row_of_the_list_follows_the_life() -> None:
    statuses = set()
    for number in range(60):
        row: case_list.Row | None = None
        for event in live(CaseId(f"case-{number}")):
            row = case_list.evolve(row, event)
        assert row is not None
        assert row.next_step_by_on is None
        statuses.add(row.status)
    assert statuses == {"failed", "breached"}


def test_an_offer_of_a_stranger_obeys_the_plan_policy() -> None:
    """Six parts 30 days apart that add up, whatever does not divide."""
    history = live(next(case for case in map(CaseId, map(str, range(99))) if signs(case)))
    assert "OfferRefused" not in {type(event).__name__ for event in history}
    assert date(2026, 3, 2) < max(
        instalment.due_on for event in history for instalment in getattr(event, "instalments", ())
    )


def signs(case_id: CaseId) -> bool:
    return any(type(event).__name__ == "AgreementSigned" for event in live(case_id))
