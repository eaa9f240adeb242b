"""Strategy as data: what a bank does at which days past due, and how it judges its loans."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal, TypeAlias, get_args

from msgspec import Meta, field

from arrears.shared.kernel.money import MINOR_DIGITS
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
RESULTS: Final[dict[str, tuple[str, ...]]] = {
    "contact": ("reached", "unreachable", "stopped"),
    "mediation": ("failed", "breached", "fulfilled", "stopped"),
    "legal": (
        "obeyed",
        "recovered_in_full",
        "recovered_in_part",
        "no_assets",
        "settled",
        "dismissed",
        "not_accepted",
        "withdrawn",
    ),
}
"""How a stage's treatments end."""
TAKEN_BACK: Final = "taken_back"
"""How any of them ends where staff take the case back."""
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
    products: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None


class RiskRule(Checked, frozen=True, kw_only=True):
    """Adds `points` where a measure reaches `at_least`, or where a flag is set."""

    id: Name
    points: Annotated[int, Meta(ge=1, le=100)]
    measure: Measure | None = None
    at_least: Annotated[int, Meta(ge=1, le=10**15)] | None = None
    flag: Flag | None = None


class RiskScore(Checked, frozen=True, kw_only=True):
    medium_from: Annotated[int, Meta(ge=1)]
    high_from: Annotated[int, Meta(ge=1)]
    rules: tuple[RiskRule, ...]


class Grace(Checked, frozen=True, kw_only=True):
    """Arrears begin with one day past due, so a grace below 1 would be none."""

    days_past_due_below: Annotated[int, Meta(ge=2, le=365)]
    episode_max: Annotated[int, Meta(ge=1, le=1_000)]
    risks: Annotated[tuple[Risk, ...], Meta(min_length=1)]


class Step(Checked, frozen=True, kw_only=True):
    """One rung of the ladder. `days_after` counts calendar days from the rung before."""

    treatment: Name
    stage: Stage
    days_past_due_min: Count
    days_after: Annotated[int, Meta(ge=0, le=365)] = 0
    skip_at_risk: tuple[Risk, ...] = ()
    after_results: tuple[Name, ...] = ()
    overdue_minor_min: dict[str, Minor] = field(default_factory=dict)


class Policy(Version, frozen=True, kw_only=True):
    """A rung that was only stopped is taken again, `stopped_again_max` times, and then counts as
    done; stops by a hold or a shield are not counted. Between two times lie
    `stopped_again_after_days`, or the rung's own days where they are more.
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
    _check_classifications(policy.classifications)
    _check_risk(policy.risk)
    _check_ladder(policy.ladder)


def _check_classifications(tables: Sequence[Classification]) -> None:
    for index, table in enumerate(tables):
        tiers = [TIERS.index(row.tier) for row in table.tiers]
        days = [row.days_above for row in table.tiers]
        if tiers != sorted(set(tiers)) or days != sorted(set(days)):
            raise BadPolicy(f"classifications[{index}].tiers", "must rise in tier and in days")
    if len({table.id for table in tables}) != len(tables):
        raise BadPolicy("classifications", "ids must differ")
    if all(table.products is not None for table in tables):
        raise BadPolicy("classifications", "one must be for all products: `products: null`")


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
    points = sum(rule.points for rule in risk.rules)
    if risk.high_from > points:
        raise BadPolicy("risk.high_from", f"all rules together give {points} points")


def _check_ladder(ladder: Sequence[Step]) -> None:
    days = 0
    results: set[str] = set()
    for index, step in enumerate(ladder):
        place = f"ladder[{index}]"
        if step.treatment not in TREATMENTS[step.stage]:
            known = ", ".join(TREATMENTS[step.stage])
            raise BadPolicy(f"{place}.treatment", f"{step.stage} knows: {known}")
        if step.days_past_due_min < max(days, 1):
            raise BadPolicy(f"{place}.days_past_due_min", "must not fall along the ladder")
        if set(step.skip_at_risk) == set(get_args(Risk)):
            raise BadPolicy(f"{place}.skip_at_risk", "must leave a risk")
        if not results.issuperset(step.after_results):
            known = ", ".join(sorted(results)) or "none"
            raise BadPolicy(f"{place}.after_results", f"the rungs before may end as: {known}")
        _check_floors(step, f"{place}.overdue_minor_min")
        days = step.days_past_due_min
        results.update(RESULTS[step.stage], (TAKEN_BACK,))
    if len({step.treatment for step in ladder}) != len(ladder):
        raise BadPolicy("ladder", "treatments must differ")


def _check_floors(step: Step, field_name: str) -> None:
    floors = step.overdue_minor_min.keys()
    if floors and DEFAULT_CURRENCY not in floors:
        raise BadPolicy(field_name, "needs an entry `default`")
    for currency in sorted(floors - MINOR_DIGITS.keys() - {DEFAULT_CURRENCY}):
        raise BadPolicy(field_name, f"{currency} is no currency that amounts are known in")
