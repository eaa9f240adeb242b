"""The gate and the filing: the test names are the rule book."""

from datetime import date, timedelta
from functools import partial

import pytest
from msgspec.structs import replace

from arrears.legal.domain.claim.commands import (
    ApproveFiling,
    CloseClaim,
    NoteDemand,
    PauseClaim,
    ResumeClaim,
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
from arrears.legal.domain.gate import GateInputs
from arrears.legal.domain.policy import PolicyBook
from arrears.legal.testing.claim import (
    BORROWER,
    CALENDAR,
    CASE,
    DECIDER,
    DELIVERED_ON,
    DEMAND,
    DUE,
    FILED,
    LAWYER,
    LOAN,
    NOW,
    POLICY,
    PROMPT,
    TAKE,
    TODAY,
    VERSION,
    claim_of,
    derived,
    every_day,
    lived,
    lived_by,
    promised,
    start_of,
    wake_on,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import StaffId
from arrears.shared.testing.decider_spec import DeciderSpec

given = DeciderSpec(DECIDER).given


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
        events = DECIDER.decide(DEMAND, DECIDER.fold(lived(TAKE)))
        assert [type(event) for event in events] == [DemandNoted, ClaimFiled]
        noted = events[0]
        assert isinstance(noted, DemandNoted)
        assert (noted.clock, noted.expires_on) == ("limitation", date(2029, 1, 5))

    def test_the_same_demand_twice_counts_once(self) -> None:
        given(*lived(DEMAND)).when(DEMAND).then_nothing_happens()

    def test_brings_the_figure_where_intake_had_none(self) -> None:
        unknown = replace(TAKE, overdue_minor=0)
        events = DECIDER.decide(DEMAND, DECIDER.fold(lived(unknown)))
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
        taken, refused = DECIDER.decide(old, DECIDER.initial)
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
        assert isinstance(DECIDER.decide(late, DECIDER.fold(lived(DEMAND)))[-1], ending)

    def test_a_fee_is_not_known_where_the_policy_has_no_table(self) -> None:
        taiwan = replace(TAKE, currency="TWD")
        filed = DECIDER.decide(taiwan, DECIDER.fold(lived(DEMAND)))[-1]
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
        events = DECIDER.decide(later, DECIDER.fold(lived(unknown)))
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
        events = DECIDER.decide(DEMAND, DECIDER.fold(lived(TAKE, self.HELD)))
        assert [type(event) for event in events] == [DemandNoted, FilingRefused]

    @pytest.mark.parametrize("until_on", [None, date(2026, 5, 1)])
    def test_it_is_filed_when_released(self, until_on: date | None) -> None:
        held = replace(self.HELD, until_on=until_on)
        history = lived(TAKE, held, DEMAND)
        events = DECIDER.decide(self.RELEASED, DECIDER.fold(history))
        assert [type(event) for event in events] == [ClaimResumed, ClaimFiled]

    def test_it_is_filed_by_itself_after_the_last_day_of_the_hold(self) -> None:
        history = lived(TAKE, self.HELD, DEMAND)
        given(*history).when(wake_on(date(2026, 5, 1))).then_nothing_happens()
        assert given(*history).is_due(NOW) == start_of(date(2026, 5, 2))
        events = DECIDER.decide(wake_on(date(2026, 5, 2)), DECIDER.fold(history))
        assert [type(event) for event in events] == [ClaimResumed, ClaimFiled]

    def test_cases_that_legal_does_not_have_are_not_held(self) -> None:
        given(*lived(DEMAND)).when(self.HELD).then_nothing_happens()


filing = replace(PROMPT.filing, approval_from_minor=3_800_000)
strict = make_claim_decider(PolicyBook([replace(PROMPT, filing=filing)]), CALENDAR, every_day)
after = partial(lived_by, strict)
"""The history where a claim as large as this needs approval."""


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
        events = DECIDER.decide(self.APPROVE, DECIDER.fold(history))
        assert [type(event) for event in events] == [FilingApproved]
        on_purpose = replace(self.APPROVE, despite_limitation=True)
        events = DECIDER.decide(on_purpose, DECIDER.fold((*history, *events)))
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
DERIVED = derived("36m", DELIVERED_ON)
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
