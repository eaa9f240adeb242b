"""What is sent on the feed topic: the synthetic portfolio, new loans by number, closings."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.json import decode

from arrears.cli.feed.generate import generate
from arrears.cli.feed.importing import closing_line, partition_of
from arrears.cli.feed.wire import Loan, Owed, overdue_line
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import CaseId, TenantId, case_id, loan_key
from arrears.shared.runtime.bus import Outgoing

FEED_PARTITIONS: Final = 4
SEED: Final = 7
CHUNK: Final = 20_000
SOURCE: Final = "/core-banking/bench"
CALENDAR: Final = BankCalendar("Asia/Shanghai")
_TENANT: Final = TenantId("bank")
_DAYS_PAST_DUE: Final = 5
Batch = dict[int, list[Outgoing]]


class _Keyed(Struct):
    partitionkey: str


def batch_of(lines: Iterable[bytes]) -> Batch:
    """By partition of the feed topic, as the importer would send them."""
    batch: Batch = {part: [] for part in range(FEED_PARTITIONS)}
    for line in lines:
        key = decode(line, type=_Keyed).partitionkey.encode()
        batch[partition_of(key, FEED_PARTITIONS)].append(Outgoing(key=key, value=line))
    return batch


def portfolio(loans: int, seed: int = SEED) -> Batch:
    """The whole stories of so many loans."""
    return batch_of(generate(seed, loans))


def count_of(batch: Batch) -> int:
    return sum(len(records) for records in batch.values())


def loan_id(number: int) -> str:
    return f"bench-{number:07d}"


def case_of(number: int) -> CaseId:
    """The case that the first fact of a new loan opens."""
    return case_id(_TENANT, loan_key(SOURCE, loan_id(number)), 1)


def new_loan(number: int, now: datetime) -> bytes:
    """The first overdue fact of a loan that nobody has heard of, said now."""
    loan = Loan(
        source=SOURCE,
        loan_id=loan_id(number),
        borrower_id=f"bench-borrower-{number:07d}",
        product="consumer_loan",
        currency="CNY",
        lent_minor=1_000_000,
    )
    day = CALENDAR.day_of(now)
    owed = Owed(total_minor=52_000, balance_minor=800_000, split=(50_000, 2_000, 0))
    return overdue_line(loan, now, day, day - timedelta(days=_DAYS_PAST_DUE), owed)


def new_loans(numbers: Iterable[int], now: datetime) -> Iterator[Batch]:
    """Chunk by chunk, so that a million of them needs little memory."""
    left = iter(numbers)
    while chunk := list(islice(left, CHUNK)):
        yield batch_of(new_loan(number, now) for number in chunk)


def closings(first: date, day: date) -> Batch:
    line = closing_line(day, first, FEED_PARTITIONS, CALENDAR)
    return {part: [Outgoing(key=b"", value=line)] for part in range(FEED_PARTITIONS)}
