"""Good records of the feed, of every kind, all of one business day.

Everything follows from the `Random` that is handed in, so one seed is one feed.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final

DAY: Final = date(2026, 3, 2)
SOURCE: Final = "/bank"
Record = dict[str, Any]

OVERDUE: Final = "corebanking.loan.overdue.v1"
REPAYMENT: Final = "corebanking.loan.repayment_received.v1"
CURED: Final = "corebanking.loan.cured.v1"
PROFILE: Final = "corebanking.borrower.profile.v1"
CLOSING: Final = "corebanking.business_day.closed.v1"


def good_record(chance: Random, number: int) -> Record:
    """One of five kinds, of a loan of its own: facts of one loan are told apart by `number`."""
    kind = chance.choice((OVERDUE, OVERDUE, REPAYMENT, CURED, PROFILE))
    at = datetime(2026, 3, 2, chance.randrange(15), chance.randrange(60), tzinfo=UTC)
    data: Record = _DATA[kind](chance, number)
    return {
        "specversion": "1.0",
        "id": f"fact-{number}",
        "source": SOURCE,
        "type": kind,
        "time": at.isoformat(),
        "partitionkey": data.get("loan_id") or data["borrower_id"],
        "data": data,
    }


def good_closing(chance: Random, number: int) -> Record:
    """For spoiling alone: a good one would close a day."""
    data = {"day": "2026-03-02", "first_day": "2026-03-02", "partition_count": 4}
    at = "2026-03-02T15:59:59+00:00"
    return {**good_record(chance, number), "type": CLOSING, "time": at, "data": data}


def _overdue(chance: Random, number: int) -> Record:
    days = chance.randint(1, 900)
    parts = [chance.randrange(10**7) for _ in range(3)]
    data = {
        **_loan(number),
        "as_of_date": DAY.isoformat(),
        "days_past_due": days,
        "due_date": (DAY - timedelta(days=days)).isoformat(),
        "outstanding_balance": _money(10**10 + chance.randrange(10**10)),
        "overdue": {"total": _money(sum(parts) + 1)},
    }
    if chance.random() < 0.7:
        names = ("principal", "interest", "fees")
        amounts = (parts[0] + 1, *parts[1:])
        data["overdue"] |= dict(zip(names, map(_money, amounts), strict=True))
    return data


def _repayment(chance: Random, number: int) -> Record:
    amount = _money(chance.randint(1, 10**9))
    paid = {"repayment_id": f"pay-{number}", "amount": amount, "value_date": DAY.isoformat()}
    return {**_loan(number), **paid}


def _cured(chance: Random, number: int) -> Record:
    told = {"as_of_date": DAY.isoformat(), "days_past_due": 0, "reason": "paid_up"}
    return {**_loan(number), **told}


def _profile(chance: Random, number: int) -> Record:
    points = [{"kind": "phone", "value": f"+86 138 {number:08}"}] * chance.randrange(1, 4)
    words = {"zone": "Asia/Urumqi", "language": "zh-Hans"}
    return {"borrower_id": f"person-{number}", "contact_points": points, **words}


def _loan(number: int) -> Record:
    """Each is the first record of its loan, so it names the borrower."""
    loan = {"loan_id": f"loan-{number}", "currency": "CNY", "product": "card"}
    return {**loan, "borrower_id": f"person-{number // 3}"}


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


_DATA: Final[dict[str, Callable[[Random, int], Record]]] = {
    OVERDUE: _overdue,
    REPAYMENT: _repayment,
    CURED: _cured,
    PROFILE: _profile,
}
