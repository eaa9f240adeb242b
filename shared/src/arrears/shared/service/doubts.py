"""Effects in doubt over HTTP: what staff must look into, and what they found."""

from typing import Annotated, Final

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
from arrears.shared.http.fields import After, Body, EventIdPath, Flag, Limit, Words
from arrears.shared.kernel.ids import EventId
from arrears.shared.runtime.doubts import Finding, settle_doubt
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.clock import wall_clock
from arrears.shared.service.desk import issued

_IN_DOUBT: Final = """
    SELECT event_id, shard, stream, borrower_id, kind, at AS asked_at, sent_at FROM effects
    WHERE in_doubt AND event_id > $1 ORDER BY event_id LIMIT $2
"""


class SettleBody(Body):
    carried_out: Flag
    note: Words


def doubt_routes(stage: Stage, store: Store, pool: asyncpg.Pool, edge: Edge) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get(
        "/in_doubt",
        dependencies=[edge.reader()],
        responses=question_answers(),
    )
    async def in_doubt(after: After = None, limit: Limit = 100) -> Response:
        """Effects of which nobody knows whether they were carried out."""
        rows = [dict(row) for row in await pool.fetch(_IN_DOUBT, after or "", limit)]
        following = rows[-1]["event_id"] if len(rows) == limit else None
        return json_answer({"items": rows, "next": following})

    @router.post(
        "/in_doubt/{event_id}/settle", responses=command_answers("not_in_doubt", "answer_needed")
    )
    async def settle(
        event_id: EventIdPath, body: SettleBody, call: Annotated[Call, edge.call("ops")]
    ) -> Response:
        """Say whether it was carried out. If not it is sent again, under the same key.

        A worker that is frozen while it sends would still send when it goes on: it must have ended.
        """

        async def work(turn: CommandTurn) -> Issued:
            event = await settle_doubt(
                stage,
                store,
                Finding(event_id=EventId(event_id), carried_out=body.carried_out, note=body.note),
                turn=turn,
                now=edge.desk.now,
                recorded_at=wall_clock(),
            )
            return issued([event])

        return await edge.answer_once(call, work)

    return router
