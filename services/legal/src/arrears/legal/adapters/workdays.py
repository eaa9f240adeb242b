"""Which days the country works: public holidays, with the weekends that are worked for them."""

from collections.abc import Callable
from datetime import date

import holidays


def workdays_of(country: str = "CN") -> Callable[[date], bool]:
    """`country` is an ISO 3166 code. Raises ValueError for one whose holidays are not known.

    A year whose make-up days are not announced yet is reckoned without them.
    """
    try:
        days = holidays.country_holidays(country)
    except NotImplementedError as error:
        raise ValueError(f"country {country!r}: its public holidays are not known") from error
    known: dict[date, bool] = {}

    def is_workday(day: date) -> bool:
        found = known.get(day)
        if found is None:
            found = known[day] = days.is_working_day(day)
        return found

    return is_workday
