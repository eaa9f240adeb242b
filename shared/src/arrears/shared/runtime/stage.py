"""What a service hands to the runtime: its deciders, its ears, its words and its effects.

Everything here is pure data and pure functions; drivers come in through main.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, Protocol

from msgspec import Struct

from arrears.shared.contracts.parking import parked_type, released_type
from arrears.shared.eventstore.codec import Codec, Upcaster
from arrears.shared.kernel.business_day import BankCalendar
from arrears.shared.kernel.decider import Decider
from arrears.shared.kernel.ids import (
    BorrowerId,
    EventId,
    StaffId,
    StreamName,
    TenantId,
    stream_name,
)
from arrears.shared.kernel.policy import Version
from arrears.shared.kernel.reaction import Heard, Issue

STAGES: Final = ("intake", "contact", "mediation", "legal")
"""The order of a business day: facts flow forward in it, what comes back is heard the next day."""

FEED_RANK: Final = 0
ANSWER_RANK: Final = 8
TIMER_RANK: Final = 9

Clock = Literal["live", "feed"]


class BusinessDayClosed(Struct, frozen=True, kw_only=True):
    """Nothing more will be decided in this shard on `day` (protocol 3.3)."""

    day: date


class InputParked(Struct, frozen=True, kw_only=True):
    """Our code failed on this input of the borrower; `error` is class and place (protocol 2.5)."""

    origin: str
    error: str


class InputReleased(Struct, frozen=True, kw_only=True):
    """Staff have sent back or given up what was parked; `retried` inputs are handled again."""

    retried: int


class InputSkipped(Struct, frozen=True, kw_only=True):
    """Staff gave up a parked input; the borrower's case leaves the promise of the digest.

    `approved_by` is a second member of staff; None in events of before one was asked for.
    """

    origin: str
    reason: str
    approved_by: StaffId | None = None


class DoubtSettled(Struct, frozen=True, kw_only=True):
    """Staff have found out whether an effect in doubt was carried out; if not, it is sent again."""

    effect_id: EventId
    kind: str
    carried_out: bool
    note: str


class PersonalDataRead(Struct, frozen=True, kw_only=True):
    """Staff read in the clear what is kept sealed: what it was, and for what purpose."""

    what: str
    purpose: str


class PersonalDataErased(Struct, frozen=True, kw_only=True):
    """The borrower's keys were destroyed: what was sealed under them reads as erased, for good."""

    basis: str
    approved_by: StaffId


OWN_EVENTS: Final = (
    BusinessDayClosed,
    InputParked,
    InputReleased,
    InputSkipped,
    DoubtSettled,
    PersonalDataRead,
    PersonalDataErased,
)
"""What the kernel itself says, on streams of its own."""


class BadRecord(Exception):
    """A feed record that cannot be read, or that says something impossible by itself."""

    def __init__(
        self, reason: str, field: str | None = None, borrower_id: BorrowerId | None = None
    ) -> None:
        super().__init__(reason if field is None else f"{field}: {reason}")
        self.reason = reason
        self.field = field
        self.borrower_id = borrower_id
        """Whom the record names, where that can be read."""


class DayClosing(Struct, frozen=True):
    """The feed's word that every day up to `day` is complete in this partition."""

    day: date
    first_day: date
    partition_count: int


class FeedFact(Struct, frozen=True, gc=False):
    """A readable fact of the bank: whose it is, when it says it happened, what it asks of us.

    `fact_id` is the event id that its identity gives (protocol 2.4); `loan` sorts the facts of one
    borrower and fixes whose they are (empty for a profile). `borrower_id` None: the loan's
    borrower, as first known; where nobody was named before, the fact is refused.
    """

    fact_id: EventId
    time: datetime
    borrower_id: BorrowerId | None
    loan: str
    body: object


class FeedReader(Protocol):
    """How intake reads the feed. Pure."""

    def read(self, value: bytes) -> FeedFact | DayClosing:
        """Raises BadRecord with reason and field."""

    async def unlock(self, facts: Sequence[FeedFact]) -> None:
        """Fetch the keys that sealing the personal data in these facts will need."""

    def digest(self, fact: FeedFact) -> str:
        """What stands for the content of an unlocked fact (protocol 2.4)."""

    def issue(self, fact: FeedFact, *, home: BorrowerId, at: datetime, late: bool) -> Issue:
        """The command that records the fact on its stream, which is `home`'s."""

    def conflict(self, fact: FeedFact) -> BadRecord:
        """What to say of a fact whose id was seen with other content."""


def _no_effect(_event: object) -> str | None:
    return None


def _no_answer(_answer: Any, _at: datetime) -> object:
    raise NotImplementedError("this service asks nothing of the outside world")


def _no_reaction(_said: Any, _heard: Heard, _at: datetime) -> Sequence[Issue]:
    return ()


def _needs_an_answer(_event: Any) -> Sequence[object] | None:
    return None


Recheck = Callable[[Any, Any, datetime, bool], object | None]
"""Asked under the live clock when an effect is about to be carried out (protocol 3.7): the event
that asks for it, the state of its stream now, the time, and whether it may have left before. What
it returns is the effect's answer, and nothing leaves; None lets it go. Pure."""


@dataclass(frozen=True)
class Stage:
    """One service as the runtime runs it."""

    name: str
    tenant: TenantId
    calendar: BankCalendar
    deciders: Mapping[str, Decider[Any, Any, Any]]
    wire_names: Mapping[type, str]
    subject_of: Callable[[Any], str | None]
    hears: frozenset[str] = frozenset()
    react: Callable[[Any, Heard, datetime], Sequence[Issue]] = _no_reaction
    effect_of: Callable[[Any], str | None] = _no_effect
    answer_type: Any = None
    on_answer: Callable[[Any, datetime], object] = _no_answer
    recheck: Recheck | None = None
    gives_way: Callable[[Any, datetime], object] | None = None
    """For a stage whose effects may wait for days: the answer by which the effect of an event gives
    way, at that time, to input of its borrower that has come behind it. This and what `recheck`
    answers then come before that input. What may have left is not taken back: it is in doubt."""
    ends_effect: frozenset[type] = frozenset()
    """Events that an answer leads to where no other will come, though some effects have more."""
    unanswered: Callable[[Any], Sequence[object] | None] = _needs_an_answer
    """The answers that stand for an effect that was carried out and that nobody will answer. An
    empty sequence: its own deadlines go on. None: the stage cannot go on without an answer."""
    feed: FeedReader | None = None
    policies: Sequence[Version] = ()
    """What it decides by, beside its code."""
    upcasters: Mapping[str, tuple[str, Upcaster]] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        return topic_of(self.name)

    @property
    def rank(self) -> int:
        return STAGES.index(self.name)

    def sources(self) -> Mapping[str, int]:
        """The stages we listen to, and how many days later what they said counts for us."""
        return {
            other: 0 if STAGES.index(other) < self.rank else 1
            for other in STAGES
            if other != self.name
        }

    def codec(self) -> Codec:
        return Codec(
            {
                **self.wire_names,
                BusinessDayClosed: closing_type(self.name),
                InputParked: parked_type(self.name),
                InputReleased: released_type(self.name),
                InputSkipped: f"arrears.{self.name}.input_skipped.v1",
                DoubtSettled: f"arrears.{self.name}.doubt_settled.v1",
                PersonalDataRead: f"arrears.{self.name}.personal_data_read.v1",
                PersonalDataErased: f"arrears.{self.name}.personal_data_erased.v1",
            },
            upcasters=self.upcasters,
        )


def parking_place(service: str, borrower_id: BorrowerId) -> tuple[StreamName, str, BorrowerId]:
    """The stream of what was parked of a borrower, as `Workbench.load` wants it."""
    category = f"{service}.parking"
    return stream_name(category, borrower_id), category, borrower_id


def doubt_place(service: str, borrower_id: BorrowerId) -> tuple[StreamName, str, BorrowerId]:
    """The stream of what staff found out about effects, as `Workbench.load` wants it."""
    category = f"{service}.doubt"
    return stream_name(category, borrower_id), category, borrower_id


def privacy_place(service: str, borrower_id: BorrowerId) -> tuple[StreamName, str, BorrowerId]:
    """The stream of what staff did with personal data, as `Workbench.load` wants it."""
    category = f"{service}.privacy"
    return stream_name(category, borrower_id), category, borrower_id


def topic_of(service: str) -> str:
    return f"arrears.{service}.v1"


def closing_type(service: str) -> str:
    return f"arrears.{service}.business_day_closed.v1"
