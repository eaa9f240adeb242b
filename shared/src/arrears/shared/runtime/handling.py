"""Handling: agenda lines and timers become commands, decisions and one commit.

Handling deletes the agenda rows that it decided on, in the transaction that appends what was
decided (protocol 2.1). A line that our own code fails on is poison: its borrower is parked, the
others go on, and the day still closes (protocol 2.5).
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import structlog
from msgspec import Raw, Struct
from msgspec.json import Decoder
from msgspec.structs import replace

from arrears.shared.contracts.registry import decode_contract
from arrears.shared.eventstore.codec import read_envelope
from arrears.shared.eventstore.port import (
    AgendaRow,
    Duplicate,
    ParkedInput,
    RefusedInput,
)
from arrears.shared.kernel.decider import Refused
from arrears.shared.kernel.ids import BorrowerId, EventId, StreamName, derived_id, stream_name
from arrears.shared.kernel.reaction import Heard, Issue
from arrears.shared.runtime.agenda import BorrowerDay, DayBook, Line
from arrears.shared.runtime.feed import ReadFacts
from arrears.shared.runtime.shelves import Draft, Shelf
from arrears.shared.runtime.stage import (
    ANSWER_RANK,
    FEED_RANK,
    TIMER_RANK,
    BadRecord,
    FeedFact,
    InputParked,
    parking_place,
)
from arrears.shared.runtime.workbench import Cause, Workbench

log = structlog.get_logger(__name__)

Read = tuple[Cause, Sequence[Issue]]
Prepared = tuple[Cause, Sequence[tuple[StreamName, Issue]]]


class StoredAnswer(Struct, frozen=True):
    """An answer as it waits in the agenda: which effect, for which stream, and the body."""

    effect_id: EventId
    stream: StreamName
    body: Raw


_STORED_ANSWER = Decoder(StoredAnswer)


class Work:
    """A borrower's turn in one batch: how many lines were used, and the instant it has reached."""

    __slots__ = ("at", "book", "borrower_id", "day", "facts", "prepared", "used")

    def __init__(self, book: DayBook, borrower_id: BorrowerId, day: BorrowerDay) -> None:
        self.book = book
        self.borrower_id = borrower_id
        self.day = day
        self.facts: Sequence[FeedFact | Exception | None] = ()
        self.prepared: list[Prepared | Exception] = []
        self.used = 0
        self.at: datetime | None = None


class Handler:
    """Turns the agenda of borrowers into a draft. Holds no lock and does no I/O of its own."""

    def __init__(self, bench: Workbench, facts: ReadFacts, now: Callable[[], datetime]) -> None:
        self.bench = bench
        self.facts = facts
        self.stage = bench.stage
        self._now = now
        self._answers = Decoder(self.stage.answer_type) if self.stage.answer_type else None

    # --- What a batch needs before it can decide

    async def read_facts(self, works: Sequence[Work], lines_max: int) -> None:
        """The facts in the borrowers' next lines, and the keys that sealing them will need."""
        if self.stage.feed is None:
            return
        for work in works:
            work.facts = [self._fact(line.row) for line in work.day.lines[:lines_max]]
        await self.stage.feed.unlock(
            [fact for work in works for fact in work.facts if isinstance(fact, FeedFact)]
        )

    def _fact(self, row: AgendaRow) -> FeedFact | Exception | None:
        if row.rank != FEED_RANK:
            return None
        try:
            return self.facts.get(row)
        except Exception as error:
            return error

    def prepare(self, work: Work, lines_max: int) -> list[tuple[StreamName, str, BorrowerId]]:
        """Say which streams must be on the shelf for the borrower's next lines."""
        work.prepared.clear()
        work.used = 0
        streams = [
            (stream, stream.partition("-")[0], work.borrower_id) for stream in work.day.timers
        ]
        for number, line in enumerate(work.day.lines[:lines_max]):
            try:
                cause, issues = (
                    self._read_fact(line, work.facts[number], work.book.day)
                    if line.row.rank == FEED_RANK
                    else self._read(line)
                )
            except Exception as error:
                work.prepared.append(error)
                break
            named = [(stream_name(issue.category, issue.key), issue) for issue in issues]
            work.prepared.append((cause, named))
            for stream, issue in named:
                streams.append((stream, issue.category, work.borrower_id))
        return streams

    def _read(self, line: Line) -> Read:
        row = line.row
        if row.rank == ANSWER_RANK:
            answer = _STORED_ANSWER.decode(row.value)
            assert self._answers is not None
            category, _, key = answer.stream.partition("-")
            command = self.stage.on_answer(self._answers.decode(answer.body), line.at)
            place = row.origin.removeprefix("effect/")
            cause = Cause(id=derived_id("answer", answer.effect_id, place), origin=row.origin)
            return cause, (Issue(category=category, key=key, command=command),)
        if row.rank == TIMER_RANK:
            return Cause(id=row.origin), ()
        envelope = read_envelope(row.value)
        heard = Heard(
            id=EventId(envelope.id),
            type=envelope.type,
            service=envelope.type.split(".")[1],
            borrower_id=BorrowerId(envelope.partitionkey),
            subject=envelope.subject,
            stream=StreamName(envelope.stream),
            time=envelope.time,
            business_day=envelope.businessday,
            data=envelope.data,
        )
        said = decode_contract(envelope.type, envelope.data)
        cause = Cause(id=envelope.id, origin=row.origin)
        return cause, self.stage.react(said, heard, line.at)

    def _read_fact(self, line: Line, fact: FeedFact | Exception | None, day: date) -> Read:
        reader = self.stage.feed
        assert reader is not None
        assert fact is not None
        if isinstance(fact, Exception):
            raise fact
        late = fact.time < self.stage.calendar.start_of(day)
        issue = reader.issue(fact, home=line.row.borrower_id, at=line.at, late=late)
        cause = Cause(
            id=fact.fact_id,
            origin=line.row.origin,
            fact_id=fact.fact_id,
            digest=reader.digest(fact),
        )
        return cause, (issue,)

    # --- Deciding

    def decide(self, draft: Draft, work: Work, shelf: Shelf) -> None:
        """Handle the borrower's lines and timers in order until an effect or the end of them.

        Raises whatever our own code raises; the caller undoes the draft and isolates the borrower.
        """
        book, day = work.book, work.day
        effects_before = len(draft.change.effects_added)
        timers = dict(day.timers)
        while True:
            timer = min((at, stream) for stream, at in timers.items()) if timers else None
            line = day.lines[work.used] if work.used < len(work.prepared) else None
            if line is None and work.used < len(day.lines):
                break  # More lines than this batch prepared: their turn comes before later timers.
            if line is not None and (timer is None or line.turn <= timer[0]):
                work.at = line.at
                touched = self._handle_line(draft, work, shelf, line)
                work.used += 1
            elif timer is not None:
                work.at = timer[0]
                touched = (self._fire(draft, work, shelf, *timer),)
            else:
                break
            for stream in touched:
                due = shelf.entries[stream].due
                if due is not None and due < book.until:
                    timers[stream] = due
                else:
                    timers.pop(stream, None)
            if len(draft.change.effects_added) > effects_before:
                break
        draft.timers_after[(book.shard, work.borrower_id)] = timers

    def _fire(
        self, draft: Draft, work: Work, shelf: Shelf, due_at: datetime, stream: StreamName
    ) -> StreamName:
        entry = shelf.entries[stream]
        wake = self.bench.deciders[entry.category].wake
        assert wake is not None, f"{entry.category} has a due time but nothing to be woken with"
        start = work.book.start
        at = max(due_at, start) if entry.time is None else max(due_at, start, entry.time)
        cause = Cause(
            id=derived_id("day", self.stage.name, work.book.day.isoformat(), work.borrower_id),
            is_day=True,
        )
        self.bench.decide(draft, shelf, stream, wake(at), cause, at)
        if entry.due is not None and entry.due <= at:
            raise RuntimeError(f"{entry.category}: due {entry.due} is not after {at}")
        return stream

    def _handle_line(
        self, draft: Draft, work: Work, shelf: Shelf, line: Line
    ) -> Sequence[StreamName]:
        prepared = work.prepared[work.used]
        if isinstance(prepared, BadRecord):
            self._refuse(draft, line, prepared.reason, prepared.field, work.book.day)
            return ()
        if isinstance(prepared, Exception):
            raise prepared
        cause, issues = prepared
        draft.change.agenda_deleted.append(line.row)
        if cause.fact_id is not None and self._seen(
            draft, shelf, line, cause, issues[0][0], work.book.day
        ):
            return ()
        touched: list[StreamName] = []
        for stream, issue in issues:
            part = replace(cause, part=touched.count(stream)) if stream in touched else cause
            entry = shelf.entries[stream]
            at = line.at if entry.time is None else max(line.at, entry.time)
            try:
                self.bench.decide(draft, shelf, stream, issue.command, part, at)
            except Refused as refusal:
                if cause.fact_id is None:
                    raise
                draft.change.agenda_deleted.pop()
                self._refuse(draft, line, refusal.reason, refusal.field, work.book.day)
                return ()
            touched.append(stream)
        return touched

    def _seen(
        self,
        draft: Draft,
        shelf: Shelf,
        line: Line,
        cause: Cause,
        stream: StreamName,
        day: date,
    ) -> bool:
        """A fact whose id its stream already has: a duplicate, or a contradiction of itself."""
        assert cause.fact_id is not None
        known = shelf.entries[stream].digests.get(cause.fact_id)
        if known is None:
            return False
        if known == cause.digest:
            draft.change.duplicates.append(
                Duplicate(origin=line.row.origin, event_id=cause.fact_id)
            )
        else:
            assert self.stage.feed is not None
            conflict = self.stage.feed.conflict(self.facts.get(line.row))
            draft.change.agenda_deleted.pop()
            self._refuse(draft, line, conflict.reason, conflict.field, day)
        return True

    def _refuse(self, draft: Draft, line: Line, reason: str, field: str | None, day: date) -> None:
        row = line.row
        draft.change.agenda_deleted.append(row)
        draft.change.refused.append(
            RefusedInput(
                origin=row.origin,
                reason=reason,
                field=field,
                fact_id=None,
                borrower_id=row.borrower_id,
                day=day,
                value=row.value,
                refused_at=self._now(),
            )
        )

    # --- Poison

    def park(self, draft: Draft, work: Work, shelf: Shelf, error: Exception) -> None:
        """Set the borrower's remaining lines aside, in order, and tell the others (protocol 2.5).

        The borrower's parking stream must be on the shelf.
        """
        log.error(
            "borrower_parked",
            service=self.stage.name,
            shard=work.book.shard,
            error=type(error).__name__,
            exc_info=error,
        )
        rows = [line.parked() for line in work.day.lines[work.used :]]
        draft.change.agenda_deleted.extend(rows)
        rows = rows or [_timer_row(work)]
        for number, row in enumerate(rows):
            first = number == 0
            draft.change.parked.append(
                ParkedInput(row=row, error=short(error), first=first, parked_at=draft.recorded_at)
            )
        stream, _, _ = parking_place(self.stage.name, work.borrower_id)
        entry = shelf.entries[stream]
        # The same input may be parked again after a retry: the version tells the times apart.
        cause = Cause(id=derived_id("park", rows[0].origin, str(entry.version)))
        at = work.at or work.book.start
        self.bench.decide(
            draft,
            shelf,
            stream,
            InputParked(origin=rows[0].origin, error=short(error)),
            cause,
            at if entry.time is None else max(at, entry.time),
        )


def _timer_row(work: Work) -> AgendaRow:
    """Where a timer failed and nothing else waits, the borrower must be seen to be parked."""
    at = work.at or work.book.start
    return AgendaRow(
        shard=work.book.shard,
        day=work.book.day,
        at=at,
        rank=TIMER_RANK,
        borrower_id=work.borrower_id,
        order="",
        origin=f"timer/{work.borrower_id}/{at.isoformat()}",
        value=b"",
    )


def park_row(row: AgendaRow, now: datetime) -> ParkedInput:
    """Later input of a parked borrower waits behind the first, in order."""
    return ParkedInput(row=row, error="", first=False, parked_at=now)


def short(error: Exception) -> str:
    """Class and place of an error, without its message: a message may quote personal data."""
    trace: Any = error.__traceback__
    place = ""
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"
