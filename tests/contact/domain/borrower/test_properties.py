"""What holds for every life of a borrower, whatever comes in which order."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from arrears.contact.domain.borrower.commands import (
    BorrowerCommand,
    CountRepayment,
    EndContact,
    EndTreatment,
    NameDebtor,
    NoteOutcome,
    NoteReceipt,
    RecordContactPoints,
    RecordHardship,
    RecordPromise,
    RecordRefusal,
    ReleaseCase,
    ResumeContact,
    StartTreatment,
    StopContact,
    WakeUp,
)
from arrears.contact.domain.borrower.events import (
    AttemptPermitted,
    AttemptWithdrawn,
    BorrowerEvent,
    TreatmentCompleted,
    TreatmentStarted,
)
from arrears.contact.domain.borrower.state import Borrower
from arrears.contact.domain.values import FAILED, AttemptId, ContactPoint, Outcome, Said
from arrears.contact.testing.borrower import (
    BORROWER,
    DECIDER,
    POLICIES,
    STAFF,
    close,
    loan_of,
    note_outcome,
    objection,
    refer,
    withdraw,
)
from arrears.contact.testing.conduct import check
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

START = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)
CASES = [CaseId(f"case-{number}") for number in range(6)]
POINTS = (ContactPoint(kind="phone", sealed="p"), ContactPoint(kind="address", sealed="a"))
ZONES = ["Asia/Shanghai", "America/New_York", "Pacific/Auckland", "Europe/London", None, "Bad/Zone"]

OUTCOMES = st.sampled_from(
    ["connected", "no_answer", "delivered", "returned", "met", "not_home", "unknown"]
)
DAYS = st.integers(-2, 40).map(lambda days: date(2026, 3, 2) + timedelta(days=days))
SAID = st.builds(
    Said,
    kind=st.sampled_from(["nothing", "promise", "refusal", "hardship"]),
    amount_minor=st.none() | st.integers(-1, 60_000),
    due_on=st.none() | DAYS,
    review_on=st.none() | DAYS,
)
ONE_CASE = st.sampled_from(CASES)
NOW = st.just(START)


def _with_loan(
    command: StartTreatment | EndTreatment | StopContact | NameDebtor,
) -> BorrowerCommand:
    assert command.case_id is not None
    return replace(command, loan_key=loan_of(command.case_id))


COMMANDS: st.SearchStrategy[BorrowerCommand] = st.one_of(
    st.builds(
        StartTreatment,
        case_id=ONE_CASE,
        loan_key=st.just(LoanKey("")),
        borrower_id=st.just(BORROWER),
        referral=st.integers(1, 4),
        treatment=st.sampled_from(["remind", "call", "demand", "visit"]),
        overdue_minor=st.integers(1, 90_000),
        currency=st.just("CNY"),
        days_past_due=st.integers(1, 90),
        product=st.just("loan"),
        now=NOW,
    ).map(_with_loan),
    st.builds(
        EndTreatment,
        case_id=ONE_CASE,
        loan_key=st.just(LoanKey("")),
        borrower_id=st.just(BORROWER),
        reason=st.just("case_returned"),
        now=NOW,
    ).map(_with_loan),
    st.builds(
        RecordContactPoints,
        borrower_id=st.just(BORROWER),
        points=st.sampled_from([POINTS, POINTS[:1], ()]),
        zone=st.sampled_from(ZONES),
        language=st.none(),
        now=NOW,
    ),
    st.builds(
        CountRepayment,
        loan_key=ONE_CASE.map(loan_of),
        repayment_id=st.sampled_from(["r-1", "r-2", "r-3"]),
        amount_minor=st.integers(1, 60_000),
        currency=st.just("CNY"),
        value_on=DAYS,
        now=NOW,
    ),
    st.builds(
        NoteReceipt,
        attempt_id=st.builds(lambda c, n: AttemptId(f"{c}/{n}"), ONE_CASE, st.integers(1, 3)),
        receipt_id=st.just("r"),
        gateway=st.just("sandbox"),
        now=NOW,
    ),
    st.builds(
        NoteOutcome,
        attempt_id=st.builds(lambda c, n: AttemptId(f"{c}/{n}"), ONE_CASE, st.integers(1, 3)),
        outcome=OUTCOMES,
        said=SAID,
        now=NOW,
    ),
    st.builds(
        RecordPromise,
        case_id=ONE_CASE,
        amount_minor=st.integers(1, 60_000),
        currency=st.just("CNY"),
        due_on=DAYS,
        recorded_by=st.just(STAFF),
        now=NOW,
    ),
    st.builds(
        RecordHardship, case_id=ONE_CASE, review_on=DAYS, recorded_by=st.just(STAFF), now=NOW
    ),
    st.builds(RecordRefusal, case_id=ONE_CASE, recorded_by=st.just(STAFF), now=NOW),
    st.builds(
        StopContact,
        borrower_id=st.just(BORROWER),
        kind=st.sampled_from(["agreement", "hardship", "hold", "parked", "staff"]),
        scope=st.sampled_from(["case", "person"]),
        case_id=ONE_CASE,
        loan_key=st.just(LoanKey("")),
        reason=st.sampled_from(["hardship", "dispute", "death"]),
        until_on=st.none() | DAYS,
        said_at=NOW,
        now=NOW,
    ).map(_with_loan),
    st.builds(
        NameDebtor,
        borrower_id=st.just(BORROWER),
        debtor_id=st.sampled_from([BORROWER, BorrowerId("borrower-2")]),
        case_id=ONE_CASE,
        loan_key=st.just(LoanKey("")),
        said_at=NOW,
        now=NOW,
    ).map(_with_loan),
    st.builds(
        ResumeContact,
        kinds=st.sampled_from(
            [("agreement",), ("hold",), ("staff", "hardship", "hold"), ("parked",)]
        ),
        scope=st.sampled_from(["case", "person"]),
        case_id=ONE_CASE,
        reason=st.sampled_from(["hardship", "dispute"]),
        now=NOW,
    ),
    st.builds(ReleaseCase, case_id=ONE_CASE, reason=st.just("over"), now=NOW),
    st.builds(
        EndContact,
        case_id=ONE_CASE,
        reason=st.sampled_from(["cured", "uncollectible"]),
        said_at=NOW,
        now=NOW,
    ),
    st.builds(WakeUp, now=NOW),
)


class Step(Struct, frozen=True):
    """Some hours pass, then a command; attempts made meanwhile end like this, or never.

    `sent_after` hours after a permit the gateway is asked at last; at once where it is None.
    """

    hours: int
    command: BorrowerCommand
    outcome: Outcome | None
    sent_after: int | None


STEPS = st.lists(
    st.builds(
        Step, st.integers(0, 60), COMMANDS, st.none() | OUTCOMES, st.none() | st.integers(0, 30)
    ),
    max_size=25,
)


class Life:
    """Runs a borrower as the kernel does: commands in order of time, timers between them."""

    def __init__(self) -> None:
        self.state: Borrower = DECIDER.initial
        self.events: list[BorrowerEvent] = []
        self.now = START

    def decide(self, command: BorrowerCommand) -> Sequence[BorrowerEvent]:
        try:
            events = DECIDER.decide(command, self.state)
        except Refused:
            return ()
        for event in events:
            self.state = DECIDER.evolve(self.state, event)
        self.events.extend(events)
        assert tuple(DECIDER.decide(command, self.state)) == (), f"{command} has an effect twice"
        return events

    def until(self, end: datetime, outcome: Outcome | None) -> None:
        due = DECIDER.due(self.state, self.now)
        while due is not None and due < end:
            assert due > self.now
            self.now = due
            for event in self.decide(WakeUp(now=due)):
                if isinstance(event, AttemptPermitted) and outcome is not None:
                    note = note_outcome(outcome, due, attempt_id=event.attempt_id)
                    self.decide(note)
            due = DECIDER.due(self.state, self.now)
            assert due is None or due > self.now
        self.now = end

    def send(self, hours: int) -> None:
        """The gateway gets to what was permitted; what may not leave any more is withdrawn."""
        at = self.now + timedelta(hours=hours)
        self.until(at, None)
        for event in [one for one in self.events if isinstance(one, AttemptPermitted)]:
            verdict = objection(event, self.state, at)
            if verdict is not None:
                self.decide(withdraw(event, verdict, at))

    def _is_too_late(self, command: BorrowerCommand) -> bool:
        """A gateway is asked while the permit holds (`send`), and makes the attempt at once."""
        return isinstance(command, NoteReceipt) and any(
            isinstance(event, AttemptPermitted)
            and event.attempt_id == command.attempt_id
            and event.valid_until <= self.now
            for event in self.events
        )

    def run(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.until(self.now + timedelta(hours=step.hours), step.outcome)
            command = replace(step.command, now=self.now)
            if not self._is_too_late(command):
                self.decide(command)
            if step.sent_after is not None:
                self.send(step.sent_after)
        self.until(self.now + timedelta(days=400), "no_answer")


@settings(max_examples=300, deadline=None)
@forall(steps=STEPS)
def test_no_life_breaks_the_rules(steps: list[Step]) -> None:
    """Deciding twice yields nothing (in `Life`); timers end; nobody is contacted unlawfully."""
    life = Life()
    life.run(steps)
    _never_in_quiet_hours(life.events)
    _never_more_than_three_a_day(life.events)
    _each_referral_is_answered_once(life.events)
    _only_parked_input_keeps_one_waiting(life.state)
    conduct = check(life.events, POLICIES)
    assert conduct.findings == ()
    assert DECIDER.fold(life.events) == life.state


def _never_in_quiet_hours(events: Sequence[BorrowerEvent]) -> None:
    for event in events:
        if isinstance(event, AttemptPermitted) and event.channel != "letter":
            local = event.permitted_at.astimezone(ZoneInfo(event.inputs.zone))
            assert 8 <= local.hour < 21


def _never_more_than_three_a_day(events: Sequence[BorrowerEvent]) -> None:
    """Counted at every permit, in the zone it was given for, with what was known then."""
    open_or_reached: dict[str, datetime] = {}
    for event in events:
        if isinstance(event, AttemptPermitted):
            zone = ZoneInfo(event.inputs.zone)
            open_or_reached[event.attempt_id] = event.permitted_at
            day = event.permitted_at.astimezone(zone).date()
            same_day = [at for at in open_or_reached.values() if at.astimezone(zone).date() == day]
            assert len(same_day) <= 3
        elif isinstance(event, AttemptWithdrawn) or getattr(event, "outcome", None) in FAILED:
            open_or_reached.pop(getattr(event, "attempt_id", ""), None)


def _only_parked_input_keeps_one_waiting(borrower: Borrower) -> None:
    for file in borrower.cases.values():
        if file.treatment is not None:
            assert any(stop.kind == "parked" for stop in (*borrower.stops, *file.stops))


def _each_referral_is_answered_once(events: Sequence[BorrowerEvent]) -> None:
    started = Counter(
        (event.case_id, event.referral) for event in events if isinstance(event, TreatmentStarted)
    )
    completed = Counter(
        (event.case_id, event.referral) for event in events if isinstance(event, TreatmentCompleted)
    )
    assert set(started.values()) <= {1}
    assert set(completed.values()) <= {1}
    assert completed.keys() <= started.keys()


def _profile(zone: str | None) -> RecordContactPoints:
    return RecordContactPoints(
        borrower_id=BORROWER, points=POINTS, zone=zone, language=None, now=START
    )


def _refer(number: int, treatment: str, now: datetime) -> StartTreatment:
    return refer(treatment, CaseId(f"case-{number}"), now=now)


@settings(max_examples=100, deadline=None)
@forall(
    zone=st.sampled_from(ZONES),
    treatments=st.lists(
        st.sampled_from(["remind", "call", "demand", "visit"]), min_size=1, max_size=12
    ),
    outcome=OUTCOMES,
)
def test_without_a_stop_every_referral_is_answered(
    zone: str | None, treatments: list[str], outcome: Outcome
) -> None:
    life = Life()
    life.decide(_profile(zone))
    for number, treatment in enumerate(treatments):
        life.decide(_refer(number, treatment, START))
    life.until(START + timedelta(days=60), outcome)
    assert {event.case_id for event in life.events if isinstance(event, TreatmentCompleted)} == {
        CaseId(f"case-{number}") for number in range(len(treatments))
    }


@pytest.mark.parametrize("loans", [40])
def test_many_loans_of_one_person_take_many_days(loans: int) -> None:
    """Three calls a day, whatever waits; and hardly a denial, for days are planned ahead."""
    life = Life()
    life.decide(_profile("Asia/Shanghai"))
    for number in range(loans):
        life.decide(_refer(number, "call", START))
    life.until(START + timedelta(days=60), "connected")
    conduct = check(life.events, POLICIES)
    assert (conduct.permitted, conduct.denied, conduct.findings) == (loans, 0, ())
    assert life.state.contacts[-1].at > START + timedelta(days=loans // 3 - 1)


def test_the_state_forgets_what_is_over() -> None:
    """A hundred cases, each reminded and cured, leave their ids and two days of contacts."""
    life = Life()
    life.decide(_profile("Asia/Shanghai"))
    for number in range(100):
        case_id = CaseId(f"case-{number}")
        life.decide(_refer(number, "remind", life.now))
        life.until(life.now + timedelta(days=1), "delivered")
        life.decide(close(case_id=case_id, now=life.now))
    assert not life.state.cases
    assert len(life.state.closed) == 100
    assert 1 <= len(life.state.contacts) <= 9
