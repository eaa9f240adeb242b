"""Where the money of a repayment goes: to the parts of the newest known split, in the legal order.

Civil Code 561: costs of enforcing the claim, then interest, then principal; the order is the
policy's. Where the bank has not told the split we do not guess: everything is in suspense. So is
what exceeds the parts that are overdue.
"""

from collections.abc import Sequence
from typing import NamedTuple

from arrears.intake.domain.loan.state import Split
from arrears.intake.domain.policy import Part


class Allocation(NamedTuple):
    costs_minor: int | None
    interest_minor: int | None
    principal_minor: int | None
    in_suspense_minor: int


def allocate(amount_minor: int, left: Split | None, order: Sequence[Part]) -> Allocation:
    if left is None:
        return Allocation(None, None, None, amount_minor)
    owed = {
        "costs": left.costs_minor,
        "interest": left.interest_minor,
        "principal": left.principal_minor,
    }
    paid = dict.fromkeys(owed, 0)
    rest = amount_minor
    for part in order:
        paid[part] = min(rest, owed[part])
        rest -= paid[part]
    return Allocation(paid["costs"], paid["interest"], paid["principal"], rest)
