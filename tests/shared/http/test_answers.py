"""Answers already given, in memory and on PostgreSQL alike."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from unittest.mock import ANY

import asyncpg
import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from arrears.shared.eventstore.tables import metadata
from arrears.shared.http.idempotency import (
    Answers,
    Fresh,
    Given,
    InProgress,
    MemoryAnswers,
    PostgresAnswers,
    Reused,
    input_hmac,
)
from arrears.shared.kernel.ids import StaffId

LI, WANG = StaffId("li"), StaffId("wang")
INPUT, OTHER = b"i" * 32, b"o" * 32


async def began(answers: Answers, key: str = "k", given: bytes = INPUT) -> str:
    """The turn of somebody who may carry the key's command out."""
    verdict = await answers.begin(key, LI, given)
    assert isinstance(verdict, Fresh)
    return verdict.turn


class AnswersSuite:
    """Needs a fixture `answers`."""

    async def test_a_new_key_is_fresh_once(self, answers: Answers) -> None:
        assert await answers.begin("k", LI, INPUT) == Fresh(ANY)
        assert await answers.begin("k", LI, INPUT) == InProgress()
        assert await answers.begin("k", WANG, INPUT) == Fresh(ANY)
        assert await answers.begin("k2", LI, INPUT) == Fresh(ANY)

    async def test_the_answer_is_given_again(self, answers: Answers) -> None:
        assert await answers.finish("k", LI, await began(answers), 409, b"no")
        assert await answers.begin("k", LI, INPUT) == Given(409, b"no")

    async def test_another_input_is_told_apart(self, answers: Answers) -> None:
        turn = await began(answers)
        assert await answers.begin("k", LI, OTHER) == Reused()
        await answers.finish("k", LI, turn, 200, b"yes")
        assert await answers.begin("k", LI, OTHER) == Reused()

    async def test_an_abandoned_key_is_free_and_a_given_answer_stays(
        self, answers: Answers
    ) -> None:
        await answers.abandon("k", LI, await began(answers))
        turn = await began(answers, given=OTHER)
        await answers.finish("k", LI, turn, 200, b"yes")
        await answers.abandon("k", LI, turn)
        assert await answers.begin("k", LI, OTHER) == Given(200, b"yes")

    async def test_who_has_the_key_no_more_answers_and_frees_nothing(
        self, answers: Answers
    ) -> None:
        late = await began(answers)
        await answers.abandon("k", LI, late)
        turn = await began(answers)
        assert not await answers.finish("k", LI, late, 409, b"no")
        await answers.abandon("k", LI, late)
        assert await answers.begin("k", LI, INPUT) == InProgress()
        assert await answers.finish("k", LI, turn, 200, b"yes")
        assert not await answers.finish("k", LI, turn, 409, b"no")
        assert await answers.begin("k", LI, INPUT) == Given(200, b"yes")

    async def test_of_many_at_once_one_carries_it_out(self, answers: Answers) -> None:
        verdicts = await asyncio.gather(*(answers.begin("k", LI, INPUT) for _ in range(20)))
        assert verdicts.count(Fresh(ANY)) == 1
        assert verdicts.count(InProgress()) == 19

    async def test_those_who_ask_at_once_are_told_apart(self, answers: Answers) -> None:
        await answers.finish("given", LI, await began(answers, "given"), 200, b"yes")
        await answers.begin("begun", LI, INPUT)
        asked = [
            ("given", LI, INPUT),
            ("new", LI, INPUT),
            ("new", LI, INPUT),
            ("new", LI, OTHER),
            ("new", WANG, OTHER),
            ("begun", LI, INPUT),
            ("given", LI, OTHER),
        ]
        verdicts = await asyncio.gather(*(answers.begin(*one) for one in asked))
        expected = [
            Given(200, b"yes"),
            Fresh(ANY),
            InProgress(),
            Reused(),
            Fresh(ANY),
            InProgress(),
        ]
        assert verdicts == [*expected, Reused()]

    async def test_each_of_many_gets_its_own_answer(self, answers: Answers) -> None:
        keys = [f"k{number}" for number in range(20)]
        turns = await asyncio.gather(*(began(answers, key) for key in keys))
        await asyncio.gather(
            *(
                answers.finish(key, LI, turn, 200 + n, key.encode())
                for n, (key, turn) in enumerate(zip(keys, turns, strict=True))
            )
        )
        verdicts = await asyncio.gather(*(answers.begin(key, LI, INPUT) for key in keys))
        assert verdicts == [Given(200 + n, key.encode()) for n, key in enumerate(keys)]


class TestMemoryAnswers(AnswersSuite):
    @pytest.fixture
    def answers(self) -> Answers:
        return MemoryAnswers()


@pytest.mark.live
class TestPostgresAnswers(AnswersSuite):
    @pytest.fixture
    async def pool(self, dsn: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
        made = await asyncpg.create_pool(dsn, min_size=4, max_size=4)
        table = CreateTable(metadata.tables["idempotency"])
        await made.execute(str(table.compile(dialect=postgresql.dialect())))  # type: ignore[no-untyped-call]
        yield made
        await made.close()

    @pytest.fixture
    def answers(self, pool: "asyncpg.Pool[asyncpg.Record]") -> Answers:
        return PostgresAnswers(pool)

    async def test_a_request_whose_process_died_is_taken_over(
        self, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        answers = PostgresAnswers(pool, taken_over_after=timedelta(milliseconds=200))
        assert await answers.begin("k", LI, INPUT) == Fresh(ANY)
        assert await answers.begin("k", LI, INPUT) == InProgress()
        await asyncio.sleep(0.25)
        assert await answers.begin("k", LI, OTHER) == Reused()
        assert await answers.begin("k", LI, INPUT) == Fresh(ANY)
        assert await answers.begin("k", LI, INPUT) == InProgress()

    async def test_of_two_processes_one_carries_each_out(
        self, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        """Each begins with the keys in another order; neither waits for the other for ever."""
        keys = [f"k{number}" for number in range(50)]
        one, two = PostgresAnswers(pool), PostgresAnswers(pool)
        verdicts = await asyncio.gather(
            *(one.begin(key, LI, INPUT) for key in keys),
            *(two.begin(key, LI, INPUT) for key in reversed(keys)),
        )
        fresh = [*keys, *reversed(keys)]
        begun = [key for key, found in zip(fresh, verdicts, strict=True) if found == Fresh(ANY)]
        assert sorted(begun) == sorted(keys)

    async def test_old_keys_are_forgotten(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        answers = PostgresAnswers(pool)
        await answers.finish("k", LI, await began(answers), 200, b"yes")
        await answers.forget(timedelta(hours=1), limit=10)
        assert await answers.begin("k", LI, INPUT) == Given(200, b"yes")
        await answers.forget(timedelta(0), limit=10)
        assert await answers.begin("k", LI, INPUT) == Fresh(ANY)


class TestInputHmac:
    def test_it_follows_the_json_and_not_its_spelling(self) -> None:
        given = input_hmac(b"s", "POST", "/a?", b'{"a":1,"b":[1]}')
        assert given == input_hmac(b"s", "POST", "/a?", b'{ "b": [1], "a": 1}')
        others = [
            (b"t", "POST", "/a?", b'{"a":1,"b":[1]}'),
            (b"s", "PUT", "/a?", b'{"a":1,"b":[1]}'),
            (b"s", "POST", "/b?", b'{"a":1,"b":[1]}'),
            (b"s", "POST", "/a?", b'{"a":1,"b":[2]}'),
            (b"s", "POST", "/a?", b""),
            (b"s", "POST", "/a?", b"{"),
        ]
        assert given not in [input_hmac(*other) for other in others]
        assert len({input_hmac(*other) for other in others}) == len(others)
