"""Around every request: limits of size and depth, a measured answer, and no error that leaks.

A body is read here, once and bounded, before anything parses it.
"""

import re
import time
from typing import Final
from weakref import WeakKeyDictionary

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arrears.shared.http.logs import told
from arrears.shared.http.problem import Problem, problem, response
from arrears.shared.kernel.ids import derived_id

BODY_BYTES_MAX: Final = 64 * 1024
DEPTH_MAX: Final = 16
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_HISTOGRAMS: Final[WeakKeyDictionary[CollectorRegistry, Histogram]] = WeakKeyDictionary()

log = structlog.get_logger(__name__)


class Guard:
    def __init__(
        self,
        app: ASGIApp,
        *,
        body_bytes_max: int = BODY_BYTES_MAX,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max
        self._seconds = _histogram(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            body = await self._read(receive)
            refusal = _judge(body, self._body_bytes_max)
            if refusal is not None:
                await response(refusal)(scope, receive, watched)
            else:
                await self._app(scope, _replay(body, receive), watched)
        except Exception as error:
            number = derived_id("failure", type(error).__name__, str(time.time_ns()))[:8]
            log.error("request_failed", number=number, **told(error))
            if status == 0:
                detail = f"The failure is ours; it is in the log under {number}."
                await response(problem(500, "failed", detail))(scope, receive, watched)
        finally:
            self._note(scope, status, time.perf_counter() - started_at)

    async def _read(self, receive: Receive) -> bytes:
        """At most one part more than allowed is held; the rest is not asked for."""
        parts, size, more = [], 0, True
        while more and size <= self._body_bytes_max:
            message = await receive()
            if message["type"] != "http.request":
                break
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            more = message.get("more_body", False)
        return b"".join(parts)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """The template of the path, never the path: that may hold anything."""
        path = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._seconds.labels(method, path, str(status)).observe(seconds)
        if path not in {"/health", "/metrics"}:
            milliseconds = round(seconds * 1000, 1)
            log.info("request", method=method, path=path, status=status, ms=milliseconds)


def _judge(body: bytes, bytes_max: int) -> Problem | None:
    if len(body) > bytes_max:
        return problem(413, "body_too_large", f"A body may have {bytes_max} bytes.")
    if depth_of(body) > DEPTH_MAX:
        return problem(422, "body_too_deep", f"A body may be nested {DEPTH_MAX} deep.")
    return None


def depth_of(body: bytes) -> int:
    """How deep brackets are nested outside of texts. Right for JSON, harmless for the rest."""
    depth = deepest = 0
    for found in _BRACKETS.finditer(body):
        mark = found[0]
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in b"]}":
            depth = max(depth - 1, 0)
    return deepest


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _histogram(registry: CollectorRegistry) -> Histogram:
    """One a registry, though tests make many apps in one process."""
    found = _HISTOGRAMS.get(registry)
    if found is None:
        labels = ["method", "path", "status"]
        found = Histogram("arrears_http_seconds", "Time to answer", labels, registry=registry)
        _HISTOGRAMS[registry] = found
    return found
