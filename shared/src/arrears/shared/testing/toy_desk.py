"""The toy desks: one stream a borrower, whose notices go out at ten the next morning.

A hold is noted where staff of that desk have announced it, and otherwise leads to no event.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from arrears.shared.contracts.contact import TreatmentCompleted
from arrears.shared.contracts.intake import CaseHeld, CaseReferred
from arrears.shared.kernel.decider import SOON, Decider
from arrears.shared.kernel.ids import CaseId, LoanKey
from arrears.shared.kernel.reaction import Heard, Issue
from arrears.shared.testing.toy_intake import CALENDAR, WakeUp


class NoticePlanned(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    send_at: datetime


class NoticeSent(Struct, frozen=True, kw_only=True):
    """The effect."""

    case_id: CaseId
    loan_key: LoanKey
    referral: int


class NoticeWithheld(Struct, frozen=True, kw_only=True):
    """It has not left, for something was heard behind it; it is planned anew for `send_at`."""

    case_id: CaseId
    loan_key: LoanKey
    referral: int
    send_at: datetime


class Noted(Struct, frozen=True, kw_only=True):
    """Something heard that asks for nothing; `number` counts them."""

    subject: str
    what: str
    number: int


class HoldAnnounced(Struct, frozen=True, kw_only=True):
    reason: str


class HoldNoted(Struct, frozen=True, kw_only=True):
    """The hold that was announced has been heard."""

    reason: str


class Delivered(Struct, frozen=True, kw_only=True, tag="delivered", tag_field="answer"):
    case_id: CaseId
    loan_key: LoanKey
    referral: int


class GaveWay(Struct, frozen=True, kw_only=True, tag="gave_way", tag_field="answer"):
    case_id: CaseId
    loan_key: LoanKey
    referral: int
    looked_at: datetime


class Desk(Struct, frozen=True, kw_only=True):
    """`waiting` are notices not sent yet, `out` those without an answer, `announced` the reasons of
    holds."""

    waiting: tuple[NoticePlanned, ...] = ()
    out: tuple[NoticeSent, ...] = ()
    announced: frozenset[str] = frozenset()
    notes: int = 0


class Plan(Struct, frozen=True, kw_only=True):
    planned: NoticePlanned


class SendNow(Struct, frozen=True, kw_only=True):
    """A person's command that asks for an effect."""

    case_id: CaseId


class Note(Struct, frozen=True, kw_only=True):
    subject: str
    what: str


class AnnounceHold(Struct, frozen=True, kw_only=True):
    """A person's command."""

    reason: str


class NoteHold(Struct, frozen=True, kw_only=True):
    reason: str


def _key(
    one: NoticePlanned | NoticeSent | NoticeWithheld | TreatmentCompleted | Delivered | GaveWay,
) -> tuple[CaseId, int]:
    return one.case_id, one.referral


def _evolve_desk(desk: Desk, event: object) -> Desk:
    match event:
        case NoticePlanned():
            return replace(desk, waiting=(*desk.waiting, event))
        case NoticeSent():
            left = tuple(one for one in desk.waiting if _key(one) != _key(event))
            return replace(desk, waiting=left, out=(*desk.out, event))
        case HoldAnnounced():
            return replace(desk, announced=desk.announced | {event.reason})
        case NoticeWithheld() | TreatmentCompleted():
            left_out = tuple(one for one in desk.out if _key(one) != _key(event))
            again = (_planned(event),) if isinstance(event, NoticeWithheld) else ()
            return replace(desk, out=left_out, waiting=(*desk.waiting, *again))
        case Noted():
            return replace(desk, notes=desk.notes + 1)
    return desk


def _sent(planned: NoticePlanned) -> NoticeSent:
    return NoticeSent(case_id=planned.case_id, loan_key=planned.loan_key, referral=planned.referral)


def _planned(withheld: NoticeWithheld) -> NoticePlanned:
    return NoticePlanned(
        case_id=withheld.case_id,
        loan_key=withheld.loan_key,
        referral=withheld.referral,
        send_at=withheld.send_at,
    )


def _is_wanted(notice: NoticePlanned, command: WakeUp | SendNow) -> bool:
    if isinstance(command, SendNow):
        return notice.case_id == command.case_id
    return notice.send_at <= command.now


def _answered(answer: Delivered | GaveWay, desk: Desk) -> Sequence[object]:
    if all(_key(one) != _key(answer) for one in desk.out):
        return ()
    if isinstance(answer, GaveWay):
        return [
            NoticeWithheld(
                case_id=answer.case_id,
                loan_key=answer.loan_key,
                referral=answer.referral,
                send_at=answer.looked_at,
            )
        ]
    return [
        TreatmentCompleted(
            case_id=answer.case_id,
            loan_key=answer.loan_key,
            referral=answer.referral,
            treatment="remind",
            result="reached",
        )
    ]


def _of_a_hold(command: AnnounceHold | NoteHold, desk: Desk) -> Sequence[object]:
    if isinstance(command, AnnounceHold):
        return [HoldAnnounced(reason=command.reason)]
    return [HoldNoted(reason=command.reason)] if command.reason in desk.announced else ()


def _decide_desk(command: object, desk: Desk) -> Sequence[object]:
    match command:
        case Plan():
            return [command.planned]
        case WakeUp() | SendNow():
            return [_sent(one) for one in desk.waiting if _is_wanted(one, command)]
        case Delivered() | GaveWay():
            return _answered(command, desk)
        case Note():
            return [Noted(subject=command.subject, what=command.what, number=desk.notes + 1)]
        case AnnounceHold() | NoteHold():
            return _of_a_hold(command, desk)
    return ()


def _due_desk(desk: Desk, after: datetime) -> datetime | None:
    return min((max(one.send_at, after + SOON) for one in desk.waiting), default=None)


def react_contact(said: Any, heard: Heard, at: datetime) -> Sequence[Issue]:
    if isinstance(said, CaseReferred):
        morning = datetime.combine(
            CALENDAR.day_of(at) + timedelta(days=1), time(10), CALENDAR.zone
        ).astimezone(UTC)
        planned = NoticePlanned(
            case_id=said.case_id, loan_key=said.loan_key, referral=said.referral, send_at=morning
        )
        return [Issue("contact.borrower", heard.borrower_id, Plan(planned=planned))]
    return note("contact.borrower")(said, heard, at)


def note(category: str) -> Callable[[Any, Heard, datetime], Sequence[Issue]]:
    def react(said: Any, heard: Heard, at: datetime) -> Sequence[Issue]:
        if isinstance(said, CaseHeld):
            return [Issue(category, heard.borrower_id, NoteHold(reason=said.reason))]
        noun = heard.type.split(".")[2]
        return [Issue(category, heard.borrower_id, Note(subject=said.case_id or "", what=noun))]

    return react


def desk(category: str) -> Decider[Desk, object, object]:
    return Decider(
        category=category,
        initial=Desk(),
        evolve=_evolve_desk,
        decide=_decide_desk,
        due=_due_desk,
        wake=lambda now: WakeUp(now=now),
    )
