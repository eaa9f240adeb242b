"""The questions over HTTP. Every answer is JSON of the structs that the desk gives.

`as_of` asks what was known at the end of a business day; with `wait` the answer comes as soon as
that day is closed in every service, or 504 after so many seconds.
"""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response, StreamingResponse
from msgspec import Struct
from msgspec.json import encode

from arrears.history.api.schema import answers
from arrears.history.application.desk import CaseCounts, Days, Desk, Story
from arrears.history.application.ports import CaseFilter
from arrears.history.application.projections import case_list
from arrears.history.domain.digest import Digest
from arrears.history.domain.portfolio import Page
from arrears.history.domain.portfolio.page import Feed
from arrears.history.domain.words import Language

WAIT_SECONDS_MAX: Final = 600

AsOf = Annotated[
    date | None, Query(description="A business day: what was known when it ended. Default: now.")
]
Wait = Annotated[
    float, Query(ge=0, le=WAIT_SECONDS_MAX, description="Seconds to wait until `as_of` is closed.")
]
Lang = Annotated[Language, Query(description="Language of the plain words.")]


class CasePage(Struct, frozen=True, kw_only=True):
    """`next_after` is the `after` of the next page; null on the last one."""

    cases: list[case_list.Row]
    next_after: str | None


def routes(desk: Desk) -> APIRouter:
    async def wait_for_day(as_of: AsOf = None, wait: Wait = 0) -> None:
        if wait:
            await desk.wait_for(as_of, wait)

    router = APIRouter(dependencies=[Depends(wait_for_day)])
    _add_stories(router, desk)
    _add_figures(router, desk)
    _add_proof(router, desk)
    return router


def _add_stories(router: APIRouter, desk: Desk) -> None:
    @router.get("/cases", responses=answers(CasePage, problems=(422, 504)))
    async def cases(
        as_of: AsOf = None,
        status: str | None = None,
        stage: str | None = None,
        bucket: str | None = None,
        loan_key: str | None = None,
        borrower_id: str | None = None,
        after: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Cases in order of their id, page by page."""
        wanted = CaseFilter(
            status=status,
            stage=stage,
            bucket=bucket,
            loan_key=loan_key,
            borrower_id=borrower_id,
            after=after,
            limit=limit,
        )
        rows = list(await desk.cases(wanted, as_of))
        following = rows[-1].case_id if len(rows) == limit else None
        return _json(CasePage(cases=rows, next_after=following))

    @router.get("/cases/counts", responses=answers(CaseCounts))
    async def case_counts() -> Response:
        """How many cases each stage has now, and how many are held and closed."""
        return _json(await desk.case_counts())

    @router.get("/cases/{case_id}/history", responses=answers(Story, problems=(404, 422, 504)))
    async def case_history(case_id: str, as_of: AsOf = None, lang: Lang = "en") -> Response:
        """Everything that happened to a case, over all services, in order, in plain words."""
        return _json(await desk.case_story(case_id, lang, as_of))

    @router.get(
        "/loans/{loan_key:path}/history", responses=answers(Story, problems=(404, 422, 504))
    )
    async def loan_history(loan_key: str, as_of: AsOf = None, lang: Lang = "en") -> Response:
        """Everything that happened to a loan: all its cases, and what came between them."""
        return _json(await desk.loan_story(loan_key, lang, as_of))


def _add_figures(router: APIRouter, desk: Desk) -> None:
    @router.get("/portfolio", responses=answers(Feed, problems=(422, 504)))
    async def portfolio(as_of: AsOf = None) -> Response:
        """The figures of the feed, under the names that its maker uses."""
        return _json((await desk.feed(as_of)).feed)

    @router.get("/report", responses=answers(Page, problems=(422, 504)))
    async def report(
        as_of: AsOf = None, facts_set_aside: Annotated[int | None, Query(ge=0)] = None
    ) -> Response:
        """Everything of the last page. `facts_set_aside` is intake's count, repeated in it."""
        return _json(await desk.page(as_of, facts_set_aside))

    @router.get("/days", responses=answers(Days))
    async def days() -> Response:
        """The last business day that each service has closed, and events kept."""
        return _json(await desk.days())


def _add_proof(router: APIRouter, desk: Desk) -> None:
    @router.get("/digest", responses=answers(Digest, problems=(422, 504)))
    async def digest(as_of: AsOf = None) -> Response:
        """One hash over every case, up to a closed day; by default the last one."""
        return _json(await desk.digest(as_of))

    @router.get(
        "/export",
        response_class=StreamingResponse,
        responses={200: {"content": {"application/x-ndjson": {}}}},
    )
    async def export(as_of: AsOf = None) -> StreamingResponse:
        """The canonical file whose SHA-256 the digest is."""
        return StreamingResponse(await desk.export(as_of), media_type="application/x-ndjson")


def _json(answer: Struct) -> Response:
    return Response(encode(answer), media_type="application/json")
