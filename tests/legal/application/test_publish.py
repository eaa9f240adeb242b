"""Every fact has its wire name, survives the wire, and holds what others rely on."""

from datetime import date
from typing import get_args

import msgspec
import pytest

from arrears.legal.application.publish import WIRE_NAMES, subject_of
from arrears.legal.domain.claim.events import ClaimEnded, ClaimEvent, FilingRefused
from arrears.legal.domain.claim.suit_events import (
    ClaimFiled,
    EnforcementClosed,
    JudgmentEntered,
    JudgmentObeyed,
)
from arrears.legal.domain.gate import GateInputs
from arrears.shared.contracts.legal import LegalContract
from arrears.shared.contracts.registry import decode_contract
from arrears.shared.kernel.ids import CaseId, LoanKey

CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")
INPUTS = GateInputs(
    today=date(2026, 3, 2),
    demand_delivered_on=None,
    total_minor=100,
    currency="CNY",
    limitation_expires_on=date(2029, 3, 2),
    approval_from_minor=None,
    approved=False,
    despite_limitation=False,
    agreement_in_force=False,
    held=False,
)
SAID: list[ClaimEvent] = [
    FilingRefused(
        case_id=CASE,
        loan_key=LOAN,
        missing=("demand_delivered",),
        inputs=INPUTS,
        policy_id="cn-legal",
        policy_version=1,
    ),
    ClaimFiled(
        case_id=CASE,
        loan_key=LOAN,
        claim_minor=100,
        currency="CNY",
        court_fee_minor=None,
        filed_on=date(2026, 3, 2),
        inputs=INPUTS,
        policy_id="cn-legal",
        policy_version=1,
    ),
    JudgmentEntered(
        case_id=CASE,
        loan_key=LOAN,
        awarded_minor=100,
        currency="CNY",
        judged_on=date(2026, 4, 10),
        obey_by_on=date(2026, 4, 25),
        apply_by_on=date(2028, 4, 25),
        recorded_by=None,
        policy_id="cn-legal",
        policy_version=1,
    ),
    JudgmentObeyed(case_id=CASE, loan_key=LOAN, paid_minor=100, awarded_minor=100, currency="CNY"),
    EnforcementClosed(
        case_id=CASE,
        loan_key=LOAN,
        result="no_assets",
        recovered_minor=0,
        unpaid_minor=100,
        currency="CNY",
        recorded_by=None,
    ),
    ClaimEnded(
        case_id=CASE, loan_key=LOAN, result="withdrawn", reason="papers missing", recorded_by=None
    ),
]


def test_every_event_is_named_once() -> None:
    assert set(WIRE_NAMES) == set(get_args(ClaimEvent))
    assert len(set(WIRE_NAMES.values())) == len(WIRE_NAMES)


def test_names_say_the_service_the_fact_and_a_version() -> None:
    for event, name in WIRE_NAMES.items():
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in event.__name__)[1:]
        assert name == f"arrears.legal.{snake}.v1"


def test_every_contract_is_among_what_we_say() -> None:
    promised = {contract.WIRE_NAME for contract in get_args(LegalContract)}
    assert promised == {WIRE_NAMES[type(event)] for event in SAID}


@pytest.mark.parametrize("event", SAID)
def test_a_contract_decodes_from_what_we_really_write(event: ClaimEvent) -> None:
    data = msgspec.json.encode(event)
    said = decode_contract(WIRE_NAMES[type(event)], msgspec.Raw(data))
    for field in said.__struct_fields__:
        ours, theirs = getattr(event, field), getattr(said, field)
        assert msgspec.to_builtins(theirs) == msgspec.to_builtins(ours)
    assert msgspec.json.decode(data, type=type(event)) == event


def test_the_subject_is_the_case() -> None:
    assert subject_of(SAID[0]) == CASE
