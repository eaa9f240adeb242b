"""The sandbox gateway: a permit goes out, a receipt and an outcome come back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.adapters.sandbox import SandboxGateway
from arrears.contact.application.effects import (
    Answer,
    OutcomeAnswer,
    ReceiptAnswer,
    effect_of,
    on_answer,
)
from arrears.contact.domain.borrower.commands import (
    NoteOutcome,
    NoteReceipt,
    RecordContactPoints,
    StartTreatment,
    WakeUp,
)
from arrears.contact.domain.borrower.decisions import make_borrower_decider
from arrears.contact.domain.borrower.events import AttemptPermitted, BorrowerEvent
from arrears.contact.domain.values import ContactPoint
from arrears.shared.kernel.ids import BorrowerId, CaseId, EventId, LoanKey, StreamName
from arrears.shared.kernel.reaction import EffectRequest

EVENING = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)
BORROWER = BorrowerId("borrower-1")
decider = make_borrower_decider(load_policies(), "Asia/Shanghai")
POINTS = (ContactPoint(kind="phone", sealed="sp"), ContactPoint(kind="address", sealed="sa"))


def life(treatment: str) -> list[BorrowerEvent]:
    events: list[BorrowerEvent] = []
    for command in (
        RecordContactPoints(
            borrower_id=BORROWER, points=POINTS, zone=None, language=None, now=EVENING
        ),
        StartTreatment(
            case_id=CaseId("case-1"),
            loan_key=LoanKey("loan-1@/bank"),
            borrower_id=BORROWER,
            referral=1,
            treatment=treatment,
            overdue_minor=50_000,
            currency="CNY",
            days_past_due=16,
            product="loan",
            now=EVENING,
        ),
    ):
        events.extend(decider.decide(command, decider.fold(events)))
    due = decider.due(decider.fold(events), EVENING)
    assert due is not None
    events.extend(decider.decide(WakeUp(now=due), decider.fold(events)))
    return events


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
    events = life("call")
    assert [effect_of(event) for event in events] == [None, None, None, "call"]


@pytest.mark.parametrize("treatment", ["remind", "call", "demand", "visit"])
async def test_a_permitted_attempt_is_receipted_and_concluded(treatment: str) -> None:
    events = life(treatment)
    request = request_of(events[-1])
    (answers,) = await SandboxGateway(7).carry_out([request])
    receipt, outcome = answers
    assert isinstance(receipt.body, ReceiptAnswer)
    assert receipt.body.gateway == "sandbox"
    assert isinstance(outcome.body, OutcomeAnswer)
    assert request.at <= receipt.at <= outcome.at
    assert receipt.at < request.at + timedelta(minutes=1)


async def test_the_same_request_gets_the_same_answers() -> None:
    request = request_of(life("call")[-1])
    gateway = SandboxGateway(7)
    assert gateway.honours_key
    assert gateway.sandbox
    assert await gateway.carry_out([request]) == await gateway.carry_out([request, request][:1])


async def test_answers_travel_as_json_and_become_commands() -> None:
    (answers,) = await SandboxGateway(7).carry_out([request_of(life("call")[-1])])
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
    answers = await SandboxGateway(7, keys).carry_out([request_of(life("call")[-1])])
    assert keys.asked == [(BORROWER, "sp")]
    assert "open" not in repr(answers)


async def test_a_point_of_the_sandbox_needs_no_key() -> None:
    permitted = life("call")[-1]
    assert isinstance(permitted, AttemptPermitted)
    keys = Keys()
    own = replace(permitted, point=ContactPoint(kind="phone", sealed="sandbox"))
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
    keys = Keys(erased=["sp", "sa"])
    (answers,) = await SandboxGateway(7, keys).carry_out([request_of(life(treatment)[-1])])
    (answer,) = answers
    assert isinstance(answer.body, OutcomeAnswer)
    assert answer.body.outcome == outcome


async def test_other_events_are_no_request() -> None:
    request = EffectRequest(
        id=EventId("x"),
        stream=StreamName("s"),
        borrower_id=BORROWER,
        at=EVENING,
        event=life("call")[0],
    )
    with pytest.raises(TypeError, match="ContactPointsRecorded"):
        await SandboxGateway(7).carry_out([request])
