"""FastAPI with nothing behind it: what a command over HTTP costs before anything is decided.

It takes the same path, header and body as a command of ours, under the same server, event loop and
collector settings, in a process of its own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing import get_context
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header
from pydantic import BaseModel

from arrears.cli.bench.web import until_it_answers
from arrears.cli.stack.folder import LOOPBACK, free_ports
from arrears.shared.service.looping import run_loop


class Reason(BaseModel):
    reason: str


class Heard(BaseModel):
    case_id: str


@asynccontextmanager
async def bare_api() -> AsyncIterator[str]:
    """Its address, while it runs."""
    (port,) = free_ports(1)
    process = get_context("spawn").Process(target=_serve, args=(port,), daemon=True)
    process.start()
    try:
        base = f"http://{LOOPBACK}:{port}"
        await until_it_answers(base)
        yield base
    finally:
        process.terminate()
        process.join()


def _serve(port: int) -> None:
    app = FastAPI()

    @app.post("/cases/{case_id}/hold")
    async def hold(
        case_id: str, body: Reason, key: Annotated[str, Header(alias="Idempotency-Key")]
    ) -> Heard:
        return Heard(case_id=case_id)

    config = uvicorn.Config(
        app, host=LOOPBACK, port=port, log_config=None, access_log=False, loop="none"
    )
    run_loop(uvicorn.Server(config).serve())
