"""A dry run counts, and names the lines that no consumer could read."""

import io
import json
from typing import Any

import pytest

from arrears.cli.feed.generate import generate
from arrears.cli.feed.importer_dry import dry_run, what_is_wrong
from arrears.cli.feed.importing import survey
from arrears.cli.feed.lines import Line, read_lines
from arrears.shared.kernel.business_day import BankCalendar

CALENDAR = BankCalendar("Asia/Shanghai")
GOOD = next(line for line in generate(7, 100, 4) if b"loan.overdue" in line)


def spoilt(path: str, value: Any) -> Line:
    event = json.loads(GOOD)
    *way, last = path.split(".")
    inner = event
    for name in way:
        inner = inner[name]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return Line(number=1, value=json.dumps(event).encode())


class TestWhatIsWrong:
    def test_every_generated_line_is_right(self) -> None:
        lines = [Line(number=1, value=value) for value in generate(7, 50, 6)]
        assert [what_is_wrong(line) for line in lines] == [None] * len(lines)

    @pytest.mark.parametrize(
        ("path", "value", "says"),
        [
            ("id", None, "missing required field `id`"),
            ("data.loan_id", None, "missing required field `loan_id`"),
            ("data.days_past_due", "many", "days_past_due"),
            ("data.currency", "XXX", "data.currency: 'XXX' is not a currency"),
            ("data.overdue.total", "-1.00", "data.overdue.total: '-1.00' is negative"),
            ("data.overdue.total", "1 yuan", "data.overdue.total: '1 yuan' not a number"),
            ("data.overdue.total", "1.005", "data.overdue.total: '1.005' too many decimals"),
            ("type", "some.other.v1", "type: 'some.other.v1' is not a fact that intake knows"),
            ("data.due_date", "2024-13-01", "due_date"),
        ],
    )
    def test_it_names_field_and_rule(self, path: str, value: Any, says: str) -> None:
        assert says in str(what_is_wrong(spoilt(path, value)))

    def test_it_names_what_is_no_json_and_what_is_too_long(self) -> None:
        assert "JSON" in str(what_is_wrong(Line(number=1, value=b"{oops")))
        assert "900,000" in str(what_is_wrong(Line(number=1, value=b"{}", too_long=True)))


class TestDryRun:
    def test_it_counts_by_type_and_day_and_numbers_the_bad_lines(self) -> None:
        good = list(generate(7, 100, 4))
        far = spoilt("time", "2205-01-01T00:00:00Z").value
        text = b"\n".join([*good[:5], b"rubbish", far, *good[5:]])
        lines = list(read_lines(io.BytesIO(text)))
        found = dry_run(lines, survey(lines, CALENDAR), CALENDAR)
        assert [one.line for one in found.bad_lines] == [6, 7]
        assert "far away" in found.bad_lines[1].says
        assert sum(found.days.values()) == len(good)
        assert found.far == 1
        assert found.days_to_close == (max(found.days) - min(found.days)).days + 1
