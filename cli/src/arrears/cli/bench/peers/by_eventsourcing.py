"""eventsourcing 9.5: single saves by several threads, and aggregates rebuilt one by one.

Its events tell what ours tell of a loan and of a repayment, with days as texts.

Its one argument is JSON: `postgres` with host, port, user, password and database; `saves`,
`threads`, `aggregates`, `events` of each. It prints JSON: saves and rebuilt events a second.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate


@dataclass
class Loan(Aggregate):  # type: ignore[misc] # the library is not installed where this is checked
    """A loan with what is owed."""

    loan_key: str
    borrower_id: str
    as_of_on: str
    days_past_due: int
    due_on: str
    overdue_minor: int
    balance_minor: int
    currency: str
    product: str
    bucket: str
    stated_at: str

    class Repaid(Aggregate.Event):  # type: ignore[misc] # as above
        fact_id: str
        repayment_id: str
        amount_minor: int
        currency: str
        value_on: str
        stated_at: str
        late: bool
        costs_minor: int
        interest_minor: int
        principal_minor: int
        in_suspense_minor: int
        policy_id: str
        policy_version: int

        def apply(self, loan: "Loan") -> None:
            loan.overdue_minor -= self.amount_minor
            loan.balance_minor -= self.principal_minor


def overdue(number: int) -> Loan:
    return Loan(
        loan_key=f"bench-{number:05d}@/core-banking/bench",
        borrower_id=f"bench-borrower-{number:05d}",
        as_of_on="2026-01-02",
        days_past_due=1,
        due_on="2026-01-01",
        overdue_minor=52_000,
        balance_minor=7_305_349,
        currency="CNY",
        product="consumer_loan",
        bucket="M1",
        stated_at="2026-01-02T15:30:00Z",
    )


def repay(loan: Loan, number: int) -> None:
    loan.trigger_event(
        Loan.Repaid,
        fact_id=f"f24471e6-1428-74c8-2aaa-309b40ff{number:04x}",
        repayment_id=f"{loan.loan_key}-{number}",
        amount_minor=100,
        currency="CNY",
        value_on="2026-02-02",
        stated_at="2026-02-02T04:00:00Z",
        late=False,
        costs_minor=0,
        interest_minor=10,
        principal_minor=90,
        in_suspense_minor=0,
        policy_id="cn-default",
        policy_version=1,
    )


def saved_per_second(app: Application, saves: int, threads: int) -> float:
    """One new event each, as a single command has."""

    def save(part: int) -> None:
        for number in range(part, saves, threads):
            app.save(overdue(number))

    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(save, range(threads)))
    return saves / (time.perf_counter() - begun)


def rebuilt_per_second(app: Application, aggregates: int, events: int) -> float:
    """Events a second. Nothing is cached: each aggregate is read and folded."""
    names = []
    for number in range(aggregates):
        loan = overdue(number)
        for nth in range(1, events):
            repay(loan, nth)
        app.save(loan)
        names.append(loan.id)
    begun = time.perf_counter()
    for name in names:
        app.repository.get(name)
    return aggregates * events / (time.perf_counter() - begun)


def main() -> None:
    wanted: dict[str, Any] = json.load(sys.stdin)
    place = wanted["postgres"]
    app = Application(
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": place["database"],
            "POSTGRES_HOST": place["host"],
            "POSTGRES_PORT": str(place["port"]),
            "POSTGRES_USER": place["user"],
            "POSTGRES_PASSWORD": place["password"],
            "POSTGRES_POOL_SIZE": str(wanted["threads"]),
        }
    )
    try:
        found = {
            "saves": saved_per_second(app, wanted["saves"], wanted["threads"]),
            "rebuilt": rebuilt_per_second(app, wanted["aggregates"], wanted["events"]),
        }
    finally:
        app.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
