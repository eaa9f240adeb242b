"""How often one person may be disturbed: what is counted, and against which limit.

An attempt whose outcome is not known counts as connected, and a dialled number that cannot be told
apart from the one in question counts as that one: where there is doubt, the count is higher.
"""

from collections.abc import Collection, Iterable
from datetime import date
from zoneinfo import ZoneInfo

from arrears.contact.domain.policy import ConnectedLimit
from arrears.contact.domain.quiet_hours import local_day
from arrears.contact.domain.values import Contact


def connected_on(
    day: date, contacts: Iterable[Contact], zone: ZoneInfo, limit: ConnectedLimit
) -> int:
    """Contacts of the day that connected, or may have."""
    return sum(
        contact.may_have_connected
        and contact.channel in limit.channels
        and local_day(contact.at, zone) == day
        for contact in contacts
    )


def unanswered_on(
    day: date, number: str, contacts: Iterable[Contact], zone: ZoneInfo, known: Collection[str]
) -> int:
    """Dials of the number on the day that nobody answered.

    `known` are the person's present numbers. A number that is no longer among them was sealed
    anew, perhaps; only a number that stands beside ours in the same profile is surely another.
    """
    others = {other for other in known if other != number}
    return sum(
        contact.channel == "call"
        and contact.outcome == "no_answer"
        and contact.number not in others
        and local_day(contact.at, zone) == day
        for contact in contacts
    )
