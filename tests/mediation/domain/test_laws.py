"""What holds for every mediation, whatever its history."""

from datetime import date, datetime, time, timedelta

from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.mediation.domain.mediation.commands import (
    AnswerInvitation,
    CloseMediation,
    HoldBorrower,
    HoldMediation,
    MediationCommand,
    ReceiptInvitation,
    RecordDecline,
    RecordOffer,
    ReleaseBorrower,
    ResumeMediation,
    SignForBank,
    SignForBorrower,
    TakeBackMediation,
    WakeUp,
    WithdrawInvitation,
)
from arrears.mediation.domain.mediation.events import BorrowerInvited, MediationEvent
from arrears.mediation.testing.case import (
    ACCEPT,
    APRIL,
    APRIL_MISSED,
    AT_NIGHT,
    BANK_SIGNS,
    BORROWER_SIGNS,
    BREACHED,
    CALENDAR,
    CASE,
    CONTRADICTED,
    DECIDER,
    DECLINE,
    IN_FORCE,
    LOAN,
    MAY,
    MEDIATOR,
    NOW,
    OFFER,
    PLAN,
    RENEW,
    SIGNED_AT,
    TAKE,
    TODAY,
    WILLING,
    end_of,
    lived,
    pay,
    wake_after,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import StaffId

LATER = date(2026, 4, 20)
LATE = end_of(LATER)
ANEW = replace(RENEW, now=LATE)
DEATH = HoldBorrower(case_id=CASE, loan_key=LOAN, reason="death", now=SIGNED_AT)
HISTORIES: list[tuple[MediationEvent, ...]] = [
    (),
    lived(AT_NIGHT),
    lived(AT_NIGHT, pay(25_000, date(2026, 3, 3))),
    lived(TAKE),
    lived(TAKE, WithdrawInvitation(round=1, now=AT_NIGHT.now)),
    lived(TAKE, pay(25_000, date(2026, 3, 3)), WILLING),
    lived(TAKE, replace(ACCEPT, instalments=(APRIL,))),
    lived(TAKE, ACCEPT),
    lived(TAKE, ACCEPT, BORROWER_SIGNS),
    lived(TAKE, OFFER, BANK_SIGNS),
    lived(*IN_FORCE),
    lived(*IN_FORCE, pay(25_000, date(2026, 3, 30))),
    lived(*APRIL_MISSED),
    lived(*IN_FORCE, HoldMediation(now=SIGNED_AT)),
    lived(*APRIL_MISSED, HoldMediation(now=APRIL_MISSED[-1].now)),
    lived(*APRIL_MISSED, HoldMediation(now=APRIL_MISSED[-1].now), ResumeMediation(now=LATE)),
    lived(*APRIL_MISSED, pay(60_000, date(2026, 4, 12))),
    lived(AT_NIGHT, pay(100_000, date(2026, 3, 3))),
    lived(TAKE, ACCEPT, pay(100_000, date(2026, 3, 5)), HoldMediation(now=SIGNED_AT)),
    lived(*BREACHED),
    lived(*BREACHED, pay(60_000, LATER)),
    lived(*CONTRADICTED),
    lived(*CONTRADICTED, HoldMediation(now=LATE)),
    lived(*CONTRADICTED, ANEW),
    lived(*CONTRADICTED, ANEW, pay(15_000, LATER), wake_after(date(2026, 6, 1))),
    lived(*CONTRADICTED, ANEW, HoldMediation(now=LATE)),
    lived(*CONTRADICTED, ANEW, replace(BORROWER_SIGNS, offer=2, now=ANEW.now)),
    lived(*IN_FORCE, pay(100_000, date(2026, 3, 30))),
    lived(TAKE, DECLINE),
    lived(AT_NIGHT, replace(TAKE, referral=5, now=AT_NIGHT.now)),
    lived(TAKE, pay(25_000, date(2026, 3, 3)), ACCEPT, replace(TAKE, referral=5, now=SIGNED_AT)),
    lived(TAKE, ACCEPT, HoldMediation(now=SIGNED_AT)),
    lived(TAKE, TakeBackMediation(now=SIGNED_AT)),
    lived(DEATH),
    lived(DEATH, TAKE),
    lived(DEATH, TAKE, HoldMediation(now=SIGNED_AT)),
    lived(TAKE, HoldMediation(now=SIGNED_AT), DEATH),
    lived(*IN_FORCE, DEATH),
    lived(*APRIL_MISSED, DEATH, HoldMediation(now=LATE)),
    lived(TAKE, DECLINE, replace(TAKE, referral=5, now=NOW + timedelta(days=30))),
]
MOMENTS = st.sampled_from(
    [NOW, AT_NIGHT.now, SIGNED_AT, wake_after(date(2026, 4, 6)).now, end_of(LATER)]
)
STAFF = st.sampled_from([MEDIATOR, StaffId("mediator-8")])
PLANS = st.sampled_from(
    [(), PLAN, ANEW.instalments, (APRIL,), (APRIL, replace(MAY, amount_minor=20_000))]
)
CASE_OF = {"case_id": st.just(CASE), "loan_key": st.just(LOAN)}
REASONS = st.sampled_from(["death", "moratorium"])
COMMANDS = st.one_of(
    st.builds(replace, st.just(TAKE), referral=st.integers(1, 6), now=MOMENTS),
    st.builds(
        AnswerInvitation,
        round=st.integers(1, 2),
        accepted=st.booleans(),
        instalments=PLANS,
        now=MOMENTS,
    ),
    st.builds(
        RecordOffer,
        settlement_minor=st.sampled_from([40_000, 60_000, 80_000, 100_000]),
        currency=st.just("CNY"),
        instalments=PLANS,
        staff_id=STAFF,
        now=MOMENTS,
    ),
    st.builds(
        ReceiptInvitation,
        round=st.integers(1, 2),
        receipt_id=st.just("r"),
        gateway=st.just("sandbox"),
        now=MOMENTS,
    ),
    st.builds(WithdrawInvitation, round=st.integers(1, 2), now=MOMENTS),
    st.builds(RecordDecline, staff_id=st.just(MEDIATOR), now=MOMENTS),
    st.builds(
        SignForBorrower,
        round=st.sampled_from([None, 1]),
        offer=st.integers(1, 2),
        staff_id=STAFF | st.none(),
        now=MOMENTS,
    ),
    st.builds(
        SignForBank,
        round=st.sampled_from([None, 1]),
        offer=st.integers(1, 2),
        staff_id=STAFF | st.none(),
        now=MOMENTS,
    ),
    st.builds(pay, st.integers(-1, 120_000), st.dates(TODAY, LATER)),
    st.builds(HoldMediation, now=MOMENTS),
    st.builds(ResumeMediation, now=MOMENTS),
    st.builds(HoldBorrower, **CASE_OF, reason=REASONS, now=MOMENTS),
    st.builds(ReleaseBorrower, **CASE_OF, reason=REASONS, now=MOMENTS),
    st.builds(TakeBackMediation, now=MOMENTS),
    st.builds(CloseMediation, reason=st.just("cured"), now=MOMENTS),
    st.builds(WakeUp, now=MOMENTS),
)


@settings(max_examples=600)
@forall(history=st.sampled_from(HISTORIES), command=COMMANDS)
def test_a_command_delivered_twice_has_the_effect_of_once(
    history: tuple[MediationEvent, ...], command: MediationCommand
) -> None:
    before = DECIDER.fold(history)
    try:
        events = DECIDER.decide(command, before)
    except Refused:
        return
    after = DECIDER.fold((*history, *events))
    try:
        assert tuple(DECIDER.decide(command, after)) == ()
    except Refused:
        assert events, "what was accepted in silence is not refused the second time"


@forall(history=st.sampled_from(HISTORIES), asked=MOMENTS)
def test_a_timer_lies_ahead_and_when_it_fires_something_happens(
    history: tuple[MediationEvent, ...], asked: datetime
) -> None:
    state = DECIDER.fold(history)
    due = DECIDER.due(state, asked)
    if due is None:
        return
    assert due > asked
    events = DECIDER.decide(WakeUp(now=due), state)
    assert events
    again = DECIDER.due(DECIDER.fold((*history, *events)), due)
    assert again is None or again > due


@forall(history=st.sampled_from(HISTORIES), command=COMMANDS, minutes=st.integers(0, 2 * 24 * 60))
def test_nobody_is_invited_but_in_the_hours(
    history: tuple[MediationEvent, ...], command: MediationCommand, minutes: int
) -> None:
    now = NOW + timedelta(minutes=minutes)
    try:
        events = DECIDER.decide(replace(command, now=now), DECIDER.fold(history))
    except Refused:
        return
    if any(isinstance(event, BorrowerInvited) for event in events):
        assert time(9) <= now.astimezone(CALENDAR.zone).time() < time(18)


def test_every_event_belongs_to_its_case_and_loan() -> None:
    for history in HISTORIES:
        assert all((event.case_id, event.loan_key) == (CASE, LOAN) for event in history)
