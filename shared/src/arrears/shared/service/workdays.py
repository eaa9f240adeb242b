"""Which days the country works: public holidays, with the weekends that are worked for them."""

from datetime import date

import holidays

from arrears.shared.kernel.bad_setting import BadSetting
from arrears.shared.kernel.business_day import IsWorkday


def workdays_of(country: str = "CN") -> IsWorkday:
    """`country` is an ISO 3166 code. Raises BadSetting for one whose holidays are not known.

    A year whose make-up days are not announced yet is reckoned without them.
    """
    days = _holidays_of(country)
    known: dict[date, bool] = {}

    def is_workday(day: date) -> bool:
        found = known.get(day)
        if found is None:
            found = known[day] = days.is_working_day(day)
        return found

    return is_workday


def announced_until(country: str = "CN") -> int | None:
    """The last year whose make-up days are known; None where the country has none to announce.

    Raises BadSetting like `workdays_of`.
    """
    days = _holidays_of(country)
    if not days.has_substituted_holidays:
        return None
    return max(getattr(days, "special_public_holidays", {}), default=None)


def _holidays_of(country: str) -> holidays.HolidayBase:
    try:
        return holidays.country_holidays(country)
    except NotImplementedError as error:
        rule = f"the public holidays of {country!r} are not known"
        raise BadSetting("ARREARS_COUNTRY", rule) from error
