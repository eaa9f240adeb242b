"""Health is progress; metrics and logs say nothing about anybody; the OpenAPI is complete."""

import io
import json
import re
from collections.abc import Mapping

import httpx
import pytest
import structlog

from arrears.shared.http.guard import depth_of
from arrears.shared.http.health import ProgressBoard
from arrears.shared.http.logs import configure_logs


class TestHealth:
    async def test_nothing_waits_and_all_is_well(
        self, client: httpx.AsyncClient, board: ProgressBoard
    ) -> None:
        board.note("relay", done=0)
        answer = await client.get("/health")
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")

    async def test_work_that_waits_while_nothing_moves_is_an_illness(
        self, client: httpx.AsyncClient, board: ProgressBoard
    ) -> None:
        board.note("relay", done=0, waiting=3, waits_for="arrears.intake.v1/3")
        answer = await client.get("/health")
        assert (answer.status_code, answer.json()["stalled"]) == (503, ["relay"])
        assert answer.json()["parts"]["relay"]["waits_for"] == "arrears.intake.v1/3"

    @pytest.mark.parametrize(
        ("steps", "healthy"),
        [
            ([(0, 10, 0)], True),
            ([(0, 10, 5)], True),
            ([(0, 0, 5), (9, 0, 5)], True),
            ([(0, 0, 5), (10, 0, 5)], False),
            ([(0, 0, 5), (9, 1, 5), (18, 0, 5)], True),
            ([(0, 0, 0), (90, 0, 5)], True),
            ([(0, 0, 5), (90, 0, 0)], True),
        ],
    )
    async def test_progress_over_time(
        self, steps: list[tuple[float, int, int]], healthy: bool
    ) -> None:
        """Each step: at which second, how much was done, how much still waits."""
        now = 0.0
        board = ProgressBoard(stalled_after=10, clock=lambda: now)
        for second, done, waiting in steps:
            now = second
            board.note("relay", done=done, waiting=waiting)
        assert (await board.health())["status"] == ("ok" if healthy else "stalled")

    async def test_a_failing_step_is_ill_in_time_and_tells_its_kind(self) -> None:
        now = 0.0
        board = ProgressBoard(stalled_after=10, clock=lambda: now)
        board.note("relay", done=1)
        board.failed("relay", ConnectionError("broker of Anna"))
        assert (await board.health())["status"] == "ok"
        now = 10.0
        board.failed("relay", ConnectionError("broker of Anna"))
        found = await board.health()
        assert found["status"] == "stalled"
        assert "ConnectionError" in str(found)
        assert "Anna" not in str(found)
        board.note("relay", done=1)
        assert (await board.health())["status"] == "ok"


class TestMetrics:
    async def test_requests_are_counted_by_template(self, client: httpx.AsyncClient) -> None:
        await client.get("/cases/00000001-0000-4000-8000-000000000000")
        await client.get("/no/such/anna")
        text = (await client.get("/metrics")).text
        assert 'method="GET",path="/cases/{case_id}",status="200"' in text
        assert 'path="none",status="404"' in text
        assert "anna" not in text


class TestOpenApi:
    async def test_every_error_is_documented(self, client: httpx.AsyncClient) -> None:
        document = (await client.get("/openapi.json")).json()
        command = document["paths"]["/cases/{case_id}/coins"]["post"]["responses"]
        assert set(command) == {"200", "400", "401", "403", "404", "409", "413", "422", "503"}
        schema = command["409"]["content"]["application/problem+json"]["schema"]
        reasons = schema["properties"]["reason"]["enum"]
        assert reasons[:2] == ["jar_full", "in_progress"]
        assert "case_is_parked" in reasons
        page = document["paths"]["/cases"]["get"]["responses"]["200"]["content"]
        row = page["application/json"]["schema"]["properties"]["cases"]["items"]
        assert set(row["properties"]) == {"case_id", "borrower_id", "count"}

    async def test_its_page_loads_nothing_from_elsewhere(self, client: httpx.AsyncClient) -> None:
        page = await client.get("/docs")
        loaded = re.findall(r"(?:src|href)=\"([^\"]+)", page.text)
        assert len(loaded) == 3
        for path in loaded:
            assert path.startswith("/")
            assert (await client.get(path)).status_code == 200
        assert (await client.get("/redoc")).status_code == 404


class TestLogs:
    @pytest.fixture
    def lines(self) -> io.StringIO:
        stream = io.StringIO()
        configure_logs("toy", stream)
        return stream

    async def test_requests_are_logged_by_template(
        self, lines: io.StringIO, client: httpx.AsyncClient, headers: Mapping[str, str]
    ) -> None:
        await client.get("/cases/anna?after=anna")
        found = json.loads(lines.getvalue())
        assert (found["event"], found["path"], found["status"]) == (
            "request",
            "/cases/{case_id}",
            422,
        )
        assert "anna" not in lines.getvalue()

    def test_the_text_of_an_error_is_left_out_and_its_place_is_kept(
        self, lines: io.StringIO
    ) -> None:
        try:
            raise RuntimeError("telephone 138")
        except RuntimeError:
            structlog.get_logger().error("broken", exc_info=True)
        found = json.loads(lines.getvalue())
        assert found["error"] == "RuntimeError"
        assert "test_operation.py" in found["places"][0]
        assert "telephone" not in lines.getvalue()

    def test_fields_that_hold_personal_data_are_withheld(self, lines: io.StringIO) -> None:
        structlog.get_logger().info("odd", phone="138", value=b"138", case_id="c")
        found = json.loads(lines.getvalue())
        assert (found["phone"], found["value"], found["case_id"]) == ("withheld", "withheld", "c")


class TestDepth:
    @pytest.mark.parametrize(
        ("body", "depth"),
        [
            (b"", 0),
            (b"1", 0),
            (b'{"a":[1,{}]}', 3),
            (b'"[[["', 0),
            (b'{"\\"[[":1}', 1),
            (b"]]][", 1),
            (b'["unfinished', 1),
        ],
    )
    def test_brackets_in_texts_do_not_count(self, body: bytes, depth: int) -> None:
        assert depth_of(body) == depth
