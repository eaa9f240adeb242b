"""What operations staff ask of every stage: status, parked input, and its repair."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

import asyncpg
from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from arrears.shared.eventstore.port import CommandTurn, Store
from arrears.shared.http.edge import (
    Call,
    Edge,
    command_answers,
    json_answer,
    question_answers,
)
from arrears.shared.http.fields import Body, BorrowerIdPath, SecondPerson, Words
from arrears.shared.http.schema import answer_of
from arrears.shared.kernel.ids import BorrowerId, StaffId
from arrears.shared.runtime.parking import retry_parked, skip_parked
from arrears.shared.runtime.stage import Stage
from arrears.shared.service.clock import wall_clock

_STATUS: Final = """
    SELECT
        (SELECT min(open_day) FROM shards) AS min_open_day,
        (SELECT min(first_day) FROM positions) AS first_day,
        (SELECT coalesce(sum(last_seq), 0)::bigint FROM shards) AS events,
        (SELECT coalesce(sum(published_seq), 0)::bigint FROM cursors) AS published,
        (SELECT coalesce(sum(position), 0)::bigint FROM positions) AS heard,
        (SELECT count(*) FROM refused) AS refused,
        (SELECT count(DISTINCT borrower_id) FROM parked) AS parked,
        (SELECT count(*) FROM duplicates) AS duplicates,
        (SELECT count(*) FROM effects WHERE in_doubt) AS in_doubt,
        (SELECT count(*) FROM effects) AS effects_waiting
"""
_OPEN_DAYS: Final = "SELECT shard, open_day, owner FROM shards ORDER BY shard"
_PARKED: Final = """
    SELECT min(number) AS number, shard, borrower_id, count(*) AS waiting,
        max(error) AS error, (array_agg(origin ORDER BY number))[1] AS origin, min(day) AS day,
        min(parked_at) AS parked_at
    FROM parked GROUP BY shard, borrower_id ORDER BY 1
"""


def operations_routes(
    service: str,
    pool: asyncpg.Pool,
    live_facts: Callable[[], Awaitable[Mapping[str, Any]]],
    edge: Edge,
) -> APIRouter:
    """`live_facts` is what only the worker of this process knows, such as what it waits for."""
    router = APIRouter(tags=["operation"], dependencies=[edge.reader()])

    @router.get("/status", responses=question_answers())
    async def status() -> Response:
        """Day, lag and what is set aside; what each shard waits for."""
        row = dict(await pool.fetchrow(_STATUS) or {})
        days = await pool.fetch(_OPEN_DAYS)
        return json_answer(
            {
                "service": service,
                **row,
                "decided": row["events"],
                "backlog": row["events"] - row["published"],
                "open_days": {str(day["shard"]): day["open_day"] for day in days},
                "owners": {str(day["shard"]): day["owner"] for day in days},
                **await live_facts(),
            }
        )

    @router.get("/parked", responses=question_answers())
    async def parked() -> Response:
        """Borrowers whose input waits behind a failure of ours."""
        return json_answer({"items": [dict(row) for row in await pool.fetch(_PARKED)]})

    return router


class SkipBody(Body):
    """`origin` is that of the input as the list told it: no other is given up."""

    origin: Words
    reason: Words
    approved_by: SecondPerson


class Retried(Struct, frozen=True):
    """`retried`: how many inputs are on the agenda again."""

    borrower_id: BorrowerId
    retried: int
    asked_by: StaffId


class Skipped(Struct, frozen=True):
    borrower_id: BorrowerId
    still_parked: int


def repair_routes(stage: Stage, store: Store, edge: Edge) -> APIRouter:
    """Commands of operations staff; each gives a reason or repeats safely."""
    router = APIRouter(tags=["operation"])

    @router.post(
        "/parked/{borrower_id:path}/retry",
        responses=command_answers(
            "nothing_is_parked", success=answer_of(Retried, "How many inputs are tried again.")
        ),
    )
    async def retry(
        borrower_id: BorrowerIdPath, call: Annotated[Call, edge.call("ops")]
    ) -> Response:
        """Put everything parked of the borrower back on the agenda of the open day."""

        async def work(turn: CommandTurn) -> Retried:
            count = await retry_parked(
                stage,
                store,
                BorrowerId(borrower_id),
                turn=turn,
                recorded_at=wall_clock(),
            )
            return Retried(BorrowerId(borrower_id), count, call.staff_id)

        return await edge.answer_once(call, work)

    @router.post(
        "/parked/{borrower_id:path}/skip",
        responses=command_answers(
            "nothing_is_parked",
            "not_the_first_parked",
            "same_person",
            success=answer_of(Skipped, "How many inputs still wait."),
        ),
    )
    async def skip(
        borrower_id: BorrowerIdPath, body: SkipBody, call: Annotated[Call, edge.call("ops")]
    ) -> Response:
        """Give up the first parked input of the borrower, with a reason. This is an event."""
        approved_by = edge.approver(body.approved_by, "ops")

        async def work(turn: CommandTurn) -> Skipped:
            left = await skip_parked(
                stage,
                store,
                BorrowerId(borrower_id),
                origin=body.origin,
                reason=body.reason,
                approved_by=approved_by,
                turn=turn,
                recorded_at=wall_clock(),
            )
            return Skipped(BorrowerId(borrower_id), left)

        return await edge.answer_once(call, work)

    return router
