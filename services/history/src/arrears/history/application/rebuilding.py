"""History rebuilt into an empty store, from its own rows or from the topics, and compared.

The way is the same as the first time: records are heard. Nothing here reaches a gateway, for
history has none.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from msgspec import Struct

from arrears.history.application.hearing import hear
from arrears.history.application.ports import CaseFilter, HistoryStore
from arrears.history.application.projections.case_list import Row
from arrears.history.domain.proof import Break, Difference, Found, Witness, differences
from arrears.history.domain.told import SERVICES, Kept
from arrears.shared.runtime.bus import Record

_PAGE_CASES = 1000
NAMED_MAX = 50


class Comparison(Struct, frozen=True, kw_only=True):
    """What a rebuilt history has that differs. `equal` is the whole answer."""

    equal: bool
    event_count: int
    case_count: int
    breaks: Sequence[Break]
    events: Sequence[Difference]
    cases: Sequence[str]
    loans: Sequence[str]


async def hear_again(source: HistoryStore, target: HistoryStore) -> int:
    """Hear every event that `source` keeps into the empty `target`."""
    places = {(place.service, place.shard): place for place in await target.places()}
    count = 0
    async for page in source.scan():
        for (service, shard), events in _by_shelf(page):
            place = places[(service, shard)]
            heard = hear(place, [_record(kept) for kept in events])
            await target.hear([heard])
            places[(service, shard)] = heard.after
            count += len(heard.events)
    return count


async def compare(live: HistoryStore, rebuilt: HistoryStore) -> Comparison:
    one = await witness(live, "live")
    other = await witness(rebuilt, "rebuilt")
    others = await _rows(rebuilt)
    # A case is found by columns beside its row, and they may be damaged alone.
    columns = _different(await live.filed(), await rebuilt.filed())
    names = sorted({*_different(await _rows(live), others), *columns})
    loans = sorted(_different(await live.borrowers(), await rebuilt.borrowers()))
    different = list(differences(one, other))
    breaks = [*one.breaks, *other.breaks]
    return Comparison(
        equal=not (names or loans or different or breaks),
        event_count=other.event_count,
        case_count=len(others),
        breaks=breaks[:NAMED_MAX],
        events=different[:NAMED_MAX],
        cases=names[:NAMED_MAX],
        loans=loans[:NAMED_MAX],
    )


def _different(one: Mapping[str, object], other: Mapping[str, object]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


async def witness(store: HistoryStore, place: str) -> Witness:
    """Everything that a history keeps, checked event by event."""
    seen = Witness(place)
    async for page in store.scan():
        seen.reads(map(_found, page))
    last = {(place.service, place.shard): place.last_seq for place in await store.places()}
    seen.expects(last)
    return seen


def _found(kept: Kept) -> Found:
    return Found(
        SERVICES[kept.service],
        kept.shard,
        kept.seq,
        kept.value,
        kept.stream,
        kept.version,
        kept.event_id,
        kept.type,
        kept.business_day,
    )


def _record(kept: Kept) -> Record:
    return Record(offset=kept.seq - 1, key=None, value=kept.value, seq=kept.seq)


def _by_shelf(page: Sequence[Kept]) -> list[tuple[tuple[str, int], list[Kept]]]:
    shelves: dict[tuple[str, int], list[Kept]] = {}
    for kept in page:
        shelves.setdefault((SERVICES[kept.service], kept.shard), []).append(kept)
    return list(shelves.items())


async def _rows(store: HistoryStore) -> dict[str, object]:
    found: dict[str, object] = {}
    async for rows in _case_pages(store):
        found.update((row.case_id, row) for row in rows)
    return found


async def _case_pages(store: HistoryStore) -> AsyncIterator[Sequence[Row]]:
    after = None
    while rows := await store.cases(CaseFilter(after=after, limit=_PAGE_CASES)):
        yield rows
        after = rows[-1].case_id
