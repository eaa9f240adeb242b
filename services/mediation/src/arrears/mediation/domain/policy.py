"""The bank's rules for talks and plans: dated, versioned data, checked when it is loaded."""

from typing import Annotated, TypeAlias

from msgspec import Meta

from arrears.shared.kernel.policy import Checked, EndlessBook, Version, decode_policy

Days = Annotated[int, Meta(ge=1, le=366)]


class InvitationRule(Checked, frozen=True, kw_only=True):
    answer_within_days: Days


class OfferRule(Checked, frozen=True, kw_only=True):
    """How long the talks stay open after an answer that cannot become a plan as it stands."""

    settle_within_days: Days


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
    invitation: InvitationRule
    offer: OfferRule
    plan: PlanRule
    signing: SigningRule
    performance: PerformanceRule


PolicyBook: TypeAlias = EndlessBook[Policy]


def parse(text: str) -> Policy:
    """Raises BadPolicy with the field and the rule."""
    return decode_policy(text, Policy)
