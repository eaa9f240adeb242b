"""What staff may send to intake. The bounds of each field are here; the rules are the domain's."""

from typing import Literal

from arrears.shared.http.fields import Body, Code, Day, Words


class HoldBody(Body):
    """Without `until_on` the case is held until it is released."""

    reason: Literal["dispute", "hardship", "death", "moratorium", "complaint"]
    until_on: Day | None = None
    note: Words | None = None


class ReferBody(Body):
    stage: Literal["contact", "mediation", "legal"]
    treatment: Code
    reason: Words


class ReasonBody(Body):
    reason: Words
