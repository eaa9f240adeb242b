"""Requests straight into an ASGI application, as a server hands them on: any byte may be sent.

A client library would mend or refuse what a hostile caller sends.
"""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote

from msgspec import Struct
from starlette.types import ASGIApp, Message

Headers = Sequence[tuple[bytes, bytes]]
_PARTS_OF: Final = 65_536


class Answer(Struct, frozen=True):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def ask(
    app: ASGIApp, method: str, target: bytes, headers: Headers = (), body: bytes = b""
) -> Answer:
    """`target` is path and query as on the wire: ASCII, percent-encoded where it must be."""
    path, _, query = target.partition(b"?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"test"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    waiting = [body[at : at + _PARTS_OF] for at in range(0, len(body), _PARTS_OF)] or [b""]
    said: list[Message] = []

    async def receive() -> Message:
        if not waiting:
            return {"type": "http.disconnect"}
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    start = said[0]
    whole = b"".join(one.get("body", b"") for one in said[1:])
    return Answer(start["status"], dict(start["headers"]), whole)
