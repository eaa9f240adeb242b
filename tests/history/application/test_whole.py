"""The real stages play a seeded feed in memory and history hears them: what it says then."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from random import Random

import msgspec
import pytest
from msgspec import Struct
from msgspec.json import Decoder

import arrears.contact.main as contact
import arrears.intake.main as intake
import arrears.legal.main as legal
import arrears.mediation.main as mediation
from arrears.cli.feed.expected import expected
from arrears.cli.feed.generate import generate
from arrears.history.adapters.memory import AlwaysMine, MemoryHistory
from arrears.history.adapters.words import load_words
from arrears.history.application.desk import Desk, Story
from arrears.history.application.ear import Ear
from arrears.history.application.ports import CaseFilter
from arrears.history.application.rebuilding import witness
from arrears.history.domain.portfolio.cases import ENDINGS
from arrears.history.domain.words import LANGUAGES, Language
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.sandbox.personas import Persona
from arrears.shared.service.settings import Ground
from arrears.shared.testing.world import World

SEED = 7
START = date(2024, 1, 1)
LOANS = 60
MONTHS = 18
LINES = list(generate(SEED, LOANS, MONTHS, START))
_ALL = CaseFilter(limit=10_000)
_NOT_OF_HISTORY = {"profile_facts", "dirty_facts_to_park", "duplicates"}


class _Fed(Struct):
    time: datetime
    partitionkey: str


@dataclass(frozen=True)
class Played:
    store: MemoryHistory
    last_day: date

    def desk(self) -> Desk:
        return Desk(self.store, load_words(strict=True))


def _day(line: bytes) -> date:
    return (Decoder(_Fed).decode(line).time + timedelta(hours=8)).date()


def _world() -> World:
    ground = Ground(sandbox_seed=SEED, clock="feed")
    keys = MemoryKeyStore()
    mains = (intake, contact, mediation, legal)
    rings = [keys.keyring(name) for name in ("intake", "contact", "mediation", "legal")]
    return World(
        [main.make_stage(ground, ring) for main, ring in zip(mains, rings, strict=True)],
        {
            "contact": contact.make_gateway(ground, rings[1]),
            "mediation": mediation.make_gateway(ground, rings[2]),
            "legal": legal.make_gateway(ground, rings[3]),
        },
    )


async def _play(lines: Sequence[bytes], until: date = START) -> Played:
    """Say the feed, each day closed after its lines, the last one not before `until`."""
    world, store = _world(), MemoryHistory()
    await world.start()
    ear = Ear(world.bus, store, AlwaysMine())
    open_day = START
    for line in lines:
        fed = Decoder(_Fed).decode(line)
        while open_day < _day(line):
            world.close(open_day)
            if open_day.day in {1, 15}:
                await world.settle()
                await ear.step(wait_seconds=0)
            open_day += timedelta(days=1)
        world.say(line, fed.partitionkey)
    open_day = max(open_day, until)
    world.close(open_day)
    await world.settle()
    while await ear.step(wait_seconds=0):
        pass
    return Played(store, open_day)


def _shuffled(lines: Sequence[bytes], seed: int) -> list[bytes]:
    """Lines of different borrowers change places within a day."""
    chance = Random(seed)
    mixed: list[bytes] = []
    for _, of_day in groupby(lines, _day):
        queues: dict[str, list[bytes]] = {}
        for line in of_day:
            queues.setdefault(Decoder(_Fed).decode(line).partitionkey, []).append(line)
        while queues:
            key = chance.choice(sorted(queues))
            mixed.append(queues[key].pop(0))
            if not queues[key]:
                del queues[key]
    return mixed


@pytest.fixture(scope="module")
def played() -> Played:
    return asyncio.run(_play(LINES))


class TestWhole:
    async def test_the_figures_are_those_of_a_second_reading_of_the_feed(
        self, played: Played
    ) -> None:
        feed = msgspec.to_builtins(await played.desk().feed(played.last_day))
        second = expected(LINES)
        assert feed == {name: second[name] for name in feed}
        assert set(second) - set(feed) <= _NOT_OF_HISTORY

    async def test_every_shard_of_every_stage_has_closed_the_last_day(self, played: Played) -> None:
        assert (await played.desk().days(None)).closed_everywhere == played.last_day

    async def test_the_proof_holds(self, played: Played) -> None:
        assert (await witness(played.store, "the history")).verdict().holds

    async def test_every_attempt_had_one_permit_and_was_made_once(self, played: Played) -> None:
        attempts = (await played.desk().page(played.last_day, None)).attempts
        assert attempts.made > 0
        assert attempts.refused_by_rule > 0
        assert (attempts.without_permit, attempts.made_twice) == (0, 0)

    async def test_every_case_has_one_ending_and_every_ending_is_reached(
        self, played: Played
    ) -> None:
        page = await played.desk().page(played.last_day, None)
        counted = {one.ending: one.count for one in page.endings}
        once = [n for name, n in counted.items() if name != "agreement_breached_then_sued"]
        assert sum(once) == page.case_count
        assert [name for name in ENDINGS if not counted[name]] == []
        assert len(Persona) == len(ENDINGS)

    @pytest.mark.parametrize("language", LANGUAGES)
    async def test_every_event_of_every_case_has_whole_words(
        self, played: Played, language: Language
    ) -> None:
        told: list[Story] = [
            await played.desk().case_story(row.case_id, language, None)
            for row in await played.store.cases(_ALL)
        ]
        lines = [line for story in told for line in story.lines]
        assert len(lines) > 1000
        assert {line.service for line in lines} == {"intake", "contact", "mediation", "legal"}
        for line in lines:
            text = f"{line.what} {line.why or ''}"
            assert line.worded
            assert not set(text) & set("{}[]|—"), text

    async def test_the_rows_of_cases_fold_the_same_again(self, played: Played) -> None:
        before = await played.store.cases(_ALL)
        assert await played.store.rebuild_case_list() == []
        assert await played.store.cases(_ALL) == before

    async def test_the_same_feed_shuffled_within_days_gives_the_same_digest(
        self, played: Played
    ) -> None:
        other = await _play(_shuffled(LINES, seed=11))
        mine, theirs = await played.desk().digest(None), await other.desk().digest(None)
        assert mine.event_count > 1000
        assert mine == theirs

    async def test_a_past_day_is_what_was_known_when_it_ended(self, played: Played) -> None:
        until = date(2024, 6, 30)
        then = await _play([line for line in LINES if _day(line) <= until], until)
        as_of = await played.desk().page(until, None)
        assert as_of == await then.desk().page(until, None)
        assert await played.desk().case_counts(until) == await then.desk().case_counts(None)
        listed = await then.desk().cases(_ALL, None)
        some = listed.cases[-1]
        for wanted in (
            _ALL,
            CaseFilter(status="closed", limit=3),
            CaseFilter(stage="legal", limit=7),
            CaseFilter(bucket="M1", after=some.case_id[:1]),
            CaseFilter(loan_key=some.loan_key),
            CaseFilter(borrower_id=some.borrower_id, limit=1),
        ):
            told = await played.desk().cases(wanted, until)
            assert told == await then.desk().cases(wanted, None), wanted
        assert len(listed.cases) < len((await played.desk().cases(_ALL, None)).cases)
        assert await played.desk().digest(until) == await then.desk().digest(until)
