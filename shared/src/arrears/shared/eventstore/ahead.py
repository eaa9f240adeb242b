"""Reading on while what was read is being used."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, TypeVar

Page = TypeVar("Page")
_TURNS: Final = 4
"""Turns of the loop until the question of the last of several readers is on the wire: uvloop writes
at the end of a turn.
"""


def ahead(pages: AsyncGenerator[Page, None], by: int = 1) -> AsyncGenerator[Page, None]:
    """The same pages; the next ones, `by` so many, are read while one is used.

    Close it where it is left early (`contextlib.aclosing`): that ends what is on its way,
    and `pages`.
    """
    for _ in range(by):
        pages = _one_ahead(pages)
    return pages


async def _one_ahead(pages: AsyncGenerator[Page, None]) -> AsyncGenerator[Page, None]:
    async def following() -> Page | None:
        return await anext(pages, None)

    coming = asyncio.create_task(following())
    try:
        while (page := await coming) is not None:
            coming = asyncio.create_task(following())
            # Whoever uses the page may not come back to the loop for a while.
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            yield page
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await pages.aclose()
