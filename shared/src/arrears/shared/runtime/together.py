"""What is asked for while a batch is under way makes up the next one.

So many requests of one process cost as few round trips as one, and a single one waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

BATCH_MAX: Final = 64

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """`work` answers a batch, one answer each in the same order; it is called for one at a time.

    An exception among the answers is raised to the one who asked, one that `work` raises to all.
    """

    def __init__(
        self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer | Exception]]]
    ) -> None:
        self._work = work
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Answer:
        """Whoever gives up waiting may find later that its part was done."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._work_off())
        return await answer

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[:BATCH_MAX]
                del self._waiting[:BATCH_MAX]
                await self._answer(batch)
        finally:
            self._task = None
            for _, unanswered in self._waiting:
                unanswered.cancel()
            self._waiting.clear()

    async def _answer(self, batch: Sequence[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            given = await self._work([asked for asked, _ in batch])
        except Exception as error:
            given = [error] * len(batch)
        except BaseException:
            for _, unanswered in batch:
                unanswered.cancel()
            raise
        for (_, answer), one in zip(batch, given, strict=True):
            if answer.done():
                continue
            if isinstance(one, Exception):
                answer.set_exception(one)
            else:
                answer.set_result(one)
