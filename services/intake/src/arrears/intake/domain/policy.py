"""Strategy as data: what a bank does at which days past due, and how it judges its loans."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, field

from arrears.shared.kernel.policy import BadPolicy, Checked, EndlessBook, Version, decode_policy

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


class Bucket(Checked, frozen=True, kw_only=True):
    """Days past due from `days_from` to `days_to`, both included; the last has no end."""

    name: Annotated[str, Meta(pattern="^M[0-9]{1,2}$")]
    days_from: Count
    days_to: Count | None


class TierAbove(Checked, frozen=True, kw_only=True):
    """More than `days_above` days past due are at least this tier."""

    tier: Tier
    days_above: Count


class Classification(Checked, frozen=True, kw_only=True):
    """A five-tier table of a regulator. `products` None: all. `in_force_from` is the source's."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    source: Annotated[str, Meta(min_length=1)]
    in_force_from: date
    tiers: Annotated[tuple[TierAbove, ...], Meta(min_length=1)]
    products: tuple[str, ...] | None = None


class RiskRule(Checked, frozen=True, kw_only=True):
    """Adds `points` where a measure reaches `at_least`, or where a flag is set."""

    id: Name
    points: Annotated[int, Meta(ge=1, le=100)]
    measure: Measure | None = None
    at_least: Minor | None = None
    flag: Flag | None = None


class RiskScore(Checked, frozen=True, kw_only=True):
    medium_from: Annotated[int, Meta(ge=1)]
    high_from: Annotated[int, Meta(ge=1)]
    rules: tuple[RiskRule, ...]


class Grace(Checked, frozen=True, kw_only=True):
    days_past_due_below: Count
    episode_max: Count
    risks: tuple[Risk, ...]


class Step(Checked, frozen=True, kw_only=True):
    """One rung of the ladder. `days_after` counts calendar days from the rung before."""

    treatment: Name
    stage: Stage
    days_past_due_min: Count
    days_after: Count = 0
    skip_at_risk: tuple[Risk, ...] = ()
    after_results: tuple[Name, ...] = ()
    overdue_minor_min: dict[str, Minor] = field(default_factory=dict)


class Policy(Version, frozen=True, kw_only=True):
    """A rung that was only stopped is taken again, `stopped_again_max` times, and then counts as
    done. Between two times lie `stopped_again_after_days`, or the rung's own days where they are
    more.
    """

    allocation: tuple[Part, ...]
    buckets: Annotated[tuple[Bucket, ...], Meta(min_length=1)]
    classifications: Annotated[tuple[Classification, ...], Meta(min_length=1)]
    risk: RiskScore
    ladder: Annotated[tuple[Step, ...], Meta(min_length=1)]
    grace: Grace | None = None
    stopped_again_after_days: Annotated[int, Meta(ge=1, le=365)] = 7
    stopped_again_max: Annotated[int, Meta(ge=0, le=10)] = 2

    def rung_of(self, treatment: str) -> int:
        """Place in the ladder; -1 for a treatment that this version does not know."""
        for index, step in enumerate(self.ladder):
            if step.treatment == treatment:
                return index
        return -1


PolicyBook: TypeAlias = EndlessBook[Policy]


def parse(text: str) -> Policy:
    """Raises BadPolicy with the field and the rule."""
    policy = decode_policy(text, Policy)
    _check(policy)
    return policy


def _check(policy: Policy) -> None:
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
