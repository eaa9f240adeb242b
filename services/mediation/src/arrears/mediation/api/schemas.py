"""What mediators may send. The bounds of each field are here; the rules are the domain's."""

from typing import Annotated, Literal

from pydantic import Field

from arrears.shared.http.fields import AmountMinor, Body, Currency, Day

INSTALMENTS_MAX = 240


class InstalmentBody(Body):
    due_on: Day
    amount_minor: AmountMinor


class OfferBody(Body):
    """The instalments add up to the settlement."""

    settlement_minor: AmountMinor
    currency: Currency
    instalments: Annotated[
        tuple[InstalmentBody, ...], Field(min_length=1, max_length=INSTALMENTS_MAX)
    ]


class SignatureBody(Body):
    """Who has signed; an agreement is in force when both have."""

    by: Literal["borrower", "bank"]
