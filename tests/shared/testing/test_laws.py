"""The laws see what they are there for."""

from datetime import date
from hashlib import sha256

import pytest
from msgspec.json import encode

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import StoredEvent
from arrears.shared.kernel.ids import BorrowerId, EventId, Shard, StreamName
from arrears.shared.testing.laws import Broken, chains_are_whole

STREAM = StreamName("toy.desk-anna")
ON_THE_MINUTE, A_MICROSECOND_LATER = "2026-01-01T15:59:00Z", "2026-01-01T15:59:00.000001Z"


def _store(*times: str) -> MemoryStore:
    """One stream whose events have these times."""
    store, before = MemoryStore(), ""
    for number, time in enumerate(times, start=1):
        event_id = EventId(f"event-{number}")
        value = encode(
            {
                "id": event_id,
                "stream": STREAM,
                "streamversion": number,
                "prevhash": before,
                "time": time,
            }
        )
        before = sha256(value).hexdigest()
        store.events[Shard(0)].append(
            StoredEvent(
                shard=Shard(0),
                seq=number,
                stream=STREAM,
                version=number,
                event_id=event_id,
                type="toy.said.v1",
                borrower_id=BorrowerId("anna"),
                business_day=date(2026, 1, 1),
                value=value,
            )
        )
    return store


def test_a_microsecond_is_time_too() -> None:
    chains_are_whole("toy", _store(ON_THE_MINUTE, A_MICROSECOND_LATER))


def test_time_that_runs_backwards_is_seen() -> None:
    with pytest.raises(Broken, match="time runs backwards"):
        chains_are_whole("toy", _store(A_MICROSECOND_LATER, ON_THE_MINUTE))
