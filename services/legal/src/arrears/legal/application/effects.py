"""What legal asks of the court, and what follows from its answers.

Two requests: register and judge a claim; enforce a judgment. A case may be filed again after a suit
that came to nothing, so an answer names the filing that it is about; one that no longer fits
changes nothing. Where the court must not be asked any more the answer is that it was not.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, TypeAlias, assert_never

from msgspec import Struct

from arrears.legal.domain.claim.commands import (
    ClaimCommand,
    CloseEnforcement,
    EnterJudgment,
    RecordSearch,
    RegisterClaim,
    Withhold,
)
from arrears.legal.domain.claim.events import ClaimEvent
from arrears.legal.domain.claim.rules import Rules
from arrears.legal.domain.claim.state import Claim
from arrears.legal.domain.claim.suit_events import (
    ClaimFiled,
    EnforcementApplied,
    EnforcementWithheld,
    FilingWithheld,
)
from arrears.legal.domain.claim.withholding import NEWS, Objection, objection

FILING: Final = "filing"
ENFORCEMENT: Final = "enforcement"
ENDS_EFFECT: Final = frozenset({FilingWithheld, EnforcementWithheld})


class Withheld(Struct, frozen=True, kw_only=True, tag_field="answer", tag="withheld"):
    """Said in the gateway's place: it was not asked."""

    filing: int
    application: int
    reason: str
    missing: tuple[str, ...]
    looked_at: datetime


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


Answer: TypeAlias = Withheld | Registered | Judged | Searched | Concluded


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
        case Withheld():
            return Withhold(
                filing=answer.filing,
                application=answer.application,
                reason=answer.reason,
                missing=answer.missing,
                looked_at=answer.looked_at,
                now=at,
            )
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


def make_recheck(
    rules: Rules,
) -> Callable[[ClaimFiled | EnforcementApplied, Claim, datetime, bool], Answer | None]:
    """The answer in place of asking the court for what it must not be asked any more; None lets it
    be asked. What may have left is not judged otherwise: the kernel leaves it in doubt."""

    def recheck(
        asked: ClaimFiled | EnforcementApplied, claim: Claim, at: datetime, _sent_before: bool
    ) -> Answer | None:
        found = objection(rules, asked, claim, at)
        return None if found is None else _withheld(asked, found, at)

    return recheck


def gives_way(asked: ClaimFiled | EnforcementApplied, at: datetime) -> Answer:
    """Something was heard of the borrower that waits behind the request."""
    return _withheld(asked, Objection(reason=NEWS), at)


def _withheld(asked: ClaimFiled | EnforcementApplied, found: Objection, at: datetime) -> Withheld:
    return Withheld(
        filing=asked.filing,
        application=0 if isinstance(asked, ClaimFiled) else asked.application,
        reason=found.reason,
        missing=found.missing,
        looked_at=at,
    )
