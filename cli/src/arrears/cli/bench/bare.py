"""Fetching, decoding and folding intake's events with nothing around it: what a rebuild must cost.

It asks as the projector does, decodes only the fields that the list of cases shows, changes its
rows in place and writes nothing down. It is run by `apart`.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

import asyncpg
from msgspec import Struct
from msgspec.json import Decoder

from arrears.cli.bench.apart import Moved, moved_since
from arrears.shared.eventstore.sql import DATA_AFTER
from arrears.shared.kernel.ids import SHARD_COUNT

PAGE: Final = 5000


class _Data(Struct):
    case_id: str | None = None
    days_past_due: int = 0
    overdue_minor: int = 0
    balance_minor: int = 0
    amount_minor: int = 0
    bucket: str | None = None
    risk: str | None = None
    stage: str | None = None
    treatment: str | None = None
    reason: str | None = None
    opened_on: str | None = None
    closed_on: str | None = None
    outdated: bool = False


class BareRow(Struct):
    """About what a row of the list shows."""

    days_past_due: int = 0
    overdue_minor: int = 0
    balance_minor: int = 0
    paid_minor: int = 0
    bucket: str | None = None
    risk: str | None = None
    stage: str | None = None
    treatment: str | None = None
    held: str | None = None
    opened_on: str | None = None
    closed_on: str | None = None


_DECODE: Final = Decoder(_Data).decode


async def bare_fold(dsn: str) -> Moved:
    """Every event of the store, shard by shard."""
    connection = await asyncpg.connect(dsn)
    rows: dict[str, BareRow] = {}
    count, begun = 0, time.perf_counter()
    try:
        for shard in range(SHARD_COUNT):
            seq = 0
            while page := await connection.fetch(DATA_AFTER, shard, seq, PAGE):
                for _, wire_name, data in page:
                    fold(rows, wire_name, data)
                seq = page[-1][0]
                count += len(page)
        return moved_since(count, begun)
    finally:
        await connection.close()


def fold(rows: dict[str, BareRow], wire_name: str, value: bytes) -> None:
    data = _DECODE(value)
    change = _CHANGES.get(wire_name)
    if data.case_id is None or change is None:
        return
    row = rows.get(data.case_id)
    if row is None:
        row = rows[data.case_id] = BareRow()
    change(row, data)


def _overdue(row: BareRow, data: _Data) -> None:
    if not data.outdated:
        row.days_past_due = data.days_past_due
        row.overdue_minor = data.overdue_minor
        row.balance_minor = data.balance_minor
        row.bucket = data.bucket


def _repaid(row: BareRow, data: _Data) -> None:
    row.paid_minor += data.amount_minor


def _opened(row: BareRow, data: _Data) -> None:
    row.opened_on = data.opened_on


def _assessed(row: BareRow, data: _Data) -> None:
    row.bucket, row.risk = data.bucket, data.risk


def _referred(row: BareRow, data: _Data) -> None:
    row.stage, row.treatment = data.stage, data.treatment


def _returned(row: BareRow, _data: _Data) -> None:
    row.stage = row.treatment = None


def _held(row: BareRow, data: _Data) -> None:
    row.held = data.reason


def _released(row: BareRow, _data: _Data) -> None:
    row.held = None


def _closed(row: BareRow, data: _Data) -> None:
    row.stage, row.held, row.closed_on = "closed", None, data.closed_on


_CHANGES: Final[Mapping[str, Callable[[BareRow, _Data], None]]] = {
    "arrears.intake.loan_overdue_recorded.v1": _overdue,
    "arrears.intake.repayment_recorded.v1": _repaid,
    "arrears.intake.case_opened.v1": _opened,
    "arrears.intake.case_assessed.v1": _assessed,
    "arrears.intake.case_referred.v1": _referred,
    "arrears.intake.case_returned.v1": _returned,
    "arrears.intake.case_held.v1": _held,
    "arrears.intake.case_released.v1": _released,
    "arrears.intake.case_closed.v1": _closed,
}
