"""Errors as problem details (RFC 9457). `reason` is a stable code that clients may branch on.

What a caller sent is never repeated and nothing inside is shown: a problem names the field, the
rule and, where we failed, a number to find it in the log.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from msgspec import Struct
from msgspec.json import encode
from starlette.exceptions import HTTPException
from starlette.responses import Response

from arrears.shared.eventstore import pool
from arrears.shared.http.logs import told
from arrears.shared.http.schema import schema_of
from arrears.shared.kernel.decider import Busy, Refused

PROBLEM_JSON: Final = "application/problem+json"
_FIELD_MAX: Final = 100
_ERRORS_MAX: Final = 20
_HTTP_REASONS: Final = {
    400: "malformed_request",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
}


_AWAY: Final = (OSError, *pool.PASSING)
"""What a lost database or broker raises: it passes, for callers as for workers."""

log = structlog.get_logger(__name__)


class FieldError(Struct, frozen=True, kw_only=True):
    field: str
    rule: str


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    type: str
    title: str
    status: int
    detail: str
    reason: str
    field: str | None = None
    errors: tuple[FieldError, ...] = ()


class ProblemRaised(Exception):
    """Raised by an edge that knows which problem to answer."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.problem = problem(status, reason, detail, field=field)
        self.headers = dict(headers or {})


def problem(
    status: int,
    reason: str,
    detail: str,
    *,
    field: str | None = None,
    errors: Sequence[FieldError] = (),
) -> Problem:
    return Problem(
        type=f"/problems/{reason}",
        title=reason.replace("_", " ").capitalize(),
        status=status,
        detail=detail,
        reason=reason,
        field=field,
        errors=tuple(errors),
    )


def refused(refusal: Refused) -> Problem:
    about = "" if refusal.field is None else f" It is about {refusal.field}."
    detail = f"The rules forbid this now: {refusal.reason}.{about}"
    return problem(409, refusal.reason, detail, field=refusal.field)


def not_found(what: str) -> ProblemRaised:
    return ProblemRaised(404, f"{what}_not_found", f"There is no such {what} here.")


def invalid(where: str, rules: Mapping[str, str]) -> RequestValidationError:
    """To be raised for fields that break these rules, as for what a schema refuses. `where` they
    are: body or query."""
    return RequestValidationError(
        [{"loc": (where, name), "msg": rule} for name, rule in rules.items()]
    )


def response(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        encode(found), status_code=found.status, media_type=PROBLEM_JSON, headers=headers
    )


def documented(reasons: Mapping[int, Sequence[str]]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: each status with the reasons that it may carry."""
    schema = schema_of(Problem)
    return {
        status: {
            "description": "; ".join(codes),
            "content": {
                PROBLEM_JSON: {
                    "schema": {
                        **schema,
                        "properties": {
                            **schema["properties"],
                            "reason": {"type": "string", "enum": list(codes)},
                        },
                    }
                }
            },
        }
        for status, codes in reasons.items()
    }


async def _unavailable(_request: Request, error: Exception) -> Response:
    log.warning("unavailable", **told(error))
    detail = "The database or the broker does not answer. Try again with the same key."
    return response(problem(503, "unavailable", detail), {"Retry-After": "5"})


def add_problems(app: FastAPI) -> None:
    @app.exception_handler(ProblemRaised)
    async def raised(_request: Request, error: ProblemRaised) -> Response:
        return response(error.problem, error.headers)

    @app.exception_handler(Refused)
    async def forbidden_by_rule(_request: Request, error: Refused) -> Response:
        return response(refused(error))

    @app.exception_handler(Busy)
    async def busy(_request: Request, _error: Busy) -> Response:
        detail = "Others are changing the same borrower. Try again with the same key."
        return response(problem(503, "busy", detail), {"Retry-After": "1"})

    for away in _AWAY:
        app.add_exception_handler(away, _unavailable)

    @app.exception_handler(RequestValidationError)
    async def unprocessable(_request: Request, error: RequestValidationError) -> Response:
        return response(_invalid(error.errors()))

    @app.exception_handler(HTTPException)
    async def other(_request: Request, error: HTTPException) -> Response:
        reason = _HTTP_REASONS.get(error.status_code, "http_error")
        found = problem(error.status_code, reason, "The request cannot be answered.")
        return response(found, error.headers)


def _invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    fields = [
        FieldError(field=_field(one["loc"]), rule=str(one["msg"]))
        for one in list(errors)[:_ERRORS_MAX]
    ]
    detail = "; ".join(f"{one.field}: {one.rule}" for one in fields)
    return problem(
        422, "invalid_request", detail, field=fields[0].field if fields else None, errors=fields
    )


def _field(location: Sequence[object]) -> str:
    """Names of unknown fields are the caller's: shortened, and harmless in any log."""
    name = ".".join(map(str, location[1:] or location))[:_FIELD_MAX]
    return name.encode("ascii", "backslashreplace").decode("ascii")
