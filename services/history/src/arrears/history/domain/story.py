"""One case's history over all services, in one order.

The order is that of cause and time: an event never stands before what caused it, nor before an
earlier version of its own stream; among those that are free to come next the earliest time wins,
then the rank of the service, the stream and the version. So the order does not depend on the
order in which the topics were heard.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from heapq import heapify, heappop, heappush
from itertools import pairwise

from arrears.history.domain.told import Told

_Key = tuple[datetime, int, str, int]


def known_on(events: Iterable[Told], day: date | None) -> list[Told]:
    """What we knew at the end of that business day; None is everything we know."""
    return [told for told in events if day is None or told.business_day <= day]


def in_order(events: Iterable[Told]) -> Sequence[Told]:
    """Topological by cause and by version, then by time. Each event once."""
    by_id = {told.id: told for told in events}
    waits_for: dict[str, int] = dict.fromkeys(by_id, 0)
    leads_to: dict[str, list[str]] = {}

    def before(first: str, then: str) -> None:
        leads_to.setdefault(first, []).append(then)
        waits_for[then] += 1

    streams: dict[str, list[Told]] = {}
    for told in by_id.values():
        streams.setdefault(told.stream, []).append(told)
        if told.causation_id in by_id and told.causation_id != told.id:
            before(told.causation_id, told.id)
    for versions in streams.values():
        versions.sort(key=lambda told: told.version)
        for earlier, later in pairwise(versions):
            before(earlier.id, later.id)
    free = [(_key(by_id[name]), name) for name, count in waits_for.items() if count == 0]
    heapify(free)
    ordered: list[Told] = []
    while free:
        _, name = heappop(free)
        ordered.append(by_id[name])
        for then in leads_to.get(name, ()):
            waits_for[then] -= 1
            if waits_for[then] == 0:
                heappush(free, (_key(by_id[then]), then))
    if len(ordered) < len(by_id):
        # Causes that run in a circle cannot be ours; they are still shown, by time.
        placed = {told.id for told in ordered}
        ordered += sorted((t for t in by_id.values() if t.id not in placed), key=_key)
    return ordered


def _key(told: Told) -> _Key:
    rank, stream, version = told.place
    return told.time, rank, stream, version
