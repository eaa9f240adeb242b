"""How bad it is: bucket, five-tier class and risk, each from a table of the policy.

The class is the worst of all tables that apply to the product. The risk is a sum of points with
the rules that gave them: an automated verdict must be explained on request.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

from arrears.intake.domain.policy import TIERS, Classification, Policy, RiskRule


class Conduct(NamedTuple):
    """What the stages have told of the borrower in this episode."""

    refused: bool = False
    promises_broken: int = 0
    unreachable: bool = False
    agreement_breached: bool = False


class Verdict(NamedTuple):
    bucket: str
    five_tier_class: str
    risk: str
    score: int
    reasons: tuple[str, ...]


NOTHING_KNOWN: Final = Conduct()


class Assessor:
    """The tables of one policy, laid out for the path that every fact takes.

    A verdict depends only on which thresholds are reached, so it is worked out once for each
    combination and looked up from then on.
    """

    __slots__ = ("_days_edges", "_episode_max", "_minor_edges", "_policy", "_seen")

    SEEN_MAX: Final = 20_000

    def __init__(self, policy: Policy) -> None:
        rules = policy.risk.rules
        self._policy = policy
        self._days_edges = _edges(
            [bucket.days_from for bucket in policy.buckets]
            + [row.days_above + 1 for table in policy.classifications for row in table.tiers]
            + _thresholds(rules, "days_past_due")
        )
        self._minor_edges = _edges(_thresholds(rules, "overdue_minor"))
        self._episode_max = max(_thresholds(rules, "episode"), default=1)
        self._seen: dict[tuple[int, int, str, int, Conduct], Verdict] = {}

    def verdict(
        self,
        days_past_due: int,
        overdue_minor: int,
        product: str,
        episode: int,
        conduct: Conduct = NOTHING_KNOWN,
    ) -> Verdict:
        key = (
            bisect_right(self._days_edges, days_past_due),
            bisect_right(self._minor_edges, overdue_minor),
            product,
            min(episode, self._episode_max),
            conduct,
        )
        found = self._seen.get(key)
        if found is None:
            # Products are free text of the feed, so what is remembered has a bound.
            if len(self._seen) >= self.SEEN_MAX:
                self._seen.clear()
            found = self._judge(days_past_due, overdue_minor, product, episode, conduct)
            self._seen[key] = found
        return found

    def _judge(
        self, days_past_due: int, overdue_minor: int, product: str, episode: int, conduct: Conduct
    ) -> Verdict:
        policy = self._policy
        days = max(days_past_due, 0)
        bucket = max(
            (row for row in policy.buckets if row.days_from <= days), key=lambda row: row.days_from
        )
        tier = max(
            _tier_of(table, days)
            for table in policy.classifications
            if table.products is None or product in table.products
        )
        reached = {
            "days_past_due": days_past_due,
            "overdue_minor": overdue_minor,
            "episode": episode,
            "promises_broken": conduct.promises_broken,
        }
        hits = [rule for rule in policy.risk.rules if _hits(rule, reached, conduct)]
        score = sum(rule.points for rule in hits)
        return Verdict(
            bucket=bucket.name,
            five_tier_class=TIERS[tier],
            risk=_risk(score, policy),
            score=score,
            reasons=tuple(rule.id for rule in hits),
        )


def _tier_of(table: Classification, days: int) -> int:
    return max((TIERS.index(row.tier) for row in table.tiers if days > row.days_above), default=0)


def _risk(score: int, policy: Policy) -> str:
    if score >= policy.risk.high_from:
        return "high"
    return "medium" if score >= policy.risk.medium_from else "low"


def _hits(rule: RiskRule, reached: dict[str, int], conduct: Conduct) -> bool:
    if rule.measure is not None and rule.at_least is not None:
        return reached[rule.measure] >= rule.at_least
    match rule.flag:
        case "refused":
            return conduct.refused
        case "unreachable":
            return conduct.unreachable
        case "agreement_breached":
            return conduct.agreement_breached
        case None:
            return False


def _thresholds(rules: Iterable[RiskRule], measure: str) -> list[int]:
    return [
        rule.at_least for rule in rules if rule.measure == measure and rule.at_least is not None
    ]


def _edges(values: Iterable[int]) -> list[int]:
    return sorted(set(values))
