"""Who has the case: what the strategy says at the end of a day, and what the stages' reports do."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from arrears.intake.adapters.policies import load_policies
from arrears.intake.domain.loan.commands import LoanCommand, ReportStage, WakeUp
from arrears.intake.domain.loan.decisions import make_loan_decider
from arrears.intake.domain.loan.events import (
    CaseAssessed,
    CaseClosed,
    CaseHeld,
    CaseReferred,
    CaseReleased,
    CaseReturned,
    GraceGranted,
    LoanEvent,
    StageReported,
)
from arrears.intake.domain.loan.state import Hold, Loan
from arrears.intake.domain.policy import PolicyBook
from arrears.intake.testing.loan import (
    CALENDAR,
    CASE,
    DAY,
    DECIDER,
    LOAN,
    ONE_DAY,
    command,
    end_of,
    evening,
    follow,
    overdue,
    wake,
)
from arrears.shared.kernel.ids import TenantId, case_id

ONE_MINUTE = timedelta(minutes=1)


def says_overdue(days: int, day: date = DAY, **other: Any) -> LoanCommand:
    fact = overdue(day, days, overdue_minor=500_000)
    return command(replace(fact, **other), evening(day))


def reports(report: str, day: date = DAY, stage: str = "contact", **other: Any) -> ReportStage:
    told = ReportStage(
        case_id=CASE, stage=stage, report=report, report_id=f"{report}-{day}", now=evening(day)
    )
    return replace(told, **other)


def completes(treatment: str, referral: int, day: date = DAY) -> ReportStage:
    return reports(
        "treatment_completed", day, result="reached", treatment=treatment, referral=referral
    )


def decides(command: LoanCommand, loan: Loan) -> Sequence[LoanEvent]:
    return tuple(DECIDER.decide(command, loan))


def names(events: Sequence[LoanEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


OVERDUE = follow(DECIDER.initial, says_overdue(40))
REMINDING = follow(OVERDUE, wake(DAY))
REMINDED = follow(REMINDING, completes("remind", 1, DAY))


class TestEndOfDay:
    def test_refers_the_case_with_the_banks_figures(self) -> None:
        assert decides(wake(DAY), OVERDUE) == (
            CaseReferred(
                case_id=CASE,
                loan_key=LOAN,
                episode=1,
                referral=1,
                stage="contact",
                treatment="remind",
                rule="remind",
                reason="40 days past due reach 1; the first step",
                days_past_due=40,
                due_on=date(2026, 1, 21),
                overdue_minor=500_000,
                balance_minor=900_000,
                currency="CNY",
                product="loan",
                risk="low",
                decided_on=DAY,
                policy_id="cn-default",
                policy_version=1,
                as_of_on=DAY,
            ),
        )

    def test_grants_grace_once(self) -> None:
        few = follow(DECIDER.initial, says_overdue(3))
        (granted,) = decides(wake(DAY), few)
        assert granted == GraceGranted(
            case_id=CASE,
            loan_key=LOAN,
            until_days_past_due=5,
            days_past_due=3,
            reason="3 days past due are below 5",
            policy_id="cn-default",
            policy_version=1,
        )
        assert decides(wake(DAY), DECIDER.evolve(few, granted)) == ()

    def test_says_nothing_about_a_loan_without_a_case(self) -> None:
        assert decides(wake(DAY), DECIDER.initial) == ()

    def test_counts_referrals_over_the_case(self) -> None:
        (called,) = decides(wake(DAY + 3 * ONE_DAY), REMINDED)
        assert isinstance(called, CaseReferred)
        assert (called.referral, called.treatment) == (2, "call")

    def test_a_newer_policy_decides_from_its_first_day(self) -> None:
        old = load_policies().on(DAY)
        grace = old.grace
        assert grace is not None
        book = PolicyBook(
            [
                replace(old, valid_until=DAY),
                replace(
                    old,
                    version=2,
                    valid_from=DAY + ONE_DAY,
                    grace=replace(grace, days_past_due_below=10),
                ),
            ]
        )
        decider = make_loan_decider(book, CALENDAR, TenantId("bank"))
        seen = []
        for day in (DAY, DAY + ONE_DAY):
            loan = decider.fold(decider.decide(says_overdue(7, day), decider.initial))
            seen.append(names(decider.decide(wake(day), loan)))
        assert seen == [["CaseReferred"], ["GraceGranted"]]


class TestDue:
    def test_at_the_last_minute_of_the_facts_day(self) -> None:
        assert DECIDER.due(OVERDUE, evening(DAY)) == end_of(DAY)

    def test_of_the_next_day_when_the_last_minute_has_begun(self) -> None:
        late = says_overdue(40)
        late = replace(late, now=end_of(DAY))
        assert DECIDER.due(follow(DECIDER.initial, late), end_of(DAY)) == end_of(DAY + ONE_DAY)

    def test_never_before_the_day_that_made_it_necessary(self) -> None:
        assert DECIDER.due(OVERDUE, evening(DAY - 9 * ONE_DAY)) == end_of(DAY)

    def test_a_missed_evening_is_made_up_for(self) -> None:
        after = evening(DAY + 10 * ONE_DAY)
        assert DECIDER.due(OVERDUE, after) == end_of(DAY + 10 * ONE_DAY)

    def test_when_the_days_of_the_next_rung_are_over(self) -> None:
        assert DECIDER.due(REMINDED, evening(DAY)) == end_of(DAY + 3 * ONE_DAY)

    def test_never_while_somebody_else_has_to_speak(self) -> None:
        in_grace = follow(DECIDER.initial, says_overdue(3), wake(DAY))
        below_call = follow(DECIDER.initial, says_overdue(10), wake(DAY), completes("remind", 1))
        promised = follow(REMINDED, reports("promise_made", promise_id="p-1"))
        for loan in (DECIDER.initial, REMINDING, in_grace, below_call, promised):
            assert DECIDER.due(loan, evening(DAY)) is None

    def test_when_a_hold_ends_and_not_before(self) -> None:
        until = DAY + 30 * ONE_DAY
        held = follow(REMINDED, reports("hardship_reported", until_on=until))
        assert DECIDER.due(held, evening(DAY)) == end_of(until)
        assert DECIDER.due(held, end_of(until)) == end_of(until + ONE_DAY)


class TestReports:
    def test_a_completed_treatment_starts_the_count_to_the_next_rung(self) -> None:
        (reported,) = decides(completes("remind", 1, DAY + ONE_DAY), REMINDING)
        assert reported == StageReported(
            case_id=CASE,
            loan_key=LOAN,
            stage="contact",
            report="treatment_completed",
            report_id=f"treatment_completed-{DAY + ONE_DAY}",
            review_on=DAY + ONE_DAY,
            result="reached",
            treatment="remind",
            referral=1,
        )
        loan = DECIDER.evolve(REMINDING, reported)
        assert DECIDER.due(loan, evening(DAY + ONE_DAY)) == end_of(DAY + 4 * ONE_DAY)

    def test_the_end_of_an_older_referral_does_not_free_the_newer_one(self) -> None:
        calling = follow(REMINDED, wake(DAY + 3 * ONE_DAY))
        again = follow(calling, completes("remind", 1, DAY + 3 * ONE_DAY))
        assert again.case is not None
        assert again.case.awaiting

    def test_the_same_report_twice_counts_once(self) -> None:
        assert decides(completes("remind", 1, DAY), REMINDED) == ()

    def test_of_another_case_or_none_are_not_ours(self) -> None:
        stranger = replace(completes("remind", 1), case_id=case_id("bank", LOAN, 2))
        assert decides(stranger, REMINDING) == ()
        assert decides(completes("remind", 1), DECIDER.initial) == ()

    def test_a_refusal_raises_the_risk(self) -> None:
        reported, assessed = decides(reports("refusal_reported"), REMINDING)
        assert isinstance(reported, StageReported)
        assert isinstance(assessed, CaseAssessed)
        assert (assessed.risk, assessed.reasons) == ("medium", ("dpd_30", "refused"))
        assert assessed.inputs.refused

    def test_unreachable_counts_for_the_risk_however_it_is_told(self) -> None:
        told = follow(REMINDING, reports("unreachable_reported"))
        implied = follow(REMINDING, replace(completes("remind", 1), result="unreachable"))
        for loan in (told, implied):
            assert loan.case is not None
            assert loan.case.unreachable

    def test_notices_and_steps_of_a_suit_are_recorded_and_move_nothing(self) -> None:
        for report in ("demand_delivered", "demand_returned", "claim_filed", "judgment_entered"):
            assert names(decides(reports(report), REMINDING)) == ["StageReported"]
            loan = follow(REMINDING, reports(report))
            assert loan.case is not None
            assert loan.case.awaiting


class TestHardship:
    def test_holds_the_case_until_its_review(self) -> None:
        until = DAY + 30 * ONE_DAY
        reported, held = decides(reports("hardship_reported", until_on=until), REMINDED)
        assert isinstance(reported, StageReported)
        assert held == CaseHeld(case_id=CASE, loan_key=LOAN, reason="hardship", until_on=until)

    def test_on_the_day_of_the_review_the_case_is_released_and_goes_on(self) -> None:
        until = DAY + 30 * ONE_DAY
        held = follow(REMINDED, reports("hardship_reported", until_on=until))
        assert decides(wake(until - ONE_DAY), held) == ()
        assert decides(wake(until), held) == (
            CaseReleased(case_id=CASE, loan_key=LOAN, reason="hold_ended", review_on=until),
        )
        released = follow(held, wake(until))
        assert DECIDER.due(released, end_of(until)) == end_of(until + 3 * ONE_DAY)

    def test_a_review_in_the_past_holds_to_the_end_of_the_day(self) -> None:
        claim = reports("hardship_reported", until_on=DAY - 9 * ONE_DAY)
        hold = decides(claim, REMINDED)[1]
        assert isinstance(hold, CaseHeld)
        assert hold.until_on == DAY
        held = follow(REMINDED, claim)
        assert DECIDER.due(held, evening(DAY)) == end_of(DAY)

    @pytest.mark.parametrize(
        ("before", "asked", "after"), [(30, 40, 40), (30, 30, 30), (30, 20, 30)]
    )
    def test_a_second_claim_never_shortens_the_hold(
        self, before: int, asked: int, after: int
    ) -> None:
        held = follow(REMINDED, reports("hardship_reported", until_on=DAY + before * ONE_DAY))
        claim = reports("hardship_reported", DAY + ONE_DAY, until_on=DAY + asked * ONE_DAY)
        said = names(decides(claim, held))
        assert ("CaseHeld" in said) is (after > before)
        loan = follow(held, claim)
        assert loan.case is not None
        assert loan.case.holds == (Hold("hardship", DAY + after * ONE_DAY),)


def mediating(days: int = 120) -> Loan:
    loan = follow(DECIDER.initial, says_overdue(days))
    day = DAY
    for number, treatment in enumerate(("remind", "call", "demand", "visit"), start=1):
        loan = follow(loan, wake(day), completes(treatment, number, day))
        day += 5 * ONE_DAY
    return follow(loan, wake(day))


MEDIATING = mediating()
TALKS_END = DAY + 60 * ONE_DAY


def mediation(report: str, result: str, day: date = TALKS_END) -> ReportStage:
    return reports(report, day, "mediation", result=result, treatment="mediate")


def legal(report: str, result: str, day: date = TALKS_END) -> ReportStage:
    return reports(report, day, "legal", result=result, treatment="sue")


SUING = follow(MEDIATING, mediation("mediation_failed", "failed"), wake(TALKS_END + 5 * ONE_DAY))


class TestMediationAndLegal:
    def test_the_ladder_leads_to_talks(self) -> None:
        assert MEDIATING.case is not None
        assert (MEDIATING.case.stage, MEDIATING.case.treatment) == ("mediation", "mediate")

    @pytest.mark.parametrize(
        ("report", "result"), [("mediation_failed", "failed"), ("agreement_breached", "breached")]
    )
    def test_talks_that_came_to_nothing_lead_to_a_suit(self, report: str, result: str) -> None:
        signed = follow(MEDIATING, reports("agreement_signed", stage="mediation"))
        assert DECIDER.due(signed, evening(DAY + 40 * ONE_DAY)) is None
        events = decides(mediation(report, result), signed if result == "breached" else MEDIATING)
        assert CaseReturned(case_id=CASE, loan_key=LOAN, stage="mediation", result=result) in events
        base = signed if result == "breached" else MEDIATING
        loan = follow(base, mediation(report, result))
        due = DECIDER.due(loan, evening(TALKS_END))
        assert due == end_of(TALKS_END + 5 * ONE_DAY)
        (sued,) = decides(WakeUp(now=due), loan)
        assert isinstance(sued, CaseReferred)
        assert (sued.stage, sued.treatment, sued.risk) == ("legal", "sue", "high")

    def test_a_kept_agreement_leads_nowhere(self) -> None:
        kept = follow(MEDIATING, mediation("agreement_fulfilled", "fulfilled"))
        assert DECIDER.due(kept, evening(TALKS_END)) is None

    @pytest.mark.parametrize("result", ["no_assets", "recovered_in_part"])
    def test_an_enforcement_that_falls_short_ends_the_case(self, result: str) -> None:
        reported, returned, closed = decides(legal("enforcement_closed", result), SUING)
        assert isinstance(reported, StageReported)
        assert isinstance(returned, CaseReturned)
        assert closed == CaseClosed(
            case_id=CASE,
            loan_key=LOAN,
            reason="uncollectible",
            closed_at=evening(TALKS_END),
            closed_on=TALKS_END,
            result=result,
        )
        assert DECIDER.due(follow(SUING, legal("enforcement_closed", result)), end_of(DAY)) is None

    @pytest.mark.parametrize(
        ("report", "result"),
        [
            ("enforcement_closed", "recovered_in_full"),
            ("judgment_obeyed", "obeyed"),
            ("claim_ended", "settled"),
            ("claim_ended", "withdrawn"),
        ],
    )
    def test_other_ends_of_a_suit_give_the_case_back_and_wait_for_the_bank(
        self, report: str, result: str
    ) -> None:
        events = decides(legal(report, result), SUING)
        assert names(events) == ["StageReported", "CaseReturned"]
        loan = follow(SUING, legal(report, result))
        assert loan.case is not None
        assert (loan.case.stage, loan.case.closed) == (None, None)
        assert DECIDER.due(loan, evening(TALKS_END)) is None

    def test_what_a_stage_says_after_the_end_is_not_ours(self) -> None:
        ended = follow(SUING, legal("enforcement_closed", "no_assets"))
        later = legal("judgment_obeyed", "obeyed", TALKS_END + ONE_DAY)
        assert decides(later, ended) == ()
