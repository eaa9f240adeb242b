"""What the decisions share: the rules that are in force, and the events drafted so far."""

from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from arrears.contact.domain.borrower.events import BorrowerEvent
from arrears.contact.domain.borrower.evolve import evolve
from arrears.contact.domain.borrower.state import Borrower, CaseFile
from arrears.contact.domain.policy import Policy, PolicyBook
from arrears.contact.domain.quiet_hours import borrower_zone, local_day
from arrears.shared.kernel.business_day import BankCalendar, IsWorkday, is_weekday
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import CaseId


class Rules(Struct, frozen=True):
    """`calendar` is the bank's; its zone is the market's, which stands in for unknown zones.

    On workdays the bank books what was paid.
    """

    book: PolicyBook
    calendar: BankCalendar
    sandbox_points: bool
    is_workday: IsWorkday = is_weekday


class Draft:
    """One decision in the making: each event said changes the borrower that the next one sees."""

    __slots__ = ("borrower", "events", "now", "rules")

    def __init__(self, rules: Rules, borrower: Borrower, now: datetime) -> None:
        self.rules = rules
        self.borrower = borrower
        self.now = now
        self.events: list[BorrowerEvent] = []

    def say(self, event: BorrowerEvent) -> None:
        self.events.append(event)
        self.borrower = evolve(self.borrower, event)

    def file(self, case_id: CaseId) -> CaseFile | None:
        return self.borrower.cases.get(case_id)

    def open_file(self, case_id: CaseId) -> CaseFile:
        """Raises Refused: case_closed, case_unknown."""
        file = self.file(case_id)
        if case_id in self.borrower.closed:
            raise Refused("case_closed")
        if file is None:
            raise Refused("case_unknown", "case_id")
        return file

    def debtors_file(self, case_id: CaseId) -> CaseFile:
        """Raises Refused: case_closed, case_unknown, borrower_changed."""
        file = self.open_file(case_id)
        if file.loan_key in self.borrower.left_loans:
            raise Refused("borrower_changed", "case_id")
        return file

    def open_files(self) -> list[CaseFile]:
        return [file for file in self.borrower.cases.values() if file.closed_for is None]

    @property
    def zone(self) -> ZoneInfo:
        return borrower_zone(self.borrower.zone, self.rules.calendar.zone)

    @property
    def policy(self) -> Policy:
        """Shapes what is planned; whether it may be done is asked of the permit, and only there."""
        return self.rules.book.on(local_day(self.now, self.zone)) or self.rules.book.last()
