"""Time zones by name, the same on every machine."""

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_OF_A_MACHINE: Final = frozenset({"localtime", "posixrules"})
"""Names that mean another zone on every machine."""


@lru_cache(maxsize=1024)
def zone_named(name: str | None) -> ZoneInfo | None:
    """The zone of an IANA name; None where the name is unknown or no name at all."""
    if not name or name in _OF_A_MACHINE:
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None  # A folder of the zone database, such as `Asia`, is an OSError.
