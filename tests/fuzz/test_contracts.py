"""What strangers put on our own topics: an event, or a loud stop that names the place."""

import json
from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import msgspec
import pytest

import arrears.intake.main as intake
from arrears.history.application.hearing import Place, Stop, hear
from arrears.shared.contracts.registry import CONTRACTS, decode_contract
from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.kernel.ids import Shard, shard_of
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.runtime.bus import Record
from arrears.shared.runtime.inbox import SourceBroken, StageSource
from arrears.shared.service.settings import Ground
from arrears.shared.testing.bad_values import ANYTHING
from arrears.shared.testing.chronicle import Chronicle

DAY = date(2026, 3, 2)
SHARD = Shard(3)
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
PROMISE = {
    "case_id": "c",
    "loan_key": "l@/bank",
    "promise_id": "p",
    "amount_minor": 1,
    "currency": "CNY",
    "due_on": "2026-03-09",
}


def event(noun: str, data: dict[str, Any]) -> dict[str, Any]:
    chronicle = Chronicle()
    chronicle.tell(f"contact.{noun}", data, stream="contact.borrower-b", on=DAY, shard=SHARD)
    found: dict[str, Any] = json.loads(chronicle.shelves["contact", SHARD][0])
    return found


GOOD = (event("promise_made", PROMISE), event("business_day_closed", {"day": "2026-03-02"}))


def disturbed(chance: Random) -> bytes:
    """An event with one thing in it that is otherwise, or damaged bytes."""
    record = json.loads(json.dumps(chance.choice(GOOD)))
    holder = record["data"] if chance.random() < 0.4 else record
    name = chance.choice(list(holder))
    if chance.random() < 0.3:
        del holder[name]
    else:
        holder[name] = chance.choice((*ANYTHING, "9999-12-31", "2026-03-02T10:00:00"))
    value = json.dumps(record).encode("utf-8", "surrogatepass")
    if chance.random() < 0.2:
        place = chance.randrange(len(value))
        value = value[:place] + bytes([chance.randrange(256)]) + value[place + 1 :]
    return value[: chance.randrange(len(value))] if chance.random() < 0.1 else value


def _source() -> StageSource:
    stage = intake.make_stage(Ground(clock="feed"), MemoryKeyStore().keyring("intake"))
    return StageSource(stage, "contact", SHARD, None)


def _stage_hears(source: StageSource, record: Record) -> None:
    _, rows = source.read([record])
    for row in rows:
        assert shard_of(row.borrower_id) in range(16)
        assert row.at.tzinfo is not None


def _history_hears(_source: StageSource, record: Record) -> None:
    heard = hear(Place(service="contact", shard=SHARD), [record])
    assert len(heard.events) == 1


@pytest.mark.parametrize(("hears", "stop"), [(_stage_hears, SourceBroken), (_history_hears, Stop)])
def test_a_disturbed_event_is_heard_or_stops_at_a_named_place(
    hears: Callable[[StageSource, Record], None],
    stop: type[Exception],
    records: int,
    first_seed: int,
) -> None:
    chance, source, stopped = Random(first_seed), _source(), 0
    for number in range(records // 2):
        refusal: Exception | None = None
        value = disturbed(chance)
        try:
            hears(source, Record(offset=number, key=b"", value=value, seq=1))
        except stop as error:
            refusal = error
        if refusal is not None:
            stopped += 1
            assert f"offset {number}" in str(refusal)
            assert "arrears.contact.v1" in str(refusal)
    assert stopped > records // 10


def test_a_disturbed_contract_is_read_or_raises_what_parks_its_borrower(
    records: int, first_seed: int
) -> None:
    chance, refused = Random(first_seed), 0
    for _ in range(records // 2):
        try:
            envelope = read_envelope(disturbed(chance))
        except UNREADABLE:
            continue
        if envelope.type in CONTRACTS:
            try:
                said = decode_contract(envelope.type, envelope.data)
            except UNREADABLE:
                refused += 1
            else:
                assert isinstance(said, CONTRACTS[envelope.type])
    assert refused > records // 50


@pytest.mark.parametrize(
    "value",
    [
        b"[" * 100_000,
        json.dumps({**GOOD[0], "time": "2026-03-02T10:00:00"}).encode(),
        json.dumps({**GOOD[0], "more": 1}).encode()[:-1] + b',"x":' + b"[" * 100_000,
        json.dumps({**GOOD[0], "businessday": "9999-12-31"}).encode(),
        json.dumps({**GOOD[1], "data": {"day": "never"}}).encode(),
    ],
)
def test_what_was_found_before(value: bytes) -> None:
    record = Record(offset=17, key=b"", value=value, seq=1)
    stops = 0
    for hears, stop in ((_stage_hears, SourceBroken), (_history_hears, Stop)):
        try:
            hears(_source(), record)
        except stop as error:
            stops += "offset 17" in str(error)
    assert stops
