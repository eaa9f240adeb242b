"""What legal asks of the court, and what follows from its answers.

Two requests: register and judge a claim; enforce a judgment. A case may be filed again after a suit
that came to nothing, so an answer names the filing that it is about; one that no longer fits
changes nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, TypeAlias, assert_never

from msgspec import Struct

from arrears.legal.domain.claim.commands import (
    ClaimCommand,
    CloseEnforcement,
    EnterJudgment,
    RecordSearch,
    RegisterClaim,
)
from arrears.legal.domain.claim.events import ClaimEvent
from arrears.legal.domain.claim.suit_events import ClaimFiled, EnforcementApplied

FILING: Final = "filing"
ENFORCEMENT: Final = "enforcement"


class Registered(Struct, frozen=True, kw_only=True, tag_field="answer", tag="registered"):
    docket: str
    gateway: str
    filing: int = 1


class Judged(Struct, frozen=True, kw_only=True, tag_field="answer", tag="judged"):
    awarded_minor: int
    """0: the suit is dismissed."""
    currency: str
    obey_by_on: date
    filing: int = 1


class Searched(Struct, frozen=True, kw_only=True, tag_field="answer", tag="searched"):
    found: str
    filing: int = 1


class Concluded(Struct, frozen=True, kw_only=True, tag_field="answer", tag="concluded"):
    filing: int = 1


Answer: TypeAlias = Registered | Judged | Searched | Concluded


def effect_of(event: ClaimEvent) -> str | None:
    match event:
        case ClaimFiled():
            return FILING
        case EnforcementApplied():
            return ENFORCEMENT
        case _:
            return None


def unanswered(_event: ClaimEvent) -> Sequence[Answer]:
    """Staff enter what the court says: the judgment, and the end of an enforcement."""
    return ()


def on_answer(answer: Answer, at: datetime) -> ClaimCommand:
    match answer:
        case Registered():
            return RegisterClaim(
                docket=answer.docket, gateway=answer.gateway, filing=answer.filing, now=at
            )
        case Judged():
            return EnterJudgment(
                awarded_minor=answer.awarded_minor,
                currency=answer.currency,
                obey_by_on=answer.obey_by_on,
                filing=answer.filing,
                now=at,
            )
        case Searched():
            return RecordSearch(found=answer.found, filing=answer.filing, now=at)
        case Concluded():
            return CloseEnforcement(filing=answer.filing, now=at)
        case _:
            assert_never(answer)
