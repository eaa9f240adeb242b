"""The arithmetic of the table, and which rows `.local/bench.json` keeps."""

from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from msgspec.json import decode
from typer.testing import CliRunner

from arrears.cli.bench import command
from arrears.cli.bench.row import (
    Pair,
    Row,
    beside,
    failed,
    keep,
    left_out,
    merged,
    percentile,
    signed,
)
from arrears.cli.main import app

THEN = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 3, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("share", "wanted"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, wanted: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], share) == wanted


def test_the_slowest_of_a_hundred_is_not_in_p99_but_two_of_them_are() -> None:
    assert percentile([1.0] * 99 + [9.0], 0.99) == 1.0
    assert percentile([1.0] * 98 + [9.0] * 2, 0.99) == 9.0


def test_the_ratio_is_that_of_a_round_not_of_two_medians() -> None:
    rounds = [Pair(10.0, 100.0), Pair(60.0, 100.0), Pair(50.0, 60.0)]
    row = beside("a", "events/s", rounds, "raw pipe", ">= 0.5")
    assert (row.value, row.ratio) == (50.0, 0.6)
    assert row.beside == "raw pipe 100 events/s, ratios 0.10, 0.60, 0.83"


def lines(rows: list[Row]) -> list[tuple[str, float | None]]:
    return [(row.name, row.value) for row in rows]


def test_new_lines_take_the_place_of_their_measure_and_others_stay() -> None:
    kept = signed([Row("a", 1.0, "s"), Row("a_more", 2.0, "s")], "a", THEN)
    kept += signed([Row("b", 3.0, "s")], "b", THEN)
    found = merged(kept, signed([Row("a", 4.0, "s"), Row("a_other", 5.0, "s")], "a", NOW))
    assert lines(found) == [("a", 4.0), ("a_other", 5.0), ("b", 3.0)]
    assert [row.measured_at for row in found] == [NOW, NOW, THEN]
    assert lines(merged(found, signed([Row("c", 6.0, "s")], "c", NOW)))[-1] == ("c", 6.0)


def test_a_measure_that_fails_leaves_no_old_figure() -> None:
    kept = signed([Row("a", 1.0, "s"), Row("a_more", 2.0, "s")], "a", THEN)
    found = merged(kept, signed([failed("a", TimeoutError("it hung"))], "a", NOW))
    assert lines(found) == [("a", None)]
    assert (found[0].beside, found[0].measured_at) == ("failed: TimeoutError: it hung", NOW)


def test_a_line_of_an_older_file_goes_by_its_name_and_says_no_time() -> None:
    kept = [Row("a", 1.0, "s"), Row("b", 2.0, "s")]
    found = merged(kept, signed([Row("a", 3.0, "s")], "a", NOW))
    assert lines(found) == [("a", 3.0), ("b", 2.0)]
    assert found[1].measured_at is None


def test_the_file_is_made_and_then_added_to(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    file.write_bytes(b'[{"name":"old","value":1.0,"unit":"s","ratio":null,"beside":null}]')
    keep(file, signed([Row("a", 1.0, "s", must="<= 30")], "a", THEN))
    keep(file, signed([left_out("b", "no data")], "b", NOW))
    said = decode(file.read_bytes())
    assert [(one["name"], one["value"], one["unit"]) for one in said] == [
        ("old", 1.0, "s"),
        ("a", 1.0, "s"),
        ("b", None, ""),
    ]
    assert said[1]["measured_at"] == "2026-03-02T20:00:00Z"
    assert {"name", "value", "unit", "ratio", "beside"} <= said[2].keys()


@pytest.mark.parametrize("kept", [True, False])
def test_a_run_goes_on_behind_a_row_that_fails_and_marks_it(
    kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def good(_ground: object) -> list[Row]:
        return [Row("good", 1.0, "s")]

    async def bad(_ground: object) -> list[Row]:
        raise LookupError("there is none")

    (tmp_path / ".local").mkdir()
    file = tmp_path / ".local" / "bench.json"
    keep(file, signed([Row("bad", 9.0, "s"), Row("bad_more", 9.0, "s")], "bad", THEN))
    monkeypatch.setattr(command, "ROWS", {"bad": bad, "good": good})
    monkeypatch.setattr(command, "BenchGround", lambda *_, **__: Mock())
    monkeypatch.setattr(command, "checkout_root", lambda: tmp_path)
    monkeypatch.setattr(command, "end_in_order", lambda: None)
    scale = "1" if kept else "0.5"
    result = CliRunner().invoke(app, ["bench", "--scale", scale, "--json"])
    assert result.exit_code == 1
    assert "failed: bad" in result.stderr
    shown = decode(result.stdout.encode(), type=list[Row])
    assert lines(shown) == [("bad", None), ("good", 1.0)]
    found = decode(file.read_bytes(), type=list[Row])
    assert found == shown if kept else lines(found) == [("bad", 9.0), ("bad_more", 9.0)]
