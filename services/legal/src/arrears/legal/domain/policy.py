"""The bank's legal rules and the law's tables: dated, versioned data, checked when it is loaded."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from arrears.shared.kernel.money import MINOR_DIGITS

Text = Annotated[str, Meta(min_length=1)]


class BadPolicy(ValueError):
    """The message names the policy, the field and the rule it breaks."""


class FilingRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim of this amount or more needs a person's approval; null: none does."""

    approval_from_minor: Annotated[int, Meta(ge=0)] | None


class LimitationRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    months: Annotated[int, Meta(ge=1, le=240)]
    alarm_days: tuple[Annotated[int, Meta(ge=1, le=366)], ...]


class EnforcementRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    apply_within_months: Annotated[int, Meta(ge=1, le=240)]
    apply_by_itself: bool
    apply_after_days: Annotated[int, Meta(ge=1, le=366)]


class Tier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Up to and including `up_to` the fee is amount x rate + plus; null: without limit."""

    up_to: Decimal | None
    rate: Decimal
    plus: Decimal


class FeeTables(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    currency: Text
    acceptance: tuple[Tier, ...]
    enforcement: tuple[Tier, ...]
    preservation: tuple[Tier, ...]
    preservation_max: Decimal
    arbitration_min: tuple[Tier, ...]
    arbitration_max: tuple[Tier, ...]
    doubled_interest_per_day: Decimal


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Text
    version: Annotated[int, Meta(ge=1)]
    valid_from: date
    valid_until: date | None = None
    sources: Annotated[tuple[Text, ...], Meta(min_length=1)]
    filing: FilingRule
    limitation: LimitationRule
    enforcement: EnforcementRule
    fees: FeeTables


def parse(text: str) -> Policy:
    try:
        policy = msgspec.yaml.decode(text.encode(), type=Policy)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # The reader of YAML lets days that no month has, and numbers without end, escape.
        raise BadPolicy(f"legal policy: {error}") from error
    if policy.valid_until is not None and policy.valid_until < policy.valid_from:
        raise BadPolicy(f"policy {policy.id}: valid_until lies before valid_from")
    if policy.fees.currency not in MINOR_DIGITS:
        raise BadPolicy(f"policy {policy.id}: fees.currency {policy.fees.currency!r} is unknown")
    for name in ("acceptance", "enforcement", "preservation", "arbitration_min", "arbitration_max"):
        _check_table(policy, name, getattr(policy.fees, name))
    return policy


class PolicyBook:
    """All versions of one policy. On every day exactly one is in force.

    A feed may tell of years before the first version: those days are judged by the first.
    """

    __slots__ = ("_newest_first", "_oldest")

    def __init__(self, policies: Sequence[Policy]) -> None:
        if not policies:
            raise BadPolicy("legal policy: no version found")
        ordered = sorted(policies, key=lambda policy: policy.valid_from)
        for earlier, later in pairwise(ordered):
            _check_succession(earlier, later)
        if ordered[-1].valid_until is not None:
            raise BadPolicy(f"policy {ordered[-1].id}: the last version must have no valid_until")
        self._oldest = ordered[0]
        self._newest_first = tuple(reversed(ordered))

    def on(self, day: date) -> Policy:
        for policy in self._newest_first:
            if policy.valid_from <= day:
                return policy
        return self._oldest


def _check_table(policy: Policy, name: str, tiers: Sequence[Tier]) -> None:
    """Tiers rise, the last one has no end, and the fee does not jump where one meets the next."""
    where = f"policy {policy.id}: fees.{name}"
    if not tiers or tiers[-1].up_to is not None:
        raise BadPolicy(f"{where}: the last tier must have no up_to")
    for lower, upper in pairwise(tiers):
        edge = lower.up_to
        if edge is None or (upper.up_to is not None and upper.up_to <= edge):
            raise BadPolicy(f"{where}: up_to must rise from tier to tier")
        if edge * lower.rate + lower.plus != edge * upper.rate + upper.plus:
            raise BadPolicy(f"{where}: the fee jumps at {edge}")


def _check_succession(earlier: Policy, later: Policy) -> None:
    if earlier.id != later.id:
        raise BadPolicy(f"policy {later.id}: another policy, {earlier.id}, lies in the same book")
    if earlier.valid_from == later.valid_from:
        raise BadPolicy(f"policy {later.id}: two versions begin on {later.valid_from}")
    if earlier.version >= later.version:
        raise BadPolicy(f"policy {later.id}: version {later.version} begins after a higher one")
    if earlier.valid_until is not None and earlier.valid_until >= later.valid_from:
        raise BadPolicy(
            f"policy {later.id}: versions {earlier.version} and {later.version} overlap"
        )
