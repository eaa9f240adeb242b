"""Laws that hold for every life of a loan: nothing twice, one event a fact, timers that mean it.

Lives are played from a seed through the decider itself, so that every state is one that can be
reached, and each state of each life is then tried with each kind of command.
"""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import msgspec
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from arrears.intake.application.publish import WIRE_NAMES
from arrears.intake.domain.loan.commands import (
    CloseCase,
    HoldCase,
    LoanCommand,
    RecordCured,
    RecordOverdue,
    RecordRepayment,
    ReferCase,
    ReleaseCase,
    ReportStage,
    ReturnCase,
    WakeUp,
)
from arrears.intake.domain.loan.events import (
    CaseHeld,
    CaseOpened,
    CaseReferred,
    CaseReleased,
    LoanCuredRecorded,
    LoanEvent,
    LoanOverdueRecorded,
    RepaymentRecorded,
)
from arrears.intake.domain.loan.state import Loan
from arrears.intake.testing.loan import (
    CALENDAR,
    DECIDER,
    WEI,
    command,
    cured,
    overdue,
    repayment,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import CaseId

START = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
FACTS = RecordOverdue | RecordRepayment | RecordCured
FACT_EVENTS = LoanOverdueRecorded | RepaymentRecorded | LoanCuredRecorded
REPORTS = (
    ("contact", "promise_made", None, None),
    ("contact", "promise_broken", None, None),
    ("contact", "promise_lapsed", None, None),
    ("contact", "refusal_reported", None, None),
    ("contact", "unreachable_reported", None, None),
    ("contact", "hardship_reported", None, None),
    ("contact", "demand_returned", None, None),
    ("mediation", "agreement_signed", None, None),
    ("mediation", "agreement_breached", "breached", "mediate"),
    ("mediation", "agreement_fulfilled", "fulfilled", "mediate"),
    ("mediation", "mediation_failed", "failed", "mediate"),
    ("legal", "filing_refused", None, None),
    ("legal", "judgment_obeyed", "obeyed", "sue"),
    ("legal", "enforcement_closed", "no_assets", "sue"),
    ("legal", "enforcement_closed", "recovered_in_full", "sue"),
    ("legal", "claim_ended", "dismissed", "sue"),
)


def some_fact(chance: random.Random, now: datetime, number: int) -> LoanCommand:
    told_at = now - timedelta(days=chance.choice([0, 0, 0, 0, 3, 40]))
    day = CALENDAR.day_of(told_at)
    late = told_at < now
    match chance.choice(["overdue", "overdue", "overdue", "repayment", "cured"]):
        case "overdue":
            days = chance.choice([1, 3, 10, 31, 50, 61, 95, 200])
            parts = chance.choice([(None, None, None), (60_000, 30_000, 10_000)])
            fact = overdue(
                day,
                days,
                fact_id=f"fact-{number}",
                stated_at=told_at,
                currency=chance.choice(["CNY"] * 9 + ["TWD"]),
                principal_minor=parts[0],
                interest_minor=parts[1],
                fees_minor=parts[2],
                balance_minor=chance.choice([900_000] * 9 + [0]),
            )
            return command(fact, now, late)
        case "repayment":
            amount_minor = chance.choice([-1, 1, 25_000, 150_000])
            named = {"fact_id": f"fact-{number}", "repayment_id": f"pay-{number}"}
            return command(repayment(day, amount_minor, stated_at=told_at, **named), now, late)
        case _:
            return command(cured(day, fact_id=f"fact-{number}", stated_at=told_at), now, late)


def some_report(chance: random.Random, loan: Loan, now: datetime, number: int) -> LoanCommand:
    case = loan.case
    case_id = case.case_id if case is not None else CaseId("none")
    if case is not None and case.awaiting and chance.random() < 0.6:
        return ReportStage(
            case_id=case_id,
            stage="contact",
            report="treatment_completed",
            report_id=f"report-{number}",
            now=now,
            result=chance.choice(["reached"] * 4 + ["unreachable", "stopped"]),
            treatment=case.treatment,
            referral=case.referral,
        )
    stage, report, result, treatment = chance.choice(REPORTS)
    return ReportStage(
        case_id=case_id,
        stage=stage,
        report=report,
        report_id=f"report-{number}",
        now=now,
        result=result,
        treatment=treatment,
        promise_id=chance.choice(["p-1", "p-2"]) if "promise" in report else None,
        until_on=CALENDAR.day_of(now) + timedelta(days=chance.randint(-3, 30)),
    )


def some_word_of_staff(chance: random.Random, loan: Loan, now: datetime) -> LoanCommand:
    case = loan.case
    case_id = case.case_id if case is not None else CaseId("none")
    match chance.randrange(8):
        case 0 | 6 | 7:
            days = chance.choice([None, 5, 5, 9])
            return HoldCase(
                case_id=case_id,
                reason=chance.choice(["dispute", "complaint", "hardship"]),
                until_on=None if days is None else CALENDAR.day_of(now) + timedelta(days=days),
                staff_id=WEI,
                now=now,
            )
        case 1 | 2:
            hold = chance.choice([None, "dispute", "complaint"])
            return ReleaseCase(case_id=case_id, reason="settled", staff_id=WEI, now=now, hold=hold)
        case 3:
            stage, treatment = chance.choice(
                [("contact", "visit"), ("mediation", "mediate"), ("legal", "sue")]
            )
            return ReferCase(
                case_id=case_id,
                stage=stage,
                treatment=treatment,
                reason="urgent",
                staff_id=WEI,
                now=now,
            )
        case 4:
            return ReturnCase(case_id=case_id, reason="mistake", staff_id=WEI, now=now)
        case _:
            return CloseCase(case_id=case_id, reason="no heirs", staff_id=WEI, now=now)


class Moment(msgspec.Struct, frozen=True):
    """One command in a life, what it met and what followed; None where it was refused."""

    before: Loan
    command: LoanCommand
    events: tuple[LoanEvent, ...] | None
    after: Loan


def settle(loan: Loan, now: datetime, until: datetime, moments: list[Moment]) -> Loan:
    """Let the timers between two instants fire, as the kernel does."""
    while (due := DECIDER.due(loan, now)) is not None and due <= until:
        assert due > now
        loan, now = step(loan, WakeUp(now=due), moments), due
    return loan


def step(loan: Loan, command: LoanCommand, moments: list[Moment]) -> Loan:
    try:
        events = tuple(DECIDER.decide(command, loan))
    except Refused:
        moments.append(Moment(loan, command, None, loan))
        return loan
    after = loan
    for event in events:
        after = DECIDER.evolve(after, event)
    moments.append(Moment(loan, command, events, after))
    return after


@lru_cache(maxsize=256)
def life(seed: int) -> tuple[Moment, ...]:
    chance = random.Random(seed)
    loan, now = DECIDER.initial, START
    moments: list[Moment] = []
    for number in range(40):
        later = now + timedelta(hours=chance.choice([0, 1, 9, 30, 200]))
        loan, now = settle(loan, now, later, moments), later
        kind = chance.random()
        if kind < 0.4:
            command = some_fact(chance, now, number)
        elif kind < 0.9:
            command = some_report(chance, loan, now, number)
        else:
            command = some_word_of_staff(chance, loan, now)
        loan = step(loan, command, moments)
    return tuple(moments)


LIVES = st.integers(0, 10_000).map(life)


@forall(moments=LIVES)
def test_a_command_delivered_twice_has_the_effect_of_once(moments: Sequence[Moment]) -> None:
    for moment in moments:
        if moment.events is None:
            continue
        try:
            again = tuple(DECIDER.decide(moment.command, moment.after))
        except Refused:
            again = ()
        assert again == ()


@forall(moments=LIVES)
def test_an_accepted_fact_leaves_exactly_one_fact_event_and_it_comes_first(
    moments: Sequence[Moment],
) -> None:
    for moment in moments:
        if moment.events is None:
            continue
        facts = [isinstance(event, FACT_EVENTS) for event in moment.events]
        if isinstance(moment.command, FACTS):
            assert facts[0]
            assert sum(facts) == 1
        else:
            assert not any(facts)


@forall(moments=LIVES)
def test_a_timer_always_has_something_to_say(moments: Sequence[Moment]) -> None:
    for moment in moments:
        if isinstance(moment.command, WakeUp):
            assert moment.events


@forall(moments=LIVES)
def test_paid_in_is_allocated_or_in_suspense_and_never_more_than_owed(
    moments: Sequence[Moment],
) -> None:
    for moment in moments:
        for event in moment.events or ():
            if isinstance(event, RepaymentRecorded):
                parts = (event.costs_minor, event.interest_minor, event.principal_minor)
                allocated = sum(part or 0 for part in parts)
                assert allocated + event.in_suspense_minor == event.amount_minor
                assert min(part or 0 for part in parts) >= 0
                assert event.in_suspense_minor >= 0
        left = moment.after.left
        if left is not None:
            assert min(left.costs_minor, left.interest_minor, left.principal_minor) >= 0


@forall(moments=LIVES)
def test_episodes_and_referrals_count_from_one_without_holes(moments: Sequence[Moment]) -> None:
    events = [event for moment in moments for event in moment.events or ()]
    opened = [event for event in events if isinstance(event, CaseOpened)]
    assert [event.episode for event in opened] == list(range(1, len(opened) + 1))
    for case in opened:
        referrals = [
            event.referral
            for event in events
            if isinstance(event, CaseReferred) and event.case_id == case.case_id
        ]
        assert referrals == list(range(1, len(referrals) + 1))


@forall(moments=LIVES)
def test_the_strategy_never_refers_a_case_that_is_paused(moments: Sequence[Moment]) -> None:
    for moment in moments:
        if not isinstance(moment.command, WakeUp):
            continue
        for event in moment.events or ():
            if isinstance(event, CaseReferred):
                case = moment.before.case
                assert case is not None
                assert not case.awaiting
                assert case.promise_id is None
                assert case.agreement not in ("in_force", "fulfilled")
                assert moment.after.case is not None
                assert moment.after.case.holds == ()


@forall(moments=LIVES)
def test_others_hear_of_a_hold_for_as_long_as_there_is_one(moments: Sequence[Moment]) -> None:
    """What `case_held`, `case_released` and `case_closed` say is what the case is: no more, no
    less."""
    held: dict[CaseId, date | None] = {}
    for moment in moments:
        for event in moment.events or ():
            if isinstance(event, CaseHeld):
                held[event.case_id] = event.until_on
            elif isinstance(event, CaseReleased):
                del held[event.case_id]
        case = moment.after.case
        if case is None or case.closed is not None:
            held.clear()
            continue
        ends = [hold.until_on for hold in case.holds]
        assert (case.case_id in held) is bool(ends)
        assert len({hold.reason for hold in case.holds}) == len(ends)
        if isinstance(moment.command, HoldCase) and moment.events:
            known = [day for day in ends if day is not None]
            assert held[case.case_id] == (None if None in ends else max(known))


@forall(moments=LIVES)
def test_what_is_stored_and_read_again_folds_to_the_same_state(moments: Sequence[Moment]) -> None:
    events = [event for moment in moments for event in moment.events or ()]
    kinds = {name: kind for kind, name in WIRE_NAMES.items()}
    stored = [(WIRE_NAMES[type(event)], msgspec.json.encode(event)) for event in events]
    read: list[LoanEvent] = [msgspec.json.decode(value, type=kinds[name]) for name, value in stored]
    assert DECIDER.fold(read) == moments[-1].after


@forall(seed=st.integers(0, 10_000))
@settings(max_examples=20)
def test_the_same_life_is_lived_the_same_way_again(seed: int) -> None:
    assert life.__wrapped__(seed) == life(seed)


def test_the_lives_reach_what_they_are_meant_to_reach() -> None:
    """A law over lives in which nothing happens proves nothing."""
    reached: set[str] = set()
    for seed in range(100):
        for moment in life(seed):
            reached |= {type(event).__name__ for event in moment.events or ()}
            case = moment.after.case
            if case is not None:
                reached |= {done.treatment for done in case.done}
    assert reached >= {kind.__name__ for kind in WIRE_NAMES} - {
        "LoanBorrowerChanged",
        "BorrowerProfileRecorded",
        "OldBorrowerProfileRecorded",
    }
    assert reached >= {"remind", "call", "demand", "visit", "mediate", "sue"}
