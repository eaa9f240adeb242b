"""eventsourcing 9.5: single saves by several threads, and aggregates rebuilt one by one.

Its one argument is JSON: `postgres` with host, port, user, password and database; `saves`,
`threads`, `aggregates`, `events` of each. It prints JSON: saves and rebuilt events a second.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event


class Loan(Aggregate):  # type: ignore[misc] # the library is not installed where this is checked
    """A loan with what is owed."""

    def __init__(self, loan: str, overdue_minor: int) -> None:
        self.loan = loan
        self.overdue_minor = overdue_minor

    @event("Repaid")  # type: ignore[untyped-decorator] # as above
    def repay(self, amount_minor: int, currency: str) -> None:
        self.overdue_minor -= amount_minor
        self.currency = currency


def saved_per_second(app: Application, saves: int, threads: int) -> float:
    """One new event each, as a single command has."""

    def save(part: int) -> None:
        for number in range(part, saves, threads):
            app.save(Loan(loan=f"bench-{number}", overdue_minor=52_000))

    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(save, range(threads)))
    return saves / (time.perf_counter() - begun)


def rebuilt_per_second(app: Application, aggregates: int, events: int) -> float:
    """Events a second. Nothing is cached: each aggregate is read and folded."""
    names = []
    for number in range(aggregates):
        loan = Loan(loan=f"many-{number}", overdue_minor=52_000)
        for _ in range(events - 1):
            loan.repay(amount_minor=100, currency="CNY")
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
