"""Law 5: what was asked of the outside world was asked once, and is answered or in doubt.

The key that a gateway gets is the id of the event that asks, so a key with two contents is an id
with two events. Requests and answers of one borrower lie in one shard; a shard is checked at once.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from arrears.cli.deep.findings import Place, Report
from arrears.cli.deep.reading import (
    DOUBT_SETTLED,
    INPUT_SKIPPED,
    NOT_JUDGED,
    SHARD_COUNT,
    Event,
    Row,
)

_ORIGIN: Final = "effect/"
_NOT_REACHED: Final = frozenset({"no_answer", "returned", "not_home", "unknown"})


@dataclass(frozen=True, slots=True)
class Kind:
    """What one sort of request is about, and what answers it.

    `about` names the fields that tell one request from another in its stream. Every noun of
    `answers` must come, unless one of `ends` has ended the case, or `withdrawn` says that this
    request was taken back before anything left; then it may be asked for again. An answer of
    `until_due` may stay out while a timer of the stream waits for it. `anew`: once it has ended the
    case may ask for it again, after a suit that came to nothing or for another debt.
    """

    about: tuple[str, ...]
    answers: tuple[str, ...]
    ends: tuple[str, ...] = ()
    withdrawn: str | None = None
    until_due: tuple[str, ...] = ()
    anew: bool = False


KINDS: Final = {
    "attempt_permitted": Kind(
        ("attempt_id",),
        ("attempt_receipted", "attempt_concluded"),
        withdrawn="attempt_withdrawn",
    ),
    "borrower_invited": Kind(
        ("case_id", "round"),
        ("invitation_receipted", "invitation_answered"),
        ("mediation_failed", "mediation_closed"),
        withdrawn="invitation_withdrawn",
    ),
    "agreement_proposed": Kind(
        ("case_id", "round", "offer"),
        ("bank_signed", "borrower_signed"),
        ("mediation_failed", "mediation_closed", "agreement_proposed"),
        until_due=("borrower_signed",),
    ),
    "claim_filed": Kind(
        ("case_id",),
        ("claim_registered", "judgment_entered"),
        ("claim_closed", "claim_ended", "judgment_not_entered"),
        withdrawn="filing_withheld",
        anew=True,
    ),
    "enforcement_applied": Kind(
        ("case_id",),
        ("assets_searched", "enforcement_closed"),
        ("claim_closed", "claim_ended"),
        withdrawn="enforcement_withheld",
        anew=True,
    ),
}
_ANSWERS: Final = {noun: kind for kind in KINDS.values() for noun in kind.answers}


@dataclass(slots=True)
class _Request:
    noun: str
    place: Place
    about: tuple[Any, ...]
    answered: set[str] = field(default_factory=set)
    ended: bool = False
    withdrawn: bool = False
    unreached: bool = False


@dataclass(frozen=True, slots=True)
class PendingRow:
    """A row of the table of effects."""

    event_id: str
    shard: int
    in_doubt: bool


class Effects:
    """One shard of one service: first its tables, then its events in order, then `finish`."""

    def __init__(self, service: str, shard: int, report: Report) -> None:
        self._service = service
        self._shard = shard
        self._report = report
        self._requests: dict[str, _Request] = {}
        self._open: dict[tuple[str, str, tuple[Any, ...]], _Request] = {}
        self._by_stream: dict[str, list[_Request]] = defaultdict(list)
        self._pending: dict[str, PendingRow] = {}
        self._waiting: dict[str, set[str]] = defaultdict(set)
        self._given: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._due: set[str] = set()

    def falls_due(self, stream: str) -> None:
        """A stream that a timer will wake."""
        self._due.add(stream)

    def pending(self, row: PendingRow) -> None:
        """An effect that the table says is not answered yet."""
        self._pending[row.event_id] = row

    def waits(self, origin: str) -> None:
        """A row of the agenda or of the parked inputs; answers are told by their origin."""
        found = _answer(origin)
        if found is not None:
            self._waiting[found[0]].add(found[1])

    def event(self, row: Row, event: Event) -> None:
        place = Place(self._service, "store", row.shard, row.seq, event.stream, event.version)
        try:
            self._judge(event, place)
        except NOT_JUDGED as error:
            self._report.say(5, place, f"{event.noun} cannot be judged: {error!r}")

    # --- Events

    def _judge(self, event: Event, place: Place) -> None:
        if event.origin is not None and (found := _answer(event.origin)) is not None:
            self._comes_from(event, place, *found)
        if event.noun == INPUT_SKIPPED:
            skipped = _answer(str(event.data.get("origin")))
            if skipped is not None:
                self._waiting[skipped[0]].add(skipped[1])
        if event.noun == DOUBT_SETTLED:
            self._settles(event, place)
        if event.noun in _ANSWERS:
            self._answers(event, place)
        self._ends(event)
        if event.noun in KINDS:
            self._asks(event, place)

    def _asks(self, event: Event, place: Place) -> None:
        self._report.count(5, "requests")
        about = _fields(event, KINDS[event.noun])
        key = (event.noun, event.stream, about)
        earlier = self._open.get(key)
        if earlier is not None and not _is_over(earlier):
            self._report.say(5, place, f"it is asked for a second time, first by {earlier.place}")
        if event.id in self._requests:
            first = self._requests[event.id].place
            self._report.say(5, place, f"its key {event.id} is also that of {first}")
        request = _Request(event.noun, place, about)
        self._requests[event.id] = self._open[key] = request
        self._by_stream[event.stream].append(request)

    def _comes_from(self, event: Event, place: Place, key: str, number: str) -> None:
        if key not in self._requests:
            self._report.say(5, place, f"it answers {key}, which nobody has asked")
            return
        if event.noun not in _ANSWERS:
            return
        self._report.count(5, "answers")
        given = (number, event.noun)
        if given in self._given[key]:
            says = f"answer {number} of {key} is here a second time"
            self._report.say(5, place, says)
        self._given[key].add(given)
        if number in self._waiting[key]:
            says = f"answer {number} of {key} is recorded and waits to be recorded as well"
            self._report.say(5, place, says)

    def _answers(self, event: Event, place: Place) -> None:
        kind = _ANSWERS[event.noun]
        for request in reversed(self._by_stream.get(event.stream, [])):
            if KINDS[request.noun] is not kind or request.about != _fields(event, kind):
                continue
            if event.noun in request.answered:
                says = f"{event.noun} is said a second time of what {request.place} asked for"
                self._report.say(5, place, says)
            if request.withdrawn:
                says = f"{event.noun} is said of what {request.place} asked for: it was withdrawn"
                self._report.say(5, place, says)
            request.answered.add(event.noun)
            outcome = event.data.get("outcome")
            if outcome in _NOT_REACHED:
                request.unreached = True
            if outcome == "unknown":
                self._report.count(5, "given up without an answer")
            return
        if event.actor is None:
            self._report.say(5, place, f"{event.noun} answers what nobody has asked for")

    def _settles(self, event: Event, place: Place) -> None:
        """Staff found out: it was carried out and nobody will answer it, or it goes out again."""
        key = str(event.data.get("effect_id"))
        request = self._requests.get(key)
        if request is None:
            self._report.say(5, place, f"staff settle {key}, which nobody has asked")
            return
        self._report.count(5, "settled by staff")
        if event.data.get("carried_out") is True:
            request.ended = True
            if key in self._pending:
                says = f"{key} was carried out and is still in the table of effects"
                self._report.say(5, place, says)

    def _ends(self, event: Event) -> None:
        case = event.data.get("case_id")
        for request in self._by_stream.get(event.stream, ()):
            kind = KINDS[request.noun]
            if event.noun in kind.ends and request.about[0] == case:
                request.ended = True
            elif event.noun == kind.withdrawn and request.about == _fields(event, kind):
                self._report.count(5, "withdrawn before sending", int(not request.withdrawn))
                request.withdrawn = request.ended = True

    # --- At the end of the shard

    def finish(self) -> None:
        for key, request in self._requests.items():
            self._check(key, request)
        for key, row in self._pending.items():
            if key not in self._requests:
                place = Place(self._service, "effects", row.shard)
                self._report.say(5, place, f"{key} waits to be sent, but no event asks for it")

    def _check(self, key: str, request: _Request) -> None:
        pending = self._pending.get(key)
        waiting = self._waiting.get(key, set())
        if pending is not None:
            self._report.count(5, "in doubt" if pending.in_doubt else "not sent yet")
            if pending.in_doubt:
                self._report.remark(5, f"in doubt: {key} ({request.place})")
            if waiting or self._given.get(key):
                says = f"{key} is answered and still in the table of effects: it would go out again"
                self._report.say(5, request.place, says)
            return
        wanted = {noun for noun in KINDS[request.noun].answers if noun not in request.answered}
        if request.unreached:
            wanted.discard("attempt_receipted")
        if request.place.stream in self._due:
            wanted.difference_update(KINDS[request.noun].until_due)
        if request.ended or not wanted:
            return
        if len(waiting) >= len(wanted):
            self._report.count(5, "answered and not handled yet")
            return
        lacks = " and ".join(sorted(wanted))
        says = f"{key} was asked for, is not in the table of effects, and {lacks} never came"
        self._report.say(5, request.place, says)


def of_all_shards(
    service: str,
    pending: Iterable[PendingRow],
    waiting: Iterable[tuple[int, str]],
    due: Iterable[tuple[int, str]],
    report: Report,
) -> dict[int, Effects]:
    """The checks of a service's shards, with the rows of its tables. A row of another shard is
    handled by nobody."""
    every = {shard: Effects(service, shard, report) for shard in range(SHARD_COUNT)}

    def named(table: str, shard: int, names: str) -> Effects | None:
        if shard not in every:
            says = f"there is no shard {shard}; a row of it names {names}"
            report.say(5, Place(service, table, shard), says)
        return every.get(shard)

    for row in pending:
        if (effects := named("effects", row.shard, row.event_id)) is not None:
            effects.pending(row)
    for shard, origin in waiting:
        if (effects := named("agenda", shard, origin)) is not None:
            effects.waits(origin)
    for shard, stream in due:
        if (effects := named("timers", shard, stream)) is not None:
            effects.falls_due(stream)
    return every


def _answer(origin: str) -> tuple[str, str] | None:
    """`effect/<event id>/<number>` is an answer."""
    if not origin.startswith(_ORIGIN):
        return None
    key, _, number = origin.removeprefix(_ORIGIN).partition("/")
    return key, number


def _is_over(request: _Request) -> bool:
    return request.withdrawn or (request.ended and KINDS[request.noun].anew)


def _fields(event: Event, kind: Kind) -> tuple[Any, ...]:
    return tuple(event.data.get(name) for name in kind.about)
