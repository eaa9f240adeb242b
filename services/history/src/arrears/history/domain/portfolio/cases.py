"""What became of each case: its stage, its promises and agreements, its ending."""

from collections import Counter
from datetime import date
from typing import Final

from arrears.history.domain.portfolio.reads import (
    Awarded,
    Completed,
    Enforced,
    OfCase,
    OfPromise,
    Opened,
    Overdue,
    Referred,
    Repayment,
    WithReason,
)

STAGES: Final = ("intake", "contact", "mediation", "legal")

ENDINGS: Final = (
    "cured_in_grace",
    "cured_after_reminder",
    "promise_kept",
    "hardship_then_cured",
    "agreement_fulfilled",
    "agreement_breached_then_sued",
    "judgment_obeyed",
    "enforced_in_full",
    "enforced_in_part",
    "enforced_no_assets",
    "still_open",
)
"""In the order of the last page. Further ones follow where a case came to one."""
_ENFORCED: Final = {
    "recovered_in_full": "enforced_in_full",
    "recovered_in_part": "enforced_in_part",
    "no_assets": "enforced_no_assets",
}


class Case:
    """One case; `stage` is the one it was last referred to, `is_there` whether it has it still.

    `referral` and `completed` are the last that intake made and that contact is done with: the two
    topics are heard in any interleaving.
    """

    __slots__ = (
        "agreement",
        "balance_minor",
        "breached",
        "closed_reason",
        "completed",
        "currency",
        "enforcement",
        "filings",
        "grace",
        "hardship",
        "is_there",
        "loan_key",
        "obeyed",
        "overdue_minor",
        "paid_minor",
        "promise_broken_on",
        "promise_id",
        "promise_kept",
        "referral",
        "referred_on",
        "returned_on",
        "stage",
        "treatments",
    )

    def __init__(self) -> None:
        self.loan_key = self.currency = ""
        self.stage = "intake"
        self.is_there = False
        self.referral, self.completed = 0, -1
        self.treatments: tuple[str, ...] = ()
        self.closed_reason: str | None = None
        self.balance_minor = self.overdue_minor = self.paid_minor = 0
        self.grace = self.hardship = self.promise_kept = False
        self.promise_id: str | None = None
        self.referred_on: date | None = None
        self.promise_broken_on: date | None = None
        self.returned_on: date | None = None
        self.agreement: str | None = None
        self.breached = self.obeyed = False
        self.filings = 0
        self.enforcement: str | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_reason is None

    @property
    def in_work(self) -> bool:
        """The stage has not given the case back, and is not done with the referral."""
        return self.is_there and self.completed < self.referral

    def ending(self) -> str:
        """The one ending under which the case is counted."""
        if self.enforcement is not None:
            return _ENFORCED.get(self.enforcement, f"enforced_{self.enforcement}")
        if self.obeyed:
            return "judgment_obeyed"
        if self.agreement == "fulfilled":
            return "agreement_fulfilled"
        if self.closed_reason is None:
            return "agreement_breached_then_sued" if self.was_sued_after_breach else "still_open"
        if self.closed_reason != "cured":
            return f"closed_{self.closed_reason}"
        return self._cure()

    def _cure(self) -> str:
        if self.was_sued_after_breach:
            return "agreement_breached_then_sued"
        if self.hardship:
            return "hardship_then_cured"
        if self.promise_kept:
            return "promise_kept"
        if not self.treatments:
            return "cured_in_grace" if self.grace else "cured_before_any_step"
        if set(self.treatments) == {"remind"}:
            return "cured_after_reminder"
        return f"cured_after_{self.treatments[-1]}"

    def waits_since(self, day: date | None) -> date | None:
        """The day, unless the case is closed or a step followed: then it is no work any more.

        What happened on a day is heard by the strategy on the next: a step of that day follows
        from something before it.
        """
        if day is None or self.closed_reason is not None:
            return None
        return None if self.referred_on is not None and self.referred_on > day else day

    @property
    def was_sued_after_breach(self) -> bool:
        return self.breached and self.filings > 0


class CaseBook:
    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self.paid_in: Counter[tuple[str, str]] = Counter()
        self.counts: Counter[str] = Counter()
        self.awarded: Counter[str] = Counter()
        self.recovered: Counter[str] = Counter()

    # --- Said by intake

    def opened(self, _day: date, fact: Opened) -> None:
        case = self._case(fact.case_id)
        case.loan_key, case.currency = fact.loan_key, fact.currency

    def overdue(self, _day: date, fact: Overdue) -> None:
        if fact.case_id is None:
            return
        case = self._case(fact.case_id)
        case.loan_key, case.currency = fact.loan_key, fact.currency
        if not fact.outdated:
            case.overdue_minor = fact.overdue_minor
            case.balance_minor = fact.balance_minor

    def repaid(self, _day: date, fact: Repayment) -> None:
        stage = "no_case"
        if fact.case_id is not None:
            case = self._case(fact.case_id)
            case.paid_minor += fact.amount_minor
            stage = case.stage
        self.paid_in[(stage, fact.currency)] += fact.amount_minor

    def graced(self, _day: date, fact: OfCase) -> None:
        self._case(fact.case_id).grace = True

    def referred(self, day: date, fact: Referred) -> None:
        case = self._case(fact.case_id)
        case.stage, case.is_there, case.referral = fact.stage, True, fact.referral
        case.treatments = (*case.treatments, fact.treatment)
        case.referred_on = day

    def returned(self, _day: date, fact: OfCase) -> None:
        self._case(fact.case_id).is_there = False

    def held(self, _day: date, fact: WithReason) -> None:
        if fact.reason == "hardship":
            self._case(fact.case_id).hardship = True

    def closed(self, _day: date, fact: WithReason) -> None:
        case = self._case(fact.case_id)
        case.closed_reason, case.is_there = fact.reason, False

    # --- Said by contact

    def completed(self, _day: date, fact: Completed) -> None:
        case = self._case(fact.case_id)
        case.completed = max(case.completed, fact.referral)

    def promised(self, _day: date, fact: OfPromise) -> None:
        self.counts["promises_made"] += 1
        case = self._case(fact.case_id)
        case.promise_id, case.promise_broken_on = fact.promise_id, None

    def kept(self, _day: date, fact: OfPromise) -> None:
        self.counts["promises_kept"] += 1
        self._case(fact.case_id).promise_kept = True

    def partly_kept(self, _day: date, _fact: OfPromise) -> None:
        self.counts["promises_partly_kept"] += 1

    def broken(self, day: date, fact: OfPromise) -> None:
        self.counts["promises_broken"] += 1
        case = self._case(fact.case_id)
        if case.promise_id == fact.promise_id:
            case.promise_broken_on = day

    def lapsed(self, _day: date, _fact: OfPromise) -> None:
        self.counts["promises_lapsed"] += 1

    def demand_returned(self, day: date, fact: OfCase) -> None:
        self.counts["demands_returned"] += 1
        self._case(fact.case_id).returned_on = day

    def demand_delivered(self, _day: date, fact: OfCase) -> None:
        self.counts["demands_delivered"] += 1
        self._case(fact.case_id).returned_on = None

    def hardship(self, _day: date, fact: OfCase) -> None:
        self.counts["hardships"] += 1
        self._case(fact.case_id).hardship = True

    # --- Said by mediation

    def agreed(self, _day: date, fact: OfCase) -> None:
        self.counts["agreements_signed"] += 1
        self._case(fact.case_id).agreement = "in_force"

    def fulfilled(self, _day: date, fact: OfCase) -> None:
        self.counts["agreements_fulfilled"] += 1
        self._case(fact.case_id).agreement = "fulfilled"

    def breached(self, _day: date, fact: OfCase) -> None:
        self.counts["agreements_breached"] += 1
        case = self._case(fact.case_id)
        case.agreement, case.breached = "breached", True

    # --- Said by legal

    def filed(self, _day: date, fact: OfCase) -> None:
        self.counts["claims_filed"] += 1
        self._case(fact.case_id).filings += 1

    def not_filed(self, _day: date, fact: WithReason) -> None:
        """The court was not asked. What a person had entered meanwhile was filed by hand."""
        if fact.reason != "overtaken":
            self.counts["claims_filed"] -= 1
            self._case(fact.case_id).filings -= 1

    def judged(self, _day: date, fact: Awarded) -> None:
        self.counts["judgments"] += 1
        self.awarded[fact.currency] += fact.awarded_minor

    def obeyed(self, _day: date, fact: OfCase) -> None:
        self.counts["judgments_obeyed"] += 1
        self._case(fact.case_id).obeyed = True

    def enforced(self, _day: date, fact: Enforced) -> None:
        self.counts["enforcements_closed"] += 1
        self._case(fact.case_id).enforcement = fact.result
        self.recovered[fact.currency] += fact.recovered_minor

    def _case(self, case_id: str) -> Case:
        """Whoever speaks of a case first: topics are heard in any interleaving."""
        case = self.cases.get(case_id)
        if case is None:
            case = self.cases[case_id] = Case()
        return case
