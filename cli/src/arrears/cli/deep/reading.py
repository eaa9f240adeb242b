"""Events and feed records as bytes say them: plain JSON, nothing of the code that wrote it."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

SHARD_COUNT: Final = 16
FEED_TOPIC: Final = "corebanking.loans.v1"
DAY_CLOSED: Final = "business_day_closed"
INPUT_PARKED: Final = "input_parked"
INPUT_RELEASED: Final = "input_released"
INPUT_SKIPPED: Final = "input_skipped"
DOUBT_SETTLED: Final = "doubt_settled"
PARKING: Final = frozenset({"input_parked", "input_released", INPUT_SKIPPED})
"""Said about an input that was set aside; nothing follows from the input itself."""
STAGES: Final = ("intake", "contact", "mediation", "legal")
"""In the order in which facts flow within a day: their rank in the history's tables."""


@dataclass(slots=True)
class Row:
    """One row of a table of events, with the columns that repeat what the bytes say."""

    shard: int
    seq: int
    value: bytes
    stream: str
    version: int
    event_id: str
    type: str
    business_day: str
    borrower_id: str | None = None
    """Of a stage's store; the history has no such column."""
    subject: str | None = None
    time: datetime | None = None
    """These two are columns of the history alone."""


@dataclass(slots=True)
class TopicRecord:
    """One record of a topic; `seq` is the header, None where there is no such number."""

    partition: int
    offset: int
    seq: int | None
    value: bytes


@dataclass(slots=True)
class Event:
    """The attributes of an event, as its bytes say them."""

    id: str
    type: str
    noun: str
    subject: str
    time: str
    borrower_id: str
    stream: str
    version: int
    prev_hash: str
    business_day: str
    causation_id: str
    actor: str | None
    origin: str | None
    is_fact: bool
    data: dict[str, Any]


class Unreadable(Exception):
    """Bytes that are no event."""


NOT_JUDGED: Final = (AttributeError, KeyError, TypeError, ValueError, OverflowError)
"""What comes of an event whose data are of another kind than its name promises. An instant at the
edge of the calendar overflows."""
_TEXTS: Final = (
    "id",
    "type",
    "subject",
    "time",
    "partitionkey",
    "stream",
    "prevhash",
    "businessday",
    "causationid",
)
_TEXTS_OR_NOTHING: Final = ("actor", "inputposition")


def topic_of(service: str) -> str:
    return f"arrears.{service}.v1"


def read_event(value: bytes) -> Event:
    """Raises Unreadable with what is wrong."""
    said = read_json(value)
    try:
        _check_kinds(said)
        return Event(
            id=said["id"],
            type=said["type"],
            noun=said["type"].split(".")[2],
            subject=said["subject"],
            time=said["time"],
            borrower_id=said["partitionkey"],
            stream=said["stream"],
            version=said["streamversion"],
            prev_hash=said["prevhash"],
            business_day=said["businessday"],
            causation_id=said["causationid"],
            actor=said.get("actor"),
            origin=said.get("inputposition"),
            is_fact="factdigest" in said,
            data=said["data"],
        )
    except KeyError as error:
        raise Unreadable(f"it has no {error}") from error
    except IndexError as error:
        raise Unreadable(f"its type is {said['type']!r}") from error


def _check_kinds(said: dict[str, Any]) -> None:
    """Raises KeyError where an attribute is missing, Unreadable where it is of another kind."""
    wrong = [name for name in _TEXTS if not isinstance(said[name], str)]
    wrong += [name for name in _TEXTS_OR_NOTHING if not isinstance(said.get(name), str | None)]
    # A truth value is a number to Python.
    if type(said["streamversion"]) is not int:
        wrong.append("streamversion")
    if not isinstance(said["data"], dict):
        wrong.append("data")
    if wrong:
        raise Unreadable(f"of another kind: {', '.join(wrong)}")


def read_json(value: bytes) -> dict[str, Any]:
    """Raises Unreadable where it is no JSON object."""
    try:
        # Half a character, written out or escaped, could be neither hashed nor printed later.
        said = json.loads(value.decode())
        if b"\\u" in value:
            json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no JSON ({error})") from error
    if not isinstance(said, dict):
        raise Unreadable("it is no JSON object")
    return said


def mark_of(value: bytes) -> bytes:
    return sha256(value).digest()


def shard_of(borrower_id: str) -> int:
    """Where a borrower's events belong: the same in every service."""
    digest = sha256(borrower_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") % SHARD_COUNT


def identity(*parts: str) -> bytes:
    """The 16 bytes of the id that these parts make (protocol 2.4)."""
    joined = ":".join([*(str(len(part)) for part in parts), *parts])
    return sha256(joined.encode("utf-8", "surrogatepass")).digest()[:16]


def id_bytes(event_id: str) -> bytes:
    """An id as 16 bytes; of anything that is no such id, its hash."""
    try:
        found = bytes.fromhex(event_id.replace("-", ""))
    except ValueError:
        found = b""
    return found if len(found) == 16 else sha256(event_id.encode()).digest()[:16]
