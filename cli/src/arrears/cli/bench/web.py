"""A client of HTTP/1.1 that costs next to nothing: on two cores a comfortable one would be measured
instead of the service. Requests are bytes made beforehand; answers have a length.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from arrears.cli.bench.ground import PATIENCE_SECONDS
from arrears.cli.client.trouble import Trouble

STAFF: Final = "bench"
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class Answer(Struct, frozen=True):
    status: int
    body: bytes
    seconds: float


class Line:
    """One connection that is kept open: one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, base: str) -> "Line":
        parts = urlsplit(base)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def ask(self, request: bytes) -> Answer:
        begun = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(_END)
        body = await self._reader.readexactly(length_of(head))
        return Answer(int(head[9:12]), body, time.perf_counter() - begun)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def length_of(head: bytes) -> int:
    """Raises Trouble where the answer has no length: then its end could not be seen."""
    for line in head.split(b"\r\n"):
        if line.lower().startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    raise Trouble(f"an answer without a length: {head[:80]!r}")


def request(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: bench",
        f"X-Staff-Id: {STAFF}",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        *(f"{name}: {text}" for name, text in (headers or {}).items()),
    ]
    return "\r\n".join(lines).encode() + _END + body


async def until_it_answers(base: str) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
        while True:
            try:
                await client.get("/health")
            except httpx.TransportError:
                if time.monotonic() > patience:
                    raise
                await asyncio.sleep(0.1)
            else:
                return
