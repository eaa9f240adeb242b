"""What a loan's decisions are made with: the policies by day, the bank's calendar, the tenant."""

from datetime import date, datetime, timedelta
from typing import Final

from arrears.intake.domain.assessment import NOTHING_KNOWN, Assessor, Conduct, Verdict
from arrears.intake.domain.loan.events import AssessmentInputs, CaseAssessed
from arrears.intake.domain.loan.owed import Owed
from arrears.intake.domain.loan.state import Case
from arrears.intake.domain.policy import Policy, PolicyBook
from arrears.intake.domain.strategy import Figures
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import CaseId, LoanKey, TenantId, case_id

ONE_DAY: Final = timedelta(days=1)


class LoanRules:
    __slots__ = ("_assessors", "_review_days", "calendar", "policies", "tenant")

    REMEMBERED_MAX: Final = 4_000

    def __init__(self, policies: PolicyBook, calendar: BankCalendar, tenant: TenantId) -> None:
        self.policies = policies
        self.calendar = calendar
        self.tenant = tenant
        self._assessors: dict[int, Assessor] = {}
        self._review_days: dict[datetime, date] = {}

    def assessor(self, policy: Policy) -> Assessor:
        found = self._assessors.get(policy.version)
        if found is None:
            found = self._assessors[policy.version] = Assessor(policy)
        return found

    def case_id(self, loan_key: LoanKey, episode: int) -> CaseId:
        return case_id(self.tenant, loan_key, episode)

    def review_day(self, now: datetime) -> date:
        """The first day whose last minute lies after `now`: when the strategy looks next."""
        found = self._review_days.get(now)
        if found is None:
            day = self.calendar.day_of(now)
            found = day if now < self.calendar.last_minute_of(day) else day + ONE_DAY
            if len(self._review_days) >= self.REMEMBERED_MAX:
                self._review_days.clear()
            self._review_days[now] = found
        return found


def conduct_of(case: Case | None) -> Conduct:
    if case is None:
        return NOTHING_KNOWN
    breached = case.agreement == "breached"
    return Conduct(case.refused, case.promises_broken, case.unreachable, breached)


def figures_of(case: Case, owed: Owed) -> Figures:
    risk = "low" if case.assessed is None else case.assessed.risk
    latest = owed.latest
    return Figures(latest.days_past_due, owed.overdue_minor, latest.currency, risk)


def assessed(
    verdict: Verdict, conduct: Conduct, owed: Owed, case_id: CaseId, policy: Policy
) -> CaseAssessed:
    latest = owed.latest
    return CaseAssessed(
        case_id=case_id,
        loan_key=latest.loan_key,
        bucket=verdict.bucket,
        five_tier_class=verdict.five_tier_class,
        risk=verdict.risk,
        score=verdict.score,
        reasons=verdict.reasons,
        inputs=AssessmentInputs(
            days_past_due=latest.days_past_due,
            overdue_minor=owed.overdue_minor,
            currency=latest.currency,
            product=latest.product,
            episode=latest.episode,
            refused=conduct.refused,
            promises_broken=conduct.promises_broken,
            unreachable=conduct.unreachable,
            agreement_breached=conduct.agreement_breached,
        ),
        policy_id=policy.id,
        policy_version=policy.version,
    )


def is_news(verdict: Verdict, before: CaseAssessed | None) -> bool:
    return before is None or (
        verdict.bucket != before.bucket
        or verdict.risk != before.risk
        or verdict.five_tier_class != before.five_tier_class
    )
