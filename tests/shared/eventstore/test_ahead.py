"""Reading on while what was read is being used."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from arrears.shared.eventstore.ahead import ahead


class Source:
    """Three pages and then nothing, or a failure; it knows what was asked of it."""

    def __init__(self, *, fails: bool = False) -> None:
        self.asked: list[int] = []
        self.ended = False
        self._fails = fails

    async def pages(self) -> AsyncGenerator[list[int], None]:
        try:
            for number in range(3):
                self.asked.append(number)
                await asyncio.sleep(0)
                yield [number]
            if self._fails:
                raise ValueError("page 3 is wrong")
        finally:
            self.ended = True


async def test_the_pages_come_in_their_order() -> None:
    assert [page async for page in ahead(Source().pages())] == [[0], [1], [2]]


async def test_the_next_page_was_asked_for_when_one_is_handed_over() -> None:
    source = Source()
    seen = [len(source.asked) async for _ in ahead(source.pages())]
    assert seen == [2, 3, 3]


async def test_two_pages_are_read_while_one_is_used() -> None:
    source = Source()
    async with aclosing(ahead(source.pages(), by=2)) as pages:
        assert await anext(pages) == [0]
        for _ in range(3):
            await asyncio.sleep(0)
        assert source.asked == [0, 1, 2]


@pytest.mark.parametrize("by", [1, 2])
async def test_a_failure_comes_after_the_pages_before_it(by: int) -> None:
    pages = ahead(Source(fails=True).pages(), by)
    assert [await anext(pages) for _ in range(3)] == [[0], [1], [2]]
    with pytest.raises(ValueError, match="page 3"):
        await anext(pages)


@pytest.mark.parametrize("by", [1, 2])
async def test_what_is_on_its_way_ends_where_it_is_left_early(by: int) -> None:
    source = Source()
    async with aclosing(ahead(source.pages(), by)) as pages:
        async for _ in pages:
            break
    assert source.ended
    assert source.asked == list(range(1 + by))
