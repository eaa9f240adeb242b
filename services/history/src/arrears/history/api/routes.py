"""The questions over HTTP. Every answer is JSON of the structs that the desk gives.

`as_of` asks what was known at the end of a business day; with `wait` the answer comes as soon as
that day is closed in every service, or 504 after so many seconds.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from msgspec import Struct
from msgspec.json import encode
from pydantic import AfterValidator, BeforeValidator

from arrears.history.application.desk import (
    CaseCounts,
    CasePage,
    Days,
    Desk,
    NotClosed,
    NotFound,
    Story,
)
from arrears.history.application.ports import CaseFilter
from arrears.history.domain.digest import Digest
from arrears.history.domain.portfolio import Page
from arrears.history.domain.portfolio.page import Feed
from arrears.history.domain.words import Language
from arrears.shared.contracts.history import Bucket, CaseStage, CaseStatus
from arrears.shared.http.actors import Actors, must_have
from arrears.shared.http.fields import ROW_NUMBER_MAX
from arrears.shared.http.problem import ProblemRaised, documented, not_found
from arrears.shared.http.schema import answer_of

WAIT_SECONDS_MAX: Final = 600
EXPORTERS: Final = ("auditor", "ops")
YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2199

_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PRINTABLE: Final = r"^[^\x00-\x1f\x7f]+$"


def _day(value: Any) -> Any:
    """Numbers are no days, though a lenient reader would take them for seconds since 1970."""
    if isinstance(value, str) and not _ISO_DAY.fullmatch(value):
        raise ValueError("must be a day, YYYY-MM-DD")
    return value


def _of_our_time(day: date | None) -> date | None:
    """The years that a fact of the feed may have; the calendar ends a day after its last one."""
    if day is not None and not YEAR_MIN <= day.year <= YEAR_MAX:
        raise ValueError(f"must be from {YEAR_MIN} to {YEAR_MAX}")
    return day


AsOf = Annotated[
    date | None,
    BeforeValidator(_day),
    AfterValidator(_of_our_time),
    Query(description="A business day: what was known when it ended. Default: now."),
]
Wait = Annotated[
    float, Query(ge=0, le=WAIT_SECONDS_MAX, description="Seconds to wait until `as_of` is closed.")
]
Text = Annotated[str | None, Query(max_length=500, pattern=_PRINTABLE)]
Name = Annotated[str, Path(max_length=500, pattern=_PRINTABLE)]
Lang = Annotated[Language, Query(description="Language of the plain words.")]


def routes(desk: Desk, actors: Actors) -> APIRouter:
    """Whoever asks must be known; nothing that is answered here is personal data in the clear."""

    async def known(request: Request) -> None:
        actors.reader(request)

    async def wait_for_day(as_of: AsOf = None, wait: Wait = 0) -> None:
        if wait:
            with _problems():
                await desk.wait_for(as_of, wait)

    router = APIRouter(dependencies=[Depends(known), Depends(wait_for_day)])
    _add_stories(router, desk)
    _add_figures(router, desk)
    _add_proof(router, desk, actors)
    return router


def _add_stories(router: APIRouter, desk: Desk) -> None:
    @router.get("/cases", responses=_answers(CasePage, "A page of cases."))
    async def cases(  # noqa: PLR0913, PLR0917 - one for each thing that may be asked for
        as_of: AsOf = None,
        status: CaseStatus | None = None,
        stage: CaseStage | None = None,
        bucket: Bucket | None = None,
        loan_key: Text = None,
        loan_id: Text = None,
        borrower_id: Text = None,
        after: Text = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Cases in order of their id, page by page. As of a day a page may hold fewer than `limit`
        and not be the last: follow `next_after` until it is null. `loan_id` is a `loan_key` without
        its source, `borrower_id` whom the loan's streams are about: the first who was named for it,
        also where the bank names another by now."""
        wanted = CaseFilter(
            status=status,
            stage=stage,
            bucket=bucket,
            loan_key=loan_key,
            loan_id=loan_id,
            borrower_id=borrower_id,
            after=after,
            limit=limit,
        )
        return _json(await desk.cases(wanted, as_of))

    @router.get("/cases/counts", responses=_answers(CaseCounts, "How many cases."))
    async def case_counts(as_of: AsOf = None) -> Response:
        """How many cases each stage has, and how many are held and closed."""
        return _json(await desk.case_counts(as_of))

    @router.get("/cases/{case_id}/history", responses=_answers(Story, "The story.", "case"))
    async def case_history(case_id: Name, as_of: AsOf = None, lang: Lang = "en") -> Response:
        """Everything that happened to a case, over all services, in order, in plain words."""
        with _problems():
            return _json(await desk.case_story(case_id, lang, as_of))

    @router.get("/loans/{loan_key:path}/history", responses=_answers(Story, "The story.", "loan"))
    async def loan_history(loan_key: Name, as_of: AsOf = None, lang: Lang = "en") -> Response:
        """Everything that happened to a loan: all its cases, and what came between them."""
        with _problems():
            return _json(await desk.loan_story(loan_key, lang, as_of))


def _add_figures(router: APIRouter, desk: Desk) -> None:
    @router.get("/portfolio", responses=_answers(Feed, "The figures."))
    async def portfolio(as_of: AsOf = None) -> Response:
        """The figures of the feed, under the names that its maker uses."""
        return _json(await desk.feed(as_of))

    @router.get("/report", responses=_answers(Page, "The page."))
    async def report(
        as_of: AsOf = None,
        facts_set_aside: Annotated[int | None, Query(ge=0, le=ROW_NUMBER_MAX)] = None,
    ) -> Response:
        """Everything of the last page. Its own `as_of` is never later than the last known day;
        `facts_set_aside` is intake's count, repeated in it."""
        return _json(await desk.page(as_of, facts_set_aside))

    @router.get("/days", responses=_answers(Days, "The days."))
    async def days(as_of: AsOf = None) -> Response:
        """The last business day that each service has closed, and events kept."""
        return _json(await desk.days(as_of))


def _add_proof(router: APIRouter, desk: Desk, actors: Actors) -> None:
    async def may_export(request: Request) -> None:
        must_have(actors.reader(request), *EXPORTERS)

    @router.get("/digest", responses=_answers(Digest, "The digest."))
    async def digest(as_of: AsOf = None) -> Response:
        """One hash over every case, up to a closed day; by default the last one."""
        with _problems():
            return _json(await desk.digest(as_of))

    @router.get(
        "/export",
        dependencies=[Depends(may_export)],
        response_class=StreamingResponse,
        responses={
            **_answers(None, "One event a line."),
            **documented({403: ["role_missing"]}),
            200: {"content": {"application/x-ndjson": {}}, "description": "One event a line."},
        },
    )
    async def export(as_of: AsOf = None) -> StreamingResponse:
        """The canonical file whose SHA-256 the digest is: every case, with what staff wrote."""
        with _problems():
            chunks: AsyncIterator[bytes] = await desk.export(as_of)
        return StreamingResponse(chunks, media_type="application/x-ndjson")


def _json(answer: Struct) -> Response:
    return Response(encode(answer), media_type="application/json")


def _answers(answer: Any, description: str, missing: str | None = None) -> dict[int | str, Any]:
    reasons = {
        401: ["who_are_you"],
        422: ["invalid_request"],
        503: ["unavailable"],
        504: ["day_not_closed"],
    }
    if missing is not None:
        reasons[404] = [f"{missing}_not_found", "not_found"]
    return {200: answer_of(answer, description), **documented(reasons)}


@contextmanager
def _problems() -> Iterator[None]:
    """The desk's refusals as problems: 404 for what nobody spoke of, 504 for a day not closed."""
    try:
        yield
    except NotFound as error:
        raise not_found(error.what) from error
    except NotClosed as error:
        lagging = [
            f"{service} ({day or 'none yet'})"
            for service, day in error.services.items()
            if day is None or day < error.day
        ]
        detail = f"{error.day} is not closed yet. Last closed days: {', '.join(lagging)}."
        raise ProblemRaised(504, "day_not_closed", detail, field="as_of") from error
