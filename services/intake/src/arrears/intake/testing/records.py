"""Records of the feed as the bank writes them, one of each type, and those with a field changed."""

import json
from datetime import UTC, datetime
from typing import Any, Final

OVERDUE: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "fact-1",
    "source": "/bank",
    "type": "corebanking.loan.overdue.v1",
    "time": "2026-03-02T15:30:00Z",
    "data": {
        "loan_id": "loan-1",
        "borrower_id": "person-1",
        "as_of_date": "2026-03-02",
        "days_past_due": 1,
        "due_date": "2026-03-01",
        "currency": "CNY",
        "outstanding_balance": "5000.00",
        "overdue": {"total": "120.50", "principal": "100.00", "interest": "20.5", "fees": "0"},
        "product": "credit_card",
        "principal": "9000.00",
    },
}
REPAYMENT: Final[dict[str, Any]] = {
    **OVERDUE,
    "type": "corebanking.loan.repayment_received.v1",
    "data": {
        "loan_id": "loan-1",
        "repayment_id": "pay-1",
        "amount": "120.50",
        "currency": "CNY",
        "value_date": "2026-03-02",
    },
}
CURED: Final[dict[str, Any]] = {
    **OVERDUE,
    "type": "corebanking.loan.cured.v1",
    "data": {
        "loan_id": "loan-1",
        "as_of_date": "2026-03-02",
        "days_past_due": 0,
        "currency": "CNY",
    },
}
PROFILE: Final[dict[str, Any]] = {
    **OVERDUE,
    "type": "corebanking.borrower.profile.v1",
    "data": {
        "borrower_id": "person-1",
        "contact_points": [{"kind": "phone", "value": "+86 138 0000 0000"}],
        "zone": "Asia/Urumqi",
        "language": "zh-Hans",
    },
}
CLOSING: Final[dict[str, Any]] = {
    **OVERDUE,
    "type": "corebanking.business_day.closed.v1",
    "data": {"day": "2026-03-02", "first_day": "2026-03-01", "partition_count": 3},
}
STATED_AT: Final = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)


def record(base: dict[str, Any], path: str = "", value: object = None) -> bytes:
    """The record with one field set; a value of `...` takes the field out."""
    changed = json.loads(json.dumps(base))
    if path:
        *parents, last = path.split(".")
        place = changed
        for parent in parents:
            place = place[parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return json.dumps(changed).encode()
