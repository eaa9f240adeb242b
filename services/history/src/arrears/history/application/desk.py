"""The questions that history answers, as of any business day. The API asks here.

Without a day an answer is about everything heard so far; with one it is what we knew at the end
of that day, whatever was heard since.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from arrears.history.application.hearing import Place, all_places, closed_days, last_closed_day
from arrears.history.application.ports import CaseFilter, HistoryStore, Shelf
from arrears.history.application.projections import case_list
from arrears.history.domain.digest import Canonical, Digest
from arrears.history.domain.portfolio import READS, Page, Portfolio, page_of
from arrears.history.domain.portfolio.page import Feed, feed_of
from arrears.history.domain.story import in_order, known_on
from arrears.history.domain.told import DAY_CLOSED, SERVICES, Kept, Told, tell
from arrears.history.domain.words import Language, Words

CLOSINGS: Final = tuple(f"arrears.{service}.{DAY_CLOSED}.v1" for service in SERVICES)
POLL_SECONDS: Final = 0.1
CASES_AT_ONCE: Final = 100
LOOKS_MAX: Final = 10
_KEPT_PORTFOLIOS: Final = 4
_KEPT_COUNTS: Final = 1000

Found = TypeVar("Found")


class NotFound(LookupError):
    """`what` is a case or a loan that nothing was ever said about."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"{what} {name}")
        self.what = what
        self.name = name


class NotClosed(Exception):
    """The day asked for is not closed everywhere, and waiting for it did not help."""

    def __init__(self, day: date, services: Mapping[str, date | None]) -> None:
        super().__init__(f"{day} is not closed everywhere")
        self.day = day
        self.services = services


class Line(Struct, frozen=True, kw_only=True):
    """One event of a story. `event_id`, `stream` and `version` say where its numbers come from."""

    on: date
    at: datetime
    service: str
    what: str
    why: str | None
    type: str
    event_id: str
    stream: str
    version: int
    case_id: str | None
    worded: bool


class Story(Struct, frozen=True, kw_only=True):
    loan_key: str
    case_ids: Sequence[str]
    as_of: date | None
    language: Language
    lines: Sequence[Line]


class Days(Struct, frozen=True, kw_only=True):
    """`closed_everywhere` is the last day that all four services have closed."""

    closed_everywhere: date | None
    services: Mapping[str, date | None]
    events: Mapping[str, int]


class CasePage(Struct, frozen=True, kw_only=True):
    """`next_after` is the `after` of the next page; null on the last one. As of a day a page may
    hold fewer cases than were asked for, or none, and not be the last."""

    cases: Sequence[case_list.Row]
    next_after: str | None


class CaseCounts(Struct, frozen=True, kw_only=True):
    """Cases as they stood: those not closed by the stage that has them, held ones too."""

    open_by_stage: Mapping[str, int]
    held: int
    closed: int


class _OfClosedDays(Generic[Found]):
    """What was found of days that are closed everywhere, on which nothing more can be said; the
    `count` of them that were asked for last.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: OrderedDict[date, Found] = OrderedDict()

    def get(self, day: date) -> Found | None:
        if day in self._kept:
            self._kept.move_to_end(day)
        return self._kept.get(day)

    def keep(self, day: date, found: Found, closed: date | None) -> None:
        """`closed` is the last day that is closed everywhere."""
        if closed is not None and day <= closed:
            self._kept[day] = found
        while len(self._kept) > self._count:
            self._kept.popitem(last=False)


class Desk:
    def __init__(self, store: HistoryStore, words: Words) -> None:
        self._store = store
        self._words = words
        self._now = Portfolio()
        self._folded_to: dict[Shelf, int] = {}
        self._then = _OfClosedDays[Portfolio](_KEPT_PORTFOLIOS)
        self._folding = asyncio.Lock()
        self._counted = _OfClosedDays[Mapping[tuple[str, str], int]](_KEPT_COUNTS)
        self._counting = asyncio.Lock()

    # --- Days

    async def days(self, as_of: date | None) -> Days:
        places = await (self._store.places() if as_of is None else self._places_on(as_of))
        return Days(
            closed_everywhere=last_closed_day(places),
            services=closed_days(places),
            events=await self._store.counts(as_of),
        )

    async def _places_on(self, day: date) -> Sequence[Place]:
        """Every place with the last day it had closed by then, as the closings themselves say."""
        closed: dict[Shelf, date] = {}
        async for shelf, _, rows in self._store.figures(CLOSINGS, day):
            closed[shelf] = max(closed.get(shelf, date.min), *(on for _, on, _ in rows))
        return [
            replace(place, closed_day=closed.get((place.service, place.shard)))
            for place in all_places()
        ]

    async def wait_for(self, day: date | None, seconds: float) -> None:
        """Return when the day is closed everywhere. Raises NotClosed after `seconds`."""
        if day is None:
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            places = await self._store.places()
            closed = last_closed_day(places)
            if closed is not None and closed >= day:
                return
            if loop.time() >= until:
                raise NotClosed(day, closed_days(places))
            await asyncio.sleep(POLL_SECONDS)

    # --- Cases and their stories

    async def cases(self, wanted: CaseFilter, as_of: date | None) -> CasePage:
        if as_of is not None:
            return await self._cases_on(wanted, as_of)
        rows = await self._store.cases(wanted)
        full = len(rows) == wanted.limit
        return CasePage(cases=rows, next_after=rows[-1].case_id if full else None)

    async def _cases_on(self, wanted: CaseFilter, day: date) -> CasePage:
        """Whose a case is never changes, so today's list says which to look at; how each stood is
        folded from its own events. A page ends early where it has looked at so many."""
        found: list[case_list.Row] = []
        after = wanted.after
        of_whom = CaseFilter(
            loan_key=wanted.loan_key,
            loan_id=wanted.loan_id,
            borrower_id=wanted.borrower_id,
            limit=CASES_AT_ONCE,
        )
        for _ in range(LOOKS_MAX):
            known = [row.case_id for row in await self._store.cases(replace(of_whom, after=after))]
            rows: dict[str, case_list.Row] = {}
            _fold(rows, await self._store.events_of(known, day))
            for after in known:
                if after in rows and wanted.takes(rows[after]):
                    found.append(rows[after])
                    if len(found) == wanted.limit:
                        return CasePage(cases=found, next_after=after)
            if len(known) < CASES_AT_ONCE:
                return CasePage(cases=found, next_after=None)
        return CasePage(cases=found, next_after=after)

    async def case_counts(self, as_of: date | None) -> CaseCounts:
        found = await (self._store.case_counts() if as_of is None else self._counts_on(as_of))
        stages = dict.fromkeys(SERVICES, 0)
        for (status, stage), count in found.items():
            if status != "closed":
                stages[stage] = stages.get(stage, 0) + count
        return CaseCounts(
            open_by_stage=stages,
            held=sum(count for (status, _), count in found.items() if status == "held"),
            closed=sum(count for (status, _), count in found.items() if status == "closed"),
        )

    async def _counts_on(self, day: date) -> Mapping[tuple[str, str], int]:
        """By status and stage."""
        async with self._counting:
            if (found := self._counted.get(day)) is not None:
                return found
            closed = last_closed_day(await self._store.places())
            rows: dict[str, case_list.Row] = {}
            async for page in self._store.scan(day):
                _fold(rows, page)
            counts = Counter((row.status, row.stage) for row in rows.values())
            self._counted.keep(day, counts, closed)
            return counts

    async def case_story(self, case_id: str, language: Language, as_of: date | None) -> Story:
        events = [tell(kept) for kept in await self._store.events_of([case_id])]
        if not events:
            raise NotFound("case", case_id)
        person = await self._store.events_of([events[0].borrower_id])
        events += _of_the_person(map(tell, person), events)
        loan_key = next((str(key) for told in events if (key := told.fields().get("loan_key"))), "")
        return self._story(loan_key, events, language, as_of)

    async def loan_story(self, loan_key: str, language: Language, as_of: date | None) -> Story:
        borrower = await self._store.borrower_of(loan_key)
        if borrower is None:
            raise NotFound("loan", loan_key)
        rows = await self._store.cases(CaseFilter(loan_key=loan_key, limit=10_000))
        own = {row.case_id for row in rows}
        found = [tell(kept) for kept in await self._store.events_of([*sorted(own), borrower])]
        events = [
            told
            for told in found
            if told.subject in own or told.fields().get("loan_key") == loan_key
        ]
        events += _of_the_person(found, events)
        return self._story(loan_key, events, language, as_of)

    def _story(
        self, loan_key: str, events: Sequence[Told], language: Language, as_of: date | None
    ) -> Story:
        known = in_order(known_on(events, as_of))
        told_fields = [(told, told.fields()) for told in known]
        currency = next((f["currency"] for _, f in told_fields if f.get("currency")), None)
        lines: list[Line] = []
        for told, fields in told_fields:
            said = self._words.say(told.type, {"staff": told.actor, **fields}, language, currency)
            lines.append(
                Line(
                    on=told.business_day,
                    at=told.time,
                    service=told.service,
                    what=said.what,
                    why=said.why,
                    type=told.type,
                    event_id=told.id,
                    stream=told.stream,
                    version=told.version,
                    case_id=fields.get("case_id"),
                    worded=said.known,
                )
            )
        case_ids = dict.fromkeys(line.case_id for line in lines if line.case_id is not None)
        return Story(
            loan_key=loan_key, case_ids=list(case_ids), as_of=as_of, language=language, lines=lines
        )

    # --- Figures

    async def feed(self, as_of: date | None) -> Feed:
        portfolio, _ = await self._portfolio(as_of)
        return feed_of(portfolio)

    async def page(self, as_of: date | None, facts_set_aside: int | None) -> Page:
        """The page as of the day, or of the last known one where the day lies past it."""
        portfolio, day = await self._portfolio(as_of)
        return page_of(portfolio, day, facts_set_aside)

    async def _portfolio(self, as_of: date | None) -> tuple[Portfolio, date | None]:
        """The figures and the day that they are of, which is never later than the last known.

        What was folded once is kept: the figures of now only learn what is new.
        """
        async with self._folding:
            places = await self._store.places()
            async for shelf, seq, rows in self._store.figures(READS, None, self._folded_to):
                self._now.hear(rows)
                self._folded_to[shelf] = seq
            heard, closed = self._now.last_day, last_closed_day(places)
            if as_of is None or heard is None or heard <= as_of:
                known = max((day for day in (heard, closed) if day is not None), default=None)
                return self._now, known if as_of is None or known is None else min(as_of, known)
            if (found := self._then.get(as_of)) is not None:
                return found, as_of
            found = Portfolio()
            async for _, _, rows in self._store.figures(READS, as_of):
                found.hear(rows)
            self._then.keep(as_of, found, closed)
            return found, as_of

    # --- Digest and canonical file

    async def digest(self, as_of: date | None) -> Digest:
        canonical = await self._canonical(as_of)
        async for _ in self._chunks(canonical):
            pass
        return canonical.result()

    async def export(self, as_of: date | None) -> AsyncIterator[bytes]:
        """The file whose SHA-256 the digest is. Its chunks come as they are computed."""
        return self._chunks(await self._canonical(as_of))

    async def _canonical(self, as_of: date | None) -> Canonical:
        closed = last_closed_day(await self._store.places())
        if as_of is not None and (closed is None or as_of > closed):
            raise NotClosed(as_of, closed_days(await self._store.places()))
        up_to = as_of or closed
        skipped = frozenset[str]() if up_to is None else await self._store.skipped(up_to)
        return Canonical(skipped=skipped, up_to=up_to)

    async def _chunks(self, canonical: Canonical) -> AsyncIterator[bytes]:
        if canonical.up_to is None:
            return
        async for rows in self._store.canonical(canonical.up_to):
            for chunk in canonical.chunks(rows):
                yield chunk


def _of_the_person(events: Iterable[Told], story: Sequence[Told]) -> list[Told]:
    """What was said of the borrower and of no loan belongs to every story of theirs: the profile,
    what was parked, who read or erased their data. A doubt is settled in the story that has it."""
    known = {told.id for told in story}
    found: list[Told] = []
    for told in events:
        fields = told.fields()
        of_a_loan = fields.get("loan_key") or fields.get("case_id")
        if told.id not in known and not of_a_loan and fields.get("effect_id") in {None, *known}:
            found.append(told)
    return found


def _fold(rows: dict[str, case_list.Row], events: Iterable[Kept]) -> None:
    for kept in events:
        change = case_list.read(kept)
        if change.case_id is not None:
            row = case_list.evolve(rows.get(change.case_id), change)
            assert row is not None
            rows[change.case_id] = row
