"""Wire names are for ever, and contracts say only what their owners really write.

`wire_names.txt` holds every name ever shipped. Adding a name adds a line; a name that is gone from
the code must still be readable, so a line never goes away.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import pytest
from msgspec import Struct

import arrears.contact.application.publish as contact
import arrears.intake.application.publish as intake
import arrears.legal.application.publish as legal
import arrears.mediation.application.publish as mediation
from arrears.contact.application.react import HEARS as CONTACT_HEARS
from arrears.intake.application.react import HEARS as INTAKE_HEARS
from arrears.legal.application.react import HEARS as LEGAL_HEARS
from arrears.mediation.application.react import HEARS as MEDIATION_HEARS
from arrears.shared.contracts.registry import CONTRACTS
from arrears.shared.kernel.ids import BorrowerId, CaseId
from arrears.shared.runtime.stage import InputParked, InputReleased

GOLDEN = Path(__file__).parent / "wire_names.txt"
OWN = (
    "business_day_closed",
    "input_parked",
    "input_released",
    "input_skipped",
    "doubt_settled",
    "personal_data_read",
    "personal_data_erased",
)
TOLD = {"input_parked": InputParked, "input_released": InputReleased}
"""What the kernel of every service tells the others."""
NAMES: Mapping[str, Mapping[type, str]] = {
    "intake": intake.WIRE_NAMES,
    "contact": contact.WIRE_NAMES,
    "mediation": mediation.WIRE_NAMES,
    "legal": legal.WIRE_NAMES,
}
HEARD = {
    "intake": INTAKE_HEARS,
    "contact": CONTACT_HEARS,
    "mediation": MEDIATION_HEARS,
    "legal": LEGAL_HEARS,
}


def written_names() -> set[str]:
    return {
        name
        for service, names in NAMES.items()
        for name in (*names.values(), *(f"arrears.{service}.{noun}.v1" for noun in OWN))
    }


def test_no_name_that_was_shipped_is_gone_and_every_new_one_is_noted() -> None:
    golden = GOLDEN.read_text().split()
    assert golden == sorted(set(golden)), "the list is sorted and names each once"
    assert set(golden) == written_names()


def test_a_name_is_of_its_service_and_of_one_event() -> None:
    counts = Counter(name for names in NAMES.values() for name in names.values())
    assert max(counts.values()) == 1
    for service, names in NAMES.items():
        for name in names.values():
            prefix, owner, noun, version = name.split(".")
            assert (prefix, owner) == ("arrears", service)
            assert noun == noun.lower()
            assert version.startswith("v")


def test_a_contract_is_of_an_event_that_its_owner_writes() -> None:
    assert set(CONTRACTS) <= written_names()


@pytest.mark.parametrize("service", NAMES)
def test_a_service_hears_contracts_of_others_only(service: str) -> None:
    for name in HEARD[service]:
        assert name in CONTRACTS
        assert name.split(".")[1] != service


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_a_contract_decodes_from_whatever_its_owner_writes(name: str) -> None:
    """Field by field: the owner has it, and all that it may hold is what the contract expects."""
    _, service, noun, _ = name.split(".")
    owner = TOLD.get(noun) or next(cls for cls, found in NAMES[service].items() if found == name)
    assert is_read_by(CONTRACTS[name], owner)


def is_read_by(contract: Any, owner: Any) -> bool:
    """Whether every value of the owner's type, written as JSON, is one of the contract's type."""
    contract, owner = _bare(contract), _bare(owner)
    if get_origin(owner) is Literal:
        return all(isinstance(value, contract) for value in get_args(owner))
    if isinstance(owner, type) and issubclass(owner, Struct) and issubclass(contract, Struct):
        asked, written = get_type_hints(contract), get_type_hints(owner)
        return all(
            field in written and is_read_by(asked[field], written[field])
            for field in contract.__struct_fields__
        )
    if get_origin(owner) is tuple:
        return is_read_by(get_args(contract)[0], get_args(owner)[0])
    if _is_union(owner) or _is_union(contract):
        asked_for = get_args(contract) or (contract,)
        return all(
            any(is_read_by(one, arm) for one in asked_for) for arm in get_args(owner) or (owner,)
        )
    return bool(contract is owner)


def _is_union(hint: Any) -> bool:
    """`str | None` is a UnionType; with a NewType in it Python makes a typing.Union."""
    return get_origin(hint) in (Union, UnionType)


def _bare(hint: Any) -> Any:
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    return hint


@pytest.mark.parametrize(
    ("contract", "owner", "fits"),
    [
        (str, Literal["a", "b"], True),
        (int, Literal["a"], False),
        (str | None, str, True),
        (str, str | None, False),
        (tuple[str, ...], tuple[BorrowerId, ...], True),
        (tuple[str, ...], tuple[int, ...], False),
        (CaseId | None, CaseId | None, True),
        (CaseId, CaseId | None, False),
    ],
)
def test_the_comparison_of_types_can_fail(contract: Any, owner: Any, fits: bool) -> None:
    assert is_read_by(contract, owner) is fits
