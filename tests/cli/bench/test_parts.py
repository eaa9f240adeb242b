"""What the rows of the bench send, read and compare: the parts that need no server."""

import asyncio
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.json import decode, encode

from arrears.cli.bench import bare, crowd, latency, lines, whole
from arrears.cli.bench.apart import Moved, together
from arrears.cli.bench.rebuilds import Rebuilt
from arrears.cli.bench.web import Line, length_of, request
from arrears.cli.client.trouble import Trouble
from arrears.cli.feed.importing import partition_of
from arrears.shared.service.rebuilding import Comparison

NOW = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)


class TestLines:
    def test_a_new_loan_is_said_on_the_banks_day(self) -> None:
        fact = decode(lines.new_loan(7, NOW))
        assert fact["subject"] == "bench-0000007"
        assert fact["data"]["as_of_date"] == "2026-03-03"
        assert fact["data"]["days_past_due"] == 5

    def test_every_loan_goes_once_to_the_partition_of_its_key(self) -> None:
        batches = list(lines.new_loans(range(lines.CHUNK + 5), NOW))
        assert [lines.count_of(batch) for batch in batches] == [lines.CHUNK, 5]
        for part, records in batches[1].items():
            for record in records:
                assert partition_of(record.key, lines.FEED_PARTITIONS) == part

    def test_a_closing_goes_to_every_partition(self) -> None:
        batch = lines.closings(date(2026, 1, 1), date(2026, 1, 2))
        assert [len(batch[part]) for part in range(lines.FEED_PARTITIONS)] == [1] * 4


class TestWhole:
    def test_cpu_is_by_event_of_the_service_and_of_all_for_the_servers(self) -> None:
        counts = {"intake": 1000, "contact": 500, "history": 2000}
        used = {"intake": 0.5, "history": 1.0, "broker": 0.2}
        rows = {row.name: row.value for row in whole.told(36, 120.0, counts, used)}
        assert rows["whole_path"] == 2.0
        assert rows["whole_path_facts"] == pytest.approx(0.3)
        assert rows["whole_path_cpu_intake"] == pytest.approx(500.0)
        assert rows["whole_path_cpu_history"] == pytest.approx(500.0)
        assert rows["whole_path_cpu_broker"] == pytest.approx(100.0)


def test_pipes_at_once_take_from_the_first_beginning_to_the_last_end() -> None:
    both = together([Moved(100, 1.0, 2.0), Moved(300, 1.5, 5.0)])
    assert both.per_second == 100.0


class TestLatency:
    def test_only_the_opening_of_a_case_is_waited_for(self) -> None:
        opened = {"type": "arrears.intake.case_opened.v1", "data": {"loan_key": "l-1@/bank"}}
        other = {"type": "arrears.intake.case_assessed.v1", "data": {"loan_key": "l-1@/bank"}}
        assert latency.opened_loan(encode(opened)) == "l-1"
        assert latency.opened_loan(encode(other)) is None

    def test_a_fact_is_known_again_on_a_plain_topic(self) -> None:
        assert latency.told_loan(lines.new_loan(3, NOW)) == lines.loan_id(3)


def event(noun: str, **data: object) -> tuple[str, bytes]:
    return f"arrears.intake.{noun}.v1", encode({"case_id": "c", **data})


def test_the_bare_fold_folds() -> None:
    rows: dict[str, bare.BareRow] = {}
    for wire_name, data in (
        event("loan_overdue_recorded", overdue_minor=50, days_past_due=3, bucket="M1"),
        event("loan_overdue_recorded", overdue_minor=90, outdated=True),
        event("repayment_recorded", amount_minor=20),
        event("repayment_recorded", amount_minor=5),
        event("case_held", reason="dispute"),
        event("stage_reported", report="promise_made"),
    ):
        bare.fold(rows, wire_name, data)
    assert list(rows) == ["c"]
    row = rows["c"]
    assert (row.overdue_minor, row.paid_minor, row.held, row.bucket) == (50, 25, "dispute", "M1")


def test_a_rebuild_says_how_long_its_phases_took() -> None:
    found = Comparison(service="intake", source="store", database="d", events=7)
    for phase in ("fill", "project"):
        with found.timed(phase):
            pass
    read = decode(encode(asdict(found)), type=Rebuilt)
    assert read.events == 7
    assert sorted(read.seconds) == ["fill", "project"]
    assert all(0 <= seconds < 1 for seconds in read.seconds.values())


class TestCrowd:
    story: tuple[dict[str, Any], ...] = (
        {
            "stream": "intake.loan-bench-1@/bank",
            "version": 1,
            "event_id": "11111111-1111-1111-1111-aaaaaaaaaaaa",
            "type": "arrears.intake.case_opened.v1",
            "value": b'{"id":"11111111-1111-1111-1111-aaaaaaaaaaaa","subject":"case-1"}',
        },
        {
            "stream": "intake.loan-bench-1@/bank",
            "version": 2,
            "event_id": "22222222-2222-2222-2222-bbbbbbbbbbbb",
            "type": "arrears.intake.case_assessed.v1",
            "value": b'{"causationid":"11111111-1111-1111-1111-aaaaaaaaaaaa","loan":"bench-1"}',
        },
    )

    def test_case_loan_and_ids_are_marked_and_causes_still_fit(self) -> None:
        first, second = crowd.marked(self.story, "bench-1", "case-1")
        assert first.value == f'{{"id":"{first.event_id}","subject":"@case@"}}'
        assert second.value == f'{{"causationid":"{first.event_id}","loan":"@loan@"}}'
        assert first.stream == "intake.loan-@loan@@/bank"
        assert first.event_id != second.event_id

    def test_numbers_become_ids(self) -> None:
        assert crowd.many_case(1) != crowd.many_case(2)
        assert [len(part) for part in crowd.many_case(1).split("-")] == [8, 4, 4, 4, 12]


class TestWeb:
    async def test_a_line_asks_again_and_again_on_one_connection(self) -> None:
        heard: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while head := await reader.readuntil(b"\r\n\r\n"):
                    heard.append(head + await reader.readexactly(length_of(head)))
                    writer.write(b"HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\nno")
            except asyncio.IncompleteReadError:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        line = await Line.to(f"http://127.0.0.1:{port}")
        wanted = request("POST", "/cases/1/hold", b"{}", {"Idempotency-Key": "k"})
        answers = [await line.ask(wanted) for _ in range(2)]
        await line.close()
        server.close()
        assert [(answer.status, answer.body) for answer in answers] == [(409, b"no")] * 2
        assert heard == [wanted] * 2

    def test_an_answer_without_a_length_is_an_error(self) -> None:
        with pytest.raises(Trouble):
            length_of(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
