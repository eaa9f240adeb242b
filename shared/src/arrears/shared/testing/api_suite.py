"""What every API of a stage must do, and a caller that checks each answer against the OpenAPI.

A problem that is answered but not documented fails the test that met it.
"""

import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import httpx
import pytest
from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from arrears.shared.http.actors import DevelopmentActors
from arrears.shared.http.app import make_app
from arrears.shared.http.edge import Edge
from arrears.shared.http.health import ProgressBoard
from arrears.shared.http.idempotency import MemoryAnswers
from arrears.shared.testing.memory_desk import MemoryDesk

STRANGER: Final = "ffffffff-0000-4000-8000-000000000000"
_UNDOCUMENTED: Final = frozenset({400, 405})
_BAD_VALUES: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 1.5, 10**30, "", "x", "\x00", "\ud800", "\u202e", "9" * 5000, [], {}, [[]],
    "2205-01-01", "0000-00-00", "2024-02-30", {"a": {"b": []}},
)  # fmt: skip


class Api:
    """Sends requests as a member of staff, each with a key of its own."""

    def __init__(self, client: httpx.AsyncClient, document: Mapping[str, Any]) -> None:
        self.client = client
        self.document = document
        self._keys = (f"key-{number}" for number in itertools.count(1))

    async def post(self, path: str, body: object = None, **headers: str | None) -> httpx.Response:
        given = {"X_Staff_Id": "li.wei", "Idempotency_Key": next(self._keys), **headers}
        kept = {name.replace("_", "-"): text for name, text in given.items() if text is not None}
        if body is None:
            return self._checked(await self.client.post(path, headers=kept), "post")
        kept["Content-Type"] = "application/json"
        content = json.dumps(body).encode()
        return self._checked(await self.client.post(path, content=content, headers=kept), "post")

    async def get(self, path: str, **query: str | int) -> httpx.Response:
        return self._checked(await self.client.get(path, params=query), "get")

    def _checked(self, answer: httpx.Response, method: str) -> httpx.Response:
        assert answer.status_code != 500, answer.text
        if answer.status_code < 400:
            return answer
        assert answer.headers["content-type"] == "application/problem+json"
        found = answer.json()
        assert found["status"] == answer.status_code
        assert found["reason"].isascii()
        if answer.status_code not in _UNDOCUMENTED:
            assert found["reason"] in self._reasons(answer, method), found
        return answer

    def _reasons(self, answer: httpx.Response, method: str) -> list[str]:
        path = answer.request.url.path
        for template, operations in self.document["paths"].items():
            parts = zip(template.split("/"), path.split("/"), strict=False)
            same_length = template.count("/") == path.count("/")
            if same_length and all(a == b or a.startswith("{") for a, b in parts):
                described = operations[method]["responses"][str(answer.status_code)]
                schema = described["content"]["application/problem+json"]["schema"]
                return list(schema["properties"]["reason"]["enum"])
        raise AssertionError(f"{path} is in no template")


class ApiSuite:
    """Needs fixtures `desk` (with one case seeded), `routes` and `commands`.

    `commands` are the posts of the stage with a body that is well formed, by their last part.
    """

    case_id: str
    commands: Mapping[str, Any]

    @pytest.fixture
    async def api(
        self, desk: MemoryDesk, routes: Callable[[Edge], APIRouter]
    ) -> AsyncIterator[Api]:
        edge = Edge(desk, MemoryAnswers(), DevelopmentActors(), b"secret")
        app = make_app(
            "Test", [routes(edge)], health=ProgressBoard().health, registry=CollectorRegistry()
        )
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Api(client, app.openapi())

    async def test_every_command_is_listed_here(self, api: Api) -> None:
        prefix = "/cases/{case_id}/"
        posts = {
            path.removeprefix(prefix)
            for path, ops in api.document["paths"].items()
            if "post" in ops
        }
        assert posts == set(self.commands)

    async def test_a_case_is_found_in_the_list_and_alone(self, api: Api) -> None:
        page = (await api.get("/cases")).json()
        assert page["next_after"] is None
        assert [case["case_id"] for case in page["cases"]] == [self.case_id]
        assert (await api.get(f"/cases/{self.case_id}")).json() == page["cases"][0]
        assert (await api.get(f"/cases/{STRANGER}")).status_code == 404

    async def test_a_command_needs_a_name_and_a_key(self, api: Api, desk: MemoryDesk) -> None:
        for command, body in self.commands.items():
            path = f"/cases/{self.case_id}/{command}"
            assert (await api.post(path, body, X_Staff_Id=None)).status_code == 401
            unkeyed = await api.post(path, body, X_Staff_Id=None, Idempotency_Key=None)
            assert unkeyed.status_code == 401
            assert (await api.post(path, body, Idempotency_Key=None)).status_code == 422
        assert not desk.actors

    async def test_a_stranger_is_not_found(self, api: Api, desk: MemoryDesk) -> None:
        for command, body in self.commands.items():
            answer = await api.post(f"/cases/{STRANGER}/{command}", body)
            assert (answer.status_code, answer.json()["reason"]) == (404, "case_not_found")
        assert not desk.actors

    async def test_no_body_brings_it_down(self, api: Api, desk: MemoryDesk) -> None:
        """Each field in turn is missing, unknown, or of every wrong kind."""
        for command, body in self.commands.items():
            path = f"/cases/{self.case_id}/{command}"
            for bad in _bad_bodies(body):
                before = {name: list(events) for name, events in desk.streams.items()}
                answer = await api.post(path, bad)
                assert answer.status_code < 500
                if answer.status_code >= 400:
                    assert desk.streams == before

    async def test_a_field_that_is_not_known_is_named(self, api: Api, desk: MemoryDesk) -> None:
        for command, body in self.commands.items():
            if body is not None:
                path = f"/cases/{self.case_id}/{command}"
                answer = await api.post(path, {**body, "surprise": 1})
                assert (answer.status_code, answer.json()["field"]) == (422, "surprise")
        assert not desk.actors

    async def test_a_key_repeats_its_answer(self, api: Api, desk: MemoryDesk) -> None:
        for command, body in self.commands.items():
            path = f"/cases/{self.case_id}/{command}"
            first = await api.post(path, body, Idempotency_Key=f"again-{command}")
            before = {name: list(events) for name, events in desk.streams.items()}
            again = await api.post(path, body, Idempotency_Key=f"again-{command}")
            assert (again.status_code, again.content) == (first.status_code, first.content)
            assert again.headers["Idempotency-Replayed"] == "true"
            assert desk.streams == before


def _bad_bodies(body: Any) -> list[Any]:
    if body is None:
        return []
    bad: list[Any] = [*_BAD_VALUES]
    for field in body:
        bad.append({name: value for name, value in body.items() if name != field})
        bad.extend({**body, field: value} for value in _BAD_VALUES)
    return bad
