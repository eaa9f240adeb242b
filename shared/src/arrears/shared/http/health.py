"""Health is progress, not a pulse: work that waits while nothing moves is an illness.

Every loop says what it did and what waits; `/health` is 503 when something waits too long.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from fastapi import APIRouter
from msgspec import Struct
from msgspec.json import encode
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from starlette.responses import Response

HealthSource: TypeAlias = Callable[[], Awaitable[Mapping[str, object]]]
STALLED_AFTER_SECONDS: Final = 30.0


class Part(Struct):
    """One loop of the process. `waits_for` names source, shard, day or effect, where it waits."""

    done: int = 0
    waiting: int = 0
    waits_for: str | None = None
    moved_at: float = 0.0
    failure: str | None = None


class ProgressBoard:
    """Fed by the loops. A part is well while it moves, or while nothing waits for it."""

    def __init__(
        self,
        stalled_after: float = STALLED_AFTER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stalled_after = stalled_after
        self._clock = clock
        self._parts: dict[str, Part] = {}

    def note(self, name: str, *, done: int, waiting: int = 0, waits_for: str | None = None) -> None:
        """A step has ended: so much was done in it, so much still waits."""
        part = self._parts.setdefault(name, Part(moved_at=self._clock()))
        if done or not part.waiting:
            part.moved_at = self._clock()
        part.done += done
        part.waiting = waiting
        part.waits_for = waits_for
        part.failure = None

    def failed(self, name: str, error: BaseException) -> None:
        """A step has failed. Only the kind of error is told: its text may hold personal data."""
        part = self._parts.setdefault(name, Part(moved_at=self._clock()))
        part.failure = type(error).__name__

    async def health(self) -> Mapping[str, object]:
        now = self._clock()
        ill = [name for name, part in self._parts.items() if self._is_ill(part, now)]
        return {
            "status": "stalled" if ill else "ok",
            "stalled": ill,
            "parts": {
                name: {
                    "done": part.done,
                    "waiting": part.waiting,
                    "waits_for": part.waits_for,
                    "seconds_since_progress": round(now - part.moved_at, 3),
                    "failure": part.failure,
                }
                for name, part in self._parts.items()
            },
        }

    def _is_ill(self, part: Part, now: float) -> bool:
        waits = part.waiting > 0 or part.failure is not None
        return waits and now - part.moved_at >= self._stalled_after


def health_routes(health: HealthSource, registry: CollectorRegistry = REGISTRY) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get(
        "/health",
        responses={200: {"description": "It moves."}, 503: {"description": "It is stalled."}},
    )
    async def get_health() -> Response:
        """Progress of every part of the process: 503 where work waits and nothing moves."""
        found = await health()
        status = 200 if found.get("status") == "ok" else 503
        return Response(encode(found), status_code=status, media_type="application/json")

    @router.get("/metrics", include_in_schema=False)
    async def get_metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
