"""The whole HTTP application: routes, health, and every error as problem details (RFC 9457)."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from msgspec.json import encode
from starlette.exceptions import HTTPException

from arrears.history.api.routes import routes
from arrears.history.application.desk import Desk, NotClosed, NotFound

PROBLEM: Final = "application/problem+json"


def make_app(desk: Desk, health: Callable[[], Awaitable[dict[str, Any]]]) -> FastAPI:
    """`health` tells progress, not a pulse: the last closed day, and since when nothing came."""
    app = FastAPI(title="Arrears history", version="1", summary="What happened, and proof of it.")
    app.include_router(routes(desk))

    @app.get("/health")
    async def get_health() -> Response:
        """Progress: 503 where hearing has stopped, with the reason."""
        found = await health()
        status = 200 if found.get("status") == "ok" else 503
        return Response(encode(found), status_code=status, media_type="application/json")

    _add_problems(app)
    return app


def _add_problems(app: FastAPI) -> None:
    @app.exception_handler(NotFound)
    async def not_found(_request: Request, error: NotFound) -> Response:
        detail = f"Nothing was ever said about {error.what} {error.name}."
        return _problem(404, f"{error.what}_not_found", detail)

    @app.exception_handler(NotClosed)
    async def not_closed(_request: Request, error: NotClosed) -> Response:
        lagging = [name for name, day in error.services.items() if day is None or day < error.day]
        detail = f"{error.day} is not closed yet in {', '.join(lagging)}."
        return _problem(504, "day_not_closed", detail, services=error.services)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        fields = [
            {"field": ".".join(map(str, one["loc"][1:])), "rule": one["msg"]}
            for one in error.errors()
        ]
        detail = "; ".join(f"{one['field']}: {one['rule']}" for one in fields)
        return _problem(422, "invalid_request", detail, errors=fields)

    @app.exception_handler(HTTPException)
    async def other(_request: Request, error: HTTPException) -> Response:
        return _problem(error.status_code, "http_error", str(error.detail))


def _problem(status: int, reason: str, detail: str, **more: object) -> Response:
    body = {"type": f"/problems/{reason}", "title": reason, "status": status, "detail": detail}
    return Response(encode({**body, **more}), status_code=status, media_type=PROBLEM)
