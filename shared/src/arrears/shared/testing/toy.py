"""Four stages small enough to read in a minute, for tests of the kernel alone.

They use every road that the kernel has: facts that open a case, a timer at the end of the day, a
referral that contact hears the same day, a notice that is an effect at ten the next morning, an
answer two hours later, a report that intake hears a day after, a hold that asks for no event where
nobody has announced it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from arrears.shared.contracts.contact import TreatmentCompleted
from arrears.shared.contracts.intake import CaseClosed, CaseHeld, CaseReferred, RepaymentRecorded
from arrears.shared.kernel.ids import TenantId
from arrears.shared.kernel.reaction import AnswerAt, EffectRequest, Heard, Issue
from arrears.shared.runtime.stage import Stage
from arrears.shared.testing.toy_desk import (
    Delivered,
    GaveWay,
    HoldAnnounced,
    HoldNoted,
    Noted,
    NoticePlanned,
    NoticeSent,
    NoticeWithheld,
    desk,
    note,
    react_contact,
)
from arrears.shared.testing.toy_intake import (
    CALENDAR,
    LOANS,
    CaseOpened,
    FactRecorded,
    Report,
    ReviewPlanned,
    StageReported,
    ToyReader,
)

TENANT: Final = TenantId("toy")
ANSWER_AFTER: Final = timedelta(hours=2)


def _react_intake(said: Any, heard: Heard, at: datetime) -> Sequence[Issue]:
    return [
        Issue("intake.loan", said.loan_key, Report(case_id=said.case_id, referral=said.referral))
    ]


def _subject_of(event: Any) -> str | None:
    found: str | None = getattr(event, "case_id", None)
    return found or None


def _names(service: str, *classes: type) -> dict[type, str]:
    found = {}
    for cls in classes:
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__).strip("_")
        found[cls] = getattr(cls, "WIRE_NAME", f"arrears.{service}.{snake}.v1")
    return found


def toy_stages() -> list[Stage]:
    """Intake, contact, mediation and legal, in the order of the business day."""
    common: Mapping[str, Any] = {
        "tenant": TENANT,
        "calendar": CALENDAR,
        "subject_of": _subject_of,
    }
    intake = Stage(
        name="intake",
        deciders={LOANS.category: LOANS},
        wire_names=_names(
            "intake",
            FactRecorded,
            CaseOpened,
            ReviewPlanned,
            CaseReferred,
            StageReported,
            CaseHeld,
            CaseClosed,
            RepaymentRecorded,
        ),
        hears=frozenset({TreatmentCompleted.WIRE_NAME}),
        react=_react_intake,
        feed=ToyReader(),
        **common,
    )
    contact = Stage(
        name="contact",
        deciders={"contact.borrower": desk("contact.borrower")},
        wire_names=_names(
            "contact", NoticePlanned, NoticeSent, NoticeWithheld, TreatmentCompleted, Noted
        ),
        hears=frozenset({CaseReferred.WIRE_NAME, RepaymentRecorded.WIRE_NAME}),
        react=react_contact,
        effect_of=lambda event: "letter" if isinstance(event, NoticeSent) else None,
        answer_type=Delivered | GaveWay,
        on_answer=lambda answer, _at: answer,
        unanswered=lambda event: [_delivered(event)],
        **common,
    )
    others = [
        Stage(
            name=name,
            deciders={f"{name}.desk": desk(f"{name}.desk")},
            wire_names=_names(name, Noted, HoldAnnounced, HoldNoted),
            hears=frozenset(
                {TreatmentCompleted.WIRE_NAME, CaseClosed.WIRE_NAME, CaseHeld.WIRE_NAME}
            ),
            react=note(f"{name}.desk"),
            **common,
        )
        for name in ("mediation", "legal")
    ]
    return [intake, contact, *others]


def stages_that_give_way() -> list[Stage]:
    """The same, but that a letter of contact gives way to what was heard behind it."""
    return [
        replace(stage, recheck=_no_objection, gives_way=_gave_way)
        if stage.name == "contact"
        else stage
        for stage in toy_stages()
    ]


def _no_objection(_sent: Any, _desk: Any, _at: datetime, _sent_before: bool) -> None:
    return None


def _gave_way(sent: NoticeSent, at: datetime) -> GaveWay:
    return GaveWay(
        case_id=sent.case_id, loan_key=sent.loan_key, referral=sent.referral, looked_at=at
    )


class ToyGateway:
    """Delivers every letter two hours after it was asked for; remembers what it was asked."""

    sandbox = True

    def __init__(self, *, honours_key: bool = True) -> None:
        self.honours_key = honours_key
        self.asked: list[EffectRequest] = []
        self.trouble: list[Exception] = []
        """What the next calls raise, once each, after the letter has gone out."""

    async def carry_out(self, requests: Sequence[EffectRequest]) -> Sequence[Sequence[AnswerAt]]:
        self.asked.extend(requests)
        if self.trouble:
            raise self.trouble.pop(0)
        return [[self._answer(request)] for request in requests]

    def _answer(self, request: EffectRequest) -> AnswerAt:
        event = request.event
        assert isinstance(event, NoticeSent)
        return AnswerAt(at=request.at + ANSWER_AFTER, body=_delivered(event))


def _delivered(event: NoticeSent) -> Delivered:
    return Delivered(case_id=event.case_id, loan_key=event.loan_key, referral=event.referral)
