"""`arrears feed`: the same seed gives the same file; a dry run sends nothing; wrong use exits 2."""

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from arrears.cli.main import app


def arrears(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def made(name: str, *more: str) -> Result:
    return arrears("feed", "generate", "--loans", "60", "--months", "4", "--out", name, *more)


class TestGenerate:
    def test_the_same_seed_gives_the_same_file_byte_for_byte(self, checkout: Path) -> None:
        assert made("a.jsonl.gz").exit_code == made("b.jsonl.gz").exit_code == 0
        assert (checkout / "a.jsonl.gz").read_bytes() == (checkout / "b.jsonl.gz").read_bytes()
        made("c.jsonl.gz", "--seed", "8")
        assert (checkout / "a.jsonl.gz").read_bytes() != (checkout / "c.jsonl.gz").read_bytes()

    def test_plain_and_packed_hold_the_same_lines(self, checkout: Path) -> None:
        made("a.jsonl.gz")
        made("a.jsonl")
        packed = gzip.decompress((checkout / "a.jsonl.gz").read_bytes())
        assert packed == (checkout / "a.jsonl").read_bytes()

    @pytest.mark.parametrize(
        ("option", "value"), [("--loans", "0"), ("--months", "-1"), ("--special", "dull")]
    )
    def test_a_setting_out_of_range_is_named(self, checkout: Path, option: str, value: str) -> None:
        result = arrears("feed", "generate", "--out", "x.jsonl", option, value)
        assert result.exit_code == 2
        assert option.strip("-") in result.stderr
        assert not list(checkout.glob("x.jsonl*"))

    def test_the_dirty_facts_belong_to_no_special_feed(self, checkout: Path) -> None:
        result = arrears("feed", "generate", "--out", "x", "--special", "one-loan", "--dirty")
        assert result.exit_code == 2
        assert "dirty" in result.stderr
        assert not (checkout / "x").exists()

    def test_a_folder_that_is_not_there_is_named(self, checkout: Path) -> None:
        result = made("nowhere/x.jsonl")
        assert result.exit_code == 2
        assert "--out" in result.stderr


class TestImport:
    def test_a_dry_run_counts_and_names_bad_lines(self, checkout: Path) -> None:
        made("a.jsonl")
        with (checkout / "a.jsonl").open("ab") as out:
            out.write(b"rubbish\n")
        lines = (checkout / "a.jsonl").read_bytes().splitlines()
        said = json.loads(arrears("feed", "import", "a.jsonl", "--dry-run", "--json").stdout)
        assert said["lines"] == len(lines)
        assert [one["line"] for one in said["bad_lines"]] == [len(lines)]
        assert sum(said["days"].values()) == len(lines) - 1

    @pytest.mark.parametrize("name", ["nothing.jsonl", "."])
    def test_what_is_no_file_is_wrong_use(self, checkout: Path, name: str) -> None:
        result = arrears("feed", "import", name)
        assert result.exit_code == 2
        assert "FILE" in result.stderr

    def test_a_file_that_breaks_off_is_named(self, checkout: Path) -> None:
        made("a.jsonl.gz")
        whole = (checkout / "a.jsonl.gz").read_bytes()
        (checkout / "half.jsonl.gz").write_bytes(whole[: len(whole) // 2])
        result = arrears("feed", "import", "half.jsonl.gz", "--dry-run")
        assert result.exit_code == 2
        assert "ends in the middle" in result.stderr


class TestExpect:
    def test_the_figures_are_those_of_a_second_reading(self, checkout: Path) -> None:
        made("a.jsonl")
        said = json.loads(arrears("feed", "expect", "a.jsonl", "--json").stdout)
        text = (checkout / "a.jsonl").read_bytes()
        assert said["overdue_facts"] == text.count(b'"corebanking.loan.overdue.v1"')

    @pytest.mark.parametrize(
        "said",
        [
            {
                "type": "corebanking.loan.repayment_received.v1",
                "time": "2024-01-01T04:00:00Z",
                "data": {"loan_id": "l", "repayment_id": "r", "amount": "1E+30", "currency": "CNY"},
            },
            {
                "type": "corebanking.loan.cured.v1",
                "time": "9999-12-31T23:00:00Z",
                "data": {"loan_id": "l", "as_of_date": "2024-01-01", "days_past_due": 0},
            },
        ],
    )
    def test_an_amount_and_a_time_that_nothing_holds_are_wrong_use(
        self, checkout: Path, said: dict[str, object]
    ) -> None:
        line = {"specversion": "1.0", "id": "1", "source": "/a", **said}
        (checkout / "a.jsonl").write_text(json.dumps(line) + "\n")
        result = arrears("feed", "expect", "a.jsonl")
        assert result.exit_code == 2, result.output
        assert "is no clean feed" in result.stderr
