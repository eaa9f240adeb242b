"""What lawyers may send. The bounds of each field are here; the rules are the domain's."""

from typing import Literal

from arrears.shared.http.fields import (
    AmountMinor,
    Body,
    Currency,
    Day,
    Flag,
    Instant,
    SumMinor,
    Words,
)


class DemandBody(Body):
    """A demand delivered by other means, such as a lawyer's letter."""

    total_minor: AmountMinor
    currency: Currency
    delivered_at: Instant


class FilingApprovalBody(Body):
    """`despite_limitation` takes the risk of a claim that time has barred."""

    despite_limitation: Flag = False


class JudgmentBody(Body):
    """`deducted_minor` is what was paid during the suit and the award is less already, at most what
    came in since filing: the court awards the rest alone. What was paid and is not in it counts
    towards the award."""

    awarded_minor: AmountMinor
    currency: Currency
    obey_by_on: Day
    deducted_minor: SumMinor = 0


class SuitEndBody(Body):
    """`result`: dismissed or not_accepted by the court, or withdrawn with its leave."""

    result: Literal["dismissed", "not_accepted", "withdrawn"]
    reason: Words
