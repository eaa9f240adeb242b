"""Erasing: nothing without `--yes`, and then the certificate."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from arrears.cli.main import app

WHY = ("--basis", "asked for", "--approved-by", "wang")
CERTIFICATE = {
    "borrower_id": "b/1",
    "categories": ["contact", "papers"],
    "basis": "asked for",
    "erased_by": "li",
    "approved_by": "wang",
    "erased_at": "2024-05-01T00:00:00Z",
    "event_id": "e-1",
}


def erase(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["borrower", "erase", "b/1", *WHY, *arguments])


@pytest.mark.parametrize(
    ("statuses", "count"), [([], 0), (["closed"], 0), (["open", "held", "closed"], 2)]
)
def test_without_yes_it_is_told_and_not_done(canned: Any, statuses: list[str], count: int) -> None:
    cases = [{"status": status} for status in statuses]
    canned.answers["/cases"] = {"cases": cases, "next_after": None}
    result = erase()
    assert result.exit_code == 0
    assert "With --yes it is done" in result.stdout
    assert f"Open cases of it: {count}" in result.stdout
    assert ("nobody could be reached" in result.stdout) == bool(count)
    said = {"borrower_id": "b/1", "erased": False, "open_cases": count}
    assert json.loads(erase("--json").stdout) == said
    asked = ("GET", "/cases", {"borrower_id": "b/1", "limit": "1000"}, None)
    assert canned.asked == [asked, asked]


def test_with_yes_the_certificate_is_printed(canned: Any) -> None:
    canned.answers["/borrowers/b%2F1/erase"] = CERTIFICATE
    assert json.loads(erase("--yes", "--json").stdout) == CERTIFICATE
    assert canned.asked[-1][3] == {"basis": "asked for", "approved_by": "wang"}
    shown = erase("--yes").stdout
    assert "contact, papers" in shown
    assert "not reached" in shown


def test_a_refusal_exits_1(canned: Any) -> None:
    refusal = {"detail": "The approver is the one who asks.", "reason": "same_person"}
    canned.answers["/borrowers/b%2F1/erase"] = (409, refusal)
    result = erase("--yes")
    assert result.exit_code == 1
    assert "same_person" in result.stderr
