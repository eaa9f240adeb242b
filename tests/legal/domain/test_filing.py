"""The gate and the filing: the test names are the rule book."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from arrears.legal.adapters.policies import load_policies
from arrears.legal.domain.claim.commands import (
    ApproveFiling,
    ClaimCommand,
    CloseClaim,
    NoteDemand,
    NotePromise,
    NoteRepayment,
    PauseClaim,
    ResumeClaim,
    TakeClaim,
    WakeUp,
)
from arrears.legal.domain.claim.decisions import make_claim_decider
from arrears.legal.domain.claim.events import (
    ClaimEvent,
    ClaimPaused,
    ClaimResumed,
    ClaimTaken,
    DemandNoted,
    FilingApproved,
    FilingRefused,
)
from arrears.legal.domain.claim.suit_events import ClaimFiled
from arrears.legal.domain.deadlines import Derivation
from arrears.legal.domain.gate import GateInputs
from arrears.legal.domain.policy import FilingRule, PolicyBook
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey, StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

CALENDAR = BankCalendar("Asia/Shanghai")
CASE = CaseId("case-1")
LOAN = LoanKey("loan-1@/core-banking/test")
BORROWER = BorrowerId("borrower-1")
LAWYER = StaffId("lawyer-3")
TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
DUE = date(2025, 11, 20)
DELIVERED_ON = date(2026, 1, 5)
POLICY, VERSION = "cn-legal", 1

DEMAND = NoteDemand(
    case_id=CASE,
    loan_key=LOAN,
    total_minor=3_700_000,
    currency="CNY",
    delivered_at=datetime(2026, 1, 5, 2, 0, tzinfo=UTC),
    now=datetime(2026, 1, 5, 2, 0, tzinfo=UTC),
)
TAKE = TakeClaim(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BORROWER,
    referral=6,
    overdue_minor=3_800_000,
    balance_minor=9_000_000,
    currency="CNY",
    due_on=DUE,
    days_past_due=102,
    now=NOW,
)


def every_day(_day: date) -> bool:
    return True


policy = load_policies().on(NOW.date())
PROMPT = replace(policy, filing=FilingRule(approval_from_minor=None))
"""Without days to pay, which have a table of their own."""
decider = make_claim_decider(PolicyBook([PROMPT]), CALENDAR, every_day)
given = DeciderSpec(decider).given


def lived(*commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    """The history that these commands leave behind."""
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *decider.decide(command, decider.fold(events)))
    return events


def pay(amount_minor: int, on: date, repayment_id: str = "") -> NoteRepayment:
    return NoteRepayment(
        case_id=CASE,
        loan_key=LOAN,
        repayment_id=repayment_id or f"pay-{on}",
        amount_minor=amount_minor,
        currency="CNY",
        value_on=on,
        now=CALENDAR.start_of(on) + timedelta(hours=12),
    )


def start_of(day: date) -> datetime:
    return CALENDAR.start_of(day)


def wake_on(day: date) -> WakeUp:
    return WakeUp(now=start_of(day))


FILED = (DEMAND, TAKE)


class TestNoteDemand:
    def test_is_noted_even_before_any_referral(self) -> None:
        given().when(DEMAND).then(
            DemandNoted(
                case_id=CASE,
                loan_key=LOAN,
                total_minor=3_700_000,
                currency="CNY",
                delivered_at=DEMAND.delivered_at,
                delivered_on=DELIVERED_ON,
                clock=None,
                expires_on=None,
                recorded_by=None,
            )
        )

    def test_opens_the_gate_that_lacked_it(self) -> None:
        events = decider.decide(DEMAND, decider.fold(lived(TAKE)))
        assert [type(event) for event in events] == [DemandNoted, ClaimFiled]
        noted = events[0]
        assert isinstance(noted, DemandNoted)
        assert (noted.clock, noted.expires_on) == ("limitation", date(2029, 1, 5))

    def test_the_same_demand_twice_counts_once(self) -> None:
        given(*lived(DEMAND)).when(DEMAND).then_nothing_happens()

    def test_brings_the_figure_where_intake_had_none(self) -> None:
        unknown = replace(TAKE, overdue_minor=0)
        events = decider.decide(DEMAND, decider.fold(lived(unknown)))
        assert claim_of(events) == 3_700_000

    @pytest.mark.parametrize(
        ("by_hand", "reason"),
        [
            (replace(DEMAND, delivered_at=NOW + timedelta(days=1)), "in_the_future"),
            (replace(DEMAND, delivered_at=NOW - timedelta(days=8000)), "too_long_ago"),
            (replace(DEMAND, total_minor=0), "not_positive"),
            (replace(DEMAND, currency="USD"), "other_currency"),
        ],
    )
    def test_staff_are_refused_a_demand_that_cannot_be(
        self, by_hand: NoteDemand, reason: str
    ) -> None:
        by_hand = replace(by_hand, staff_id=LAWYER, now=NOW)
        given(*lived(TAKE)).when(by_hand).then_refused(reason)


class TestTakeClaim:
    def test_files_a_claim_that_lacks_nothing_with_its_fee(self) -> None:
        given(*lived(DEMAND)).when(TAKE).then(
            TAKEN,
            ClaimFiled(
                case_id=CASE,
                loan_key=LOAN,
                claim_minor=3_800_000,
                currency="CNY",
                court_fee_minor=75_000,
                filed_on=TODAY,
                inputs=INPUTS,
                policy_id=POLICY,
                policy_version=VERSION,
            ),
        )

    def test_names_every_missing_item(self) -> None:
        old = replace(TAKE, overdue_minor=0, due_on=date(2022, 1, 10))
        taken, refused = decider.decide(old, decider.initial)
        assert isinstance(taken, ClaimTaken)
        assert taken.limitation_expires_on == date(2025, 1, 10)
        assert isinstance(refused, FilingRefused)
        assert refused.missing == ("demand_delivered", "total_known", "limitation_alive")
        assert refused.inputs.limitation_expires_on == date(2025, 1, 10)

    @pytest.mark.parametrize(("days_late", "ending"), [(0, ClaimFiled), (1, FilingRefused)])
    def test_the_last_day_of_limitation_is_in_time(
        self, days_late: int, ending: type[ClaimEvent]
    ) -> None:
        last_day = date(2029, 1, 5) + timedelta(days=days_late)
        late = replace(TAKE, now=start_of(last_day) + timedelta(hours=23))
        assert isinstance(decider.decide(late, decider.fold(lived(DEMAND)))[-1], ending)

    def test_a_fee_is_not_known_where_the_policy_has_no_table(self) -> None:
        taiwan = replace(TAKE, currency="TWD")
        filed = decider.decide(taiwan, decider.fold(lived(DEMAND)))[-1]
        assert isinstance(filed, ClaimFiled)
        assert filed.court_fee_minor is None

    def test_counts_what_interrupted_limitation_before_the_referral(self) -> None:
        promise = promised(date(2024, 12, 30), "p1")
        old = replace(TAKE, due_on=date(2022, 1, 10))
        given(*lived(promise)).when(old).then(
            replace(
                TAKEN,
                due_on=date(2022, 1, 10),
                limitation_expires_on=date(2027, 12, 30),
                derivation=replace(DERIVED, start_on=date(2024, 12, 30)),
            ),
            refusal("demand_delivered", demand_delivered_on=None, last=date(2027, 12, 30)),
        )

    def test_the_same_referral_again_changes_nothing(self) -> None:
        given(*lived(TAKE)).when(TAKE).then_nothing_happens()
        given(*lived(*FILED)).when(replace(TAKE, referral=7)).then_nothing_happens()

    def test_a_later_referral_brings_new_figures(self) -> None:
        unknown = replace(TAKE, overdue_minor=0)
        later = replace(TAKE, referral=7, now=NOW + timedelta(days=30))
        events = decider.decide(later, decider.fold(lived(unknown)))
        assert isinstance(events[-1], FilingRefused)
        assert events[-1].missing == ("demand_delivered",)
        assert events[-1].inputs.total_minor == 3_800_000


class TestHolds:
    HELD = PauseClaim(reason="hardship", until_on=date(2026, 5, 1), now=NOW)
    RELEASED = ResumeClaim(reason="hardship over", now=NOW)

    def test_a_held_claim_is_not_filed(self) -> None:
        given(*lived(TAKE)).when(self.HELD).then(
            ClaimPaused(case_id=CASE, loan_key=LOAN, reason="hardship", until_on=date(2026, 5, 1))
        )
        events = decider.decide(DEMAND, decider.fold(lived(TAKE, self.HELD)))
        assert [type(event) for event in events] == [DemandNoted, FilingRefused]

    @pytest.mark.parametrize("until_on", [None, date(2026, 5, 1)])
    def test_it_is_filed_when_released(self, until_on: date | None) -> None:
        held = replace(self.HELD, until_on=until_on)
        history = lived(TAKE, held, DEMAND)
        events = decider.decide(self.RELEASED, decider.fold(history))
        assert [type(event) for event in events] == [ClaimResumed, ClaimFiled]

    def test_it_is_filed_by_itself_after_the_last_day_of_the_hold(self) -> None:
        history = lived(TAKE, self.HELD, DEMAND)
        given(*history).when(wake_on(date(2026, 5, 1))).then_nothing_happens()
        assert given(*history).is_due(NOW) == start_of(date(2026, 5, 2))
        events = decider.decide(wake_on(date(2026, 5, 2)), decider.fold(history))
        assert [type(event) for event in events] == [ClaimResumed, ClaimFiled]

    def test_cases_that_legal_does_not_have_are_not_held(self) -> None:
        given(*lived(DEMAND)).when(self.HELD).then_nothing_happens()


filing = replace(PROMPT.filing, approval_from_minor=3_800_000)
strict = make_claim_decider(PolicyBook([replace(PROMPT, filing=filing)]), CALENDAR, every_day)


def after(*commands: ClaimCommand) -> tuple[ClaimEvent, ...]:
    """The history where a claim as large as this needs approval."""
    events: tuple[ClaimEvent, ...] = ()
    for command in commands:
        events = (*events, *strict.decide(command, strict.fold(events)))
    return events


class TestApproveFiling:
    APPROVE = ApproveFiling(staff_id=LAWYER, now=NOW)

    def test_a_large_claim_waits_for_it(self) -> None:
        state = strict.fold(lived(DEMAND))
        small = strict.decide(replace(TAKE, overdue_minor=3_799_999), state)
        assert isinstance(small[-1], ClaimFiled)
        large = strict.decide(TAKE, state)
        assert isinstance(large[-1], FilingRefused)
        assert large[-1].missing == ("approval",)
        events = strict.decide(self.APPROVE, strict.fold((*lived(DEMAND), *large)))
        assert [type(event) for event in events] == [FilingApproved, ClaimFiled]

    def test_a_person_may_sue_despite_limitation_and_only_on_purpose(self) -> None:
        history = lived(DEMAND_TOO_LATE, replace(TAKE, due_on=date(2022, 1, 10)))
        events = decider.decide(self.APPROVE, decider.fold(history))
        assert [type(event) for event in events] == [FilingApproved]
        on_purpose = replace(self.APPROVE, despite_limitation=True)
        events = decider.decide(on_purpose, decider.fold((*history, *events)))
        assert [type(event) for event in events] == [FilingApproved, ClaimFiled]

    def test_it_is_another_persons_than_who_recorded_the_demand(self) -> None:
        by_hand = replace(DEMAND, staff_id=LAWYER, now=NOW)
        recorded = strict.fold(after(by_hand, TAKE))
        with pytest.raises(Refused, match="recorded_the_demand"):
            strict.decide(self.APPROVE, recorded)
        by_other = replace(self.APPROVE, staff_id=StaffId("lawyer-4"))
        events = strict.decide(by_other, recorded)
        assert [type(event) for event in events] == [FilingApproved, ClaimFiled]

    def test_who_approves_first_and_then_records_the_demand_has_not_approved_it(self) -> None:
        by_hand = replace(DEMAND, staff_id=LAWYER, now=NOW)
        history = after(TAKE, self.APPROVE, by_hand)
        assert isinstance(history[-1], FilingRefused)
        assert history[-1].missing == ("approval",)
        by_other = replace(self.APPROVE, staff_id=StaffId("lawyer-4"))
        assert isinstance(strict.decide(by_other, strict.fold(history))[-1], ClaimFiled)

    def test_a_demand_that_contact_delivered_too_needs_nobodys_record(self) -> None:
        by_hand = replace(DEMAND, delivered_at=NOW, staff_id=LAWYER, now=NOW)
        history = after(DEMAND, by_hand, TAKE, self.APPROVE)
        assert isinstance(history[-1], ClaimFiled)

    def test_is_refused_where_there_is_no_claim(self) -> None:
        given(*lived(DEMAND)).when(self.APPROVE).then_refused("claim_not_taken")
        closed = CloseClaim(reason="cured", now=NOW)
        given(*lived(TAKE, closed)).when(self.APPROVE).then_refused("claim_closed")


# --- Short words for long events.

DEMAND_TOO_LATE = replace(DEMAND, delivered_at=NOW - timedelta(days=1), now=NOW)
INPUTS = GateInputs(
    today=TODAY,
    demand_delivered_on=DELIVERED_ON,
    total_minor=3_800_000,
    currency="CNY",
    limitation_expires_on=date(2029, 1, 5),
    approval_from_minor=None,
    approved=False,
    despite_limitation=False,
    agreement_in_force=False,
    held=False,
)
DERIVED = Derivation(rule="36m", start_on=DELIVERED_ON, moved_from_on=None, provisional=False)
TAKEN = ClaimTaken(
    case_id=CASE,
    loan_key=LOAN,
    borrower_id=BORROWER,
    referral=6,
    overdue_minor=3_800_000,
    balance_minor=9_000_000,
    currency="CNY",
    due_on=DUE,
    days_past_due=102,
    taken_on=TODAY,
    taken_at=NOW,
    limitation_expires_on=date(2029, 1, 5),
    policy_id=POLICY,
    policy_version=VERSION,
    derivation=DERIVED,
)


def refusal(
    *missing: str,
    last: date,
    demand_delivered_on: date | None = DELIVERED_ON,
) -> FilingRefused:
    return FilingRefused(
        case_id=CASE,
        loan_key=LOAN,
        missing=missing,
        inputs=replace(
            INPUTS,
            limitation_expires_on=last,
            demand_delivered_on=demand_delivered_on,
        ),
        policy_id=POLICY,
        policy_version=VERSION,
    )


def promised(on: date, promise_id: str) -> NotePromise:
    return NotePromise(
        case_id=CASE,
        loan_key=LOAN,
        promise_id=promise_id,
        amount_minor=5_000,
        currency="CNY",
        now=start_of(on) + timedelta(hours=10),
    )


def claim_of(events: Sequence[ClaimEvent]) -> int:
    filed = events[-1]
    assert isinstance(filed, ClaimFiled)
    return filed.claim_minor
