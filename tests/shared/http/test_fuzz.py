"""Any request at all: never a failure of ours, and no bad one changes anything."""

import itertools
import json
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arrears.shared.testing.memory_desk import MemoryDesk

CASE = "00000001-0000-4000-8000-000000000000"
NUMBERS = itertools.count(1)
FIELDS = ("count", "currency", "due_on", "seen_at", "reason")
TEXT = st.text(st.characters(codec=None)) | st.sampled_from(
    ["2024-02-01", "2205-01-01", "CNY", "2024-02-01T00:00:00Z", "\x00", "\u202e"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
BODY = JSON | st.fixed_dictionaries(
    {"count": JSON | st.integers(1, 3)}, optional={name: JSON for name in FIELDS[1:]}
)
RELAXED = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _judge(answer: httpx.Response, before: int, desk: MemoryDesk) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert len(desk.events("toy.jar", CASE)) == before
    else:
        assert len(desk.events("toy.jar", CASE)) == before + 1
    desk.events("toy.jar", CASE)[1:] = []


@RELAXED
@given(body=BODY)
async def test_any_json(client: httpx.AsyncClient, desk: MemoryDesk, body: Any) -> None:
    headers = {
        "X-Staff-Id": "li",
        "Idempotency-Key": f"k-{next(NUMBERS)}",
        "Content-Type": "application/json",
    }
    content = json.dumps(body).encode()
    before = len(desk.events("toy.jar", CASE))
    answer = await client.post(f"/cases/{CASE}/coins", content=content, headers=headers)
    _judge(answer, before, desk)


@RELAXED
@given(
    content=st.binary(max_size=200), kind=st.sampled_from(["application/json", "text/plain", ""])
)
async def test_any_bytes(
    client: httpx.AsyncClient, desk: MemoryDesk, content: bytes, kind: str
) -> None:
    headers = {"X-Staff-Id": "li", "Idempotency-Key": "k", "Content-Type": kind}
    before = len(desk.events("toy.jar", CASE))
    answer = await client.post(f"/cases/{CASE}/coins", content=content, headers=headers)
    _judge(answer, before, desk)


@RELAXED
@given(after=TEXT, limit=JSON, path=TEXT)
async def test_any_query_and_path(
    client: httpx.AsyncClient, desk: MemoryDesk, after: str, limit: Any, path: str
) -> None:
    query = httpx.QueryParams(
        [("after", after.encode("utf-8", "replace").decode()), ("limit", json.dumps(limit))]
    )
    answers = [
        await client.get("/cases", params=query),
        await client.get("/cases/" + quote(path.encode("utf-8", "surrogatepass"), safe="")),
    ]
    for answer in answers:
        assert answer.status_code < 500, answer.text
