"""What holds for every claim, whatever its history."""

from datetime import UTC, date, datetime
from functools import partial

from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ApproveFiling,
    ClaimCommand,
    CloseClaim,
    CloseEnforcement,
    EndSuit,
    HoldBorrower,
    NoteAgreementEnd,
    NotePromise,
    PauseClaim,
    RecordSearch,
    ReleaseBorrower,
    ResumeClaim,
    ReturnClaim,
    WakeUp,
    Withhold,
)
from arrears.legal.domain.claim.events import ClaimEvent
from arrears.legal.domain.claim.state import Phase
from arrears.legal.domain.claim.suit_events import EnforcementClosed, MoneyRecovered, PaymentNoted
from arrears.legal.testing.claim import (
    CASE,
    DEMAND,
    DUE,
    FILED,
    JUDGE,
    JUDGED,
    LAWYER,
    LOAN,
    NOW,
    OBEY_BY,
    REGISTER,
    SHIPPED,
    TAKE,
    TODAY,
    agreed,
    lived_by,
    pay,
    start_of,
    wake_on,
)
from arrears.shared.kernel.decider import Refused

lived = partial(lived_by, SHIPPED)
NOT_OBEYED = (*JUDGED, wake_on(date(2026, 4, 28)))
ENFORCING = (*NOT_OBEYED, wake_on(date(2026, 4, 29)))

AGREED = agreed()
HELD = PauseClaim(reason="hardship", until_on=date(2026, 5, 1), now=NOW)
DEATH = HoldBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=NOW)
SETTLED = NoteAgreementEnd(result="fulfilled", now=NOW)
WITHDRAWN = EndSuit(result="withdrawn", reason="papers", staff_id=LAWYER, now=NOW)
LOOKED_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NOT_FILED = Withhold(filing=1, reason="news", looked_at=LOOKED_AT, now=NOW)
NOT_ENFORCED = Withhold(
    filing=1,
    application=1,
    reason="news",
    looked_at=datetime(2026, 4, 30, 9, 30, tzinfo=UTC),
    now=start_of(date(2026, 4, 29)),
)
RETURNED = ReturnClaim(result="taken_back", now=NOW)
OLD = replace(TAKE, due_on=date(2022, 1, 10))
HISTORIES: list[tuple[ClaimEvent, ...]] = [
    (),
    lived(DEMAND),
    lived(DEMAND, AGREED),
    lived(TAKE),
    lived(TAKE, replace(DEMAND, delivered_at=NOW, now=NOW)),
    lived(TAKE, replace(DEMAND, delivered_at=NOW, now=NOW), HELD),
    lived(OLD),
    lived(OLD, ApproveFiling(staff_id=LAWYER, despite_limitation=True, now=NOW)),
    lived(replace(TAKE, due_on=date(2023, 3, 30))),
    lived(TAKE, HELD),
    lived(TAKE, AGREED, HELD),
    lived(DEATH),
    lived(DEATH, TAKE, DEMAND, HELD),
    lived(*NOT_OBEYED, DEATH),
    lived(*NOT_OBEYED, DEATH, HELD),
    lived(TAKE, RETURNED),
    lived(TAKE, HELD, RETURNED),
    lived(replace(TAKE, due_on=date(2023, 3, 30)), RETURNED),
    lived(OLD, RETURNED),
    lived(*FILED),
    lived(*FILED, RETURNED),
    lived(*FILED, REGISTER, pay(1_000_000, date(2026, 3, 20))),
    lived(*JUDGED),
    lived(*JUDGED, HELD),
    lived(*NOT_OBEYED),
    lived(*NOT_OBEYED, AGREED),
    lived(*NOT_OBEYED, HELD),
    lived(*ENFORCING),
    lived(*ENFORCING, pay(1_000_000, date(2026, 5, 20))),
    lived(*ENFORCING, pay(3_800_000, date(2026, 5, 20))),
    lived(*ENFORCING, pay(1_000_000, OBEY_BY)),
    lived(*JUDGED, pay(3_800_000, OBEY_BY)),
    lived(*FILED, CloseClaim(reason="cured", now=NOW)),
    lived(*FILED, HELD, CloseClaim(reason="cured", now=NOW)),
    lived(pay(1_000, TODAY), DEMAND),
    lived(*FILED, AGREED),
    lived(*FILED, AGREED, SETTLED),
    lived(*FILED, WITHDRAWN),
    lived(*FILED, WITHDRAWN, replace(TAKE, referral=7)),
    lived(*FILED, NOT_FILED),
    lived(*FILED, NOT_FILED, HELD),
    lived(*FILED, NOT_FILED, RETURNED),
    lived(*FILED, WITHDRAWN, NOT_FILED),
    lived(*JUDGED, NOT_FILED),
    lived(*ENFORCING, NOT_ENFORCED),
    lived(*ENFORCING, NOT_ENFORCED, HELD),
    lived(*ENFORCING, CloseEnforcement(staff_id=None, now=NOW), NOT_ENFORCED),
    lived(*ENFORCING, NOT_FILED),
]
MOMENTS = st.sampled_from(
    [NOW, *map(start_of, (OBEY_BY, date(2026, 4, 28), date(2028, 4, 28), date(2029, 5, 1)))]
)
STAFF = st.sampled_from([None, LAWYER])
COMMANDS = st.one_of(
    st.builds(
        replace,
        st.just(DEMAND),
        staff_id=STAFF,
        now=MOMENTS,
        delivered_at=st.sampled_from([DEMAND.delivered_at, NOW]),
    ),
    st.builds(
        replace,
        st.just(TAKE),
        referral=st.integers(5, 8),
        overdue_minor=st.sampled_from([0, 3_800_000]),
        due_on=st.sampled_from([DUE, date(2022, 1, 10)]),
        now=MOMENTS,
    ),
    st.builds(
        NotePromise,
        case_id=st.just(CASE),
        loan_key=st.just(LOAN),
        promise_id=st.sampled_from(["p1", "p2"]),
        amount_minor=st.just(5_000),
        currency=st.just("CNY"),
        now=MOMENTS,
    ),
    st.builds(pay, st.integers(-1, 4_000_000), st.dates(TODAY, date(2026, 6, 1))),
    st.builds(
        replace,
        st.just(AGREED),
        last_due_on=st.sampled_from([None, date(2026, 5, 1)]),
        now=MOMENTS,
    ),
    st.builds(NoteAgreementEnd, result=st.sampled_from(["breached", "fulfilled"]), now=MOMENTS),
    st.builds(replace, st.just(HELD), now=MOMENTS),
    st.builds(ResumeClaim, reason=st.just("over"), now=MOMENTS),
    st.builds(replace, st.just(DEATH), now=MOMENTS),
    st.builds(ReleaseBorrower, reason=st.just("death"), now=MOMENTS),
    st.builds(replace, st.just(RETURNED), now=MOMENTS),
    st.builds(CloseClaim, reason=st.just("cured"), now=MOMENTS),
    st.builds(
        ApproveFiling, staff_id=st.just(LAWYER), despite_limitation=st.booleans(), now=MOMENTS
    ),
    st.builds(replace, st.just(REGISTER), now=MOMENTS),
    st.builds(
        replace,
        st.sampled_from([NOT_FILED, NOT_ENFORCED]),
        filing=st.integers(1, 2),
        reason=st.sampled_from(["news", "not_allowed", "overtaken"]),
        now=MOMENTS,
    ),
    st.builds(
        replace,
        st.just(JUDGE),
        awarded_minor=st.sampled_from([-1, 0, 3_800_000]),
        currency=st.sampled_from(["CNY", "USD"]),
        staff_id=STAFF,
        now=MOMENTS,
    ),
    st.builds(
        replace,
        st.just(WITHDRAWN),
        result=st.sampled_from(["dismissed", "not_accepted", "withdrawn"]),
        now=MOMENTS,
    ),
    st.builds(ApplyForEnforcement, staff_id=st.just(LAWYER), now=MOMENTS),
    st.builds(RecordSearch, found=st.sampled_from(["full", "none"]), now=MOMENTS),
    st.builds(CloseEnforcement, staff_id=STAFF, now=MOMENTS),
    st.builds(WakeUp, now=MOMENTS),
)


@settings(max_examples=600)
@forall(history=st.sampled_from(HISTORIES), command=COMMANDS)
def test_a_command_delivered_twice_has_the_effect_of_once(
    history: tuple[ClaimEvent, ...], command: ClaimCommand
) -> None:
    before = SHIPPED.fold(history)
    try:
        events = SHIPPED.decide(command, before)
    except Refused:
        return
    after = SHIPPED.fold((*history, *events))
    try:
        assert tuple(SHIPPED.decide(command, after)) == ()
    except Refused:
        assert events, "what was accepted in silence is not refused the second time"


@forall(history=st.sampled_from(HISTORIES), command=COMMANDS)
def test_only_people_are_refused(history: tuple[ClaimEvent, ...], command: ClaimCommand) -> None:
    try:
        SHIPPED.decide(command, SHIPPED.fold(history))
    except Refused:
        assert getattr(command, "staff_id", None) is not None


@forall(history=st.sampled_from(HISTORIES), asked=MOMENTS)
def test_a_timer_lies_ahead_and_when_it_fires_something_happens(
    history: tuple[ClaimEvent, ...], asked: datetime
) -> None:
    for _ in range(12):
        state = SHIPPED.fold(history)
        due = SHIPPED.due(state, asked)
        if due is None:
            return
        assert due > asked
        events = SHIPPED.decide(WakeUp(now=due), state)
        assert events
        history, asked = (*history, *events), due
    raise AssertionError("a claim that nobody touches comes to rest")


@forall(
    amounts=st.lists(
        st.tuples(st.integers(1, 2_000_000), st.sampled_from([OBEY_BY, date(2026, 4, 26)])),
        max_size=8,
    ),
    breaks=st.lists(st.sampled_from(["judge", "not obeyed", "enforce", "close"]), max_size=4),
)
def test_money_since_filing_is_noted_or_recovered_and_judges_the_ending(
    amounts: list[tuple[int, date]], breaks: list[str]
) -> None:
    steps: dict[str, ClaimCommand] = {
        "judge": JUDGE,
        "not obeyed": wake_on(date(2026, 4, 28)),
        "enforce": wake_on(date(2026, 4, 29)),
        "close": CloseEnforcement(now=start_of(date(2026, 6, 20))),
    }
    history = lived(*FILED)
    paid_in, in_time = 0, 0
    for number, (amount, value_on) in enumerate(amounts):
        if number < len(breaks):
            step = steps[breaks[number]]
            history = (*history, *SHIPPED.decide(step, SHIPPED.fold(history)))
        payment = pay(amount, value_on, f"p{number}")
        events = SHIPPED.decide(payment, SHIPPED.fold(history))
        over = (Phase.CLOSED, Phase.UNREFERRED)
        if SHIPPED.fold(history).phase not in over:
            paid_in += amount
            in_time += amount if value_on <= OBEY_BY else 0
        history = (*history, *events)
    noted = sum(e.amount_minor for e in history if isinstance(e, PaymentNoted))
    recovered = sum(e.amount_minor for e in history if isinstance(e, MoneyRecovered))
    assert noted + recovered == paid_in
    for event in history:
        if isinstance(event, EnforcementClosed):
            assert event.recovered_minor == recovered
            assert in_time < 3_800_000, "what had come in time is no result of an enforcement"
            assert (event.result == "recovered_in_full") == (paid_in >= 3_800_000)
            assert (event.result == "no_assets") == (recovered == 0 and paid_in < 3_800_000)


def test_every_event_belongs_to_its_case_and_loan() -> None:
    for history in HISTORIES:
        assert all((event.case_id, event.loan_key) == (CASE, LOAN) for event in history)
