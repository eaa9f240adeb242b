"""The lawyers' list: a docket is kept whenever the court says it."""

import pytest

from arrears.legal.application.projections.case_list import Row, evolve
from arrears.legal.domain.claim.events import ClaimRegistered
from arrears.shared.kernel.ids import BorrowerId, CaseId, LoanKey

CASE, LOAN = CaseId("case-1"), LoanKey("loan-1@/core-banking/test")


@pytest.mark.parametrize(("before", "after"), [("filed", "registered"), ("judged", "judged")])
def test_a_docket_moves_a_claim_on_and_never_back(before: str, after: str) -> None:
    row = Row(
        case_id=CASE,
        loan_key=LOAN,
        borrower_id=BorrowerId("borrower-1"),
        status=before,
        currency="CNY",
        total_minor=100_000,
        expires_on=None,
    )
    said = ClaimRegistered(case_id=CASE, loan_key=LOAN, docket="d-1", gateway="sandbox")
    found = evolve(row, said)
    assert found is not None
    assert (found.status, found.docket) == (after, "d-1")
