"""What follows from each command. A command already in effect yields nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from arrears.intake.domain.loan.commands import (
    LoanCommand,
    RecordCured,
    RecordOverdue,
    RecordRepayment,
    ReportStage,
    WakeUp,
)
from arrears.intake.domain.loan.events import LoanEvent
from arrears.intake.domain.loan.recording import record_cured, record_overdue, record_repayment
from arrears.intake.domain.loan.rules import LoanRules
from arrears.intake.domain.loan.staff import decide_staff
from arrears.intake.domain.loan.stages import due, report_stage, wake_up
from arrears.intake.domain.loan.state import Loan, evolve, initial
from arrears.intake.domain.policy import PolicyBook
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.decider import Decider
from arrears.shared.kernel.ids import TenantId

CATEGORY = "intake.loan"

LoanDecider: TypeAlias = Decider[Loan, LoanCommand, LoanEvent]


def decide(rules: LoanRules, command: LoanCommand, loan: Loan) -> Sequence[LoanEvent]:
    match command:
        case RecordOverdue():
            return record_overdue(rules, command, loan)
        case RecordRepayment():
            return record_repayment(rules, command, loan)
        case RecordCured():
            return record_cured(rules, command, loan)
        case ReportStage():
            return report_stage(rules, command, loan)
        case WakeUp():
            return wake_up(rules, command, loan)
        case _:
            return decide_staff(rules, command, loan)


def make_loan_decider(
    policies: PolicyBook, calendar: BankCalendar, tenant: TenantId
) -> LoanDecider:
    rules = LoanRules(policies, calendar, tenant)

    def decide_loan(command: LoanCommand, loan: Loan) -> Sequence[LoanEvent]:
        return decide(rules, command, loan)

    def due_loan(loan: Loan, after: datetime) -> datetime | None:
        return due(rules, loan, after)

    def wake(now: datetime) -> LoanCommand:
        return WakeUp(now=now)

    return Decider(
        category=CATEGORY,
        initial=initial,
        evolve=evolve,
        decide=decide_loan,
        due=due_loan,
        wake=wake,
    )
