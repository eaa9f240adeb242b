"""Refused and parked input: seen, named, retried, and skipped with a reason."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from arrears.cli.main import app

REFUSED = {
    "number": 1,
    "origin": "corebanking.loans.v1/0/5",
    "reason": "nothing_owed",
    "field": "overdue.total",
    "borrower_id": "b-1",
    "day": "2024-05-01",
    "refused_at": "2024-05-01T00:00:00Z",
    "bytes": 400,
}
PARKED = {
    "number": 1,
    "borrower_id": "b/1",
    "shard": 3,
    "error": "KeyError",
    "origin": "o",
    "day": "2024-05-01",
    "parked_at": "2024-05-01T00:00:00Z",
    "waiting": 2,
}


def arrears(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


class TestRefused:
    def test_the_list_counts_by_reason_and_goes_on_behind_the_first_page(self, canned: Any) -> None:
        counts = [{"reason": "nothing_owed", "field": "overdue.total", "count": 2}]
        canned.answers["/refused/counts"] = {"items": counts}
        canned.answers["/refused"] = {"items": [REFUSED], "next": 1}
        said = json.loads(arrears("refused", "list", "--limit", "2", "--json").stdout)
        assert said["counts"] == counts
        assert len(said["items"]) == 2
        asked = [query["after"] for _, path, query, _ in canned.asked if path == "/refused"]
        assert asked == ["0", "1"]

    def test_one_is_shown_with_its_text_for_a_purpose(self, canned: Any) -> None:
        canned.answers["/refused/1"] = REFUSED
        canned.answers["/refused/1/read"] = {**REFUSED, "text": "the line"}
        assert "nothing_owed" in arrears("refused", "show", "1").stdout
        shown = arrears("refused", "show", "1", "--purpose", "asked by the bank")
        assert "the line" in shown.stdout
        assert canned.asked[-1][3] == {"purpose": "asked by the bank"}

    def test_a_number_that_is_not_there_exits_1(self, canned: Any) -> None:
        assert arrears("refused", "show", "99").exit_code == 1


@pytest.mark.parametrize("token", ["s3cr3t\n", " s3cr3t"])
def test_a_token_with_a_line_end_is_the_token(
    canned: Any, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("ARREARS_API_TOKEN", token)
    canned.answers["/refused/1"] = REFUSED
    assert arrears("refused", "show", "1").exit_code == 0
    assert canned.headers[-1]["Authorization"] == "Bearer s3cr3t"


@pytest.mark.parametrize("token", ["s3cr3t\nX: y", "s3cr3t two", "s\u00e93cr3t"])
def test_what_is_no_token_is_wrong_use_and_not_repeated(
    canned: Any, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("ARREARS_API_TOKEN", token)
    result = arrears("refused", "show", "1")
    assert result.exit_code == 2
    assert "ARREARS_API_TOKEN: may have" in result.stderr
    assert "3cr3t" not in result.output


class TestParked:
    def test_all_stages_are_asked(self, canned: Any) -> None:
        canned.answers["/parked"] = {"items": []}
        assert "nothing is parked" in arrears("parked", "list").stdout
        assert len(canned.asked) == 4

    def test_retry_is_a_command_with_a_key_and_a_name(self, canned: Any) -> None:
        canned.answers["/parked"] = {"items": [PARKED]}
        canned.answers["/parked/b%2F1/retry"] = {}
        result = arrears("parked", "retry", "b/1", "--service", "contact")
        assert result.exit_code == 0, result.stderr
        assert canned.asked[-1][:2] == ("POST", "/parked/b%2F1/retry")
        assert len(canned.headers[-1]["Idempotency-Key"]) == 32
        assert canned.headers[-1]["X-Staff-Id"]

    def test_skip_names_the_input_and_the_reason_which_must_not_be_empty(self, canned: Any) -> None:
        canned.answers["/parked"] = {"items": [PARKED]}
        canned.answers["/parked/b%2F1/skip"] = {}
        by = ("--approved-by", "wang", "--service", "contact")
        assert arrears("parked", "skip", "b/1", "--reason", " ", *by).exit_code == 2
        result = arrears("parked", "skip", "b/1", "--reason", "agreed", *by)
        assert result.exit_code == 0, result.stderr
        wanted = {"origin": "o", "reason": "agreed", "approved_by": "wang"}
        assert canned.asked[-1][3] == wanted

    def test_a_borrower_parked_in_several_services_must_be_told_apart(self, canned: Any) -> None:
        canned.answers["/parked"] = {"items": [PARKED]}
        result = arrears("parked", "retry", "b/1")
        assert result.exit_code == 2
        assert "--service" in result.stderr

    def test_an_unknown_borrower_is_named(self, canned: Any) -> None:
        canned.answers["/parked"] = {"items": []}
        result = arrears("parked", "show", "nobody")
        assert result.exit_code == 1
        assert "nobody" in result.stderr
