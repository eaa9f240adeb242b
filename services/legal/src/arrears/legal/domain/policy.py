"""The bank's legal rules and the law's tables: dated, versioned data, checked when it is loaded."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, field

from arrears.shared.kernel.money import AMOUNT_MINOR_MAX, MINOR_DIGITS
from arrears.shared.kernel.policy import BadPolicy, Checked, EndlessBook, Version, decode_policy

DEFAULT_CURRENCY: Final = "default"


class FilingRule(Checked, frozen=True, kw_only=True):
    approval_from_minor: Annotated[int, Meta(ge=0)] | None
    """A claim of this amount or more needs a person's approval; null: none does."""
    days_after_demand: Annotated[int, Meta(ge=0, le=366)] = 0
    """Days that the demand gives to pay: none of them is over before nothing is filed."""
    amount_minor_min: dict[str, Annotated[int, Meta(ge=0, le=AMOUNT_MINOR_MAX)]] = field(
        default_factory=dict
    )
    """The least sum that is sued for, by currency; `default` for those that are not named. Empty:
    any sum above nothing."""

    def least_minor(self, currency: str) -> int:
        """In minor units of the currency; 0 where any sum is sued for."""
        least = self.amount_minor_min
        return least.get(currency, least.get(DEFAULT_CURRENCY, 0))


class LimitationRule(Checked, frozen=True, kw_only=True):
    months: Annotated[int, Meta(ge=1, le=240)]
    alarm_days: tuple[Annotated[int, Meta(ge=1, le=366)], ...]


class EnforcementRule(Checked, frozen=True, kw_only=True):
    apply_within_months: Annotated[int, Meta(ge=1, le=240)]
    apply_by_itself: bool
    apply_after_days: Annotated[int, Meta(ge=1, le=366)]
    """Days after it was said that the judgment was not obeyed."""
    booking_days_max: Annotated[int, Meta(ge=0, le=7)] = 0
    """Workdays after the last day to obey in which the bank may still book what was paid in time;
    nobody says before that a judgment was not obeyed."""


class Tier(Checked, frozen=True, kw_only=True):
    """Up to and including `up_to` the fee is amount x rate + plus; null: without limit.

    A rate is from 0 to 1. `plus` may be below 0 where the fee is not.
    """

    up_to: Decimal | None
    rate: Decimal
    plus: Decimal


class FeeTables(Checked, frozen=True, kw_only=True):
    currency: Annotated[str, Meta(min_length=1)]
    acceptance: tuple[Tier, ...]
    enforcement: tuple[Tier, ...]
    preservation: tuple[Tier, ...]
    preservation_max: Decimal
    arbitration_min: tuple[Tier, ...]
    arbitration_max: tuple[Tier, ...]
    doubled_interest_per_day: Decimal


class Policy(Version, frozen=True, kw_only=True):
    filing: FilingRule
    limitation: LimitationRule
    enforcement: EnforcementRule
    fees: FeeTables


PolicyBook: TypeAlias = EndlessBook[Policy]


def parse(text: str) -> Policy:
    """Raises BadPolicy with the field and the rule."""
    policy = decode_policy(text, Policy)
    _check_least(policy.filing.amount_minor_min)
    if policy.fees.currency not in MINOR_DIGITS:
        raise BadPolicy("fees.currency", f"{policy.fees.currency!r} is unknown")
    for name in ("acceptance", "enforcement", "preservation", "arbitration_min", "arbitration_max"):
        _check_table(name, getattr(policy.fees, name))
    _check_amount("fees.preservation_max", policy.fees.preservation_max)
    _check_rate("fees.doubled_interest_per_day", policy.fees.doubled_interest_per_day)
    return policy


def _check_least(least: Mapping[str, int]) -> None:
    where = "filing.amount_minor_min"
    if least and DEFAULT_CURRENCY not in least:
        raise BadPolicy(where, "needs an entry `default`")
    for currency in sorted(least.keys() - MINOR_DIGITS.keys() - {DEFAULT_CURRENCY}):
        raise BadPolicy(where, f"{currency} is no currency that amounts are known in")


def _check_table(name: str, tiers: Sequence[Tier]) -> None:
    """Tiers rise, the last one has no end, and the fee does not jump where one meets the next.

    As no rate is below 0 either, a fee that begins at 0 or more is nowhere less.
    """
    where = f"fees.{name}"
    for number, tier in enumerate(tiers):
        _check_rate(f"{where}[{number}].rate", tier.rate)
        if tier.up_to is not None:
            _check_amount(f"{where}[{number}].up_to", tier.up_to)
        if not tier.plus.is_finite():
            raise BadPolicy(f"{where}[{number}].plus", "must be a finite number")
    if not tiers or tiers[-1].up_to is not None:
        raise BadPolicy(where, "the last tier must have no up_to")
    for lower, upper in pairwise(tiers):
        edge = lower.up_to
        if edge is None or (upper.up_to is not None and upper.up_to <= edge):
            raise BadPolicy(where, "up_to must rise from tier to tier")
        if edge * lower.rate + lower.plus != edge * upper.rate + upper.plus:
            raise BadPolicy(where, f"the fee jumps at {edge}")
    if tiers[0].plus < 0:
        raise BadPolicy(f"{where}[0].plus", "must be 0 or more: no fee is below 0")


def _check_amount(where: str, number: Decimal) -> None:
    if not number.is_finite() or number < 0:
        raise BadPolicy(where, "must be 0 or more")


def _check_rate(where: str, number: Decimal) -> None:
    if not number.is_finite() or not 0 <= number <= 1:
        raise BadPolicy(where, "must be from 0 to 1")
