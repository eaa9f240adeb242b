"""What the services have told us: one event as kept, and as a reader looks at it.

The kept bytes are the Kafka value, never touched. Everything here is computed from them.
"""

from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Final

from msgspec import DecodeError, Meta, Raw, Struct
from msgspec.json import Decoder

SERVICES: Final = ("intake", "contact", "mediation", "legal")
"""In the order in which facts flow within a day (protocol 3.2); the index is the stored rank."""
RANK: Final = {service: rank for rank, service in enumerate(SERVICES)}
DAY_CLOSED: Final = "business_day_closed"
INPUT_PARKED: Final = "input_parked"
INPUT_RELEASED: Final = "input_released"
INPUT_SKIPPED: Final = "input_skipped"


class NotAnEvent(ValueError):
    """Bytes on one of the services' topics that are not an event of that service."""


class Kept(Struct, frozen=True, gc=False):
    """One row of the history: the columns are copies of what the bytes say."""

    service: int
    shard: int
    seq: int
    stream: str
    version: int
    event_id: str
    type: str
    subject: str
    business_day: date
    time: datetime
    value: bytes


class Told(Struct, frozen=True, kw_only=True):
    """One event as the story, the words and the digest look at it; `data` stays undecoded."""

    service: str
    shard: int
    seq: int
    stream: str
    version: int
    id: str
    type: str
    subject: str
    borrower_id: str
    time: datetime
    business_day: date
    causation_id: str
    actor: str | None
    data: Raw

    def fields(self) -> dict[str, Any]:
        return _FIELDS.decode(self.data)

    @property
    def place(self) -> tuple[int, str, int]:
        """Service rank, stream and version: where the event stands, whatever the topic's order."""
        return RANK[self.service], self.stream, self.version


class Envelope(Struct, frozen=True, kw_only=True, gc=False):
    """The attributes that are read while hearing: no more, for speed."""

    id: str
    type: str
    subject: str
    time: Annotated[datetime, Meta(tz=True)]
    stream: str
    streamversion: int
    businessday: date


class _WholeEnvelope(Struct, frozen=True, kw_only=True):
    id: str
    type: str
    subject: str
    time: datetime
    partitionkey: str
    stream: str
    streamversion: int
    businessday: date
    causationid: str
    data: Raw
    actor: str | None = None


_FIELDS: Final = Decoder(dict[str, Any])
_ENVELOPE: Final = Decoder(Envelope)
_WHOLE: Final = Decoder(_WholeEnvelope)


@lru_cache(maxsize=1024)
def service_of(wire_name: str) -> str:
    """`arrears.contact.promise_made.v1` is said by contact. Raises NotAnEvent."""
    parts = wire_name.split(".")
    if len(parts) != 4 or parts[0] != "arrears" or parts[1] not in RANK:
        raise NotAnEvent(f"type: {wire_name!r} is not a wire name of {', '.join(SERVICES)}")
    return parts[1]


@lru_cache(maxsize=1024)
def noun_of(wire_name: str) -> str:
    """`arrears.contact.promise_made.v1` is about `promise_made`."""
    return wire_name.split(".")[2]


def keep(service: str, shard: int, seq: int, value: bytes) -> Kept:
    """A record of a topic as a row. Raises NotAnEvent with what is wrong with it."""
    try:
        seen = _ENVELOPE.decode(value)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAnEvent(f"{service} shard {shard} seq {seq}: {error}") from None
    if service_of(seen.type) != service:
        raise NotAnEvent(f"{service} shard {shard} seq {seq}: type {seen.type!r} is a stranger")
    return Kept(
        RANK[service],
        shard,
        seq,
        seen.stream,
        seen.streamversion,
        seen.id,
        seen.type,
        seen.subject,
        seen.businessday,
        seen.time,
        value,
    )


def tell(kept: Kept) -> Told:
    seen = _WHOLE.decode(kept.value)
    return Told(
        service=SERVICES[kept.service],
        shard=kept.shard,
        seq=kept.seq,
        stream=seen.stream,
        version=seen.streamversion,
        id=seen.id,
        type=seen.type,
        subject=seen.subject,
        borrower_id=seen.partitionkey,
        time=seen.time,
        business_day=seen.businessday,
        causation_id=seen.causationid,
        actor=seen.actor,
        data=seen.data,
    )


def bytes_hash(value: bytes) -> bytes:
    return sha256(value).digest()
