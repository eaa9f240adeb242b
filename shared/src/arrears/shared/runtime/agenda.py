"""One shard's day as an agenda: what was heard, what was answered, what falls due, in one order.

Order (protocol 3.3): agenda time, source rank, then the source's own order. Agenda time is the
latest of the record's time, 00:00 of the day, and the agenda time of the record before it of the
same borrower and source (of the same loan for facts), so a stream never runs backwards. Only the
order per borrower matters, so borrowers are taken in groups.

What staff have sent back to be tried again comes first, at 00:00 of the open day, in the order in
which it was parked, which no source knows: its `order` counts that (protocol 2.5). So does the
answer by which an effect gives way: what waited behind the effect is handled as though nobody had
asked for it. A timer that has fallen due meanwhile comes before the lines that came after its due
time, and behind the others.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Final

from msgspec.structs import replace

from arrears.shared.eventstore.port import AgendaRow, Timer
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.ids import BorrowerId, Shard, StreamName
from arrears.shared.runtime.stage import FEED_RANK

_FIRST: Final = "\x00again/"
"""No source begins an order like this: after the loan, and its zero, a fact has digits."""


def tried_again(row: AgendaRow, number: int, open_day: date) -> AgendaRow:
    """A parked row as it comes back to the agenda, the `number`-th of its borrower's."""
    return replace(row, day=open_day, order=f"{_FIRST}{number:08d}")


def before_what_waits(row: AgendaRow) -> AgendaRow:
    """An answer at its effect's own time, as it comes before what waited behind the effect."""
    return replace(row, order=f"{_FIRST}{row.order}")


class Line:
    """A row of the agenda with the time at which it is handled.

    `turn`: up to which due time timers come before it.
    """

    __slots__ = ("at", "row", "turn")

    def __init__(self, at: datetime, row: AgendaRow, turn: datetime) -> None:
        self.at = at
        self.row = row
        self.turn = turn

    def key(self) -> tuple[datetime, int, str]:
        first = self.row.order.startswith(_FIRST)
        return (self.at, -1 if first else self.row.rank, self.row.order)

    def parked(self) -> AgendaRow:
        """The row as it is set aside, at its time in the agenda."""
        return replace(self.row, at=self.turn)


class BorrowerDay:
    """What waits for one borrower: lines in order, and timers by stream."""

    __slots__ = ("lines", "timers")

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.timers: dict[StreamName, datetime] = {}


class DayBook:
    """The agenda of one shard for its open day, up to `until` (exclusive).

    `unseen`: taken for empty; the commit that closes it looks.
    """

    def __init__(
        self,
        shard: Shard,
        day: date,
        calendar: BankCalendar,
        until: datetime,
        *,
        unseen: bool = False,
    ) -> None:
        self.shard = shard
        self.day = day
        self.start = calendar.start_of(day)
        self._known: set[int] = set()
        self.until = until
        self.unseen = unseen
        self.borrowers: dict[BorrowerId, BorrowerDay] = {}
        self.blocked: set[BorrowerId] = set()
        self._latest: dict[tuple[BorrowerId, int, str], datetime] = {}

    def add_rows(self, rows: Iterable[AgendaRow]) -> None:
        """Put rows in their place. The rows of one source must come in that source's order."""
        changed: dict[BorrowerId, list[Line]] = {}
        for row in sorted(rows, key=_source_order):
            if row.row_id in self._known:
                continue
            self._known.add(row.row_id)
            line = self._line(row)
            day = self.borrowers.get(row.borrower_id)
            if day is None:
                day = self.borrowers[row.borrower_id] = BorrowerDay()
            day.lines.append(line)
            if len(day.lines) > 1:
                changed[row.borrower_id] = day.lines
        for lines in changed.values():
            lines.sort(key=Line.key)

    def _line(self, row: AgendaRow) -> Line:
        if row.order.startswith(_FIRST):
            return Line(self.start, row, row.at)
        loan = row.order.partition("\x00")[0] if row.rank == FEED_RANK else ""
        place = (row.borrower_id, row.rank, loan)
        at = max(row.at, self.start, self._latest.get(place, self.start))
        self._latest[place] = at
        return Line(at, row, at)

    def add_timers(self, timers: Iterable[Timer]) -> None:
        for timer in timers:
            self.set_timer(timer.borrower_id, timer.stream, timer.due_at)

    def set_timer(
        self, borrower_id: BorrowerId, stream: StreamName, due_at: datetime | None
    ) -> None:
        if due_at is not None and due_at < self.until:
            self.borrowers.setdefault(borrower_id, BorrowerDay()).timers[stream] = due_at
        elif borrower_id in self.borrowers:
            self.borrowers[borrower_id].timers.pop(stream, None)

    def remove(self, borrower_id: BorrowerId) -> list[AgendaRow]:
        """Take a borrower out of the day; its rows, as they are parked, may come back later."""
        day = self.borrowers.pop(borrower_id, None)
        rows = [line.parked() for line in day.lines] if day is not None else []
        self._known.difference_update(row.row_id for row in rows)
        return rows

    def waiting(self) -> Iterator[tuple[BorrowerId, BorrowerDay]]:
        """Borrowers with something to do now: not waiting for the answer to an effect."""
        for borrower_id, day in self.borrowers.items():
            if borrower_id not in self.blocked and (day.lines or day.timers):
                yield borrower_id, day

    def done(self) -> bool:
        """Nothing is left of the day, and nothing that was asked for is still unanswered."""
        return not self.blocked and not any(
            day.lines or day.timers for day in self.borrowers.values()
        )

    def idle(self) -> bool:
        """Nothing can be done now: what is left waits for answers to effects."""
        return next(self.waiting(), None) is None

    def forget_finished(self, borrowers: Sequence[BorrowerId]) -> None:
        for borrower_id in borrowers:
            day = self.borrowers.get(borrower_id)
            if day is not None and not day.lines and not day.timers:
                del self.borrowers[borrower_id]


def _source_order(row: AgendaRow) -> tuple[int, str]:
    return (row.rank, row.order)
