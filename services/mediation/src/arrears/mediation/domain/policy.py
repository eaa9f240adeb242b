"""The bank's rules for talks and plans: dated, versioned data, checked when it is loaded."""

from datetime import time
from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from arrears.shared.kernel.policy import BadPolicy, Checked, EndlessBook, Version, decode_policy

Days = Annotated[int, Meta(ge=1, le=366)]
ClockTime = Annotated[str, Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
"""`"09:00"`, in quotes: YAML reads a bare 09:00 as something else."""
EARLIEST: Final = time(8)
LATEST: Final = time(22)
"""Quiet from 22:00 to 08:00: GB/T 45251-2025 and the CBA guideline of 2026-01-30."""


class WritingHours(Checked, frozen=True, kw_only=True):
    """Invitations leave from `begins_at` (included) to `ends_at` (excluded) of the bank's clock."""

    begins_at: ClockTime = "09:00"
    ends_at: ClockTime = "18:00"

    @property
    def begins(self) -> time:
        return time.fromisoformat(self.begins_at)

    @property
    def ends(self) -> time:
        return time.fromisoformat(self.ends_at)


class InvitationRule(Checked, frozen=True, kw_only=True):
    answer_within_days: Days


class OfferRule(Checked, frozen=True, kw_only=True):
    settle_within_days: Days
    """How long the talks stay open after an answer that cannot become a plan as it stands."""
    discount_percent_max: Annotated[int, Meta(ge=0, le=90)] = 30
    """How far the bank's own offer may lie below what is still owed of the referral's figure."""


class PlanRule(Checked, frozen=True, kw_only=True):
    term_months_max: Annotated[int, Meta(ge=1, le=60)]
    """Card rules art. 70 allow 60 months; a bank may allow less, never more."""
    instalments_max: Annotated[int, Meta(ge=1, le=60)]


class SigningRule(Checked, frozen=True, kw_only=True):
    sign_within_days: Days


class PerformanceRule(Checked, frozen=True, kw_only=True):
    grace_days: Annotated[int, Meta(ge=0, le=60)]
    cure_days: Annotated[int, Meta(ge=0, le=180)]


class Policy(Version, frozen=True, kw_only=True):
    writing_hours: WritingHours = WritingHours()
    invitation: InvitationRule
    offer: OfferRule
    plan: PlanRule
    signing: SigningRule
    performance: PerformanceRule


PolicyBook: TypeAlias = EndlessBook[Policy]


def parse(text: str) -> Policy:
    """Raises BadPolicy with the field and the rule."""
    policy = decode_policy(text, Policy)
    hours = policy.writing_hours
    if hours.begins < EARLIEST:
        raise BadPolicy("writing_hours.begins_at", "must not lie before 08:00: quiet hours by law")
    if hours.ends > LATEST:
        raise BadPolicy("writing_hours.ends_at", "must not lie after 22:00: quiet hours by law")
    if hours.begins >= hours.ends:
        raise BadPolicy("writing_hours", "must end after they begin")
    return policy
