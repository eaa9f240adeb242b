"""Every fact has one wire name, and what others rely on decodes from what we write."""

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from arrears.contact.application.publish import WIRE_NAMES, subject_of
from arrears.contact.domain.borrower.events import (
    BorrowerEvent,
    ContactPointsRecorded,
)
from arrears.contact.domain.borrower.promise_events import PromiseBroken
from arrears.contact.domain.values import PromiseId
from arrears.shared.contracts.contact import ContactContract, StopContract
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

_WORDS = ("result", "kind", "scope")  # One of ours for us, any text for others.
BY_WIRE_NAME = {name: event for event, name in WIRE_NAMES.items()}


def test_every_event_is_published_under_a_name_of_its_own() -> None:
    assert set(WIRE_NAMES) == set(get_args(BorrowerEvent))
    assert len(BY_WIRE_NAME) == len(WIRE_NAMES)
    assert all(name.startswith("arrears.contact.") for name in BY_WIRE_NAME)


@pytest.mark.parametrize("contract", [*get_args(ContactContract), *get_args(StopContract)])
def test_every_contract_is_a_part_of_one_of_our_events(contract: type[msgspec.Struct]) -> None:
    """Same field, same type or that one or none: an event of ours decodes as the contract."""
    event = BY_WIRE_NAME[contract.WIRE_NAME]  # type: ignore[attr-defined]
    ours = {field.name: field for field in msgspec.structs.fields(event)}
    for field in msgspec.structs.fields(contract):
        assert field.name in ours, f"{event.__name__} lacks {field.name}"
        theirs, mine = field.type, ours[field.name].type
        same = _plain(mine) == _plain(theirs) or field.name in _WORDS
        assert same or theirs == mine | None


def _plain(of: object) -> object:
    """A NewType is written as what it stands for."""
    return getattr(of, "__supertype__", of)


def test_an_event_is_about_its_case_and_a_profile_about_the_person() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    broken = PromiseBroken(
        case_id=CaseId("c"), loan_key=LoanKey("l"), promise_id=PromiseId("p"), judged_at=at
    )
    assert subject_of(broken) == "c"
    profile = ContactPointsRecorded(
        borrower_id=BorrowerId("b"),
        points=(),
        zone=None,
        language=None,
        origin="bank",
        recorded_at=at,
    )
    assert subject_of(profile) is None
