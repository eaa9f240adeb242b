"""The lawyers' list: what it shows of a claim."""

import pytest

from arrears.legal.application.projections.case_list import Row, evolve
from arrears.legal.domain.claim.events import ClaimRegistered, ClaimReturned
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")


def row(status: str) -> Row:
    return Row(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BorrowerId("borrower-1"),
        status=status,
        missing=("demand_delivered",) if status == "refused" else (),
        currency="CNY",
        total_minor=100_000,
        expires_on=None,
    )


@pytest.mark.parametrize(("before", "after"), [("refused", "returned"), ("judged", "judged")])
def test_a_return_shows_where_nothing_is_filed_yet(before: str, after: str) -> None:
    found = evolve(row(before), ClaimReturned(case_id=CASE, loan_key=LOAN, result="taken_back"))
    assert found is not None
    assert (found.status, found.missing) == (after, ())


@pytest.mark.parametrize(("before", "after"), [("filed", "registered"), ("judged", "judged")])
def test_a_docket_moves_a_claim_on_and_never_back(before: str, after: str) -> None:
    said = ClaimRegistered(case_id=CASE, loan_key=LOAN, docket="d-1", gateway="sandbox")
    found = evolve(row(before), said)
    assert found is not None
    assert (found.status, found.docket) == (after, "d-1")
