"""What collectors may send. The bounds of each field are here; the rules are the domain's."""

from arrears.shared.http.fields import AmountMinor, Body, Currency, Day, Words


class PromiseBody(Body):
    amount_minor: AmountMinor
    currency: Currency
    due_on: Day


class HardshipBody(Body):
    """The borrower is shielded until somebody looks at it again, on `review_on` at the latest."""

    review_on: Day


class StopBody(Body):
    """`until_on` is the last day of the stop; without it only a resumption lifts it."""

    reason: Words
    until_on: Day | None = None


class ResumeBody(Body):
    reason: Words
