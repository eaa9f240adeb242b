"""What stands between the services and a server: it passes bytes on, until it is told not to.

A connection can be reset, held up in one direction, slowed down, or left open for good with one
direction that leads nowhere, as a firewall does that has forgotten it.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Final

from arrears.cli.chaos.plan import Direction
from arrears.cli.stack.folder import LOOPBACK

_CHUNK: Final = 65_536
_RESET: Final = struct.pack("ii", 1, 0)


class Proxy:
    """One server behind it. `target` may change its process, not its port."""

    def __init__(self) -> None:
        self.port = 0
        self.target = 0
        self.passed_bytes = 0
        self._refuses = False
        self._delay = 0.0
        self._links: set[_Link] = set()
        self._open: dict[Direction, asyncio.Event] = {
            "to": asyncio.Event(),
            "from": asyncio.Event(),
        }
        for gate in self._open.values():
            gate.set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._reset_all()
        for link in list(self._links):
            await link.ended.wait()

    # --- Faults

    async def cut(self, seconds: float) -> None:
        """Every connection is reset, and new ones for so long."""
        self._refuses = True
        self._reset_all()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._refuses = False

    async def hold_up(self, direction: Direction, seconds: float) -> None:
        """Nothing passes in one direction; afterwards everything that waited arrives."""
        self._open[direction].clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._open[direction].set()

    async def slow_down(self, delay: float, seconds: float) -> None:
        """Each piece comes later by `delay`."""
        self._delay = delay
        try:
            await asyncio.sleep(seconds)
        finally:
            self._delay = 0.0

    def lose(self, direction: Direction) -> int:
        """The connections of now stay open and lead nowhere in this direction; how many."""
        for link in self._links:
            link.lost.add(direction)
        return len(self._links)

    # --- Passing on

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link([writer])
        self._links.add(link)
        try:
            if not self._refuses:
                await self._join(link, reader, writer)
        finally:
            link.reset()
            self._links.discard(link)
            link.ended.set()

    async def _join(
        self, link: "_Link", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            behind_reader, behind = await asyncio.open_connection(LOOPBACK, self.target)
            link.writers.append(behind)
            pumps = [
                asyncio.create_task(self._pump(link, "to", reader, behind)),
                asyncio.create_task(self._pump(link, "from", behind_reader, writer)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.wait(pumps)

    async def _pump(
        self,
        link: "_Link",
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        gate = self._open[direction]
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await gate.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                if direction not in link.lost:
                    writer.write(data)
                    await writer.drain()
                    self.passed_bytes += len(data)
            # An end is passed on like everything else: what was written before it arrives, and
            # where nothing arrives any more the other side learns nothing of it either.
            await gate.wait()
            if direction in link.lost:
                await link.aborted.wait()
                return
            if writer.can_write_eof():
                writer.write_eof()
            writer.close()
            await writer.wait_closed()

    def _reset_all(self) -> None:
        for link in list(self._links):
            link.reset()


class _Link:
    """One client's connection and ours behind it."""

    def __init__(self, writers: list[asyncio.StreamWriter]) -> None:
        self.writers = writers
        self.lost: set[Direction] = set()
        self.aborted = asyncio.Event()
        self.ended = asyncio.Event()

    def reset(self) -> None:
        """Without lingering, closing sends a reset instead of an end."""
        for writer in self.writers:
            connection = writer.get_extra_info("socket")
            if connection is not None and not writer.transport.is_closing():
                with suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        self.aborted.set()
