"""One command over HTTP: who asks, under which key, and what was answered to it before."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request
from msgspec import Struct
from msgspec.json import encode
from starlette.responses import Response

from arrears.shared.eventstore.port import CommandTurn
from arrears.shared.http import idempotency, problem
from arrears.shared.http.actors import Actor, Actors, must_have
from arrears.shared.http.desk import CommandDesk, Issued, Kept
from arrears.shared.http.schema import answer_of
from arrears.shared.kernel.decider import NotNow, Refused
from arrears.shared.kernel.ids import BorrowerId, StaffId
from arrears.shared.kernel.reaction import Issue

KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotency-Replayed"
_OF_THE_RUNTIME: Final = ("case_is_parked", "before_the_first_business_day")
_ISSUED: Final = answer_of(Issued, "What the command led to; no events where it was in effect.")
_KEY: Final = r"^[\x21-\x7e]{1,200}$"

IdempotencyKey = Annotated[
    str,
    Header(
        alias=KEY_HEADER,
        pattern=_KEY,
        description="Made by the caller for each new request; the same again repeats the answer.",
    ),
]


class Call(Struct, frozen=True):
    """What every command needs to know of its request."""

    staff_id: StaffId
    key: str
    input_hmac: bytes


class Edge:
    """What the routes of a service stand on. `secret` keys the HMAC of inputs."""

    def __init__(
        self, desk: CommandDesk, answers: idempotency.Answers, actors: Actors, secret: bytes
    ) -> None:
        self.desk = desk
        self._answers = answers
        self._actors = actors
        self._secret = secret

    def reader(self) -> Any:
        """A dependency: the caller is known."""

        async def known(request: Request) -> Actor:
            return self._actors.reader(request)

        return Depends(known)

    def call(self, role: str) -> Any:
        """A dependency that makes a Call of the request, by a caller with the role."""

        async def allowed(request: Request) -> Actor:
            return must_have(self._actors.writer(request), role)

        # By itself, so that who may not call is told that before anything about the request.
        async def called(
            request: Request, actor: Annotated[Actor, Depends(allowed)], key: IdempotencyKey
        ) -> Call:
            target = f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}"
            digest = idempotency.input_hmac(
                self._secret, request.method, target, await request.body()
            )
            return Call(actor.staff_id, key, digest)

        return Depends(called)

    def approver(self, named: str, role: str) -> StaffId:
        """The second person that a body names. Raises RequestValidationError for one whom nobody
        knows."""
        staff_id = StaffId(named)
        if not self._actors.is_known(staff_id, role):
            rule = f"nobody of that name has the role {role}"
            raise problem.invalid("body", {"approved_by": rule})
        return staff_id

    async def carry_out(
        self, call: Call, borrower_id: BorrowerId, build: Callable[[datetime], Issue]
    ) -> Response:
        """`build` makes the command for the business time."""
        return await self.answer_once(
            call,
            lambda turn: self.desk.issue(build, borrower_id, turn=turn),
        )

    async def answer_once(
        self, call: Call, work: Callable[[CommandTurn], Awaitable[Any]]
    ) -> Response:
        """What `work` gives for the call's turn, once for its key. Refusals are answers too, but
        for NotNow: what is refused for the moment leaves the key free.

        What is Kept was written with the events that it tells of; anything else is written here.
        """
        verdict = await self._answers.begin(call.key, call.staff_id, call.input_hmac)
        match verdict:
            case idempotency.Given(status, body):
                return _answer(status, body, replayed=True)
            case idempotency.Reused():
                detail = f"This {KEY_HEADER} was used with another input."
                raise problem.ProblemRaised(422, "key_reused", detail, field=KEY_HEADER)
            case idempotency.InProgress():
                raise _in_progress()
            case idempotency.Fresh(turn):
                return await self._answer_first(CommandTurn(call.key, call.staff_id, turn), work)

    async def _answer_first(
        self, ours: CommandTurn, work: Callable[[CommandTurn], Awaitable[Any]]
    ) -> Response:
        try:
            given = await work(ours)
            if isinstance(given, Kept):
                return _answer(200, given.body, replayed=False)
            status, body = 200, encode(given)
        except BaseException as error:
            if not isinstance(error, Refused) or isinstance(error, NotNow):
                with suppress(Exception):  # What cannot be taken back is taken over later.
                    await asyncio.shield(self._answers.abandon(ours.key, ours.actor, ours.turn))
                raise
            found = problem.refused(error)
            status, body = found.status, encode(found)
        if not await self._answers.finish(ours.key, ours.actor, ours.turn, status, body):
            raise _in_progress()  # We were so late that another was asked to carry it out.
        return _answer(status, body, replayed=False)


def _in_progress() -> problem.ProblemRaised:
    detail = "The same request is being carried out. Ask again in a moment."
    headers = {"Retry-After": "1"}
    return problem.ProblemRaised(409, "in_progress", detail, headers=headers)


def _answer(status: int, body: bytes, *, replayed: bool) -> Response:
    media_type = "application/json" if status < 400 else problem.PROBLEM_JSON
    headers = {REPLAYED_HEADER: "true"} if replayed else None
    return Response(body, status_code=status, media_type=media_type, headers=headers)


def command_answers(
    *reasons: str, success: dict[str, Any] = _ISSUED
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a command: its own refusals, and what every command may answer."""
    return {
        200: success,
        **problem.documented(
            {
                400: ("malformed_request",),
                401: ("who_are_you",),
                403: ("role_missing",),
                404: ("case_not_found", "not_found"),
                409: (*reasons, "in_progress", *_OF_THE_RUNTIME),
                413: ("body_too_large",),
                422: ("invalid_request", "key_reused", "body_too_deep"),
                503: ("busy", "unavailable"),
            }
        ),
    }


def question_answers(missing: str | None = None) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a question but its success; `missing` names what may not be there."""
    unknown = {} if missing is None else {404: (f"{missing}_not_found",)}
    return problem.documented(
        {
            401: ("who_are_you",),
            **unknown,
            422: ("invalid_request",),
            503: ("unavailable",),
        }
    )


def json_answer(found: object) -> Response:
    return Response(encode(found), media_type="application/json")
