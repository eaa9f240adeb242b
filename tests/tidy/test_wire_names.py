"""Wire names are for ever, and contracts say only what their owners really write.

`wire_names.txt` holds every name ever shipped. Adding a name adds a line; a name that is gone from
the code must still be readable, so a line never goes away.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

import arrears.contact.application.publish as contact
import arrears.intake.application.publish as intake
import arrears.legal.application.publish as legal
import arrears.mediation.application.publish as mediation
from arrears.contact.application.react import HEARS as CONTACT_HEARS
from arrears.intake.application.react import HEARS as INTAKE_HEARS
from arrears.legal.application.react import HEARS as LEGAL_HEARS
from arrears.mediation.application.react import HEARS as MEDIATION_HEARS
from arrears.shared.contracts.registry import CONTRACTS

GOLDEN = Path(__file__).parent / "wire_names.txt"
OWN = ("business_day_closed", "input_skipped")
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
def test_a_contract_asks_for_fields_that_its_owner_has(name: str) -> None:
    """Whatever is written, in or out of the run below."""
    owner = next(cls for cls, found in NAMES[name.split(".")[1]].items() if found == name)
    fields = set(getattr(owner, "__struct_fields__"))  # noqa: B009
    missing = set(CONTRACTS[name].__struct_fields__) - fields
    assert not missing
