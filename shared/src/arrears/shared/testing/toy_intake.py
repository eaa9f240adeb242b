"""The toy intake: readable lines, one stream a loan, a review at the last minute of the day.

What a line says (`what`) also decides whether our own code fails on it: that is how poison is made.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import ClassVar, Final

from msgspec import Raw, Struct, ValidationError
from msgspec.json import Decoder, encode
from msgspec.structs import replace

from arrears.shared.contracts.corebanking import BUSINESS_DAY_CLOSED
from arrears.shared.contracts.intake import CaseClosed, CaseHeld, CaseReferred, RepaymentRecorded
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.decider import SOON, Decider, Refused
from arrears.shared.kernel.ids import BorrowerId, CaseId, EventId, LoanKey, derived_id
from arrears.shared.kernel.reaction import Issue
from arrears.shared.runtime.stage import BadRecord, DayClosing, FeedFact

CALENDAR: Final = BankCalendar("Asia/Shanghai")


class WakeUp(Struct, frozen=True, kw_only=True):
    now: datetime


# --- The feed


class Line(Struct, frozen=True, kw_only=True):
    """`what`: overdue, repayment, cured; refuse, poison or poison_timer to see what follows."""

    id: str
    loan: str
    borrower: str | None
    time: datetime
    what: str
    amount: int = 1


class _Closing(Struct):
    type: str
    data: Raw


class _ClosingData(Struct):
    day: date
    first_day: date
    partition_count: int


def line(
    number: int | str,
    borrower: str | None,
    on: date,
    *,
    what: str = "overdue",
    hour: int = 9,
    amount: int = 1,
    loan: str = "",
) -> bytes:
    """A fact at an hour of a day in the bank's zone."""
    at = datetime.combine(on, time(hour), CALENDAR.zone).astimezone(UTC)
    return encode(
        Line(
            id=str(number),
            loan=loan or f"loan-of-{borrower}",
            borrower=borrower,
            time=at,
            what=what,
            amount=amount,
        )
    )


class ToyReader:
    """A FeedReader. Repayments are known by their own id, as the bank's are (protocol 2.4)."""

    _line: ClassVar = Decoder(Line)
    _closing: ClassVar = Decoder(_Closing)

    def read(self, value: bytes) -> FeedFact | DayClosing:
        try:
            if BUSINESS_DAY_CLOSED.encode() in value:
                data = Decoder(_ClosingData).decode(self._closing.decode(value).data)
                return DayClosing(data.day, data.first_day, data.partition_count)
            said = self._line.decode(value)
        except (ValidationError, ValueError) as error:
            raise BadRecord("not_readable") from error
        return FeedFact(
            fact_id=EventId(derived_id("fact", said.loan, said.id)),
            time=said.time,
            borrower_id=None if said.borrower is None else BorrowerId(said.borrower),
            loan=said.loan,
            body=said,
        )

    async def unlock(self, facts: Sequence[FeedFact]) -> None: ...

    def digest(self, fact: FeedFact) -> str:
        said = fact.body
        assert isinstance(said, Line)
        return f"{said.what}/{said.amount}/{said.time.isoformat()}"

    def issue(self, fact: FeedFact, *, home: BorrowerId, at: datetime, late: bool) -> Issue:
        assert isinstance(fact.body, Line)
        return Issue("intake.loan", fact.loan, Record(line=fact.body, now=at, late=late))

    def conflict(self, fact: FeedFact) -> BadRecord:
        return BadRecord("seen_with_other_content", "id")


# --- Intake: one loan


class FactRecorded(Struct, frozen=True, kw_only=True):
    loan_key: LoanKey
    case_id: CaseId | None
    what: str
    amount: int
    late: bool


class CaseOpened(Struct, frozen=True, kw_only=True):
    loan_key: LoanKey
    case_id: CaseId


class ReviewPlanned(Struct, frozen=True, kw_only=True):
    loan_key: LoanKey
    case_id: CaseId
    at: datetime


class StageReported(Struct, frozen=True, kw_only=True):
    loan_key: LoanKey
    case_id: CaseId
    referral: int


class Loan(Struct, frozen=True, kw_only=True):
    key: LoanKey = LoanKey("")
    case_id: CaseId | None = None
    episode: int = 0
    referral: int = 0
    open_referral: bool = False
    review_at: datetime | None = None
    spoilt: bool = False


class Record(Struct, frozen=True, kw_only=True):
    line: Line
    now: datetime
    late: bool


class Report(Struct, frozen=True, kw_only=True):
    case_id: CaseId
    referral: int


class Hold(Struct, frozen=True, kw_only=True):
    """A person's command."""

    reason: str


def _evolve_loan(loan: Loan, event: object) -> Loan:
    match event:
        case FactRecorded():
            spoilt = loan.spoilt or event.what == "poison_timer"
            loan = replace(loan, key=event.loan_key, spoilt=spoilt)
        case CaseOpened():
            loan = replace(loan, case_id=event.case_id, episode=loan.episode + 1)
        case ReviewPlanned():
            loan = replace(loan, review_at=event.at)
        case CaseReferred():
            loan = replace(loan, referral=event.referral, open_referral=True, review_at=None)
        case StageReported():
            loan = replace(loan, open_referral=False)
        case CaseClosed():
            loan = replace(loan, case_id=None, review_at=None, open_referral=False)
    return loan


def _record(command: Record, loan: Loan) -> Sequence[object]:
    said, key = command.line, LoanKey(command.line.loan)
    if said.what == "poison":
        raise ZeroDivisionError("our own code fails on this fact")
    if said.what == "refuse":
        raise Refused("contradictory", "amount")
    opens = said.what in ("overdue", "poison_timer") and loan.case_id is None
    case_id = CaseId(derived_id("case", key, str(loan.episode + 1))) if opens else loan.case_id
    events: list[object] = []
    if said.what == "repayment":
        events.append(
            RepaymentRecorded(
                loan_key=key,
                case_id=case_id,
                repayment_id=said.id,
                amount_minor=said.amount,
                currency="CNY",
                value_on=CALENDAR.day_of(said.time),
            )
        )
    else:
        events.append(
            FactRecorded(
                loan_key=key,
                case_id=case_id,
                what=said.what,
                amount=said.amount,
                late=command.late,
            )
        )
    if opens and case_id is not None:
        events.append(CaseOpened(loan_key=key, case_id=case_id))
    if said.what in ("overdue", "poison_timer") and case_id and not loan.open_referral:
        at = CALENDAR.last_minute_of(CALENDAR.day_of(command.now))
        if loan.review_at != at:
            events.append(ReviewPlanned(loan_key=key, case_id=case_id, at=at))
    if said.what == "cured" and case_id is not None:
        closed = CaseClosed(case_id=case_id, loan_key=key, reason="cured", closed_at=command.now)
        events.append(closed)
    return events


def _refer(loan: Loan) -> CaseReferred:
    assert loan.case_id is not None
    return CaseReferred(
        case_id=loan.case_id,
        loan_key=loan.key,
        episode=loan.episode,
        referral=loan.referral + 1,
        stage="contact",
        treatment="remind",
        reason="overdue",
        days_past_due=1,
        due_on=date(2024, 1, 1),
        overdue_minor=1,
        balance_minor=1,
        currency="CNY",
        product="loan",
        risk="low",
        policy_id="toy",
        policy_version=1,
    )


def _decide_loan(command: object, loan: Loan) -> Sequence[object]:
    match command:
        case Record():
            return _record(command, loan)
        case WakeUp():
            if loan.spoilt:
                raise ZeroDivisionError("our own code fails at the end of the day")
            due = loan.review_at is not None and loan.review_at <= command.now
            return [_refer(loan)] if due and loan.case_id is not None else ()
        case Report():
            if not loan.open_referral or loan.referral != command.referral:
                return ()
            case_id = command.case_id
            reported = StageReported(loan_key=loan.key, case_id=case_id, referral=command.referral)
            return [reported]
        case Hold():
            if loan.case_id is None:
                raise Refused("no_open_case")
            return [
                CaseHeld(
                    case_id=loan.case_id, loan_key=loan.key, reason=command.reason, until_on=None
                )
            ]
    return ()


def _due_loan(loan: Loan, after: datetime) -> datetime | None:
    return None if loan.review_at is None else max(loan.review_at, after + SOON)


LOANS: Final[Decider[Loan, object, object]] = Decider(
    category="intake.loan",
    initial=Loan(),
    evolve=_evolve_loan,
    decide=_decide_loan,
    due=_due_loan,
    wake=lambda now: WakeUp(now=now),
)
