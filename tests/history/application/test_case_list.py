"""The row of a case: what each event does to it, in whatever order the topics are heard."""

from datetime import date
from functools import reduce
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from arrears.history.application.projections.case_list import Row, evolve, read
from arrears.history.domain.told import Kept, keep
from arrears.shared.testing.chronicle import Chronicle

DAY, NEXT = date(2024, 3, 1), date(2024, 3, 2)
CASE = {"case_id": "c1", "loan_key": "l1"}
MONEY: dict[str, Any] = {
    "overdue_minor": 500,
    "balance_minor": 900,
    "currency": "CNY",
    "bucket": "M1",
}


def _tell(chronicle: Chronicle, name: str, /, *, on: date = DAY, **data: object) -> None:
    service = name.split(".", maxsplit=1)[0]
    chronicle.tell(name, {**CASE, **data}, stream=f"{service}.x-1", on=on)


def _kept(chronicle: Chronicle) -> list[Kept]:
    return [keep(*record) for record in chronicle.numbered()]


def _row(events: list[Kept]) -> Row | None:
    start: Row | None = None
    return reduce(lambda row, kept: evolve(row, read(kept)), events, start)


def _life(chronicle: Chronicle) -> None:
    _tell(chronicle, "intake.loan_overdue_recorded", as_of_on=DAY, days_past_due=30, **MONEY)
    _tell(chronicle, "intake.case_opened", opened_on=DAY, currency="CNY")
    _tell(chronicle, "intake.case_assessed", bucket="M1", risk="low")
    _tell(chronicle, "intake.case_referred", stage="contact", treatment="call")
    _tell(chronicle, "contact.treatment_started", treatment="call")
    _tell(chronicle, "contact.promise_made", on=NEXT, amount_minor=100, currency="CNY")
    _tell(chronicle, "intake.repayment_recorded", on=NEXT, amount_minor=100, currency="CNY")


class TestEvolve:
    def test_a_life_in_one_row(self) -> None:
        chronicle = Chronicle()
        _life(chronicle)
        assert _row(_kept(chronicle)) == Row(
            case_id="c1",
            loan_key="l1",
            borrower_id="b-1",
            stage="contact",
            treatment="call",
            bucket="M1",
            risk="low",
            days_past_due=30,
            overdue_minor=500,
            balance_minor=900,
            paid_minor=100,
            currency="CNY",
            as_of_on=DAY,
            opened_on=DAY,
            last_event_on=NEXT,
            event_count=7,
        )

    @given(st.integers())
    def test_the_interleaving_of_topics_changes_nothing(self, seed: int) -> None:
        chronicle = Chronicle()
        _life(chronicle)
        events = _kept(chronicle)
        queues = [[k for k in events if k.service == rank] for rank in (0, 1)]
        chance = Random(seed)
        mixed: list[Kept] = []
        while any(queues):
            mixed.append(chance.choice([queue for queue in queues if queue]).pop(0))
        assert _row(mixed) == _row(events)

    def test_hold_release_and_closing(self) -> None:
        chronicle = Chronicle()
        _tell(chronicle, "intake.case_opened")
        statuses = []
        for name, reason in (
            ("case_held", "dispute"),
            ("case_released", "settled"),
            ("case_closed", "cured"),
            ("case_held", "late"),
        ):
            _tell(chronicle, f"intake.{name}", reason=reason)
            row = _row(_kept(chronicle))
            assert row is not None
            statuses.append(row.status)
        assert statuses == ["held", "open", "closed", "closed"]
        assert row is not None
        assert (row.closed_on, row.closed_reason) == (DAY, "cured")

    def test_an_outdated_fact_changes_no_figure(self) -> None:
        chronicle = Chronicle()
        _tell(chronicle, "intake.loan_overdue_recorded", on=NEXT, days_past_due=30, **MONEY)
        _tell(
            chronicle,
            "intake.loan_overdue_recorded",
            on=NEXT,
            days_past_due=1,
            outdated=True,
            **MONEY,
        )
        row = _row(_kept(chronicle))
        assert row is not None
        assert (row.days_past_due, row.event_count) == (30, 2)

    def test_what_belongs_to_no_case_makes_no_row(self) -> None:
        chronicle = Chronicle()
        chronicle.tell(
            "intake.repayment_recorded",
            {"loan_key": "l1", "case_id": None, "amount_minor": 1, "currency": "CNY"},
            stream="intake.loan-l1",
            on=DAY,
        )
        chronicle.close_day(DAY, services=("intake",))
        assert _row(_kept(chronicle)) is None
