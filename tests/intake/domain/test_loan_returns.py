"""How a case leaves a stage: by the stage's own report, or because staff take it back."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from arrears.intake.domain.loan.commands import (
    HoldCase,
    LoanCommand,
    ReferCase,
    ReleaseCase,
    ReportStage,
    ReturnCase,
    WakeUp,
)
from arrears.intake.domain.loan.events import CaseReferred, CaseReturned, LoanEvent
from arrears.intake.domain.loan.state import Done, Loan
from arrears.intake.testing.loan import (
    CALENDAR,
    CASE,
    DAY,
    DECIDER,
    LOAN,
    ONE_DAY,
    WEI,
    after,
    case_of,
    end_of,
    evening,
    follow,
    overdue,
    wake,
)


def reports(report: str, day: date = DAY, stage: str = "contact", **other: Any) -> ReportStage:
    told = ReportStage(
        case_id=CASE, stage=stage, report=report, report_id=f"{report}-{day}", now=evening(day)
    )
    return replace(told, **other)


def completes(referral: int, day: date, result: str = "reached") -> ReportStage:
    return reports("treatment_completed", day, result=result, referral=referral)


def stopped(referral: int, day: date, reason: str | None) -> ReportStage:
    return replace(completes(referral, day, "stopped"), detail=reason)


def takes_back(day: date = DAY) -> ReturnCase:
    return ReturnCase(case_id=CASE, reason="sent by mistake", staff_id=WEI, now=evening(day))


def refers(stage: str, treatment: str, day: date = DAY) -> ReferCase:
    return ReferCase(
        case_id=CASE,
        stage=stage,
        treatment=treatment,
        reason="asked for",
        staff_id=WEI,
        now=evening(day),
    )


def decides(command: LoanCommand, loan: Loan) -> Sequence[LoanEvent]:
    return tuple(DECIDER.decide(command, loan))


def names(events: Sequence[LoanEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


OVERDUE = after(overdue(days=120, overdue_minor=500_000))
REMINDING = follow(OVERDUE, wake(DAY))
MEDIATING = follow(OVERDUE, refers("mediation", "mediate"))
SUING = follow(OVERDUE, refers("legal", "sue"))


class TestTakenBack:
    def test_the_case_is_nobodys_until_the_next_referral(self) -> None:
        visiting = follow(OVERDUE, refers("contact", "visit"))
        assert decides(takes_back(), visiting) == (
            CaseReturned(
                case_id=CASE,
                loan_key=LOAN,
                stage="contact",
                result="taken_back",
                staff_id=WEI,
                review_on=DAY,
            ),
        )
        case = case_of(follow(visiting, takes_back()))
        assert (case.stage, case.treatment, case.awaiting) == (None, None, False)

    def test_of_a_case_that_no_stage_has_is_nothing(self) -> None:
        assert decides(takes_back(), OVERDUE) == ()

    def test_the_rung_is_done_and_the_days_to_the_next_count_from_then(self) -> None:
        back_on = DAY + 2 * ONE_DAY
        loan = follow(REMINDING, takes_back(back_on))
        assert case_of(loan).done == (Done("remind", "taken_back"),)
        assert decides(wake(back_on), loan) == ()
        assert DECIDER.due(loan, evening(back_on)) == end_of(back_on + 3 * ONE_DAY)
        (called,) = decides(wake(back_on + 3 * ONE_DAY), loan)
        assert isinstance(called, CaseReferred)
        assert called.treatment == "call"

    def test_a_rung_that_had_ended_keeps_its_end_and_its_days(self) -> None:
        reminded = follow(REMINDING, completes(1, DAY))
        loan = follow(reminded, takes_back(DAY + ONE_DAY))
        assert case_of(loan).done == (Done("remind", "reached"),)
        assert DECIDER.due(loan, evening(DAY + ONE_DAY)) == end_of(DAY + 3 * ONE_DAY)

    def test_what_the_stage_reports_of_it_afterwards_is_news_only(self) -> None:
        loan = follow(REMINDING, takes_back(), completes(1, DAY + ONE_DAY, "stopped"))
        assert case_of(loan).done == (Done("remind", "taken_back"),)
        assert DECIDER.due(loan, evening(DAY + ONE_DAY)) == end_of(DAY + 3 * ONE_DAY)

    def test_a_suit_does_not_follow_from_talks_that_staff_took_back(self) -> None:
        failed = reports(
            "mediation_failed", DAY + ONE_DAY, "mediation", result="failed", treatment="mediate"
        )
        back = follow(MEDIATING, takes_back())
        assert names(decides(failed, back)) == ["StageReported"]
        for loan in (back, follow(back, failed)):
            assert DECIDER.due(loan, evening(DAY + 90 * ONE_DAY)) is None
            assert decides(wake(DAY + 90 * ONE_DAY), loan) == ()

    def test_referred_there_again_the_talks_may_fail(self) -> None:
        failed = reports(
            "mediation_failed", DAY + ONE_DAY, "mediation", result="failed", treatment="mediate"
        )
        again = follow(MEDIATING, takes_back(), refers("mediation", "mediate"), failed)
        assert case_of(again).done == (Done("mediate", "failed"),)

    def test_an_agreement_outlives_it_and_its_breach_leads_on(self) -> None:
        signed = reports("agreement_signed", stage="mediation")
        breached = reports(
            "agreement_breached", DAY + ONE_DAY, "mediation", result="breached", treatment="mediate"
        )
        kept = follow(MEDIATING, signed, takes_back())
        assert DECIDER.due(kept, evening(DAY)) is None
        loan = follow(kept, breached)
        assert DECIDER.due(loan, evening(DAY + ONE_DAY)) == end_of(DAY + 6 * ONE_DAY)

    def test_an_event_from_before_it_counted_counts_nothing(self) -> None:
        returned = CaseReturned(case_id=CASE, loan_key=LOAN, stage="contact", result="taken_back")
        case = case_of(DECIDER.evolve(REMINDING, returned))
        assert (case.stage, case.done, case.step_on) == (None, (), None)


class TestStopped:
    """A hold, an agreement or a shield ended a treatment: it is taken again after the pause."""

    def test_a_short_hold_does_not_cost_the_rung(self) -> None:
        held = HoldCase(
            case_id=CASE, reason="dispute", until_on=None, staff_id=WEI, now=evening(DAY)
        )
        over_on = DAY + 2 * ONE_DAY
        released = ReleaseCase(case_id=CASE, reason="unfounded", staff_id=WEI, now=evening(over_on))
        loan = follow(REMINDING, held, completes(1, DAY, "stopped"), released)
        assert DECIDER.due(loan, evening(over_on)) == end_of(over_on + 7 * ONE_DAY)
        (again,) = decides(wake(over_on + 7 * ONE_DAY), loan)
        assert isinstance(again, CaseReferred)
        assert (again.treatment, again.referral) == ("remind", 2)
        reached = follow(DECIDER.evolve(loan, again), completes(2, over_on + 8 * ONE_DAY))
        assert case_of(reached).done == (Done("remind", "reached", 1),)

    @staticmethod
    def sent_while_stopped(
        loan: Loan, day: date, reason: str | None
    ) -> tuple[Loan, list[tuple[str | None, int]]]:
        """The next nine referrals, each stopped on the next day."""
        sent: list[tuple[str | None, int]] = []
        while (due := DECIDER.due(loan, evening(day))) is not None and len(sent) < 9:
            day = CALENDAR.day_of(due)
            loan = follow(loan, wake(day))
            case = case_of(loan)
            sent.append((case.treatment, (day - DAY).days))
            day += ONE_DAY
            loan = follow(loan, stopped(case.referral, day, reason))
        return loan, sent

    @pytest.mark.parametrize("reason", [None, "staff", "nothing_owed"])
    def test_a_stop_that_stands_for_good_makes_no_loop(self, reason: str | None) -> None:
        _, sent = self.sent_while_stopped(OVERDUE, DAY, reason)
        assert sent[:4] == [("remind", 0), ("remind", 8), ("remind", 16), ("call", 20)]
        assert [name for name, _ in sent[3:6]] == ["call"] * 3

    @pytest.mark.parametrize("reason", ["hold", "hardship"])
    @pytest.mark.parametrize("treatment", ["remind", "visit"])
    def test_a_hold_of_the_person_keeps_the_rung_for_as_long_as_it_stands(
        self, reason: str, treatment: str
    ) -> None:
        """Another case of the borrower is held for a death: nothing leads on to talks from here."""
        begun = follow(OVERDUE, refers("contact", treatment), stopped(1, DAY, reason))
        loan, sent = self.sent_while_stopped(begun, DAY, reason)
        assert sent == [(treatment, 7 + 8 * again) for again in range(9)]
        assert case_of(loan).done == (Done(treatment, "stopped", 0),)

    def test_once_the_hold_of_the_person_is_over_the_ladder_goes_on(self) -> None:
        loan, _ = self.sent_while_stopped(OVERDUE, DAY, "hold")
        again_on = DAY + 72 * ONE_DAY
        loan = follow(loan, wake(again_on), completes(10, again_on))
        assert case_of(loan).done == (Done("remind", "reached", 0),)
        (called,) = decides(wake(again_on + 3 * ONE_DAY), loan)
        assert isinstance(called, CaseReferred)
        assert called.treatment == "call"

    def test_a_hold_between_other_stops_takes_none_of_them_back(self) -> None:
        loan, day = OVERDUE, DAY
        for referral, reason in enumerate(["staff", "hold", "staff", "hold", "staff"], start=1):
            assert case_of(follow(loan, wake(day))).treatment == "remind"
            loan = follow(loan, wake(day), stopped(referral, day, reason))
            day += 7 * ONE_DAY
        assert case_of(loan).done == (Done("remind", "stopped", 3),)
        assert case_of(follow(loan, wake(day))).treatment == "call"


def test_talks_about_what_was_paid_lead_to_no_suit_and_come_again_where_more_falls_due() -> None:
    ended = reports(
        "mediation_closed", DAY + ONE_DAY, "mediation", result="stopped", treatment="mediate"
    )
    assert "CaseReturned" in names(decides(ended, MEDIATING))
    loan = follow(MEDIATING, ended)
    due = DECIDER.due(loan, evening(DAY + ONE_DAY))
    assert due is not None
    (again,) = decides(WakeUp(now=due), loan)
    assert isinstance(again, CaseReferred)
    assert (again.stage, again.treatment) == ("mediation", "mediate")


@pytest.mark.parametrize("report", ["mediation_failed", "mediation_closed"])
def test_an_end_of_talks_for_an_older_referral_is_news_only(report: str) -> None:
    """Staff referred the case anew before mediation's word was here."""
    again = follow(MEDIATING, takes_back(), refers("mediation", "mediate"))
    older = case_of(MEDIATING).referral
    ended = reports(
        report, DAY + ONE_DAY, "mediation", result="failed", treatment="mediate", referral=older
    )
    assert names(decides(ended, again)) == ["StageReported"]
    case = case_of(follow(again, ended))
    assert (case.stage, case.awaiting) == ("mediation", True)
    present = replace(ended, referral=older + 1)
    assert "CaseReturned" in names(decides(present, again))


class TestAnotherStageAtWork:
    """Staff sent the case elsewhere: the stage that had it gives back nothing."""

    ELSEWHERE = follow(MEDIATING, refers("legal", "sue"))

    @pytest.mark.parametrize(
        ("report", "result"),
        [
            ("mediation_failed", "failed"),
            ("agreement_breached", "breached"),
            ("agreement_fulfilled", "fulfilled"),
        ],
    )
    def test_keeps_the_case(self, report: str, result: str) -> None:
        ended = reports(report, DAY + ONE_DAY, "mediation", result=result, treatment="mediate")
        assert "CaseReturned" not in names(decides(ended, self.ELSEWHERE))
        case = case_of(follow(self.ELSEWHERE, ended))
        assert (case.stage, case.treatment, case.awaiting) == ("legal", "sue", True)
        assert case.done == (Done("mediate", result),)

    @pytest.mark.parametrize("result", ["no_assets", "recovered_in_part"])
    def test_an_enforcement_that_falls_short_does_not_end_talks(self, result: str) -> None:
        closed = reports(
            "enforcement_closed", DAY + ONE_DAY, "legal", result=result, treatment="sue"
        )
        talks = follow(SUING, refers("mediation", "mediate"))
        signed = follow(talks, takes_back(), reports("agreement_signed", stage="mediation"))
        for loan in (talks, signed):
            assert names(decides(closed, loan)) == ["StageReported"]
        case = case_of(follow(talks, closed))
        assert (case.stage, case.awaiting, case.closed) == ("mediation", True, None)
        assert case.done == (Done("sue", result),)

    def test_an_enforcement_that_nobody_took_over_ends_the_case(self) -> None:
        closed = reports(
            "enforcement_closed", DAY + ONE_DAY, "legal", result="no_assets", treatment="sue"
        )
        assert names(decides(closed, follow(SUING, takes_back())))[-1] == "CaseClosed"

    def test_a_treatment_of_an_older_referral_is_news_only(self) -> None:
        """Contact said it before it heard of the talks, or of the referral that came after."""
        visiting = follow(OVERDUE, refers("contact", "visit"))
        talks = follow(visiting, refers("mediation", "mediate"))
        again = follow(talks, takes_back(), refers("contact", "visit"))
        for loan in (talks, again):
            ended = completes(1, DAY + ONE_DAY, "stopped")
            before, after = case_of(loan), case_of(follow(loan, ended))
            assert (after.stage, after.treatment, after.awaiting) == (
                before.stage,
                before.treatment,
                True,
            )
            assert after.done == before.done


class TestRefusedFiling:
    """Legal keeps the case and files by itself once nothing is missing."""

    REFUSED = reports("filing_refused", DAY + ONE_DAY, "legal", detail="demand_delivered")

    def test_is_news_and_the_case_stays_with_legal(self) -> None:
        assert names(decides(self.REFUSED, SUING)) == ["StageReported"]
        loan = follow(SUING, self.REFUSED)
        case = case_of(loan)
        assert (case.stage, case.treatment, case.awaiting) == ("legal", "sue", True)
        assert case.done == ()
        assert DECIDER.due(loan, evening(DAY + 90 * ONE_DAY)) is None

    def test_what_comes_of_the_suit_later_gives_the_case_back(self) -> None:
        obeyed = reports(
            "judgment_obeyed", DAY + 90 * ONE_DAY, "legal", result="obeyed", treatment="sue"
        )
        loan = follow(SUING, self.REFUSED, obeyed)
        assert (case_of(loan).stage, case_of(loan).done) == (None, (Done("sue", "obeyed"),))

    def test_staff_may_take_it_back(self) -> None:
        loan = follow(SUING, self.REFUSED, takes_back(DAY + 2 * ONE_DAY))
        assert (case_of(loan).stage, case_of(loan).done) == (None, (Done("sue", "taken_back"),))
