"""A small healthy world to damage: one shard of contact, and a feed with what intake made of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest

from arrears.cli.deep.copies import ShardCopies
from arrears.cli.deep.findings import Finding, Report
from arrears.cli.deep.reading import Row, TopicRecord

BORROWER = "syn-borrower-00706"
"""Of shard 0."""


class Shelf:
    """Events of one shard as they should lie in the store, on the topic and in the history."""

    def __init__(self, service: str = "contact", borrower: str = BORROWER, shard: int = 0) -> None:
        self.service = service
        self.borrower = borrower
        self.shard = shard
        self.rows: list[Row] = []
        self._heads: dict[str, tuple[int, str]] = {}

    def says(
        self,
        noun: str,
        data: dict[str, Any] | None = None,
        *,
        stream: str = "contact.borrower-1",
        **attributes: Any,
    ) -> Row:
        version, prev_hash = self._heads.get(stream, (0, ""))
        seq = len(self.rows) + 1
        event_id = attributes.pop("id", None) or made_id(f"{self.service}/{self.shard}/{seq}")
        wire_name = f"arrears.{self.service}.{noun}.v1"
        said = {
            "specversion": "1.0",
            "id": event_id,
            "type": wire_name,
            "subject": "case-1",
            "time": "2024-01-02T03:04:05Z",
            "partitionkey": self.borrower,
            "stream": stream,
            "streamversion": version + 1,
            "prevhash": prev_hash,
            "businessday": "2024-01-02",
            "causationid": "cause",
            **attributes,
            "data": data or {},
        }
        value = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        self._heads[stream] = (version + 1, sha256(value).hexdigest())
        row = Row(
            shard=self.shard,
            seq=seq,
            value=value,
            stream=stream,
            version=version + 1,
            event_id=event_id,
            type=wire_name,
            business_day="2024-01-02",
            borrower_id=self.borrower,
            subject=said["subject"],
            time=_instant(said["time"]),
        )
        self.rows.append(row)
        return row

    def records(self) -> list[TopicRecord]:
        return [TopicRecord(self.shard, row.seq - 1, row.seq, row.value) for row in self.rows]


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def made_id(name: str) -> str:
    text = sha256(name.encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


@pytest.fixture
def shelf() -> Shelf:
    """Six events of two streams."""
    made = Shelf()
    for number in range(3):
        made.says("contact_points_recorded", {"number": number}, stream="contact.borrower-1")
        made.says("contact_points_recorded", {"number": number}, stream="contact.borrower-2")
    return made


@pytest.fixture
def blank() -> Shelf:
    return Shelf()


Judge = Callable[..., Report]


@pytest.fixture
def judge() -> Judge:
    """The report over one shard; each place is as the shelf says unless another is given."""

    def judged(
        shelf: Shelf,
        *,
        store: Sequence[Row] | None = None,
        topic: Sequence[TopicRecord] | None = None,
        history: Sequence[Row] | None = None,
        last_seq: int | None = None,
        heard: int | None = None,
        published: int | None = None,
    ) -> Report:
        report = Report()
        copies = ShardCopies(shelf.service, shelf.shard, report)
        last = len(shelf.rows) if last_seq is None else last_seq
        copies.topic(shelf.records() if topic is None else topic)
        copies.store(shelf.rows if store is None else store)
        copies.ends(last, last if published is None else published)
        kept = shelf.rows if history is None else history
        copies.history([replace(row, borrower_id=None) for row in kept])
        copies.history_ends((kept[-1].seq if kept else 0) if heard is None else heard)
        copies.finish()
        return report

    return judged


def broken(report: Report) -> dict[int, list[Finding]]:
    """Findings by law."""
    return {law.number: law.findings for law in report.laws.values() if law.findings}


@pytest.fixture
def found() -> Callable[[Report], dict[int, list[Finding]]]:
    return broken
