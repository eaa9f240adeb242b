"""Reports: which day they are about, what they ask, how they say what is wrong."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from arrears.cli.main import app

ROW: dict[str, Any] = {
    "case_id": "c-1",
    "loan_key": "loan-1@/bank",
    "borrower_id": "b-1",
    "status": "open",
    "stage": "contact",
    "bucket": "M2",
    "days_past_due": 45,
    "overdue_minor": 123456,
    "balance_minor": 500000,
    "currency": "CNY",
    "opened_on": "2024-05-01",
    "closed_reason": None,
}
STORY: dict[str, Any] = {
    "loan_key": "loan-1@/bank",
    "case_ids": ["c-1"],
    "as_of": "2024-06-30",
    "language": "en",
    "lines": [
        {"on": "2024-05-01", "service": "intake", "what": "Case opened", "why": "first arrears"},
        {"on": "2024-05-02", "service": "contact", "what": "Call planned", "why": None},
    ],
}


def arrears(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


class TestDay:
    def test_without_a_wish_it_is_the_last_closed_day_and_it_is_printed(self, canned: Any) -> None:
        canned.answers["/portfolio"] = {"loans_seen": 3, "total_repaid": "1.00"}
        said = json.loads(arrears("portfolio", "--json").stdout)
        assert said == {"as_of": "2024-06-30", "loans_seen": 3, "total_repaid": "1.00"}
        assert ("GET", "/portfolio", {"as_of": "2024-06-30"}, None) in canned.asked

    def test_a_day_that_does_not_close_in_time_names_who_is_behind(self, canned: Any) -> None:
        canned.answers["/days"]["services"]["contact"] = "2024-06-29"
        result = arrears("portfolio", "--as-of", "2024-07-01", "--wait", "0")
        assert result.exit_code == 1
        assert "contact (2024-06-29)" in result.stderr

    def test_under_the_wall_clock_cases_and_histories_are_of_now_and_figures_of_a_day(
        self, canned: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ARREARS_CLOCK", "live")
        canned.answers["/cases/c-1/history"] = {**STORY, "as_of": None}
        canned.answers["/cases"] = {"cases": [ROW], "next_after": None}
        canned.answers["/portfolio"] = {"loans_seen": 3}
        assert json.loads(arrears("history", "c-1", "--json").stdout)["as_of"] is None
        assert "as of now" in arrears("case", "list").stdout
        assert not [path for _, path, asked, _ in canned.asked if "as_of" in asked]
        assert json.loads(arrears("portfolio", "--json").stdout)["as_of"] == "2024-06-30"

    def test_a_day_that_is_no_day_is_wrong_use(self, canned: Any) -> None:
        assert arrears("portfolio", "--as-of", "2024-13-01").exit_code == 2


class TestPortfolio:
    def test_amounts_in_several_currencies_get_a_row_each(self, canned: Any) -> None:
        canned.answers["/portfolio"] = {"total_repaid": {"CNY": "1.00", "JPY": "7"}}
        said = arrears("portfolio").stdout
        assert "total_repaid CNY   1.00" in said
        assert "total_repaid JPY      7" in said


class TestReport:
    @pytest.mark.parametrize(
        ("asked", "aside"), [((), "13"), (("--as-of", "2024-06-30"), "13"),
                             (("--as-of", "2024-06-29"), None)]
    )  # fmt: skip
    def test_what_is_set_aside_now_is_not_said_of_an_earlier_day(
        self, canned: Any, asked: tuple[str, ...], aside: str | None
    ) -> None:
        canned.answers["/status"] = {"refused": 13}
        canned.answers["/report"] = {"as_of": "2024-06-29"}
        canned.answers["/cases"] = {"cases": [ROW], "next_after": None}
        assert json.loads(arrears("report", *asked, "--json").stdout)["currency"] == "CNY"
        [query] = [query for _, path, query, _ in canned.asked if path == "/report"]
        assert query.get("facts_set_aside") == aside


class TestCases:
    def test_pages_are_joined_until_the_limit(self, canned: Any) -> None:
        canned.answers["/cases"] = {"cases": [ROW] * 2, "next_after": "c-1"}
        said = json.loads(arrears("case", "list", "--limit", "3", "--json").stdout)
        assert len(said["cases"]) == 4
        assert said["more"]
        pages = [query for _, path, query, _ in canned.asked if path == "/cases"]
        assert pages == [{"limit": "3"}, {"after": "c-1", "limit": "1"}]

    def test_the_table_has_money_with_its_currency(self, canned: Any) -> None:
        canned.answers["/cases"] = {"cases": [ROW], "next_after": None}
        said = arrears("case", "list", "--stage", "contact").stdout
        assert "1234.56 CNY" in said
        assert "as of 2024-06-30" in said


class TestHistory:
    def test_a_case_id_is_asked_as_a_case(self, canned: Any) -> None:
        canned.answers["/cases/c-1/history"] = STORY
        said = arrears("history", "c-1").stdout
        assert "Case opened" in said
        assert "first arrears" in said

    def test_a_loan_is_found_by_its_id_alone(self, canned: Any) -> None:
        canned.answers["/cases"] = {"cases": [ROW], "next_after": None}
        canned.answers["/loans/loan-1@/bank/history"] = STORY
        canned.answers["/loans/loan-1@%2Fbank/history"] = STORY
        assert json.loads(arrears("history", "loan-1", "--json").stdout)["case_ids"] == ["c-1"]
        [asked] = [query for _, path, query, _ in canned.asked if path == "/cases"]
        assert asked["loan_id"] == "loan-1"

    def test_what_nobody_spoke_of_is_named(self, canned: Any) -> None:
        canned.answers["/cases"] = {"cases": [], "next_after": None}
        result = arrears("history", "nobody")
        assert result.exit_code == 1
        assert "'nobody'" in result.stderr

    @pytest.mark.parametrize(
        "wish", [("--status", "over"), ("--stage", "court"), ("--bucket", "9")]
    )
    def test_what_no_case_can_be_is_wrong_use(self, canned: Any, wish: tuple[str, str]) -> None:
        result = arrears("case", "list", *wish)
        assert result.exit_code == 2
        assert wish[0] in result.stderr
        assert not canned.asked


class TestExport:
    def test_the_file_is_whole_and_its_hash_is_told(self, canned: Any, checkout: Path) -> None:
        canned.answers["/export"] = b'{"a":1}\n{"b":2}\n'
        said = json.loads(arrears("export", "out.jsonl", "--json").stdout)
        written = (checkout / "out.jsonl").read_bytes()
        assert written == canned.answers["/export"]
        assert said["sha256"] == sha256(written).hexdigest()
        assert said["lines"] == 2

    def test_an_export_that_fails_leaves_no_file(self, canned: Any, checkout: Path) -> None:
        canned.answers["/export"] = (504, {"detail": "not closed yet"})
        assert arrears("export", "out.jsonl").exit_code == 1
        assert not list(checkout.glob("out.jsonl*"))


class TestTrouble:
    def test_a_service_that_is_away_is_named_with_what_to_do(
        self, checkout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ARREARS_HISTORY_URL", "http://127.0.0.1:9")
        result = arrears("digest")
        assert result.exit_code == 1
        assert "history does not answer at http://127.0.0.1:9" in result.stderr
        assert "arrears up" in result.stderr

    @pytest.mark.parametrize("address", ["ftp://there", "http://li:secret@127.0.0.1:9"])
    def test_an_address_of_another_kind_is_wrong_use(
        self, checkout: Path, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        """A password has no place in it: it would be said with the address."""
        monkeypatch.setenv("ARREARS_HISTORY_URL", address)
        result = arrears("digest")
        assert result.exit_code == 2
        assert "ARREARS_HISTORY_URL" in result.stderr
        assert "secret" not in result.stderr

    def test_a_service_that_does_not_exist_is_wrong_use(self, canned: Any) -> None:
        result = arrears("rebuild", "accounting", "--from", "store")
        assert result.exit_code == 2
        assert "accounting" in result.stderr
