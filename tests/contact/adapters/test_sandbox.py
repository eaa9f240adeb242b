"""The sandbox gateway: a permit goes out, a receipt and an outcome come back."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from arrears.contact.adapters.sandbox import SandboxGateway
from arrears.contact.application.effects import (
    Answer,
    OutcomeAnswer,
    ReceiptAnswer,
    effect_of,
    on_answer,
)
from arrears.contact.domain.borrower.commands import NoteOutcome, NoteReceipt
from arrears.contact.domain.borrower.events import AttemptPermitted, BorrowerEvent
from arrears.contact.domain.values import ContactPoint
from arrears.contact.testing.borrower import (
    ADDRESS,
    BORROWER,
    EVENING,
    PHONE,
    PROFILE,
    until_permit,
)
from arrears.shared.kernel.ids import BorrowerId, EventId, StreamName
from arrears.shared.kernel.reaction import EffectRequest


def permitted(treatment: str = "call") -> AttemptPermitted:
    _, permit = until_permit(treatment)
    return permit


def request_of(event: BorrowerEvent) -> EffectRequest:
    assert isinstance(event, AttemptPermitted)
    return EffectRequest(
        id=EventId(f"event-{event.attempt_id}"),
        stream=StreamName("contact.borrower-borrower-1"),
        borrower_id=BORROWER,
        at=event.permitted_at,
        event=event,
    )


def test_only_a_permit_asks_for_anything() -> None:
    events, _ = until_permit()
    assert [effect_of(event) for event in events] == [None, None, None, "call"]


@pytest.mark.parametrize("treatment", ["remind", "call", "demand", "visit"])
async def test_a_permitted_attempt_is_receipted_and_concluded(treatment: str) -> None:
    request = request_of(permitted(treatment))
    (answers,) = await SandboxGateway(7).carry_out([request])
    receipt, outcome = answers
    assert isinstance(receipt.body, ReceiptAnswer)
    assert receipt.body.gateway == "sandbox"
    assert isinstance(outcome.body, OutcomeAnswer)
    assert request.at <= receipt.at <= outcome.at
    assert receipt.at < request.at + timedelta(minutes=1)


async def test_the_same_request_gets_the_same_answers() -> None:
    request = request_of(permitted())
    gateway = SandboxGateway(7)
    assert gateway.honours_key
    assert gateway.sandbox
    assert await gateway.carry_out([request]) == await gateway.carry_out([request, request][:1])


async def test_answers_travel_as_json_and_become_commands() -> None:
    (answers,) = await SandboxGateway(7).carry_out([request_of(permitted())])
    commands = []
    for answer in answers:
        body = msgspec.json.decode(msgspec.json.encode(answer.body), type=Answer)
        assert body == answer.body
        commands.append(on_answer(body, answer.at))
    assert isinstance(commands[0], NoteReceipt)
    assert isinstance(commands[1], NoteOutcome)
    assert [command.now for command in commands if hasattr(command, "now")] == [
        answer.at for answer in answers
    ]


class Keys:
    """Opens everything but what was erased, and remembers what it was asked."""

    def __init__(self, erased: Sequence[str] = ()) -> None:
        self.erased = erased
        self.asked: list[tuple[BorrowerId, str]] = []

    async def __call__(self, points: Sequence[tuple[BorrowerId, str]]) -> Sequence[str | None]:
        self.asked.extend(points)
        return [None if sealed in self.erased else f"open {sealed}" for _, sealed in points]


async def test_the_point_is_opened_in_the_gateway_and_shows_nowhere_else() -> None:
    keys = Keys()
    answers = await SandboxGateway(7, keys).carry_out([request_of(permitted())])
    assert keys.asked == [(BORROWER, PHONE.sealed)]
    assert "open" not in repr(answers)


async def test_a_point_of_the_sandbox_needs_no_key() -> None:
    keys = Keys()
    own = replace(permitted(), point=ContactPoint(kind="phone", sealed="sandbox"))
    (answers,) = await SandboxGateway(7, keys).carry_out([request_of(own)])
    assert keys.asked == []
    assert len(answers) == 2


@pytest.mark.parametrize(
    ("treatment", "outcome"),
    [("remind", "returned"), ("call", "no_answer"), ("demand", "returned"), ("visit", "not_home")],
)
async def test_an_erased_point_reaches_nobody_and_gets_no_receipt(
    treatment: str, outcome: str
) -> None:
    keys = Keys(erased=[PHONE.sealed, ADDRESS.sealed])
    (answers,) = await SandboxGateway(7, keys).carry_out([request_of(permitted(treatment))])
    (answer,) = answers
    assert isinstance(answer.body, OutcomeAnswer)
    assert answer.body.outcome == outcome


async def test_other_events_are_no_request() -> None:
    request = EffectRequest(
        id=EventId("x"),
        stream=StreamName("s"),
        borrower_id=BORROWER,
        at=EVENING,
        event=PROFILE,
    )
    with pytest.raises(TypeError, match="ContactPointsRecorded"):
        await SandboxGateway(7).carry_out([request])
