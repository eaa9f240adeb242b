"""The stories come true: the real stages, with the default policies, bring each to its ending."""

import asyncio
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta

import pytest
from msgspec import Raw, Struct
from msgspec.json import Decoder

import arrears.contact.main as contact
import arrears.intake.main as intake
import arrears.legal.main as legal
import arrears.mediation.main as mediation
from arrears.cli.feed.expected import expected
from arrears.cli.feed.generate import generate
from arrears.history.domain.portfolio import Portfolio
from arrears.history.domain.portfolio.cases import Case
from arrears.shared.kernel.ids import SHARD_COUNT, case_id, loan_key
from arrears.shared.keyring.memory import MemoryKeyStore
from arrears.shared.runtime.bus import TopicPartition
from arrears.shared.runtime.stage import topic_of
from arrears.shared.sandbox.personas import Persona
from arrears.shared.sandbox.story import story
from arrears.shared.service.settings import Ground
from arrears.shared.testing.world import World

SEED = 7
START = date(2024, 1, 1)
LOANS = 200
MONTHS = 18
ENDINGS = {
    Persona.CURED_IN_GRACE: {"cured_in_grace"},
    Persona.AFTER_A_REMINDER: {"cured_after_reminder"},
    Persona.PROMISE_KEPT: {"promise_kept"},
    Persona.HARDSHIP_THEN_CURED: {"hardship_then_cured"},
    Persona.AGREEMENT_FULFILLED: {"agreement_fulfilled"},
    Persona.AGREEMENT_BREACHED: {"judgment_obeyed", "enforced_no_assets"},
    Persona.JUDGMENT_OBEYED: {"judgment_obeyed"},
    Persona.ENFORCED_IN_FULL: {"enforced_in_full"},
    Persona.ENFORCED_IN_PART: {"enforced_in_part"},
    Persona.NO_ASSETS: {"enforced_no_assets"},
    Persona.STILL_OPEN: {"still_open"},
}


class Told(Struct):
    type: str
    businessday: date
    data: Raw


class Fed(Struct):
    time: datetime
    partitionkey: str


def _world() -> World:
    ground = Ground(sandbox_seed=SEED, clock="feed")
    keys = MemoryKeyStore()
    return World(
        [
            intake.make_stage(ground, keys.keyring("intake")),
            contact.make_stage(ground, keys.keyring("contact")),
            mediation.make_stage(ground, keys.keyring("mediation")),
            legal.make_stage(ground, keys.keyring("legal")),
        ],
        {
            "contact": contact.make_gateway(ground, keys.keyring("contact")),
            "mediation": mediation.make_gateway(ground, keys.keyring("mediation")),
            "legal": legal.make_gateway(ground, keys.keyring("legal")),
        },
    )


async def _play(world: World, lines: list[bytes]) -> None:
    """Say the feed a fortnight at a time, each day closed after its lines, and let all finish."""
    await world.start()
    decode = Decoder(Fed).decode
    open_day = START
    for text in lines:
        fed = decode(text)
        day = (fed.time + timedelta(hours=8)).date()
        while open_day < day:
            world.close(open_day)
            if open_day.day in {1, 15}:
                await world.settle()
            open_day += timedelta(days=1)
        world.say(text, fed.partitionkey)
    world.close(open_day)
    await world.settle()


async def _figures(world: World) -> Portfolio:
    """History's fold over all topics, intake first."""
    portfolio = Portfolio()
    decode = Decoder(Told).decode
    for name in world.stages:
        bounds = await world.bus.bounds(topic_of(name))
        for shard in range(SHARD_COUNT):
            place = TopicPartition(topic_of(name), shard)
            first, after = bounds[place]
            for record in await world.bus.read(place, offset=first, count=after - first):
                told = decode(record.value)
                portfolio.hear([(told.type, told.businessday, record.value)])
    return portfolio


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    async def play() -> Portfolio:
        world = _world()
        await _play(world, list(generate(SEED, LOANS, MONTHS, START)))
        return await _figures(world)

    return asyncio.run(play())


@pytest.fixture(scope="module")
def cases(portfolio: Portfolio) -> dict[Persona, list[Case]]:
    """The cases that the stages opened, by the persona whose episode each is."""
    found: dict[Persona, list[Case]] = defaultdict(list)
    for index in range(LOANS):
        told = story(SEED, START, index)
        key = loan_key(told.source, told.loan_id)
        for number, episode in enumerate(told.episodes, start=1):
            found[episode.persona].append(portfolio.cases.cases[case_id("bank", key, number)])
    return found


class TestEndings:
    @pytest.mark.parametrize("persona", list(Persona))
    def test_every_case_comes_to_the_ending_of_its_story(
        self, cases: dict[Persona, list[Case]], persona: Persona
    ) -> None:
        count = Counter(case.ending() for case in cases[persona])
        assert sum(count.values()) >= 3
        assert set(count) == ENDINGS[persona]

    def test_who_breaches_an_agreement_is_sued_for_it(
        self, cases: dict[Persona, list[Case]]
    ) -> None:
        assert all(case.was_sued_after_breach for case in cases[Persona.AGREEMENT_BREACHED])

    def test_no_case_is_opened_beside_the_stories(
        self, portfolio: Portfolio, cases: dict[Persona, list[Case]]
    ) -> None:
        assert len(portfolio.cases.cases) == sum(map(len, cases.values()))

    def test_some_promises_are_broken_and_most_are_kept(self, portfolio: Portfolio) -> None:
        counts = portfolio.cases.counts
        assert counts["promises_kept"] > 4 * counts["promises_broken"] > 0

    def test_money_recorded_is_the_money_of_the_feed(self, portfolio: Portfolio) -> None:
        figures = expected(generate(SEED, LOANS, MONTHS, START))
        total = sum(portfolio.cases.paid_in.values())
        assert f"{total // 100}.{total % 100:02d}" == figures["total_repaid"]
