"""The proxy passes everything on, until it is told to cut, hold up, slow down or lose."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from arrears.cli.chaos.plan import Direction
from arrears.cli.chaos.proxy import Proxy
from arrears.cli.stack.folder import LOOPBACK

SOON = 5.0


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Before a server that repeats what it hears."""

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(repeat, LOOPBACK, 0)
    found = Proxy()
    found.target = server.sockets[0].getsockname()[1]
    await found.start()
    yield found
    await found.close()
    server.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, proxy: Proxy) -> "Client":
        return cls(*await asyncio.open_connection(LOOPBACK, proxy.port))

    async def ask(self, word: bytes, patience: float = SOON) -> bytes:
        self.writer.write(word)
        async with asyncio.timeout(patience):
            return await self.reader.readexactly(len(word))


async def test_what_is_written_arrives_and_so_does_the_end(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"word" * 50_000) == b"word" * 50_000
    client.writer.write_eof()
    assert await client.reader.read() == b""
    assert proxy.passed_bytes == 400_000


async def test_a_cut_resets_every_connection_and_new_ones_for_a_while(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"before") == b"before"
    cutting = asyncio.create_task(proxy.cut(0.2))
    with pytest.raises(ConnectionResetError):
        await client.reader.readexactly(1)
    late = await Client.of(proxy)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await late.ask(b"during")
    await cutting
    assert await (await Client.of(proxy)).ask(b"after") == b"after"


@pytest.mark.parametrize("direction", ["to", "from"])
async def test_what_is_held_up_arrives_later(proxy: Proxy, direction: Direction) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"before") == b"before"
    holding = asyncio.create_task(proxy.hold_up(direction, 0.3))
    await asyncio.sleep(0)
    asking = asyncio.create_task(client.ask(b"later"))
    await holding
    assert not asking.done()
    assert await asking == b"later"


async def test_a_slow_connection_delays_each_piece(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    slowing = asyncio.create_task(proxy.slow_down(0.1, SOON))
    await asyncio.sleep(0)
    began = time.monotonic()
    assert await client.ask(b"slow") == b"slow"
    assert time.monotonic() - began >= 0.2
    slowing.cancel()
    await asyncio.wait([slowing])
    began = time.monotonic()
    assert await client.ask(b"fast") == b"fast"
    assert time.monotonic() - began < 0.2


@pytest.mark.parametrize("direction", ["to", "from"])
async def test_a_lost_connection_stays_silent_and_a_new_one_works(
    proxy: Proxy, direction: Direction
) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"before") == b"before"
    assert proxy.lose(direction) == 1
    with pytest.raises(TimeoutError):
        await client.ask(b"silence", patience=0.2)
    assert not client.reader.at_eof()
    assert await (await Client.of(proxy)).ask(b"new") == b"new"


async def test_what_is_lost_in_both_directions_ends_with_the_proxy(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"before") == b"before"
    proxy.lose("to")
    client.writer.write_eof()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.reader.read()
    proxy.lose("from")
    async with asyncio.timeout(SOON):
        await proxy.close()


async def test_what_is_lost_stays_lost_in_its_direction(proxy: Proxy) -> None:
    client = await Client.of(proxy)
    assert await client.ask(b"before") == b"before"
    proxy.lose("to")
    proxy.lose("from")
    passed = proxy.passed_bytes
    with pytest.raises(TimeoutError):
        await client.ask(b"silence", patience=0.2)
    assert proxy.passed_bytes == passed
