"""What staff may send to intake. The bounds of each field are here; the rules are the domain's."""

from typing import Literal, TypeAlias

from arrears.shared.http.fields import Body, Code, Day, Words

HoldReason: TypeAlias = Literal["dispute", "hardship", "death", "moratorium", "complaint"]


class HoldBody(Body):
    """Without `until_on` the case is held until it is released."""

    reason: HoldReason
    until_on: Day | None = None
    note: Words | None = None


class ReleaseBody(Body):
    """`hold` names the reason of the one hold that ends; without it all end."""

    reason: Words
    hold: HoldReason | None = None


class ReferBody(Body):
    stage: Literal["contact", "mediation", "legal"]
    treatment: Code
    reason: Words


class ReasonBody(Body):
    reason: Words


class CloseBody(Body):
    """`settled` needs an agreement that was fulfilled."""

    reason: Words
    outcome: Literal["uncollectible", "settled"] = "uncollectible"
