"""What lawyers may send. The bounds of each field are here; the rules are the domain's."""

from typing import Literal

from arrears.shared.http.fields import AmountMinor, Body, Currency, Day, Flag, Instant, Words


class DemandBody(Body):
    """A demand delivered by other means, such as a lawyer's letter."""

    total_minor: AmountMinor
    currency: Currency
    delivered_at: Instant


class FilingApprovalBody(Body):
    """`despite_limitation` takes the risk of a claim that time has barred."""

    despite_limitation: Flag = False


class JudgmentBody(Body):
    awarded_minor: AmountMinor
    currency: Currency
    obey_by_on: Day


class SuitEndBody(Body):
    """`result`: dismissed or not_accepted by the court, or withdrawn with its leave."""

    result: Literal["dismissed", "not_accepted", "withdrawn"]
    reason: Words
