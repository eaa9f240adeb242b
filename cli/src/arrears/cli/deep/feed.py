"""Laws 1 and 8: every record of the feed is accounted for once, and so is every amount of money.

Two passes: what intake's tables say of each offset, then the records themselves. Of each offset
some 30 bytes are kept, so the size of the feed is bounded by its count of records alone.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, Final, Literal

from arrears.cli.deep.findings import Place, Report
from arrears.cli.deep.reading import (
    FEED_TOPIC,
    INPUT_SKIPPED,
    NOT_JUDGED,
    PARKING,
    Event,
    Row,
    TopicRecord,
    Unreadable,
    id_bytes,
    identity,
    read_json,
)

Ledger = Literal["applied", "duplicate", "refused", "waiting in the agenda", "parked", "skipped"]
LEDGERS: Final[tuple[Ledger, ...]] = (
    "applied",
    "duplicate",
    "refused",
    "waiting in the agenda",
    "parked",
    "skipped",
)
_FOLLOWED: Final = 1 << len(LEDGERS)
"""An event names this record as its cause without being the fact itself."""
_TWICE: Final = 1 << len(LEDGERS) + 1
_ID: Final = 16
_NO_AMOUNT: Final = -1
_CLOSING: Final = "corebanking.business_day.closed.v1"
_RECORDED: Final = "repayment_recorded"
_REPAYMENT: Final = "corebanking.loan.repayment_received.v1"
_LOAN_FACTS: Final = ("corebanking.loan.overdue.v1", "corebanking.loan.cured.v1")
_PROFILE: Final = "corebanking.borrower.profile.v1"
_DIGITS: Final = {
    **dict.fromkeys(("JPY", "KRW", "VND", "CLP", "PYG", "UGX", "RWF", "ISK", "XAF", "XOF"), 0),
    **dict.fromkeys(("KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD"), 3),
}
"""Decimal places of the currencies (ISO 4217) that have not two."""
_PARTS: Final = ("costs_minor", "interest_minor", "principal_minor")
_MINOR_END: Final = 2**63
_DIGITS_MAX: Final = 18
_OFFSET: Final = re.compile(r"([0-9]{1,9})/([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Heard:
    """How far intake has read one partition of the feed, and the hash of its last record."""

    partition: int
    position: int
    last_hash: bytes


class _Partition:
    """What the tables say of each offset below the stored position and the end of the topic."""

    def __init__(self, heard: Heard, end: int) -> None:
        self.heard = heard
        self.size = size = max(0, min(heard.position, end))
        self.marks = array("H", bytes(2 * size))
        self.ids = bytearray(_ID * size)
        self.amounts = array("q", [_NO_AMOUNT]) * size
        self.currencies = array("H", bytes(2 * size))


class FeedLaws:
    """First `account` and `event` for all of intake's tables, then `record` for all of the feed.

    `ends` are those of the topic's partitions, asked for after the positions.
    """

    def __init__(self, positions: Iterable[Heard], ends: Mapping[int, int], report: Report) -> None:
        self._report = report
        self._partitions = {
            heard.partition: _Partition(heard, ends.get(heard.partition, 0)) for heard in positions
        }
        self._named_twin: set[bytes] = set()
        self._paid_by_twin: dict[bytes, tuple[int, str]] = {}
        self._currencies: list[str] = []
        self._paid: dict[str, int] = defaultdict(int)
        self._recorded: dict[str, int] = defaultdict(int)
        self._allocated: dict[str, int] = defaultdict(int)
        self._suspended: dict[str, int] = defaultdict(int)
        self._gone: dict[str, int] = defaultdict(int)

    def positions(self) -> dict[int, int]:
        """How far each partition has been read: its records before that are to be given here."""
        return {number: one.size for number, one in self._partitions.items()}

    # --- What the tables say

    def account(self, ledger: Ledger, origin: str, event_id: str | None = None) -> None:
        """One row of a table that names a record; a duplicate also names its event."""
        found = self._find(origin, Place("intake", f"table of the {ledger}"))
        if found is None:
            return
        partition, offset = found
        self._mark(partition, offset, ledger)
        if event_id is not None:
            key = id_bytes(event_id)
            self._named_twin.add(key)
            partition.ids[offset * _ID : (offset + 1) * _ID] = key

    def event(self, row: Row, event: Event) -> None:
        """One of intake's events, after all duplicates were accounted for."""
        place = Place("intake", "store", row.shard, row.seq, event.stream, event.version)
        paid: tuple[int, str] | None = None
        if event.noun == _RECORDED:
            try:
                paid = self._money(place, event.data)
            except NOT_JUDGED as error:
                self._report.say(8, place, f"{event.noun} cannot be judged: {error!r}")
        try:
            self._account_for(place, event, paid)
        except NOT_JUDGED as error:
            self._report.say(1, place, f"{event.noun} cannot be judged: {error!r}")

    def _account_for(self, place: Place, event: Event, paid: tuple[int, str] | None) -> None:
        if event.noun == INPUT_SKIPPED:
            self._skipped(event.data)
        if event.is_fact:
            key = id_bytes(event.id)
            if key in self._named_twin and paid is not None:
                self._paid_by_twin[key] = paid
            self._named_twin.discard(key)
            if event.data.get("late") is True:
                self._report.count(1, "of them late")
        if event.origin is None or event.noun in PARKING:
            return
        found = self._find(event.origin, place)
        if found is None:
            return
        partition, offset = found
        if not event.is_fact:
            partition.marks[offset] |= _FOLLOWED
            return
        self._mark(partition, offset, "applied")
        partition.ids[offset * _ID : (offset + 1) * _ID] = id_bytes(event.id)
        if paid is not None:
            partition.amounts[offset] = paid[0]
            partition.currencies[offset] = self._currency(paid[1])

    def _skipped(self, data: dict[str, Any]) -> None:
        origin = str(data.get("origin", ""))
        if origin.startswith(f"{FEED_TOPIC}/"):
            self.account("skipped", origin)

    def _find(self, origin: str, place: Place) -> tuple[_Partition, int] | None:
        """The partition and offset that an origin names; None where it is not the feed's."""
        topic, _, rest = origin.partition("/")
        if topic != FEED_TOPIC:
            return None
        named = _OFFSET.fullmatch(rest)
        if named is None:
            self._report.say(1, place, f"it names {origin!r}, which is no place")
            return None
        partition, offset = self._partitions.get(int(named[1])), int(named[2])
        if partition is None or offset >= partition.heard.position:
            position = 0 if partition is None else partition.heard.position
            says = f"it names {origin}, but intake has read that partition up to {position} only"
            self._report.say(1, place, says)
            return None
        if offset >= partition.size:
            self._report.say(1, place, f"it names {origin}, but the topic ends before")
            return None
        return partition, offset

    def _mark(self, partition: _Partition, offset: int, ledger: Ledger) -> None:
        bit = 1 << LEDGERS.index(ledger)
        if partition.marks[offset] & bit:
            partition.marks[offset] |= _TWICE
        partition.marks[offset] |= bit

    # --- What the feed says

    def record(self, record: TopicRecord) -> None:
        """One record below the stored position, in order of offset."""
        partition = self._partitions[record.partition]
        self._report.count(1, "records")
        try:
            said = read_json(record.value)
        except Unreadable:
            said = {}
        marks = partition.marks[record.offset]
        held = [name for bit, name in enumerate(LEDGERS) if marks & 1 << bit]
        for name in held:
            self._report.count(1, name)
        self._check_once(record, marks, held, closing=_is_closing(said))
        if held in (["applied"], ["duplicate"]):
            self._check_identity(partition, record, said, held[0])
        self._check_money(partition, record, said, held)
        if record.offset == partition.heard.position - 1:
            self._check_last(partition, record)

    def _check_once(
        self, record: TopicRecord, marks: int, held: list[Ledger], *, closing: bool
    ) -> None:
        if not held and closing:
            self._report.count(1, "closings")
        elif not held:
            self._say(record, "nothing accounts for it: not applied, duplicate, refused or waiting")
        elif len(held) > 1:
            self._say(record, f"it is accounted for more than once: {' and '.join(held)}")
        elif marks & _TWICE:
            self._say(record, f"it is {held[0]} twice")
        if marks & _FOLLOWED and "applied" not in held:
            self._say(record, "events follow from it, but none records it")

    def _check_identity(
        self, partition: _Partition, record: TopicRecord, said: dict[str, Any], held: str
    ) -> None:
        known = bytes(partition.ids[record.offset * _ID : (record.offset + 1) * _ID])
        try:
            own = _identity(said)
        except (KeyError, TypeError):
            self._say(record, f"it is {held}, but it is no fact")
            return
        if known != own:
            says = f"it is {held} as {known.hex()}, but what it says is {own.hex()}"
            self._say(record, says)

    def _check_last(self, partition: _Partition, record: TopicRecord) -> None:
        known = partition.heard.last_hash
        if known and sha256(record.value).digest()[: len(known)] != known:
            self._say(record, "it is not the record that intake has read here last")

    def partition_ends(self, number: int, first: int, end: int) -> None:
        """All records of a partition were read; it begins at `first` and ends before `end`."""
        partition = self._partitions[number]
        position = partition.heard.position
        if position > end:
            place = Place("intake", FEED_TOPIC, partition=number, offset=end)
            says = f"intake has read up to {position}, the topic ends before {end}: it was replaced"
            self._report.say(1, place, says)
        if position < 0:
            place = Place("intake", "positions", partition=number)
            self._report.say(1, place, f"the position is {position}")
        gone = min(first, partition.size)
        if gone:
            self._report.count(1, "no longer kept on the topic", gone)
        for offset in range(gone):
            if partition.amounts[offset] != _NO_AMOUNT:
                currency = self._currencies[partition.currencies[offset]]
                self._gone[currency] += partition.amounts[offset]

    # --- Money

    def _money(self, place: Place, data: dict[str, Any]) -> tuple[int, str]:
        """What was recorded: amount and currency. Of an event that cannot be judged, no sum."""
        amount, suspense = _whole(data, "amount_minor"), _whole(data, "in_suspense_minor")
        parts = [_whole(data, name) for name in _PARTS if data.get(name) is not None]
        currency = data["currency"]
        if not isinstance(currency, str):
            raise TypeError(f"currency is {currency!r}")
        self._report.count(8, "repayments")
        self._recorded[currency] += amount
        self._allocated[currency] += sum(parts)
        self._suspended[currency] += suspense
        if amount != sum(parts) + suspense:
            says = (
                f"{amount} {currency} came in, {sum(parts)} allocated and {suspense} in suspense "
                f"are {sum(parts) + suspense}"
            )
            self._report.say(8, place, says)
        if min(amount, suspense, *parts) < 0:
            self._report.say(8, place, "an amount is below zero")
        return amount, currency

    def _check_money(
        self,
        partition: _Partition,
        record: TopicRecord,
        said: dict[str, Any],
        held: list[Ledger],
    ) -> None:
        if held in (["applied"], ["duplicate"]) and said.get("type") == _REPAYMENT:
            data = said.get("data")
            self._pay(partition, record, data if isinstance(data, dict) else {}, held[0])
        elif partition.amounts[record.offset] != _NO_AMOUNT:
            self._report.say(8, _place(record), "money was recorded from it, but it pays nothing")

    def _pay(
        self, partition: _Partition, record: TopicRecord, data: dict[str, Any], held: str
    ) -> None:
        """The bank's word about an amount, and what was recorded of it, or when it came first."""
        currency = str(data.get("currency"))
        try:
            amount = _minor(str(data.get("amount")), currency)
        except InvalidOperation:
            self._report.say(8, _place(record), f"{data.get('amount')!r} is {held}, but no amount")
            return
        if held == "duplicate":
            key = bytes(partition.ids[record.offset * _ID : (record.offset + 1) * _ID])
            first = self._paid_by_twin.get(key, (amount, currency))
            if first != (amount, currency):
                says = f"it is a duplicate of {first[0]} {first[1]}, but says {amount} {currency}"
                self._report.say(8, _place(record), says)
            return
        self._paid[currency] += amount
        recorded = partition.amounts[record.offset]
        known = self._currencies[partition.currencies[record.offset]] if recorded >= 0 else currency
        if (recorded, known) != (amount, currency):
            says = f"the bank says {amount} {currency}, the event {recorded} {known}"
            self._report.say(8, _place(record), says)

    def _currency(self, name: str) -> int:
        if name not in self._currencies:
            self._currencies.append(name)
        return self._currencies.index(name)

    def finish(self) -> None:
        """Everything was read: the sums, and duplicates whose event does not exist."""
        for key in sorted(self._named_twin):
            says = f"a duplicate names the event {key.hex()}, which is not in the store"
            self._report.say(1, Place("intake", "table of the duplicates"), says)
        for currency in sorted({*self._paid, *self._recorded}):
            paid = self._paid[currency] + self._gone[currency]
            allocated, suspended = self._allocated[currency], self._suspended[currency]
            self._report.remark(
                8, f"{currency} {paid} in = {allocated} allocated + {suspended} in suspense (minor)"
            )
            if paid != allocated + suspended:
                says = (
                    f"{currency}: {paid} came in by the feed, {allocated} allocated + {suspended} "
                    f"in suspense are {allocated + suspended}"
                )
                self._report.say(8, Place("intake", FEED_TOPIC), says)

    def _say(self, record: TopicRecord, text: str) -> None:
        self._report.say(1, _place(record), text)


def _place(record: TopicRecord) -> Place:
    return Place("intake", FEED_TOPIC, partition=record.partition, offset=record.offset)


def _is_closing(said: dict[str, Any]) -> bool:
    """Whether it closes a day. One that does not say which, and of how many, must be refused."""
    data = said.get("data")
    if said.get("type") != _CLOSING or not isinstance(data, dict):
        return False
    count = data.get("partition_count")
    try:
        first_day, day = date.fromisoformat(data["first_day"]), date.fromisoformat(data["day"])
    except (KeyError, TypeError, ValueError):
        return False
    # The only form of a day that the feed has; this library reads others as well.
    written = (data["first_day"], data["day"]) == (first_day.isoformat(), day.isoformat())
    return written and first_day <= day and type(count) is int and count >= 1


def _identity(said: dict[str, Any]) -> bytes:
    """The id of the event that this fact leaves (protocol 2.4). KeyError: it is no fact."""
    kind, source, data = said["type"], said["source"], said["data"]
    if kind == _PROFILE:
        return identity("profile", source, data["borrower_id"], said["id"])
    loan = f"{data['loan_id']}@{source}"
    if kind == _REPAYMENT:
        return identity("repayment", source, loan, data["repayment_id"])
    if kind in _LOAN_FACTS:
        return identity("fact", source, loan, said["id"])
    raise KeyError(kind)


def _whole(data: dict[str, Any], name: str) -> int:
    """An amount that a table of amounts holds. Raises KeyError, TypeError or OverflowError."""
    amount = data[name]
    if type(amount) is not int:
        raise TypeError(f"{name} is {amount!r}")
    if not -_MINOR_END <= amount < _MINOR_END:
        raise OverflowError(f"{name} is {amount}")
    return amount


def _minor(amount: str, currency: str) -> int:
    """An amount in minor units, exactly. Raises InvalidOperation."""
    said = Decimal(amount)
    if not said.is_finite() or said.adjusted() > _DIGITS_MAX:
        raise InvalidOperation(amount)
    scaled = said.scaleb(_DIGITS.get(currency, 2))
    if scaled != scaled.to_integral_value():
        raise InvalidOperation(amount)
    return int(scaled)
