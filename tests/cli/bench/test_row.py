"""The arithmetic of the table, and which rows `.local/bench.json` keeps."""

from pathlib import Path

import pytest
from msgspec.json import decode

from arrears.cli.bench.row import Pair, Row, beside, keep, left_out, merged, percentile


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


def test_a_new_row_takes_the_place_of_its_name_and_others_stay() -> None:
    kept = [Row("a", 1.0, "s"), Row("b", 2.0, "s")]
    found = merged(kept, [Row("c", 3.0, "s"), Row("a", 4.0, "s")])
    assert [(row.name, row.value) for row in found] == [("a", 4.0), ("b", 2.0), ("c", 3.0)]


def test_the_file_is_made_and_then_added_to(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    keep(file, [Row("a", 1.0, "s", must="<= 30")])
    keep(file, [left_out("b", "no data")])
    rows = decode(file.read_bytes(), type=list[Row])
    assert rows == [Row("a", 1.0, "s", must="<= 30"), left_out("b", "no data")]
    assert rows[1].value is None
