"""The case list: every case once, page by page."""

import httpx
import pytest

IDS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(1, 6)]


class TestPages:
    @pytest.mark.parametrize("limit", [1, 2, 4, 5, 500])
    async def test_every_case_comes_once(self, client: httpx.AsyncClient, limit: int) -> None:
        seen: list[str] = []
        query: dict[str, str | int] = {"limit": limit}
        for _ in range(10):
            page = (await client.get("/cases", params=query)).json()
            assert len(page["cases"]) <= limit
            seen += [case["case_id"] for case in page["cases"]]
            if page["next_after"] is None:
                break
            query["after"] = page["next_after"]
        assert seen == IDS

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"limit": 0}, "limit"),
            ({"limit": 501}, "limit"),
            ({"limit": "many"}, "limit"),
            ({"after": ""}, "after"),
            ({"after": "a\x00"}, "after"),
            ({"after": "x" * 201}, "after"),
        ],
    )
    async def test_bounds_are_named(
        self, client: httpx.AsyncClient, query: dict[str, str | int], field: str
    ) -> None:
        answer = await client.get("/cases", params=query)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


class TestOneCase:
    async def test_a_case_is_its_row(self, client: httpx.AsyncClient) -> None:
        answer = await client.get(f"/cases/{IDS[0]}")
        assert answer.json() == {
            "case_id": IDS[0],
            "borrower_id": f"owner of {IDS[0]}",
            "count": 1,
        }

    async def test_a_case_that_is_not_here(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/cases/0000000f-0000-4000-8000-000000000000")
        assert (answer.status_code, answer.json()["reason"]) == (404, "case_not_found")
