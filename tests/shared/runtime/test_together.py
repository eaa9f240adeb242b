"""What is asked for while a batch is under way makes up the next one (runtime.together)."""

import asyncio
from collections.abc import Sequence

import pytest

from arrears.shared.runtime.together import BATCH_MAX, Together


class Doubling:
    """Work that waits at a gate, and remembers what it was asked."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.gate = asyncio.Event()
        self.begun = asyncio.Semaphore(0)
        self.troubles: list[BaseException] = []

    async def __call__(self, asked: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(asked)
        self.begun.release()
        await self.gate.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        return [2 * one if one >= 0 else ValueError(one) for one in asked]


async def _asked(together: Together[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.ensure_future(together.ask(number)) for number in numbers]
    await asyncio.sleep(0)
    return tasks


class TestTogether:
    async def test_one_alone_waits_for_nobody(self) -> None:
        work = Doubling()
        work.gate.set()
        together = Together(work)
        assert await together.ask(1) == 2
        assert await together.ask(2) == 4
        assert work.batches == [[1], [2]]

    async def test_what_comes_meanwhile_is_the_next_batch(self) -> None:
        work = Doubling()
        together = Together(work)
        first = await _asked(together, 1)
        await work.begun.acquire()
        later = await _asked(together, *range(2, BATCH_MAX + 4))
        assert work.batches == [[1]]
        work.gate.set()
        assert await asyncio.gather(*first, *later) == [2 * n for n in range(1, BATCH_MAX + 4)]
        assert [len(batch) for batch in work.batches] == [1, BATCH_MAX, 2]

    async def test_an_exception_among_the_answers_is_raised_to_its_own(self) -> None:
        work = Doubling()
        work.gate.set()
        together = Together(work)
        answers = await asyncio.gather(
            *(together.ask(number) for number in (1, -1, 3)), return_exceptions=True
        )
        assert [answers[0], answers[2]] == [2, 6]
        assert isinstance(answers[1], ValueError)
        assert work.batches == [[1, -1, 3]]

    async def test_what_fails_fails_for_the_whole_batch_and_for_no_other(self) -> None:
        work = Doubling()
        work.troubles.append(ConnectionError())
        together = Together(work)
        tasks = await _asked(together, 1, 2)
        await work.begun.acquire()
        later = await _asked(together, 3)
        work.gate.set()
        for task in tasks:
            with pytest.raises(ConnectionError):
                await task
        assert await later[0] == 6

    async def test_one_who_gives_up_takes_nothing_from_the_others(self) -> None:
        work = Doubling()
        together = Together(work)
        impatient, patient = await _asked(together, 1, 2)
        await work.begun.acquire()
        impatient.cancel()
        work.gate.set()
        assert await patient == 4
        assert impatient.cancelled()

    async def test_nobody_is_left_waiting_where_the_work_is_cancelled(self) -> None:
        work = Doubling()
        work.troubles.append(asyncio.CancelledError())
        together = Together(work)
        tasks = await _asked(together, 1)
        await work.begun.acquire()
        tasks += await _asked(together, 2)
        work.gate.set()
        for task in tasks:
            with pytest.raises(asyncio.CancelledError):
                await task
