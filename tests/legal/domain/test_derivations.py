"""Every last day is kept with its derivation: rule, first day, the move, and if it is certain."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ApplyForEnforcement,
    ClaimCommand,
    EnterJudgment,
    NoteAgreement,
    NoteDemand,
    NotePromise,
    NoteRepayment,
    PauseClaim,
    TakeClaim,
    WakeUp,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import (
    AgreementNoted,
    ClaimClosed,
    ClaimEvent,
    ClaimTaken,
    DemandNoted,
    LimitationAlarmRaised,
    LimitationInterrupted,
)
from arrears.legal.domain.claim.suit_events import (
    EnforcementAlarmRaised,
    JudgmentEntered,
    JudgmentNotObeyed,
    JudgmentObeyed,
    PaymentNoted,
)
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.policy import FilingRule, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.service.workdays import announced_until, workdays_of

CALENDAR = BankCalendar("Asia/Shanghai")
CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
NOW = datetime(2023, 3, 1, 1, 30, tzinfo=UTC)
TODAY = date(2023, 3, 1)
TAKE = TakeClaim(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BorrowerId("borrower-1"),
    referral=6,
    overdue_minor=3_800_000,
    balance_minor=9_000_000,
    currency="CNY",
    due_on=date(2022, 10, 1),
    days_past_due=102,
    now=NOW,
)
DEMAND = NoteDemand(
    case_id=CASE, loan_key=LOAN, total_minor=3_700_000, currency="CNY", delivered_at=NOW, now=NOW
)
PROMISE = NotePromise(
    case_id=CASE, loan_key=LOAN, promise_id="p1", amount_minor=5_000, currency="CNY", now=NOW
)
AGREED = NoteAgreement(case_id=CASE, loan_key=LOAN, signed_at=NOW, now=NOW)
PAY = NoteRepayment(
    case_id=CASE,
    loan_key=LOAN,
    repayment_id="r1",
    amount_minor=5_000,
    currency="CNY",
    value_on=TODAY,
    now=NOW,
)
JUDGE = EnterJudgment(awarded_minor=3_800_000, currency="CNY", obey_by_on=date(2024, 5, 1), now=NOW)
HELD = PauseClaim(reason="hardship", until_on=None, now=NOW)
NOT_OBEYED = (DEMAND, TAKE, JUDGE, HELD, WakeUp(now=CALENDAR.start_of(date(2024, 5, 7))))

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


def lived(*commands: ClaimCommand) -> Sequence[ClaimEvent]:
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def derived(
    rule: str, start_on: date, *, moved_from: date | None = None, provisional: bool = False
) -> Derivation:
    return Derivation(
        rule=rule, start_on=start_on, moved_from_on=moved_from, provisional=provisional
    )


A_DAY_OFF = date(2025, 10, 1)
"""The national holiday; it lasts until the 8th."""
SUNDAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("commands", "kind", "last_on", "derivation"),
    [
        ((TAKE,), ClaimTaken, date(2025, 10, 9), derived("36m", TAKE.due_on, moved_from=A_DAY_OFF)),
        (
            (TAKE, DEMAND),
            DemandNoted,
            date(2026, 3, 2),
            derived("36m", TODAY, moved_from=SUNDAY),
        ),
        (
            (TAKE, PROMISE),
            LimitationInterrupted,
            date(2026, 3, 2),
            derived("36m", TODAY, moved_from=SUNDAY),
        ),
        (
            (TAKE, PAY),
            LimitationInterrupted,
            date(2026, 3, 2),
            derived("36m", TODAY, moved_from=SUNDAY),
        ),
        (
            (TAKE, AGREED),
            AgreementNoted,
            date(2026, 3, 2),
            derived("36m", TODAY, moved_from=SUNDAY),
        ),
        (
            (DEMAND, TAKE, JUDGE),
            JudgmentEntered,
            date(2026, 5, 6),
            derived("24m", JUDGE.obey_by_on, moved_from=date(2026, 5, 1)),
        ),
        (
            (*NOT_OBEYED, replace(PAY, value_on=date(2024, 7, 1))),
            PaymentNoted,
            date(2026, 7, 1),
            derived("24m", date(2024, 7, 1)),
        ),
        (
            (*NOT_OBEYED, replace(PAY, value_on=date(2025, 7, 1))),
            PaymentNoted,
            date(2027, 7, 1),
            derived("24m", date(2025, 7, 1), provisional=True),
        ),
        (
            (TAKE, WakeUp(now=CALENDAR.start_of(date(2025, 9, 30)))),
            LimitationAlarmRaised,
            date(2025, 10, 9),
            derived("36m", TAKE.due_on, moved_from=A_DAY_OFF),
        ),
        (
            (*NOT_OBEYED, WakeUp(now=CALENDAR.start_of(date(2026, 4, 30)))),
            EnforcementAlarmRaised,
            date(2026, 5, 6),
            derived("24m", JUDGE.obey_by_on, moved_from=date(2026, 5, 1)),
        ),
    ],
)
def test_the_event_keeps_how_its_last_day_was_found(
    commands: tuple[ClaimCommand, ...],
    kind: type[ClaimEvent],
    last_on: date,
    derivation: Derivation,
) -> None:
    found = [event for event in lived(*commands) if isinstance(event, kind)][-1]
    said = msgspec.structs.asdict(found)
    assert said["derivation"] == derivation
    assert last_on in (
        said.get("expires_on"),
        said.get("limitation_expires_on"),
        said.get("apply_by_on"),
    )


@pytest.mark.parametrize(
    ("obey_by_on", "moved_to_on", "last_on"),
    [
        (date(2024, 4, 30), None, date(2024, 4, 30)),
        (date(2024, 5, 1), date(2024, 5, 6), date(2024, 5, 6)),
        (date(2024, 5, 11), None, date(2024, 5, 11)),  # A Saturday that is worked for the holiday.
        (date(2024, 5, 18), date(2024, 5, 20), date(2024, 5, 20)),
    ],
)
def test_a_day_to_obey_that_is_a_day_off_moves_to_the_next_workday(
    obey_by_on: date, moved_to_on: date | None, last_on: date
) -> None:
    history = lived(DEMAND, TAKE, replace(JUDGE, obey_by_on=obey_by_on))
    entered = history[-1]
    assert isinstance(entered, JudgmentEntered)
    assert entered.obey_moved_to_on == moved_to_on
    judged = decider.fold(history)
    assert decider.due(judged, NOW) == CALENDAR.start_of(last_on + timedelta(days=1))
    assert tuple(decider.decide(WakeUp(now=CALENDAR.start_of(last_on)), judged)) == ()
    with pytest.raises(Refused, match="time_to_obey_is_running"):
        decider.decide(
            ApplyForEnforcement(staff_id=StaffId("li.wei"), now=CALENDAR.start_of(last_on)), judged
        )
    (said,) = decider.decide(WakeUp(now=CALENDAR.start_of(last_on + timedelta(days=1))), judged)
    assert isinstance(said, JudgmentNotObeyed)
    assert (said.obey_by_on, said.obey_moved_to_on) == (obey_by_on, moved_to_on)


@pytest.mark.parametrize("heard", [timedelta(hours=12), timedelta(hours=30)])
def test_money_of_the_day_it_moved_to_obeys_also_where_it_is_heard_the_next(
    heard: timedelta,
) -> None:
    last_on = date(2024, 5, 6)
    before = lived(DEMAND, TAKE, JUDGE)
    at = CALENDAR.start_of(last_on) + heard
    before = (*before, *decider.decide(WakeUp(now=at), decider.fold(before)))
    paid = replace(PAY, amount_minor=3_800_000, value_on=last_on, now=at)
    found = decider.decide(paid, decider.fold(before))
    assert [type(event) for event in found] == [PaymentNoted, JudgmentObeyed, ClaimClosed]


def test_an_act_that_brings_no_later_day_repeats_the_derivation_of_the_day() -> None:
    early = replace(PROMISE, promise_id="p2", now=NOW - timedelta(days=300))
    noted = lived(TAKE, PROMISE, early)[-1]
    assert isinstance(noted, LimitationInterrupted)
    assert noted.expires_on == date(2026, 3, 2)
    assert noted.derivation == derived("36m", TODAY, moved_from=SUNDAY)


def test_before_the_referral_no_clock_runs_and_nothing_is_derived() -> None:
    (noted,) = lived(DEMAND)
    assert isinstance(noted, DemandNoted)
    assert noted.derivation is None


@pytest.mark.parametrize("kind", [ClaimTaken, LimitationAlarmRaised, DemandNoted])
def test_events_of_before_it_was_kept_still_decode(kind: type[ClaimEvent]) -> None:
    history = lived(TAKE, WakeUp(now=CALENDAR.start_of(date(2025, 9, 30))), DEMAND)
    event = next(one for one in history if isinstance(one, kind))
    old = msgspec.json.decode(msgspec.json.encode(event))
    del old["derivation"]
    found = msgspec.json.decode(msgspec.json.encode(old), type=kind)
    assert found == replace(event, derivation=None)
    assert decider.fold((*history[:1], found)).limitation_expires_on >= date(2025, 10, 9)


def test_china_announces_its_workdays_year_by_year_and_others_need_not() -> None:
    until = announced_until("CN")
    assert until is not None
    assert until >= 2026
    assert announced_until("US") is None
