"""The toy stages under the wall clock: two days in which every second is two hours.

When things happen depends on clocks and workers, so there is no digest of it. What must not depend
on them is which facts were recorded on a loan, in which order, and that of everything said the
rest followed once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from datetime import date, timedelta
from hashlib import sha256
from random import Random
from typing import Any, Final

from msgspec.json import Decoder, encode

from arrears.shared.eventstore.memory import MemoryStore
from arrears.shared.eventstore.port import StoredEvent
from arrears.shared.kernel.ids import BorrowerId, Shard, derived_id
from arrears.shared.runtime.bus import TopicPartition
from arrears.shared.runtime.stage import topic_of
from arrears.shared.testing.laws import Broken
from arrears.shared.testing.simulation import WALL, Cast, Player, Simulation
from arrears.shared.testing.simulation_faults import by_minutes
from arrears.shared.testing.toy import ToyGateway, stages_that_give_way
from arrears.shared.testing.toy_cast import SHARDS, WHATS, borrowers
from arrears.shared.testing.toy_doubts import Doubts
from arrears.shared.testing.toy_intake import CALENDAR, line
from arrears.shared.testing.toy_people import People
from arrears.shared.testing.toy_repairs import Repairs, ever_parked

DAYS: Final = 2
RATE: Final = 7_200.0
SECONDS_A_DAY: Final = 86_400 / RATE
FIRST: Final = CALENDAR.day_of(WALL)
DONE_BY: Final = CALENDAR.start_of(FIRST + timedelta(days=DAYS + 3))
"""What is referred at the end of the last day is heard after midnight, written to in the morning
after, and answered."""
_JSON: Final = Decoder(dict[str, Any])


def _days() -> Sequence[tuple[date, Sequence[tuple[str, bytes]]]]:
    chance = Random("the toy bank that is awake")
    *people, bad = borrowers(12)
    days = []
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        said = []
        for hour in range(1, 24):
            who = chance.choice(people)
            told = line(
                f"{number}-{hour}",
                who,
                day,
                what=chance.choice(WHATS),
                hour=hour,
                loan=f"loan-{chance.randint(1, 2)}-of-{who}",
            )
            said.append((who, told))
        said.insert(5, (bad, line(f"bad-{number}", bad, day, what="poison")))
        days.append((day, said))
    return days


def _is_settled(world: Simulation) -> bool:
    """The clock has gone past everything that can follow, and nothing waits but what must."""
    if world.bank_time() < DONE_BY:
        return False
    for store in world.stores.values():
        held_up = _held_up(store)
        waiting = {one.row.borrower_id for one in store.parked} | held_up
        if any(not one.in_doubt for one in store.effect_rows.values()):
            return False
        if any(row.borrower_id not in held_up for row in store.agenda_rows.values()):
            return False
        if any(one.borrower_id not in waiting for one in store.timer_rows.values()):
            return False
        if any(_is_behind(store, shard) for shard in SHARDS):
            return False
    return all(
        store.places[(topic_of(source), shard)].position
        == len(world.bus.records(TopicPartition(topic_of(source), shard)))
        for name, store in world.stores.items()
        for source in world.stages[name].sources()
        for shard in SHARDS
    )


def _is_behind(store: MemoryStore, shard: Shard) -> bool:
    """Days go on over a doubt, and what was decided is published."""
    state = store.shards[shard]
    on_time = state.open_day is not None and state.open_day >= CALENDAR.day_of(DONE_BY)
    return not on_time or store.published[shard] != state.last_seq


def _held_up(store: MemoryStore) -> Set[BorrowerId]:
    """Nothing of a borrower happens while an effect of it is in doubt."""
    return {one.borrower_id for one in store.effect_rows.values() if one.in_doubt}


def outcome(world: Simulation) -> str:
    """Which facts each loan recorded, in which order. Raises Broken where something is missing."""
    held_up = _held_up(world.stores["contact"])
    events = {service: _events(world, service, held_up) for service in world.stages}
    facts: dict[str, list[str]] = {}
    places: dict[str, tuple[str, int]] = {}
    for event, seen in _events(world, "intake", frozenset()):
        if "factdigest" in seen:
            facts.setdefault(event.stream, []).append(seen["id"])
            partition, _, offset = seen["inputposition"].rpartition("/")
            before = places.get(event.stream, (partition, -1))
            if before[0] == partition and before[1] >= int(offset):
                raise Broken(f"{event.stream}: offset {offset} after {before[1]} of {partition}")
            places[event.stream] = (partition, int(offset))
    _everything_followed(events)
    asked = {request.id for request in world.gateways["contact"].asked}
    _what_gave_way_never_left(_events(world, "contact", frozenset()), asked)
    return sha256(encode(sorted(facts.items()))).hexdigest()[:12] + f" over {len(facts)} loans"


def _events(
    world: Simulation, service: str, without: Set[BorrowerId]
) -> list[tuple[StoredEvent, dict[str, Any]]]:
    """Without these borrowers, and those that were parked."""
    left_out = ever_parked(world) | without
    return [
        (event, _JSON.decode(event.value))
        for shard in SHARDS
        for event in world.stores[service].events[shard]
        if event.borrower_id not in left_out
    ]


def _everything_followed(
    events: Mapping[str, Sequence[tuple[StoredEvent, dict[str, Any]]]],
) -> None:
    """Each referral is planned and completed once, and sent once more than withheld; each
    completion is noted by all."""

    def count(service: str, noun: str) -> Counter[tuple[str, int]]:
        return Counter(
            (seen["data"]["case_id"], seen["data"]["referral"])
            for event, seen in events[service]
            if event.type.split(".")[2] == noun
        )

    referred = count("intake", "case_referred")
    contact = {noun: count("contact", f"notice_{noun}") for noun in ("planned", "sent", "withheld")}
    left = contact["sent"] - contact["withheld"]
    completed = count("contact", "treatment_completed")
    for noun, found in (("planned", contact["planned"]), ("left", left), ("completed", completed)):
        if found != referred:
            wrong = referred - found or found - referred
            raise Broken(f"contact: {noun} differs from what was referred: {dict(wrong)}")
    if max(referred.values(), default=1) > 1:
        raise Broken(f"a case was referred twice under one number: {referred.most_common(1)}")
    cases = Counter(case_id for case_id, _ in referred.elements())
    for service in ("mediation", "legal"):
        noted = Counter(
            seen["data"]["subject"]
            for event, seen in events[service]
            if event.type.split(".")[2] == "noted" and seen["data"]["what"] == "treatment_completed"
        )
        if noted != cases:
            raise Broken(f"{service} noted {noted - cases or cases - noted} wrongly")


def _what_gave_way_never_left(
    said: Sequence[tuple[StoredEvent, dict[str, Any]]], asked: Set[str]
) -> None:
    """A letter gives way to what was heard behind it before anything of that is decided."""
    ids = {derived_id("answer", key, f"{key}/0") for key in asked}
    last: dict[str, str] = {}
    for event, seen in said:
        noun = event.type.split(".")[2]
        if noun == "notice_withheld":
            if seen["causationid"] in ids:
                raise Broken(f"{event.stream}: a letter was withheld and has left")
            if last[event.stream] == "noted":
                raise Broken(f"{event.stream}: version {event.version - 1} passed a letter")
        last[event.stream] = noun


def _players(world: Simulation) -> Sequence[Player]:
    """A letter that gives way may be in doubt whether the gateway honours keys or not."""
    if not world.story.commands:
        return ()
    return [
        People(world, f"people {world.seed}", borrowers(8), seconds=DAYS * SECONDS_A_DAY),
        Repairs(world, f"repairs {world.seed}"),
        Doubts(world, f"doubts {world.seed}"),
    ]


def live_cast(*, honours_key: bool = True) -> Cast:
    """`honours_key` False: what was sent and not answered must be in doubt, and is sent again only
    where staff say that it had not arrived.
    """
    return Cast(
        stages=stages_that_give_way,
        gateways=lambda: {"contact": ToyGateway()},
        days=_days(),
        shards=SHARDS,
        digest=outcome,
        players=_players,
        clock="live",
        rate=RATE,
        jump=by_minutes,
        settled=_is_settled,
        honours_key=honours_key,
    )
