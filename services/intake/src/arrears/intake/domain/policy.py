"""Strategy as data: dated, versioned policies, checked when they are loaded.

A policy is YAML with id, version, the days on which it is valid and its sources. A decision takes
the version that is valid on its bank day and stores id and version. `parse` names the field and
the rule of the first thing that is wrong; `PolicyBook` refuses versions that overlap.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

Name: TypeAlias = Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,63}$")]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=100_000)]
Minor: TypeAlias = Annotated[int, Meta(ge=0, le=10**15)]
Tier: TypeAlias = Literal["normal", "special_mention", "substandard", "doubtful", "loss"]
Risk: TypeAlias = Literal["low", "medium", "high"]
Stage: TypeAlias = Literal["contact", "mediation", "legal"]
Part: TypeAlias = Literal["costs", "interest", "principal"]
Measure: TypeAlias = Literal["days_past_due", "overdue_minor", "episode", "promises_broken"]
Flag: TypeAlias = Literal["refused", "unreachable", "agreement_breached"]

TIERS: Final[tuple[Tier, ...]] = ("normal", "special_mention", "substandard", "doubtful", "loss")
TREATMENTS: Final[dict[str, tuple[str, ...]]] = {
    "contact": ("remind", "call", "demand", "visit"),
    "mediation": ("mediate",),
    "legal": ("sue",),
}
DEFAULT_CURRENCY: Final = "default"


class BadPolicy(ValueError):
    """`field` is a path into the file; `rule` says what must hold there."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class _Checked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A misspelt key is an error, not a setting that is silently ignored."""


class Bucket(_Checked, frozen=True, kw_only=True):
    """Days past due from `days_from` to `days_to`, both included; the last has no end."""

    name: Annotated[str, Meta(pattern="^M[0-9]{1,2}$")]
    days_from: Count
    days_to: Count | None


class TierAbove(_Checked, frozen=True, kw_only=True):
    """More than `days_above` days past due are at least this tier."""

    tier: Tier
    days_above: Count


class Classification(_Checked, frozen=True, kw_only=True):
    """A five-tier table of a regulator. `products` None: all. `in_force_from` is the source's."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    source: Annotated[str, Meta(min_length=1)]
    in_force_from: date
    tiers: Annotated[tuple[TierAbove, ...], Meta(min_length=1)]
    products: tuple[str, ...] | None = None


class RiskRule(_Checked, frozen=True, kw_only=True):
    """Adds `points` where a measure reaches `at_least`, or where a flag is set."""

    id: Name
    points: Annotated[int, Meta(ge=1, le=100)]
    measure: Measure | None = None
    at_least: Minor | None = None
    flag: Flag | None = None


class RiskScore(_Checked, frozen=True, kw_only=True):
    medium_from: Annotated[int, Meta(ge=1)]
    high_from: Annotated[int, Meta(ge=1)]
    rules: tuple[RiskRule, ...]


class Grace(_Checked, frozen=True, kw_only=True):
    days_past_due_below: Count
    episode_max: Count
    risks: tuple[Risk, ...]


class Step(_Checked, frozen=True, kw_only=True):
    """One rung of the ladder. `days_after` counts business days from the rung before."""

    treatment: Name
    stage: Stage
    days_past_due_min: Count
    days_after: Count = 0
    skip_at_risk: tuple[Risk, ...] = ()
    after_results: tuple[Name, ...] = ()
    overdue_minor_min: dict[str, Minor] = {}


class Policy(_Checked, frozen=True, kw_only=True):
    id: Name
    version: Annotated[int, Meta(ge=1)]
    valid_from: date
    valid_to: date | None
    sources: Annotated[tuple[str, ...], Meta(min_length=1)]
    allocation: tuple[Part, ...]
    buckets: Annotated[tuple[Bucket, ...], Meta(min_length=1)]
    classifications: Annotated[tuple[Classification, ...], Meta(min_length=1)]
    risk: RiskScore
    ladder: Annotated[tuple[Step, ...], Meta(min_length=1)]
    grace: Grace | None = None

    def rung_of(self, treatment: str) -> int:
        """Place in the ladder; -1 for a treatment that this version does not know."""
        for index, step in enumerate(self.ladder):
            if step.treatment == treatment:
                return index
        return -1


def parse(text: str) -> Policy:
    """Raises BadPolicy with the field and the rule."""
    try:
        policy = msgspec.yaml.decode(text, type=Policy)
    except msgspec.ValidationError as error:
        rule, _, place = str(error).partition(" - at `$.")
        raise BadPolicy(place.rstrip("`") or "$", rule) from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        # The reader of YAML lets days that no month has, and numbers without end, escape.
        raise BadPolicy("$", f"must be YAML: {error}") from None
    _check(policy)
    return policy


def _check(policy: Policy) -> None:
    if policy.valid_to is not None and policy.valid_to <= policy.valid_from:
        raise BadPolicy("valid_to", "must lie after valid_from")
    if sorted(policy.allocation) != ["costs", "interest", "principal"]:
        raise BadPolicy("allocation", "must name costs, interest and principal once each")
    _check_buckets(policy.buckets)
    for index, table in enumerate(policy.classifications):
        tiers = [TIERS.index(row.tier) for row in table.tiers]
        days = [row.days_above for row in table.tiers]
        if tiers != sorted(set(tiers)) or days != sorted(set(days)):
            raise BadPolicy(f"classifications[{index}].tiers", "must rise in tier and in days")
    _check_risk(policy.risk)
    _check_ladder(policy.ladder)


def _check_buckets(buckets: Sequence[Bucket]) -> None:
    next_from = 0
    for index, bucket in enumerate(buckets):
        last = index == len(buckets) - 1
        if bucket.days_from != next_from:
            raise BadPolicy(
                f"buckets[{index}].days_from", f"must be {next_from}: no gap, no overlap"
            )
        if (bucket.days_to is None) is not last:
            raise BadPolicy(f"buckets[{index}].days_to", "must be null in the last bucket alone")
        if bucket.days_to is not None:
            if bucket.days_to < bucket.days_from:
                raise BadPolicy(f"buckets[{index}].days_to", "must not lie below days_from")
            next_from = bucket.days_to + 1
    if len({bucket.name for bucket in buckets}) != len(buckets):
        raise BadPolicy("buckets", "names must differ")


def _check_risk(risk: RiskScore) -> None:
    if risk.high_from <= risk.medium_from:
        raise BadPolicy("risk.high_from", "must lie above medium_from")
    for index, rule in enumerate(risk.rules):
        if (rule.measure is None) is (rule.flag is None):
            raise BadPolicy(f"risk.rules[{index}]", "needs either a measure or a flag")
        if (rule.measure is None) is not (rule.at_least is None):
            raise BadPolicy(f"risk.rules[{index}].at_least", "belongs to a measure and to it alone")
    if len({rule.id for rule in risk.rules}) != len(risk.rules):
        raise BadPolicy("risk.rules", "ids must differ")


def _check_ladder(ladder: Sequence[Step]) -> None:
    days = 0
    for index, step in enumerate(ladder):
        if step.treatment not in TREATMENTS[step.stage]:
            known = ", ".join(TREATMENTS[step.stage])
            raise BadPolicy(f"ladder[{index}].treatment", f"{step.stage} knows: {known}")
        if step.days_past_due_min < max(days, 1):
            raise BadPolicy(f"ladder[{index}].days_past_due_min", "must not fall along the ladder")
        if step.overdue_minor_min and DEFAULT_CURRENCY not in step.overdue_minor_min:
            raise BadPolicy(f"ladder[{index}].overdue_minor_min", "needs an entry `default`")
        days = step.days_past_due_min
    if len({step.treatment for step in ladder}) != len(ladder):
        raise BadPolicy("ladder", "treatments must differ")


class PolicyBook:
    """All versions of one policy by their days. Days before the first take the first version:
    older facts are played as well, and a bank that wants another rule for them dates one so."""

    __slots__ = ("_starts", "_versions")

    def __init__(self, policies: Sequence[Policy]) -> None:
        if not policies:
            raise BadPolicy("$", "at least one version is needed")
        ordered = sorted(policies, key=lambda policy: policy.valid_from)
        if len({policy.id for policy in ordered}) > 1:
            raise BadPolicy("id", "must be the same in all versions of a book")
        if len({policy.version for policy in ordered}) != len(ordered):
            raise BadPolicy("version", "must differ between versions")
        for before, after in pairwise(ordered):
            if before.valid_to != after.valid_from:
                raise BadPolicy("valid_to", f"must be {after.valid_from}, where the next begins")
        if ordered[-1].valid_to is not None:
            raise BadPolicy("valid_to", "must be null in the last version")
        self._versions: Final = tuple(ordered)
        self._starts: Final = [policy.valid_from for policy in ordered]

    def on(self, day: date) -> Policy:
        if len(self._versions) == 1:
            return self._versions[0]
        return self._versions[max(bisect_right(self._starts, day) - 1, 0)]
