"""HTTP of a process, alone or beside its worker."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from fastapi import FastAPI

from arrears.shared.service.looping import STOP_SECONDS, on_signals
from arrears.shared.service.settings import BadSetting, Settings


class Runs(Protocol):
    """A worker: it runs until it is told to stop."""

    def stop(self) -> None: ...

    async def run(self) -> None: ...


def take_port(settings: Settings) -> socket.socket:
    """Bound and not listening: it is nobody else's, and nobody is let in before there is an answer.

    Raises BadSetting where it cannot be had, before anything is opened.
    """
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
    except OSError as error:
        taken.close()
        raise BadSetting(
            f"ARREARS_{settings.service.upper()}_LISTEN",
            f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}",
        ) from error
    return taken


async def serve(app: FastAPI, taken: socket.socket, worker: Runs | None) -> None:
    """Until the worker has ended; without one, until the process is told to end."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        loop="none",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    if worker is None:
        await uvicorn.Server(config).serve(sockets=[taken])
        return
    server = _QuietServer(config)
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    on_signals(worker.stop)
    try:
        await worker.run()
    finally:
        server.should_exit = True
        await serving


class _QuietServer(uvicorn.Server):
    """Beside a worker the process has one handler of signals, and it is the worker's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
