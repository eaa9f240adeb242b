"""The case list of a stage over HTTP: page by page in order of key, and one case by its id."""

from typing import Any, Generic, TypeVar

from fastapi import APIRouter
from msgspec import Struct, defstruct
from msgspec.json import Decoder, encode
from starlette.responses import Response

from arrears.shared.http import problem
from arrears.shared.http.edge import Edge, question_answers
from arrears.shared.http.fields import After, CaseIdPath, Limit
from arrears.shared.http.schema import answer_of

Row = TypeVar("Row", bound=Struct)


class Cases(Generic[Row]):
    """Finds the rows that people's commands are about."""

    def __init__(self, edge: Edge, projection: str, row: type[Row]) -> None:
        self._edge = edge
        self._projection = projection
        self._row = row
        self._decoder = Decoder(row)

    async def find(self, case_id: str) -> Row:
        return self._decoder.decode(await self._bytes(case_id))

    def add_to(self, router: APIRouter) -> None:
        page = _page_of(self._row)
        seen = self._edge.reader()

        @router.get(
            "/cases",
            dependencies=[seen],
            responses={
                200: answer_of(page, "A page; `next_after` is null on the last one."),
                **question_answers(),
            },
        )
        async def cases(after: After = None, limit: Limit = 100) -> Response:
            """Cases in order of their id. The next page begins after `next_after`."""
            return await self._page(after, limit)

        @router.get(
            "/cases/{case_id}",
            dependencies=[seen],
            responses={
                200: answer_of(self._row, "The case as this stage sees it."),
                **question_answers("case"),
            },
        )
        async def one_case(case_id: CaseIdPath) -> Response:
            """One case, as this stage sees it."""
            return Response(await self._bytes(case_id), media_type="application/json")

    async def _page(self, after: str | None, limit: int) -> Response:
        rows = await self._edge.desk.rows(self._projection, after, limit)
        following = encode(rows[-1][0] if len(rows) == limit else None)
        joined = b",".join(row for _, row in rows)
        body = b'{"cases":[' + joined + b'],"next_after":' + following + b"}"
        return Response(body, media_type="application/json")

    async def _bytes(self, case_id: str) -> bytes:
        found = await self._edge.desk.row(self._projection, case_id)
        if found is None:
            raise problem.not_found("case")
        return found


def _page_of(row: type[Struct]) -> Any:
    """Rows are stored as JSON and sent as they are; this only describes the page."""
    return defstruct("CasePage", [("cases", list[row]), ("next_after", str | None)])  # type: ignore[valid-type]
