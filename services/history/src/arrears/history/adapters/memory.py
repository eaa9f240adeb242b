"""The history kept in memory: for tests and for runs of all services in one process."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date
from itertools import islice

from arrears.history.application.hearing import Heard, Place, all_places, check_repeated
from arrears.history.application.ports import CaseFilter, Filed, Moved, Shelf, Since
from arrears.history.application.projections import case_list
from arrears.history.domain.digest import Row as CanonicalRow
from arrears.history.domain.portfolio.fold import Row as FigureRow
from arrears.history.domain.told import INPUT_SKIPPED, RANK, SERVICES, Kept, noun_of

_Drawer = tuple[int, int]


class MemoryHistory:
    def __init__(self) -> None:
        self._places = {(RANK[place.service], place.shard): place for place in all_places()}
        self._events: dict[_Drawer, list[Kept]] = {shelf: [] for shelf in self._places}
        self._rows: dict[str, case_list.Row] = {}
        self._borrowers: dict[str, str] = {}

    async def places(self) -> Sequence[Place]:
        return list(self._places.values())

    async def hear(self, batches: Sequence[Heard]) -> None:
        for heard in batches:
            shelf = _shelf(heard)
            if self._places[shelf] != heard.before:
                raise Moved(f"{heard.before.topic}/{heard.before.shard}")
            kept = self._events[shelf]
            known = {seq: kept[seq - 1].value for seq, _ in heard.repeated if 0 < seq <= len(kept)}
            check_repeated(heard, known)
        for heard in batches:
            self._places[_shelf(heard)] = heard.after
            self._events[_shelf(heard)].extend(heard.events)
            self._project(heard.events)

    def _project(self, events: Iterable[Kept]) -> None:
        for kept in events:
            change = case_list.read(kept)
            if change.loan_key:
                self._borrowers[change.loan_key] = change.borrower_id
            if change.case_id is not None:
                row = case_list.evolve(self._rows.get(change.case_id), change)
                assert row is not None
                self._rows[change.case_id] = row

    def _all(self, up_to: date | None = None) -> Iterable[Kept]:
        for shelf in sorted(self._events):
            for kept in self._events[shelf]:
                if up_to is None or kept.business_day <= up_to:
                    yield kept

    async def events_of(self, subjects: Sequence[str], up_to: date | None = None) -> Sequence[Kept]:
        wanted = frozenset(subjects)
        return [kept for kept in self._all(up_to) if kept.subject in wanted]

    async def figures(
        self, wire_names: Sequence[str], up_to: date | None, since: Since | None = None
    ) -> AsyncIterator[tuple[Shelf, int, Sequence[FigureRow]]]:
        wanted, last = frozenset(wire_names), up_to or date.max
        for (rank, shard), events in list(self._events.items()):
            shelf = (SERVICES[rank], shard)
            found = [
                kept
                for kept in events[(since or {}).get(shelf, 0) :]
                if kept.type in wanted and kept.business_day <= last
            ]
            if found:
                rows = [(kept.type, kept.business_day, kept.value) for kept in found]
                yield shelf, found[-1].seq, rows

    async def canonical(self, up_to: date) -> AsyncIterator[Sequence[CanonicalRow]]:
        yield sorted(
            (k.subject, k.service, k.stream, k.version, k.type, k.value) for k in self._all(up_to)
        )

    async def skipped(self, up_to: date) -> frozenset[str]:
        return frozenset(
            kept.subject for kept in self._all(up_to) if noun_of(kept.type) == INPUT_SKIPPED
        )

    async def scan(self, up_to: date | None = None) -> AsyncIterator[Sequence[Kept]]:
        yield list(self._all(up_to))

    async def cases(self, wanted: CaseFilter) -> Sequence[case_list.Row]:
        rows = (self._rows[name] for name in sorted(self._rows))
        return list(islice((row for row in rows if wanted.takes(row)), wanted.limit))

    async def case_counts(self) -> Mapping[tuple[str, str], int]:
        return Counter((row.status, row.stage) for row in self._rows.values())

    async def borrower_of(self, loan_key: str) -> str | None:
        return self._borrowers.get(loan_key)

    async def filed(self) -> Mapping[str, Filed]:
        return {
            row.case_id: (row.loan_key, row.borrower_id, row.status, row.stage, row.bucket)
            for row in self._rows.values()
        }

    async def borrowers(self) -> Mapping[str, str]:
        return dict(self._borrowers)

    async def counts(self, up_to: date | None = None) -> Mapping[str, int]:
        found = dict.fromkeys(SERVICES, 0)
        for kept in self._all(up_to):
            found[SERVICES[kept.service]] += 1
        return found

    async def rebuild_case_list(self) -> Sequence[str]:
        before, self._rows, self._borrowers = self._rows, {}, {}
        self._project(self._all())
        names = before.keys() | self._rows.keys()
        return sorted(name for name in names if before.get(name) != self._rows.get(name))

    async def close(self) -> None:
        return None


class AlwaysMine:
    """The turn of a worker that is alone."""

    async def mine(self) -> bool:
        return True

    async def give_up(self) -> None:
        return None


def _shelf(heard: Heard) -> _Drawer:
    return RANK[heard.before.service], heard.before.shard
