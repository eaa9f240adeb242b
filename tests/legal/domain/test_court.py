"""A court that says nothing: the lawyers are told once, and nothing else follows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ClaimCommand,
    EndSuit,
    EnterJudgment,
    NoteDemand,
    PauseClaim,
    RegisterClaim,
    TakeClaim,
    WakeUp,
    Withhold,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import ClaimEvent
from arrears.legal.domain.claim.suit_events import ClaimRegistered, CourtSilenceNoted
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.policy import FilingRule, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.service.workdays import workdays_of
from arrears.shared.testing.decider_spec import DeciderSpec

CALENDAR = BankCalendar("Asia/Shanghai")
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
DEMAND = NoteDemand(
    case_id=CASE, loan_key=LOAN, total_minor=3_700_000, currency="CNY", delivered_at=NOW, now=NOW
)
TAKE = TakeClaim(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BorrowerId("borrower-1"),
    referral=6,
    overdue_minor=3_800_000,
    balance_minor=9_000_000,
    currency="CNY",
    due_on=date(2025, 11, 20),
    days_past_due=102,
    now=NOW,
)
FILED = (DEMAND, TAKE)
REGISTER = RegisterClaim(docket="d-1", gateway="sandbox", now=NOW + timedelta(days=2))
JUDGE = EnterJudgment(
    awarded_minor=3_800_000, currency="CNY", obey_by_on=date(2026, 12, 1), now=NOW
)

policy = load_policies().on(NOW.date())
PROMPT = replace(
    policy,
    filing=FilingRule(approval_from_minor=None),
    enforcement=replace(policy.enforcement, booking_days_max=0),
)
"""Without days to pay and to book, which have tables of their own: time to pay, booking."""
decider = make_claim_decider(
    PolicyBook([PROMPT]), CALENDAR, workdays_of("CN"), announced_until=2026
)
given = DeciderSpec(decider).given


def lived(*commands: ClaimCommand) -> Sequence[ClaimEvent]:
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def wake_on(day: date) -> WakeUp:
    return WakeUp(now=CALENDAR.start_of(day))


def silence(awaited: str, answer_by_on: date, derivation: Derivation) -> CourtSilenceNoted:
    return CourtSilenceNoted(
        case_id=CASE,
        loan_key=LOAN,
        awaited=awaited,
        answer_by_on=answer_by_on,
        filed_on=date(2026, 3, 2),
        derivation=derivation,
    )


def derived(rule: str, start_on: date, moved_from_on: date | None = None) -> Derivation:
    return Derivation(rule=rule, start_on=start_on, moved_from_on=moved_from_on, provisional=False)


@pytest.mark.parametrize(
    ("history", "last_day", "awaited", "derivation"),
    [
        (FILED, date(2026, 3, 9), "registration", derived("7d", date(2026, 3, 2))),
        (
            (*FILED, REGISTER),
            date(2026, 9, 4),
            "judgment",
            derived("6m", date(2026, 3, 4)),
        ),
        (
            (*FILED, wake_on(date(2026, 3, 10)), REGISTER),
            date(2026, 9, 4),
            "judgment",
            derived("6m", date(2026, 3, 4)),
        ),
    ],
    ids=["registers within 7 days", "judges within 6 months", "each is waited for on its own"],
)
def test_a_court_that_is_late_is_noted_once(
    history: Sequence[ClaimCommand], last_day: date, awaited: str, derivation: Derivation
) -> None:
    events = lived(*history)
    first = last_day + timedelta(days=1)
    assert given(*events).is_due(NOW + timedelta(days=3)) == CALENDAR.start_of(first)
    given(*events).when(wake_on(last_day)).then_nothing_happens()
    said = silence(awaited, last_day, derivation)
    given(*events).when(wake_on(first)).then(said)
    given(*events, said).when(wake_on(first + timedelta(days=400))).then_nothing_happens()
    assert given(*events, said).is_due(CALENDAR.start_of(first)) is None


def test_its_last_day_moves_to_a_workday() -> None:
    at = datetime(2026, 2, 9, 1, 30, tzinfo=UTC)
    early = (replace(DEMAND, delivered_at=at, now=at), replace(TAKE, now=at))
    # New Year's days off last from 15 to 23 February.
    (said,) = decider.decide(wake_on(date(2026, 2, 25)), decider.fold(lived(*early)))
    assert isinstance(said, CourtSilenceNoted)
    assert said.answer_by_on == date(2026, 2, 24)
    assert said.derivation == derived("7d", date(2026, 2, 9), date(2026, 2, 16))
    given(*lived(*early)).when(wake_on(date(2026, 2, 24))).then_nothing_happens()


def test_a_registration_of_before_its_day_was_kept_counts_from_the_filing() -> None:
    old = ClaimRegistered(case_id=CASE, loan_key=LOAN, docket="d-1", gateway="sandbox")
    woken = given(*lived(*FILED), old).is_due(NOW)
    assert woken == CALENDAR.start_of(date(2026, 9, 3))


@pytest.mark.parametrize(
    "answer",
    [
        JUDGE,
        EndSuit(
            result="not_accepted",
            reason="the court said no",
            staff_id=StaffId("lawyer-3"),
            now=NOW,
        ),
    ],
    ids=["judged", "not accepted"],
)
def test_a_court_that_has_answered_is_waited_for_no_more(answer: ClaimCommand) -> None:
    woken = lived(*FILED, answer, wake_on(date(2026, 10, 1)))
    assert not any(isinstance(event, CourtSilenceNoted) for event in woken)


def test_a_hold_or_a_late_answer_changes_nothing_about_it() -> None:
    held = PauseClaim(reason="hardship", until_on=None, now=NOW)
    late = replace(JUDGE, now=CALENDAR.start_of(date(2026, 9, 20)))
    told = lived(*FILED, REGISTER, held, wake_on(date(2026, 9, 5)), late)
    assert [type(event).__name__ for event in told[-2:]] == ["CourtSilenceNoted", "JudgmentEntered"]


def test_a_suit_that_is_filed_again_is_waited_for_again() -> None:
    silent = wake_on(date(2026, 3, 10))
    ended = EndSuit(
        result="withdrawn", reason="filed elsewhere", staff_id=StaffId("lawyer-3"), now=silent.now
    )
    later = silent.now + timedelta(days=1)
    again = replace(TAKE, referral=7, now=later)
    told = lived(*FILED, silent, ended, again)
    state = decider.fold(told)
    assert not state.silence_noted
    assert decider.due(state, later) == CALENDAR.start_of(date(2026, 3, 19))


def test_one_that_had_not_reached_the_court_is_waited_for_anew() -> None:
    """The gateway was down for days: the request gave way, and is made again."""
    silent = wake_on(date(2026, 3, 10))
    later = silent.now + timedelta(hours=9)
    withheld = Withhold(filing=1, reason="news", looked_at=later, now=later)
    events = lived(*FILED, silent, withheld, WakeUp(now=later))
    assert given(*events).is_due(later) == CALENDAR.start_of(date(2026, 3, 18))
