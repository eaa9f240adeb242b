"""Every fact has its wire name, survives the wire, and holds what others rely on."""

from datetime import UTC, date, datetime
from typing import get_args

import msgspec
import pytest

from arrears.mediation.application.publish import WIRE_NAMES, subject_of
from arrears.mediation.domain.mediation.events import (
    AgreementBreached,
    AgreementFulfilled,
    AgreementSigned,
    MediationClosed,
    MediationEvent,
    MediationFailed,
)
from arrears.mediation.domain.plan import Instalment
from arrears.mediation.testing.case import CASE, LOAN
from arrears.shared.contracts.mediation import MediationContract
from arrears.shared.contracts.registry import decode_contract

SAID: list[MediationEvent] = [
    AgreementSigned(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        settlement_minor=100,
        instalments=(Instalment(due_on=date(2026, 4, 1), amount_minor=100),),
        currency="CNY",
        signed_at=datetime(2026, 3, 2, tzinfo=UTC),
    ),
    AgreementFulfilled(
        case_id=CASE, loan_key=LOAN, round=1, paid_minor=100, surplus_minor=0, currency="CNY"
    ),
    AgreementBreached(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        instalment_index=0,
        paid_minor=0,
        unpaid_minor=100,
        currency="CNY",
        policy_id="cn-mediation",
        policy_version=1,
    ),
    MediationFailed(
        case_id=CASE,
        loan_key=LOAN,
        round=1,
        reason="no_answer",
        detail=None,
        policy_id="cn-mediation",
        policy_version=1,
    ),
    MediationClosed(case_id=CASE, loan_key=LOAN, round=1, reason="nothing_owed"),
]


def test_every_event_is_named_once() -> None:
    assert set(WIRE_NAMES) == set(get_args(MediationEvent))
    assert len(set(WIRE_NAMES.values())) == len(WIRE_NAMES)


def test_names_say_the_service_the_fact_and_a_version() -> None:
    for event, name in WIRE_NAMES.items():
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in event.__name__)[1:]
        assert name == f"arrears.mediation.{snake}.v1"


def test_every_contract_is_among_what_we_say() -> None:
    promised = {contract.WIRE_NAME for contract in get_args(MediationContract)}
    assert promised == {WIRE_NAMES[type(event)] for event in SAID}


@pytest.mark.parametrize("event", SAID)
def test_a_contract_decodes_from_what_we_really_write(event: MediationEvent) -> None:
    data = msgspec.json.encode(event)
    said = decode_contract(WIRE_NAMES[type(event)], msgspec.Raw(data))
    for field in said.__struct_fields__:
        ours, theirs = getattr(event, field), getattr(said, field)
        assert msgspec.to_builtins(theirs) == msgspec.to_builtins(ours)
    assert msgspec.json.decode(data, type=type(event)) == event


def test_the_subject_is_the_case() -> None:
    assert subject_of(SAID[0]) == CASE
