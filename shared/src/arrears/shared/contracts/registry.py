"""Every contract by its wire name, and how to decode one."""

from typing import Final, get_args

from msgspec import Raw, Struct
from msgspec.json import Decoder

from arrears.shared.contracts.contact import ContactContract, StopContract
from arrears.shared.contracts.intake import IntakeContract
from arrears.shared.contracts.legal import LegalContract
from arrears.shared.contracts.mediation import MediationContract
from arrears.shared.contracts.parking import PARKING

_UNIONS: Final = (IntakeContract, ContactContract, StopContract, MediationContract, LegalContract)
CONTRACTS: Final[dict[str, type[Struct]]] = {
    **{contract.WIRE_NAME: contract for union in _UNIONS for contract in get_args(union)},
    **PARKING,
}
_DECODERS: Final = {name: Decoder(contract) for name, contract in CONTRACTS.items()}


def decode_contract(wire_name: str, data: Raw) -> Struct:
    """Raises KeyError for a type that no contract names, msgspec.ValidationError for a bad body."""
    return _DECODERS[wire_name].decode(data)
