"""The fold: which event changes which figures.

Rows must come in order of seq within each shard of a service. How the topics of different services
are interleaved changes no figure, so what was folded once need not be folded again.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from msgspec import Struct

from arrears.history.domain.portfolio import reads
from arrears.history.domain.portfolio.attempts import AttemptBook
from arrears.history.domain.portfolio.cases import CaseBook
from arrears.history.domain.portfolio.loans import LoanBook

Row = tuple[str, date, bytes]
"""Wire name, business day, the event's bytes."""
Hearer = Callable[[date, Any], None]

_BODIES: Final[Mapping[str, type[Struct]]] = {
    "intake.loan_overdue_recorded": reads.Overdue,
    "intake.repayment_recorded": reads.Repayment,
    "intake.loan_cured_recorded": reads.Cured,
    "intake.case_opened": reads.Opened,
    "intake.grace_granted": reads.OfCase,
    "intake.case_referred": reads.Referred,
    "intake.case_returned": reads.OfCase,
    "intake.case_held": reads.WithReason,
    "intake.case_closed": reads.WithReason,
    "contact.treatment_completed": reads.Completed,
    "contact.attempt_requested": reads.OfAttempt,
    "contact.attempt_permitted": reads.OfAttempt,
    "contact.attempt_denied": reads.Denied,
    "contact.attempt_withdrawn": reads.Denied,
    "contact.attempt_receipted": reads.Receipted,
    "contact.attempt_concluded": reads.Concluded,
    "contact.promise_made": reads.OfPromise,
    "contact.promise_kept": reads.OfPromise,
    "contact.promise_partly_kept": reads.OfPromise,
    "contact.promise_broken": reads.OfPromise,
    "contact.promise_lapsed": reads.OfPromise,
    "contact.demand_returned": reads.OfCase,
    "contact.demand_delivered": reads.OfCase,
    "contact.hardship_reported": reads.OfCase,
    "mediation.agreement_signed": reads.OfCase,
    "mediation.agreement_fulfilled": reads.OfCase,
    "mediation.agreement_breached": reads.OfCase,
    "legal.claim_filed": reads.OfCase,
    "legal.filing_withheld": reads.WithReason,
    "legal.judgment_entered": reads.Awarded,
    "legal.judgment_obeyed": reads.OfCase,
    "legal.enforcement_closed": reads.Enforced,
}
READS: Final = tuple(f"arrears.{name}.v1" for name in _BODIES)
"""Every wire name that changes a figure: a store need not fetch others."""


class Portfolio:
    """The figures so far. Fold more rows whenever there are more; ask for the page at any time."""

    def __init__(self) -> None:
        self.loans = LoanBook()
        self.cases = CaseBook()
        self.attempts = AttemptBook()
        self.event_count = 0
        self.last_day: date | None = None
        self._table = {
            f"arrears.{name}.v1": (reads.decoder_of(body).decode, self._hearers()[name])
            for name, body in _BODIES.items()
        }

    def hear(self, rows: Iterable[Row]) -> None:
        table = self._table
        for wire_name, day, value in rows:
            found = table.get(wire_name)
            if found is None:
                continue
            decode, hearers = found
            fact = decode(value).data
            for hearer in hearers:
                hearer(day, fact)
            self.event_count += 1
            if self.last_day is None or day > self.last_day:
                self.last_day = day

    def _hearers(self) -> Mapping[str, tuple[Hearer, ...]]:
        loans, cases, attempts = self.loans, self.cases, self.attempts
        return {
            "intake.loan_overdue_recorded": (loans.overdue, cases.overdue),
            "intake.repayment_recorded": (loans.repaid, cases.repaid),
            "intake.loan_cured_recorded": (loans.cured,),
            "intake.case_opened": (loans.opened, cases.opened),
            "intake.grace_granted": (cases.graced,),
            "intake.case_referred": (cases.referred,),
            "intake.case_returned": (cases.returned,),
            "intake.case_held": (cases.held,),
            "intake.case_closed": (cases.closed,),
            "contact.treatment_completed": (cases.completed,),
            "contact.attempt_requested": (attempts.requested,),
            "contact.attempt_permitted": (attempts.permitted,),
            "contact.attempt_denied": (attempts.denied,),
            "contact.attempt_withdrawn": (attempts.withdrawn,),
            "contact.attempt_receipted": (attempts.receipted,),
            "contact.attempt_concluded": (attempts.concluded,),
            "contact.promise_made": (cases.promised,),
            "contact.promise_kept": (cases.kept,),
            "contact.promise_partly_kept": (cases.partly_kept,),
            "contact.promise_broken": (cases.broken,),
            "contact.promise_lapsed": (cases.lapsed,),
            "contact.demand_returned": (cases.demand_returned,),
            "contact.demand_delivered": (cases.demand_delivered,),
            "contact.hardship_reported": (cases.hardship,),
            "mediation.agreement_signed": (cases.agreed,),
            "mediation.agreement_fulfilled": (cases.fulfilled,),
            "mediation.agreement_breached": (cases.breached,),
            "legal.claim_filed": (cases.filed,),
            "legal.filing_withheld": (cases.not_filed,),
            "legal.judgment_entered": (cases.judged,),
            "legal.judgment_obeyed": (cases.obeyed,),
            "legal.enforcement_closed": (cases.enforced,),
        }
