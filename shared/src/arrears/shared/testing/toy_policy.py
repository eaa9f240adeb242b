"""A policy of one rule, for tests of what all policies have."""

from datetime import date

from arrears.shared.kernel.policy import Checked, Version


class Grace(Checked, frozen=True, kw_only=True):
    days: int


class Policy(Version, frozen=True, kw_only=True):
    grace: Grace


def version(
    number: int, begins: str, ends: str | None = None, *, days: int = 5, name: str = "test"
) -> Policy:
    """`begins` and `ends` are ISO days, both included."""
    return Policy(
        id=name,
        version=number,
        valid_from=date.fromisoformat(begins),
        valid_until=date.fromisoformat(ends) if ends else None,
        sources=("bank practice",),
        grace=Grace(days=days),
    )
