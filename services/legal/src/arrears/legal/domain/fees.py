"""What courts and arbitrators charge, by the tables of the policy.

Amounts come and go in minor units of the tables' currency; in between they are exact and are
rounded half up once. The base is the claim at filing.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from arrears.legal.domain.policy import FeeTables, Tier
from arrears.shared.kernel.money import MINOR_DIGITS


def acceptance_fee(tables: FeeTables, claim_minor: int) -> int:
    """诉讼费用交纳办法 art. 13(1); advanced by the plaintiff, borne by who loses."""
    return _minor(tables, _by_tier(tables.acceptance, _major(tables, claim_minor)))


def half_acceptance_fee(tables: FeeTables, claim_minor: int) -> int:
    """Arts. 15-16: simplified procedure, mediation or withdrawal; halved once only."""
    return _minor(tables, _by_tier(tables.acceptance, _major(tables, claim_minor)) / 2)


def payment_order_fee(tables: FeeTables, claim_minor: int) -> int:
    """Art. 14(3): a third of the acceptance fee."""
    return _minor(tables, _by_tier(tables.acceptance, _major(tables, claim_minor)) / 3)


def enforcement_fee(tables: FeeTables, sum_minor: int) -> int:
    """Art. 14(1); not advanced: the debtor pays it after enforcement (arts. 20, 38)."""
    return _minor(tables, _by_tier(tables.enforcement, _major(tables, sum_minor)))


def preservation_fee(tables: FeeTables, secured_minor: int) -> int:
    """Art. 14(2), never more than its ceiling."""
    fee = _by_tier(tables.preservation, _major(tables, secured_minor))
    return _minor(tables, min(fee, tables.preservation_max))


def arbitration_fees(tables: FeeTables, claim_minor: int) -> tuple[int, int]:
    """The least and the most that a commission may charge under the table of 1995."""
    claim = _major(tables, claim_minor)
    least = _by_tier(tables.arbitration_min, claim)
    most = _by_tier(tables.arbitration_max, claim)
    return _minor(tables, least), _minor(tables, most)


def doubled_interest(tables: FeeTables, unpaid_minor: int, days: int) -> int:
    """On what a judgment awards beside general interest, for each day after the last to obey."""
    unpaid = _major(tables, unpaid_minor)
    return _minor(tables, unpaid * tables.doubled_interest_per_day * days)


def _by_tier(tiers: Sequence[Tier], amount: Decimal) -> Decimal:
    for tier in tiers:
        if tier.up_to is None or amount <= tier.up_to:
            return amount * tier.rate + tier.plus
    raise AssertionError("a checked table ends with a tier without limit")


def _major(tables: FeeTables, amount_minor: int) -> Decimal:
    return Decimal(amount_minor).scaleb(-MINOR_DIGITS[tables.currency])


def _minor(tables: FeeTables, amount: Decimal) -> int:
    minor = amount.scaleb(MINOR_DIGITS[tables.currency])
    return int(minor.quantize(Decimal(1), rounding=ROUND_HALF_UP))
