"""Bucket, five-tier class and risk: every boundary of the default policy, on both sides."""

from datetime import date

import pytest

from arrears.intake.adapters.policies import load_policies
from arrears.intake.domain.assessment import Assessor, Conduct, Verdict

ASSESSOR = Assessor(load_policies().on(date(2026, 3, 2)))


def verdict(
    days: int = 1,
    overdue_minor: int = 100_000,
    product: str = "loan",
    episode: int = 1,
    conduct: Conduct | None = None,
) -> Verdict:
    return ASSESSOR.verdict(days, overdue_minor, product, episode, conduct or Conduct())


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (0, "M0"),
        (1, "M1"),
        (30, "M1"),
        (31, "M2"),
        (60, "M2"),
        (61, "M3"),
        (90, "M3"),
        (91, "M4"),
        (120, "M4"),
        (121, "M5"),
        (150, "M5"),
        (151, "M6"),
        (180, "M6"),
        (181, "M7"),
        (36_000, "M7"),
    ],
)
def test_buckets_have_both_ends_in_the_table(days: int, bucket: str) -> None:
    assert verdict(days).bucket == bucket


@pytest.mark.parametrize(
    ("days", "loan", "credit_card"),
    [
        (0, "normal", "normal"),
        (1, "special_mention", "special_mention"),
        (90, "special_mention", "special_mention"),
        (91, "substandard", "substandard"),
        (120, "substandard", "substandard"),
        (121, "substandard", "doubtful"),
        (180, "substandard", "doubtful"),
        (181, "substandard", "loss"),
        (270, "substandard", "loss"),
        (271, "doubtful", "loss"),
        (360, "doubtful", "loss"),
        (361, "loss", "loss"),
    ],
)
def test_a_card_takes_the_worse_of_two_tables(days: int, loan: str, credit_card: str) -> None:
    assert verdict(days, product="loan").five_tier_class == loan
    assert verdict(days, product="credit_card").five_tier_class == credit_card


RISKS: list[tuple[Verdict, str, int, tuple[str, ...]]] = [
    (verdict(29), "low", 0, ()),
    (verdict(30), "low", 1, ("dpd_30",)),
    (verdict(59), "low", 1, ("dpd_30",)),
    (verdict(60), "medium", 2, ("dpd_30", "dpd_60")),
    (verdict(89), "medium", 2, ("dpd_30", "dpd_60")),
    (verdict(90), "high", 4, ("dpd_30", "dpd_60", "dpd_90")),
    (verdict(overdue_minor=4_999_999), "low", 0, ()),
    (verdict(overdue_minor=5_000_000), "low", 1, ("large_amount",)),
    (verdict(episode=2), "low", 1, ("repeated_arrears",)),
    (verdict(episode=9), "low", 1, ("repeated_arrears",)),
    (verdict(conduct=Conduct(refused=True)), "medium", 2, ("refused",)),
    (verdict(conduct=Conduct(unreachable=True)), "low", 1, ("unreachable",)),
    (verdict(conduct=Conduct(promises_broken=3)), "low", 1, ("promise_broken",)),
    (verdict(conduct=Conduct(agreement_breached=True)), "medium", 2, ("agreement_breached",)),
    (
        verdict(30, 5_000_000, episode=2, conduct=Conduct(unreachable=True)),
        "high",
        4,
        ("dpd_30", "large_amount", "repeated_arrears", "unreachable"),
    ),
]


@pytest.mark.parametrize(("found", "risk", "score", "reasons"), RISKS)
def test_the_risk_is_a_sum_of_points_with_its_reasons(
    found: Verdict, risk: str, score: int, reasons: tuple[str, ...]
) -> None:
    assert (found.risk, found.score, found.reasons) == (risk, score, reasons)


def test_a_remembered_verdict_is_the_verdict() -> None:
    """The shortcut by thresholds gives for every day what a fresh look gives."""
    for days in range(400):
        fresh = Assessor(load_policies().on(date(2026, 3, 2)))
        assert verdict(days, product="credit_card") == fresh.verdict(
            days, 100_000, "credit_card", 1
        )


def test_products_of_a_hostile_feed_do_not_fill_the_memory() -> None:
    small = Assessor(load_policies().on(date(2026, 3, 2)))
    for number in range(Assessor.SEEN_MAX + 10):
        small.verdict(40, 1, f"product-{number}", 1)
    assert len(small._seen) <= Assessor.SEEN_MAX
