"""Commands over HTTP: who, once only, and what is answered when it cannot be."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import httpx
import pytest

from arrears.shared.http.idempotency import MemoryAnswers
from arrears.shared.kernel.decider import Busy, NotNow
from arrears.shared.kernel.ids import StaffId
from arrears.shared.testing.memory_desk import MemoryDesk

CASE = "00000001-0000-4000-8000-000000000000"
COINS = f"/cases/{CASE}/coins"


def _events(desk: MemoryDesk) -> int:
    return len(desk.events("toy.jar", CASE))


def _is_problem(answer: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert (found["status"], found["reason"], found["type"]) == (
        status,
        reason,
        f"/problems/{reason}",
    )
    return found


class TestCarryOut:
    async def test_a_command_answers_with_its_events(
        self, client: httpx.AsyncClient, desk: MemoryDesk, headers: Mapping[str, str]
    ) -> None:
        answer = await client.post(COINS, json={"count": 2}, headers=headers)
        assert answer.status_code == 200
        (event,) = answer.json()["events"]
        assert (event["type"], event["version"]) == ("arrears.toy.coins_added.v1", 2)
        assert event["stream"] == f"toy.jar-{CASE}"
        assert desk.actors == ["li.wei"]

    async def test_the_same_request_again_repeats_the_answer(
        self, client: httpx.AsyncClient, desk: MemoryDesk, headers: Mapping[str, str]
    ) -> None:
        given = {**headers, "Content-Type": "application/json"}
        first = await client.post(COINS, content=b'{"count":2,"reason":"x"}', headers=given)
        again = await client.post(COINS, content=b'{"reason":"x", "count": 2}', headers=given)
        assert first.status_code == 200
        assert again.content == first.content
        assert again.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first.headers
        assert _events(desk) == 2

    async def test_the_key_with_another_input_is_refused(
        self, client: httpx.AsyncClient, desk: MemoryDesk, headers: Mapping[str, str]
    ) -> None:
        await client.post(COINS, json={"count": 2}, headers=headers)
        answer = await client.post(COINS, json={"count": 3}, headers=headers)
        assert _is_problem(answer, 422, "key_reused")["field"] == "Idempotency-Key"
        other = COINS.replace("00000001", "00000002")
        _is_problem(await client.post(other, json={"count": 2}, headers=headers), 422, "key_reused")
        assert _events(desk) == 2

    async def test_two_members_of_staff_may_use_one_key(
        self, client: httpx.AsyncClient, desk: MemoryDesk, headers: Mapping[str, str]
    ) -> None:
        await client.post(COINS, json={"count": 2}, headers=headers)
        other = {**headers, "X-Staff-Id": "wang"}
        assert (await client.post(COINS, json={"count": 2}, headers=other)).status_code == 200
        assert _events(desk) == 3

    async def test_a_refusal_names_rule_and_field_and_is_repeated(
        self, client: httpx.AsyncClient, desk: MemoryDesk, headers: Mapping[str, str]
    ) -> None:
        for _ in range(2):
            answer = await client.post(COINS, json={"count": 99}, headers=headers)
            assert _is_problem(answer, 409, "jar_full")["field"] == "count"
        assert answer.headers["Idempotency-Replayed"] == "true"
        assert _events(desk) == 1

    async def test_a_refusal_that_comes_after_another_took_over_is_nobodys_answer(
        self,
        client: httpx.AsyncClient,
        answers: MemoryAnswers,
        headers: Mapping[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A frozen process was refused; whoever took over may have carried the command out."""
        finish = answers.finish

        async def finish_late(
            key: str, actor: StaffId, turn: str, status: int, body: bytes
        ) -> bool:
            await answers.abandon(key, actor, turn)
            digest = b"of the same"
            await answers.begin(key, actor, digest)
            return await finish(key, actor, turn, status, body)

        monkeypatch.setattr(answers, "finish", finish_late)
        answer = await client.post(COINS, json={"count": 99}, headers=headers)
        _is_problem(answer, 409, "in_progress")
        assert [status for _, status, _ in answers.kept.values()] == [0]

    async def test_what_is_refused_for_the_moment_frees_the_key(
        self,
        client: httpx.AsyncClient,
        desk: MemoryDesk,
        answers: MemoryAnswers,
        headers: Mapping[str, str],
    ) -> None:
        """It says nothing of the command: the same key an hour later is another request."""
        desk.failures.append(NotNow("case_is_parked"))
        answer = await client.post(COINS, json={"count": 2}, headers=headers)
        _is_problem(answer, 409, "case_is_parked")
        assert not answers.kept
        assert (await client.post(COINS, json={"count": 2}, headers=headers)).status_code == 200

    async def test_a_request_in_progress_is_told_to_wait(
        self, client: httpx.AsyncClient, answers: MemoryAnswers, headers: Mapping[str, str]
    ) -> None:
        await client.post(COINS, json={"count": 2}, headers=headers)
        ((place, (digest, _, _)),) = answers.kept.items()
        answers.kept[place] = (digest, 0, b"")
        answer = await client.post(COINS, json={"count": 2}, headers=headers)
        _is_problem(answer, 409, "in_progress")
        assert answer.headers["Retry-After"] == "1"

    async def test_busy_frees_the_key(
        self, client: httpx.AsyncClient, desk: MemoryDesk, headers: Mapping[str, str]
    ) -> None:
        desk.failures.append(Busy())
        answer = await client.post(COINS, json={"count": 2}, headers=headers)
        _is_problem(answer, 503, "busy")
        assert answer.headers["Retry-After"] == "1"
        assert (await client.post(COINS, json={"count": 2}, headers=headers)).status_code == 200

    @pytest.mark.parametrize(
        "error",
        [
            ConnectionRefusedError(111, "to 10.0.0.1"),
            asyncpg.CannotConnectNowError("starting"),
            asyncpg.AdminShutdownError("bye"),
            asyncpg.InterfaceError("pool is closing"),
            asyncpg.TooManyConnectionsError("too many clients"),
            asyncpg.DeadlockDetectedError("deadlock"),
            asyncpg.SerializationError("could not serialize"),
            asyncpg.DiskFullError("no space left"),
            asyncpg.PostgresIOError("could not read block"),
            asyncpg.InternalClientError("unexpected state"),
            asyncpg.IdleInTransactionSessionTimeoutError("too long"),
            asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT"),
        ],
    )
    async def test_a_store_that_is_away_is_said_and_frees_the_key(
        self,
        client: httpx.AsyncClient,
        desk: MemoryDesk,
        headers: Mapping[str, str],
        error: Exception,
    ) -> None:
        desk.failures.append(error)
        answer = await client.post(COINS, json={"count": 2}, headers=headers)
        _is_problem(answer, 503, "unavailable")
        assert str(error) not in answer.text
        assert (await client.post(COINS, json={"count": 2}, headers=headers)).status_code == 200

    async def test_an_answer_that_cannot_be_taken_back_hides_nothing(
        self,
        client: httpx.AsyncClient,
        desk: MemoryDesk,
        answers: MemoryAnswers,
        headers: Mapping[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def fails(*_given: object) -> None:
            raise RuntimeError("no store")

        monkeypatch.setattr(answers, "abandon", fails)
        desk.failures.append(Busy())
        answer = await client.post(COINS, json={"count": 2}, headers=headers)
        _is_problem(answer, 503, "busy")

    async def test_a_failure_of_ours_shows_nothing_and_frees_the_key(
        self,
        client: httpx.AsyncClient,
        desk: MemoryDesk,
        headers: Mapping[str, str],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        desk.failures.append(RuntimeError("telephone 138 0000 0000"))
        answer = await client.post(COINS, json={"count": 2}, headers=headers)
        _is_problem(answer, 500, "failed")
        assert "telephone" not in answer.text
        assert "RuntimeError" not in answer.text
        logged = capsys.readouterr().out
        assert "request_failed" in logged
        assert answer.json()["detail"].split()[-1].rstrip(".") in logged
        assert "telephone" not in logged
        assert (await client.post(COINS, json={"count": 2}, headers=headers)).status_code == 200

    async def test_a_case_that_is_not_here(
        self, client: httpx.AsyncClient, answers: MemoryAnswers, headers: Mapping[str, str]
    ) -> None:
        stranger = COINS.replace("00000001", "0000000f")
        answer = await client.post(stranger, json={"count": 2}, headers=headers)
        _is_problem(answer, 404, "case_not_found")
        assert not answers.kept


class TestWho:
    async def test_nobody_gives_no_commands(
        self, client: httpx.AsyncClient, desk: MemoryDesk
    ) -> None:
        for bad in ({}, {"X-Staff-Id": ""}, {"X-Staff-Id": "a b"}, {"X-Staff-Id": "x" * 65}):
            answer = await client.post(
                COINS, json={"count": 2}, headers={"Idempotency-Key": "k", **bad}
            )
            _is_problem(answer, 401, "who_are_you")
        assert _events(desk) == 1

    @pytest.mark.parametrize("key", [None, "", "a b", "x" * 201, "é".encode()])
    async def test_a_command_needs_a_key(
        self, client: httpx.AsyncClient, desk: MemoryDesk, key: str | bytes | None
    ) -> None:
        given: dict[str, Any] = {"X-Staff-Id": "li"}
        if key is not None:
            given["Idempotency-Key"] = key
        answer = await client.post(COINS, json={"count": 2}, headers=given)
        assert _is_problem(answer, 422, "invalid_request")["field"] == "Idempotency-Key"
        assert _events(desk) == 1


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "count"),
            ({"count": "2"}, "count"),
            ({"count": True}, "count"),
            ({"count": 2.5}, "count"),
            ({"count": 0}, "count"),
            ({"count": -1}, "count"),
            ({"count": 10**18}, "count"),
            ({"count": None}, "count"),
            ({"count": 2, "currency": "XXX"}, "currency"),
            ({"count": 2, "currency": "cny"}, "currency"),
            ({"count": 2, "due_on": 1}, "due_on"),
            ({"count": 2, "due_on": "2205-01-01"}, "due_on"),
            ({"count": 2, "due_on": "2024-02-30"}, "due_on"),
            ({"count": 2, "due_on": "20240201"}, "due_on"),
            ({"count": 2, "due_on": "2024-W01-1"}, "due_on"),
            ({"count": 2, "due_on": "2024-02-01T00:00:00Z"}, "due_on"),
            ({"count": 2, "seen_at": "2024-02-01T00:00:00"}, "seen_at"),
            ({"count": 2, "seen_at": "0001-01-01T00:00:00+14:00"}, "seen_at"),
            ({"count": 2, "seen_at": 1700000000}, "seen_at"),
            ({"count": 2, "reason": ""}, "reason"),
            ({"count": 2, "reason": "  "}, "reason"),
            ({"count": 2, "reason": "a\x00b"}, "reason"),
            ({"count": 2, "reason": "a\u202eb"}, "reason"),
            ({"count": 2, "reason": "x" * 501}, "reason"),
            ({"count": 2, "reason": ["x"]}, "reason"),
            ({"count": 2, "reson": "x"}, "reson"),
        ],
    )
    async def test_a_bad_field_is_named(
        self,
        client: httpx.AsyncClient,
        desk: MemoryDesk,
        headers: Mapping[str, str],
        body: dict[str, Any],
        field: str,
    ) -> None:
        answer = await client.post(COINS, json=body, headers=headers)
        assert _is_problem(answer, 422, "invalid_request")["field"] == field
        assert _events(desk) == 1

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff",
            b'{"count":NaN}',
            b'{"count":1e400}',
            b'{"count":' + b"9" * 1500 + b"}",
            b'{"count":2,"reason":"\\ud800"}',
            b'{"count":2,"\\ud800":1}',
            b'{"count":2,"count":0}',
            b"[" * 1000,
        ],
    )
    async def test_no_bytes_bring_it_down(
        self,
        client: httpx.AsyncClient,
        desk: MemoryDesk,
        headers: Mapping[str, str],
        content: bytes,
    ) -> None:
        given = {**headers, "Content-Type": "application/json"}
        answer = await client.post(COINS, content=content, headers=given)
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"
        assert _events(desk) == 1

    async def test_what_was_sent_is_not_repeated(
        self, client: httpx.AsyncClient, headers: Mapping[str, str]
    ) -> None:
        body = {"count": "13800000000", "reason": "secret\n", "due_on": "secret-day"}
        answer = await client.post(COINS, json=body, headers=headers)
        assert answer.status_code == 422
        assert "secret" not in answer.text
        assert "telephone" not in answer.text

    async def test_a_large_or_deep_body_is_not_parsed(
        self, client: httpx.AsyncClient, headers: Mapping[str, str]
    ) -> None:
        large = await client.post(COINS, content=b" " * 2001, headers=headers)
        _is_problem(large, 413, "body_too_large")
        deep = b'{"count":' + b"[" * 16 + b"]" * 16 + b"}"
        _is_problem(await client.post(COINS, content=deep, headers=headers), 422, "body_too_deep")
        flat = b'{"count":2,"reason":"' + b"[" * 100 + b'"}'
        given = {**headers, "Content-Type": "application/json"}
        assert (await client.post(COINS, content=flat, headers=given)).status_code == 200


class TestPaths:
    @pytest.mark.parametrize("path", ["/nowhere", "/cases/x/y/z"])
    async def test_an_unknown_path_is_a_problem_too(
        self, client: httpx.AsyncClient, path: str
    ) -> None:
        _is_problem(await client.get(path), 404, "not_found")

    async def test_a_wrong_method_is_a_problem_too(self, client: httpx.AsyncClient) -> None:
        _is_problem(await client.get(COINS), 405, "method_not_allowed")
        _is_problem(await client.request("FOO", COINS), 405, "method_not_allowed")

    @pytest.mark.parametrize("name", ["x", "%00", "00000001-0000-4000-8000-00000000000G", "%ff"])
    async def test_a_malformed_case_id_is_named(self, client: httpx.AsyncClient, name: str) -> None:
        answer = await client.get(f"/cases/{name}")
        assert _is_problem(answer, 422, "invalid_request")["field"] == "case_id"
