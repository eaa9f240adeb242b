"""The questions over HTTP: answers, and errors that name field and rule."""

from collections.abc import AsyncIterator
from datetime import date
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from arrears.history.adapters.memory import MemoryHistory
from arrears.history.adapters.words import load_words
from arrears.history.api.routes import routes
from arrears.history.application.desk import Desk
from arrears.history.application.hearing import hear
from arrears.history.domain.told import SERVICES
from arrears.shared.http.actors import Actors, DevelopmentActors, TokenActors
from arrears.shared.http.app import make_app
from arrears.shared.runtime.bus import Record
from arrears.shared.testing.chronicle import Chronicle

DAY, BEFORE = date(2024, 3, 1), date(2024, 2, 1)
LOAN = "l/1@/core-banking/x"
PARAMETERS = ["as_of", "lang", "limit", "after", "stage", "loan_key", "loan_id", "facts_set_aside"]


NONE_EACH: dict[str, Any] = dict.fromkeys(SERVICES, 0)
BEFORE_THE_FIRST: list[tuple[str, str, dict[str, Any]]] = [
    ("/cases", "/cases", {"cases": [], "next_after": None}),
    ("/cases/counts", "/cases/counts", {"open_by_stage": NONE_EACH, "held": 0, "closed": 0}),
    ("/cases/{case_id}/history", "/cases/c1/history", {"case_ids": [], "lines": []}),
    ("/loans/{loan_key}/history", f"/loans/{LOAN}/history", {"case_ids": [], "lines": []}),
    ("/portfolio", "/portfolio", {"loans_seen": 0, "episodes_opened": 0}),
    ("/report", "/report", {"as_of": str(BEFORE), "event_count": 0, "case_count": 0}),
    (
        "/days",
        "/days",
        {"closed_everywhere": None, "services": dict.fromkeys(SERVICES), "events": NONE_EACH},
    ),
    ("/digest", "/digest", {"up_to": str(BEFORE), "event_count": 0, "case_count": 0}),
]
"""Every question, as it is asked and what it answers as of a day before anything was known."""
EXPORT = "/export"


async def _health() -> dict[str, Any]:
    return {"status": "ok"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async for found in _client(DevelopmentActors()):
        yield found


async def _client(actors: Actors) -> AsyncIterator[httpx.AsyncClient]:
    chronicle = Chronicle()
    for number in range(3):
        chronicle.tell(
            "intake.case_opened",
            {
                "case_id": f"c{number}",
                "loan_key": LOAN,
                "currency": "CNY",
                "episode": number + 1,
                "product": "loan",
                "first_time": number == 0,
            },
            stream=f"intake.loan-{LOAN}",
            on=DAY,
        )
    chronicle.close_day(DAY)
    store = MemoryHistory()
    for place in await store.places():
        values = chronicle.shelves.get((place.service, place.shard), [])
        records = [Record(offset=i, key=b"", value=v, seq=i + 1) for i, v in enumerate(values)]
        await store.hear([hear(place, records)])
    router = routes(Desk(store, load_words()), actors)
    app = make_app("history", [router], health=_health, registry=CollectorRegistry())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://history") as found:
        yield found


async def _json(client: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    kind = "application/json" if status == 200 else "application/problem+json"
    assert answer.headers["content-type"] == kind
    return answer.json()


class TestAnswers:
    async def test_cases_come_in_pages(self, client: httpx.AsyncClient) -> None:
        first = await _json(client, "/cases?limit=2")
        assert [row["case_id"] for row in first["cases"]] == ["c0", "c1"]
        rest = await _json(client, f"/cases?limit=2&after={first['next_after']}")
        assert [row["case_id"] for row in rest["cases"]] == ["c2"]
        assert rest["next_after"] is None

    async def test_cases_are_found_by_the_id_of_their_loan(self, client: httpx.AsyncClient) -> None:
        for asked, count in (("loan_id=l/1", 3), ("loan_id=l", 0), (f"loan_id={LOAN}", 0)):
            for then in ("", f"&as_of={DAY}"):
                found = await _json(client, f"/cases?{asked}{then}")
                assert len(found["cases"]) == count

    async def test_a_case_is_told_in_both_languages(self, client: httpx.AsyncClient) -> None:
        en = await _json(client, "/cases/c1/history")
        zh = await _json(client, "/cases/c1/history?lang=zh")
        assert en["lines"][0]["what"].startswith("Case opened: episode 2")
        assert zh["lines"][0]["what"].startswith("立案：第 2 次逾期")

    async def test_a_loan_key_may_hold_slashes(self, client: httpx.AsyncClient) -> None:
        story = await _json(client, f"/loans/{LOAN}/history")
        assert story["case_ids"] == ["c0", "c1", "c2"]

    async def test_the_portfolio_is_flat_and_has_the_feeds_names(
        self, client: httpx.AsyncClient
    ) -> None:
        found = await _json(client, f"/portfolio?as_of={DAY}&wait=1")
        assert (found["episodes_opened"], found["loans_with_2_plus_episodes"]) == (3, 1)

    async def test_the_report_has_every_part_of_the_last_page(
        self, client: httpx.AsyncClient
    ) -> None:
        page = await _json(client, "/report?facts_set_aside=3")
        assert page["tomorrow"]["facts_set_aside"] == 3
        assert {"stages", "roll_rates", "attempts", "endings", "feed"} <= page.keys()

    async def test_the_exported_file_has_the_digest(self, client: httpx.AsyncClient) -> None:
        digest = await _json(client, "/digest")
        exported = await client.get("/export")
        assert sha256(exported.content).hexdigest() == digest["sha256"]
        assert digest["case_count"] == 3

    async def test_days_say_what_each_service_has_closed(self, client: httpx.AsyncClient) -> None:
        days = await _json(client, "/days")
        assert days["closed_everywhere"] == "2024-03-01"
        assert set(days["services"].values()) == {"2024-03-01"}

    @pytest.mark.parametrize(
        ("path", "found"), [(path, found) for _, path, found in BEFORE_THE_FIRST]
    )
    async def test_before_the_first_event_nothing_was_known(
        self, client: httpx.AsyncClient, path: str, found: dict[str, Any]
    ) -> None:
        then = await _json(client, f"{path}?as_of={BEFORE}")
        assert {name: then[name] for name in found} == found
        now = await _json(client, path)
        assert {name: now[name] for name in found} != found

    async def test_before_the_first_event_the_exported_file_is_empty(
        self, client: httpx.AsyncClient
    ) -> None:
        assert (await client.get(f"{EXPORT}?as_of={BEFORE}")).content == b""
        assert (await client.get(EXPORT)).content != b""

    async def test_no_other_question_is_there(self, client: httpx.AsyncClient) -> None:
        paths = (await _json(client, "/openapi.json"))["paths"].keys()
        asked = {template for template, *_ in BEFORE_THE_FIRST} | {EXPORT}
        assert paths - {"/health", "/metrics"} == asked

    async def test_the_openapi_describes_the_answers(self, client: httpx.AsyncClient) -> None:
        paths = (await _json(client, "/openapi.json"))["paths"]
        answer = paths["/digest"]["get"]["responses"]["200"]
        assert "sha256" in answer["content"]["application/json"]["schema"]["properties"]


class TestProblems:
    @pytest.mark.parametrize(
        ("path", "status", "reason", "said"),
        [
            ("/cases/c9/history", 404, "case_not_found", "such case"),
            ("/loans/x/history", 404, "loan_not_found", "such loan"),
            ("/cases/c1/history?lang=fr", 422, "invalid_request", "lang"),
            ("/portfolio?as_of=soon", 422, "invalid_request", "as_of"),
            ("/cases?limit=0", 422, "invalid_request", "limit"),
            ("/cases?status=nonsense", 422, "invalid_request", "status"),
            ("/cases?stage=closed", 422, "invalid_request", "stage"),
            ("/cases?bucket=M9", 422, "invalid_request", "bucket"),
            ("/portfolio?as_of=2024-03-02&wait=0.01", 504, "day_not_closed", "intake"),
            ("/digest?as_of=2024-03-02", 504, "day_not_closed", "legal"),
            ("/portfolio?as_of=1700000000", 422, "invalid_request", "YYYY-MM-DD"),
            ("/cases?stage=%00", 422, "invalid_request", "stage"),
            ("/nowhere", 404, "not_found", "cannot be answered"),
        ],
    )
    async def test_each_names_what_is_wrong(
        self, client: httpx.AsyncClient, path: str, status: int, reason: str, said: str
    ) -> None:
        problem = await _json(client, path, status)
        assert (problem["reason"], problem["status"]) == (reason, status)
        assert said in problem["detail"]

    async def test_who_is_not_known_is_asked_for_a_token(self) -> None:
        async for client in _client(TokenActors({})):
            problem = await _json(client, "/portfolio", 401)
            assert problem["reason"] == "who_are_you"

    @pytest.mark.parametrize(
        ("roles", "status"),
        [("collector,mediator,lawyer,service", 403), ("auditor", 200), ("collector,ops", 200)],
    )
    async def test_everything_at_once_is_for_auditors_and_operations(
        self, roles: str, status: int
    ) -> None:
        actors = TokenActors.from_text(f"{sha256(b'secret').hexdigest()} li.wei {roles}")
        async for client in _client(actors):
            client.headers["Authorization"] = "Bearer secret"
            answer = await client.get(EXPORT)
            assert answer.status_code == status
            assert ("role_missing" in answer.text) == (status == 403)
            assert (await client.get("/digest")).status_code == 200

    @settings(max_examples=60, deadline=None)
    @given(
        st.sampled_from(["/cases", "/portfolio", "/report", "/digest", "/export", "/days"])
        | st.builds("/cases/{}/history".format, st.text())
        | st.builds("/loans/{}/history".format, st.text()),
        st.dictionaries(st.sampled_from(PARAMETERS), st.text() | st.integers().map(str)),
    )
    async def test_no_path_and_no_query_is_a_failure_of_ours(
        self, path: str, query: dict[str, str]
    ) -> None:
        async for client in _client(DevelopmentActors()):
            answer = await client.get(quote(path, errors="replace"), params={**query, "wait": "0"})
            assert answer.status_code in {200, 404, 422, 504}, answer.text
