"""The words of this stage: channels, contact points, outcomes, what a borrower said."""

from datetime import date, datetime
from typing import Final, Literal, NewType, TypeAlias

from msgspec import Struct

AttemptId = NewType("AttemptId", str)
"""`<case id>/<n>`, n counting the attempts of the case from 1."""
PromiseId = NewType("PromiseId", str)

Channel: TypeAlias = Literal["sms", "call", "letter", "visit"]
CHANNELS: Final[tuple[Channel, ...]] = ("sms", "call", "letter", "visit")

Outcome: TypeAlias = Literal[
    "connected", "no_answer", "delivered", "returned", "met", "not_home", "unknown"
]
"""`unknown`: the outside world never said. It counts as connected in every limit."""
FAILED: Final[frozenset[str]] = frozenset({"no_answer", "returned", "not_home"})
"""Outcomes of which we know that nobody was reached."""

SaidKind: TypeAlias = Literal["nothing", "promise", "refusal", "hardship"]
Result: TypeAlias = Literal["reached", "unreachable", "stopped"]

StopKind: TypeAlias = Literal[
    "borrower_changed", "agreement", "hardship", "hold", "parked", "staff"
]
"""`parked`: an input of the person waits for staff in the service that the stop's reason names.
`borrower_changed`: the bank says that somebody else owes the loan."""
Scope: TypeAlias = Literal["case", "person"]

SANDBOX: Final = "sandbox"
"""Names what no bank gave us, wherever it shows (protocol 3.11)."""


class ContactPoint(Struct, frozen=True, kw_only=True):
    """`kind` is phone, email or address; `sealed` its value under the borrower's key.

    `sealed` is the word `sandbox` where the point is the sandbox's and not the bank's.
    """

    kind: str
    sealed: str


class Said(Struct, frozen=True, kw_only=True):
    """What the borrower said, in figures and days. Free text is personal data and stays outside."""

    kind: SaidKind = "nothing"
    amount_minor: int | None = None
    due_on: date | None = None
    review_on: date | None = None


class Contact(Struct, frozen=True, kw_only=True):
    """One permitted attempt, as the limits count it. `outcome` None: not known yet."""

    attempt_id: AttemptId
    channel: Channel
    at: datetime
    number: str | None
    outcome: Outcome | None = None

    @property
    def may_have_connected(self) -> bool:
        """An attempt without a known failure counts as connected (protocol 3.4)."""
        return self.outcome not in FAILED
