"""What the kernel of every service tells of a borrower whose input waits for staff (protocol 2.5).

Each service says it on its own topic, so each has wire names of its own for the same two bodies.
"""

from typing import Final

from msgspec import Struct

_SERVICES: Final = ("intake", "contact", "mediation", "legal")


class InputParked(Struct, frozen=True, kw_only=True):
    """Our own code failed on an input: what follows of the borrower waits for staff."""

    origin: str


class InputReleased(Struct, frozen=True, kw_only=True):
    """Nothing of the borrower is parked any more; `retried` inputs are handled from here on."""

    retried: int


def parked_type(service: str) -> str:
    return f"arrears.{service}.input_parked.v1"


def released_type(service: str) -> str:
    return f"arrears.{service}.input_released.v1"


PARKING: Final[dict[str, type[Struct]]] = {
    **{parked_type(service): InputParked for service in _SERVICES},
    **{released_type(service): InputReleased for service in _SERVICES},
}
