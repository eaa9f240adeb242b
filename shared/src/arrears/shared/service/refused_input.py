"""Refused input over HTTP: what was set aside and why; its text only for a purpose, on record."""

from typing import Annotated, Any, Final

import asyncpg
from fastapi import APIRouter
from starlette.responses import Response

from arrears.shared.eventstore.port import CommandTurn, Store
from arrears.shared.http.desk import Issued
from arrears.shared.http.edge import (
    Call,
    Edge,
    command_answers,
    json_answer,
    question_answers,
)
from arrears.shared.http.fields import AfterNumber, Body, Limit, NumberPath, Words
from arrears.shared.http.problem import ProblemRaised, documented, not_found
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.keyring.port import Keyring
from arrears.shared.keyring.sealing import Erased, SealBroken
from arrears.shared.runtime.personal_data import put_on_record
from arrears.shared.runtime.stage import PersonalDataRead, Stage
from arrears.shared.service.clock import wall_clock
from arrears.shared.service.desk import issued
from arrears.shared.service.refusals import opened

_COLUMNS: Final = """
    SELECT number, origin, reason, field, borrower_id, day, refused_at, length(value) AS bytes
    FROM refused"""
_REFUSED: Final = f"{_COLUMNS} WHERE number > $1 ORDER BY number LIMIT $2"
_ONE: Final = f"{_COLUMNS} WHERE number = $1"
_TEXT: Final = "SELECT value FROM refused WHERE number = $1 AND bytes_expire_at > now()"
_COUNTS: Final = """
    SELECT reason, field, count(*) AS count FROM refused GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""
_READING: Final = {
    **command_answers("text_cannot_be_opened"),
    **documented({404: ("refused_input_not_found", "not_found")}),
}
ROLE: Final = "ops"


class ReadBody(Body):
    """`purpose`: why the text has to be read; it is recorded with the name of who reads."""

    purpose: Words


def refused_routes(
    stage: Stage, store: Store, pool: asyncpg.Pool, edge: Edge, keyring: Keyring
) -> APIRouter:
    router = APIRouter(tags=["operation"])
    seen = edge.reader()

    @router.get("/refused", dependencies=[seen], responses=question_answers())
    async def refused(after: AfterNumber = 0, limit: Limit = 100) -> Response:
        """Input that was set aside alone, with reason and field."""
        rows = [dict(row) for row in await pool.fetch(_REFUSED, after, limit)]
        following = rows[-1]["number"] if len(rows) == limit else None
        return json_answer({"items": rows, "next": following})

    @router.get("/refused/counts", dependencies=[seen], responses=question_answers())
    async def refused_counts() -> Response:
        """How many inputs were set aside, by reason and field."""
        return json_answer({"items": [dict(row) for row in await pool.fetch(_COUNTS)]})

    @router.get(
        "/refused/{number}", dependencies=[seen], responses=question_answers("refused_input")
    )
    async def one_refused(number: NumberPath) -> Response:
        """One refused input, without its text: that may name a person."""
        return json_answer(await _find(pool, number))

    @router.post("/refused/{number}/read", responses=_READING)
    async def read_refused(
        number: NumberPath, body: ReadBody, call: Annotated[Call, edge.call(ROLE)]
    ) -> Response:
        """One refused input with its text, as it came; kept for 90 days, under the key of whom it
        names. Who read it, and for what, is an event.
        """
        found = await _find(pool, number)
        text = await _text(pool, keyring, found)
        # What names nobody is nobody's but its own.
        whose = BorrowerId(found["borrower_id"] or found["origin"])

        async def work(turn: CommandTurn) -> Issued:
            event = await put_on_record(
                stage,
                store,
                whose,
                PersonalDataRead(what=f"refused/{found['origin']}", purpose=body.purpose),
                turn=turn,
                at=await edge.desk.now(whose),
                recorded_at=wall_clock(),
            )
            return issued([event])

        answer = await edge.answer_once(call, work)
        if answer.status_code != 200:
            return answer
        # Not part of the answer that is kept for the key: personal data stays under its own key.
        return json_answer({**found, "text": text})

    return router


async def _find(pool: asyncpg.Pool, number: int) -> dict[str, Any]:
    row = await pool.fetchrow(_ONE, number)
    if row is None:
        raise not_found("refused_input")
    return dict(row)


async def _text(pool: asyncpg.Pool, keyring: Keyring, found: dict[str, Any]) -> str | None:
    kept = await pool.fetchval(_TEXT, found["number"])
    if kept is None:
        return None
    try:
        came = await opened(keyring, found["borrower_id"], found["origin"], kept)
    except SealBroken:
        detail = "It was changed, or sealed under a key that the key store has lost since."
        raise ProblemRaised(409, "text_cannot_be_opened", detail) from None
    return str(came) if isinstance(came, Erased) else came.decode(errors="replace")
