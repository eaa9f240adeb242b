"""The bank's rules for talks and plans: dated, versioned data, checked when it is loaded."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Days = Annotated[int, Meta(ge=1, le=366)]
Text = Annotated[str, Meta(min_length=1)]


class BadPolicy(ValueError):
    """The message names the policy, the field and the rule it breaks."""


class InvitationRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    answer_within_days: Days


class OfferRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the talks stay open after an answer that cannot become a plan as it stands."""

    settle_within_days: Days


class PlanRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    term_months_max: Annotated[int, Meta(ge=1, le=60)]
    """Card rules art. 70 allow 60 months; a bank may allow less, never more."""
    instalments_max: Annotated[int, Meta(ge=1, le=60)]


class SigningRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sign_within_days: Days


class PerformanceRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    grace_days: Annotated[int, Meta(ge=0, le=60)]
    cure_days: Annotated[int, Meta(ge=0, le=180)]


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Text
    version: Annotated[int, Meta(ge=1)]
    valid_from: date
    valid_until: date | None = None
    sources: Annotated[tuple[Text, ...], Meta(min_length=1)]
    invitation: InvitationRule
    offer: OfferRule
    plan: PlanRule
    signing: SigningRule
    performance: PerformanceRule


def parse(text: str) -> Policy:
    try:
        policy = msgspec.yaml.decode(text.encode(), type=Policy)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # The reader of YAML lets days that no month has, and numbers without end, escape.
        raise BadPolicy(f"mediation policy: {error}") from error
    if policy.valid_until is not None and policy.valid_until < policy.valid_from:
        raise BadPolicy(f"policy {policy.id}: valid_until lies before valid_from")
    return policy


class PolicyBook:
    """All versions of one policy. On every day exactly one is in force.

    A feed may tell of years before the first version: those days are judged by the first.
    """

    __slots__ = ("_newest_first", "_oldest")

    def __init__(self, policies: Sequence[Policy]) -> None:
        if not policies:
            raise BadPolicy("mediation policy: no version found")
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
