"""Suits in the figures: what the court was not asked for was not filed."""

from datetime import date

import pytest

from arrears.history.domain.portfolio.cases import CaseBook
from arrears.history.domain.portfolio.reads import OfCase, WithReason

FEB = date(2024, 2, 20)
CASE = OfCase(case_id="case-1")


@pytest.mark.parametrize(
    ("said", "count", "sued"),
    [
        (["filed"], 1, True),
        (["filed", "news"], 0, False),
        (["filed", "not_allowed"], 0, False),
        (["filed", "news", "filed"], 1, True),
        (["filed", "filed", "news"], 1, True),
        # A person has entered what came of it: it was filed by hand.
        (["filed", "overtaken"], 1, True),
    ],
)
def test_a_filing_that_was_withheld_is_no_suit(said: list[str], count: int, *, sued: bool) -> None:
    book = CaseBook()
    book.breached(FEB, CASE)
    for one in said:
        if one == "filed":
            book.filed(FEB, CASE)
        else:
            book.not_filed(FEB, WithReason(case_id="case-1", reason=one))
    assert book.counts["claims_filed"] == count
    assert book.cases["case-1"].was_sued_after_breach == sued
