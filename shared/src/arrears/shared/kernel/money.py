"""Money as integer minor units with an ISO 4217 currency, parsed exactly from decimal strings."""

import re
from typing import Final

MINOR_DIGITS: Final = {
    "TWD": 2, "CNY": 2, "USD": 2, "EUR": 2, "GBP": 2, "INR": 2, "SGD": 2, "HKD": 2, "AUD": 2,
    "CAD": 2, "CHF": 2, "THB": 2, "MYR": 2, "PHP": 2, "IDR": 2, "ZAR": 2, "BRL": 2, "MXN": 2,
    "SEK": 2, "NOK": 2, "DKK": 2, "PLN": 2, "CZK": 2, "NZD": 2, "AED": 2, "SAR": 2, "KES": 2,
    "NGN": 2, "TRY": 2, "RUB": 2, "PKR": 2, "BDT": 2, "LKR": 2, "EGP": 2, "MAD": 2, "HUF": 2,
    "RON": 2, "ILS": 2, "COP": 2, "PEN": 2, "MOP": 2, "UAH": 2, "KZT": 2, "GHS": 2, "TZS": 2,
    "JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "PYG": 0, "UGX": 0, "RWF": 0, "ISK": 0, "XAF": 0,
    "XOF": 0, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3, "IQD": 3, "LYD": 3,
}  # fmt: skip
"""Decimal places of each currency (ISO 4217, list one). An unknown currency is refused."""

AMOUNT_MINOR_MAX: Final = 10**15
_DECIMAL: Final = re.compile(r"(-?)(\d{1,18})(?:\.(\d{1,6}))?\Z", re.ASCII)


class BadAmount(ValueError):
    """`reason`: not_a_number, too_many_decimals, out_of_range or unknown_currency."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_minor(text: str, currency: str) -> int:
    """`"1170.50"` in CNY is 117050. Exact: decimals beyond the currency's must be 0."""
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        raise BadAmount("unknown_currency")
    found = _DECIMAL.match(text)
    if found is None:
        raise BadAmount("not_a_number")
    sign, whole, fraction = found.groups(default="")
    if fraction[digits:].strip("0"):
        raise BadAmount("too_many_decimals")
    minor = int(whole + fraction[:digits].ljust(digits, "0"))
    if minor > AMOUNT_MINOR_MAX:
        raise BadAmount("out_of_range")
    return -minor if sign else minor


def format_minor(amount_minor: int, currency: str) -> str:
    """117050 in CNY is `"1170.50"`: the inverse of `parse_minor`."""
    digits = MINOR_DIGITS[currency]
    sign = "-" if amount_minor < 0 else ""
    text = str(abs(amount_minor)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"
