"""A parameter that nobody reads is refused by name, before anything is done."""

from collections.abc import Mapping

import httpx
import pytest

from arrears.shared.testing.memory_desk import MemoryDesk

CASE = "00000001-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("as_off=2024-03-01", "as_off"),
        ("limit=2&Limit=3", "Limit"),
        ("limit=2&limit=3", "limit"),
        ("after=&limit", "after"),
        ("%E4%BD%A0=1", "\\u4f60"),
        (f"{'x' * 300}=1", "x" * 100),
    ],
)
async def test_a_question_names_what_it_does_not_know(
    client: httpx.AsyncClient, query: str, field: str
) -> None:
    answer = await client.get(f"/cases?{query}")
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_request")
    assert answer.json()["field"] == field


@pytest.mark.parametrize("query", ["", "?", "?limit=2", "?limit=2&after=x"])
async def test_what_is_known_is_answered(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/cases{query}")).status_code == 200


async def test_a_command_takes_none_and_is_not_carried_out(
    client: httpx.AsyncClient, desk: MemoryDesk, headers: Mapping[str, str]
) -> None:
    before = await desk.row("case_list", CASE)
    path = f"/cases/{CASE}/coins?dry_run=1"
    answer = await client.post(path, json={"count": 1}, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (422, "dry_run")
    assert await desk.row("case_list", CASE) == before


@pytest.mark.parametrize("path", ["/health", "/metrics"])
async def test_what_watches_the_service_may_add_its_own(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(f"{path}?probe=1")).status_code in {200, 503}
