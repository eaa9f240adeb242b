"""Laws 6, 7 and 9: what a rebuild says is read whole, and another digest is another history."""

import json
from collections.abc import AsyncIterator, Callable, Collection
from hashlib import sha256
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from arrears.cli.deep import check, rebuilds
from arrears.cli.deep import digest as law_9
from arrears.cli.deep.digest import Digest
from arrears.cli.deep.findings import NAMED_MAX, Finding, Place, Report
from arrears.cli.deep.reading import read_event
from arrears.cli.deep.tables import Tables
from arrears.history.domain.digest import Canonical

Found = Callable[[Report], dict[int, list[Finding]]]
NOTHING = sha256().hexdigest()
EQUAL = {"service": "contact", "events": 6, "timers": 2, "rows": 3, "differences": 0, "places": []}


def judged(service: str, source: rebuilds.Source, *answer: Any) -> Report:
    report = Report()
    rebuilds.judge(service, source, answer, report)
    return report


def test_a_rebuild_that_equals_the_service(found: Found) -> None:
    report = judged("contact", "store", 0, json.dumps(EQUAL), "")
    assert not found(report)
    assert report.laws[6].counts == {
        "services": 1,
        "events": 6,
        "timers": 2,
        "rows of projections": 3,
    }


@pytest.mark.parametrize(
    ("source", "lag", "says"),
    [
        ("store", {"rows": 0, "not_compared": 16}, "contact: 16 shards of projections"),
        ("store", {"not_compared": 1}, "contact: 1 shards of projections"),
        ("kafka", {"timers": 0, "unpublished": 2}, "contact: 2 events not published yet"),
    ],
)
def test_what_lags_is_no_damage_and_not_checked(
    source: rebuilds.Source, lag: dict[str, int], says: str
) -> None:
    report = judged("contact", source, 0, json.dumps({**EQUAL, **lag}), "")
    law = rebuilds.LAW_OF[source]
    assert report.holds
    assert report.laws[law].verdict == "not checked"
    assert says in report.laws[law].counted()
    assert (report.not_checked, report.exit_code) == ([law], 3)
    rebuilds.judge("legal", source, (1, json.dumps({**EQUAL, "differences": 1}), ""), report)
    assert report.laws[law].verdict == "broken"
    assert (report.not_checked, report.exit_code) == ([], 1)


def test_a_forgotten_timer_and_more_than_is_named(found: Found) -> None:
    forgotten = "timer of contact.borrower-1: None, rebuilt 2024-01-05 00:00:00+00:00"
    answer = {**EQUAL, "differences": 3, "places": [forgotten]}
    report = judged("contact", "kafka", 1, json.dumps(answer), "")
    broken = found(report)[7]
    assert report.laws[7].finding_count == 3
    assert broken[0].place.service == "contact"
    assert forgotten in broken[0].text
    assert "and 2 more" in broken[1].text


def test_a_history_that_differs(found: Found) -> None:
    lost = {
        "kind": "missing",
        "place": "rebuilt",
        "service": "intake",
        "shard": 3,
        "seq": 7,
        "stream": None,
        "version": None,
        "says": "number 7 is missing",
    }
    answer = {
        "equal": False,
        "event_count": 6,
        "case_count": 2,
        "breaks": [lost],
        "events": [{"service": "intake", "shard": 3, "seq": 7, "only_in": "live"}],
        "cases": ["case-1"],
        "loans": ["loan-1"],
    }
    broken = found(judged("history", "store", 1, json.dumps(answer), ""))[6]
    assert broken[0].place == Place("history", "rebuilt", 3, 7)
    assert "only live has it" in broken[1].text
    assert "row of case case-1" in broken[2].text
    assert "borrower of loan loan-1" in broken[3].text


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((1, "", "Traceback\nValueError: seq 3 is wrong"), "ValueError: seq 3 is wrong"),
        ((-9, "", ""), "it said nothing"),
        ((1, json.dumps(EQUAL), ""), "ends with 1 and names nothing"),
    ],
)
def test_a_rebuild_that_did_not_end_well(
    found: Found, answer: tuple[int, str, str], says: str
) -> None:
    assert says in found(judged("contact", "kafka", *answer))[7][0].text


# --- The digest


def canonical(shelf: Any, skipped: Collection[str] = ()) -> str:
    """The digest by the history's own code."""
    canon = Canonical(skipped=frozenset(skipped), up_to=None)
    for row in shelf.rows:
        event = read_event(row.value)
        rows = [(event.subject, 1, row.stream, row.version, row.type, row.value)]
        for _ in canon.chunks(rows):
            pass
    return canon.result().sha256


def digest_of(shelf: Any, skipped: Collection[str] = ()) -> Digest:
    digest = Digest(skipped)
    for row in shelf.rows:
        digest.event("contact", read_event(row.value))
    return digest


def test_the_digest_is_that_of_the_history(shelf: Any) -> None:
    shelf.rows.sort(key=lambda row: (row.stream, row.version))
    shelf.says("business_day_closed", stream="contact.shard-00", subject="shard")
    shelf.says(
        "promise_made", {"text": 'a "quoted" \u4e2d\u2028\x7f word', "list": [{"sealed": "x"}]}
    )
    shelf.says("promise_kept", actor="staff", stream="contact.borrower-7")
    shelf.says("promise_made", {"sealed": "s1.abc", "n": None}, stream="contact.borrower-7")
    shelf.says("promise_made", subject="case-2", stream="contact.borrower-7")
    digest = digest_of(shelf)
    assert digest.hex() == canonical(shelf)
    assert digest.event_count == 9


def test_a_borrower_whose_input_was_skipped_is_outside_of_both(shelf: Any) -> None:
    whole = digest_of(shelf).event_count
    shelf.says("promise_made", subject="case-2", stream="contact.borrower-7", partitionkey="7")
    digest = digest_of(shelf, {"7"})
    assert digest.event_count == whole
    assert digest.hex() == canonical(shelf, {"7"})


def test_another_digest_is_named(shelf: Any, found: Found) -> None:
    digest = digest_of(shelf)
    report = Report()
    law_9.judge(digest, "2024-01-02", digest.hex().upper(), report)
    assert report.laws[9].verdict == "holds"
    law_9.judge(digest, "2024-01-02", "0" * 64, report)
    assert found(report)[9][0].text.endswith("expected is " + "0" * 64)


def test_without_another_run_the_law_is_not_checked(shelf: Any) -> None:
    report = Report()
    law_9.judge(digest_of(shelf), "2024-01-02", None, report)
    assert report.laws[9].verdict == "not checked"
    assert (report.holds, report.exit_code) == (True, 0)


class OneDay:
    """A history that has closed 2 January 2024 everywhere, or no day."""

    def __init__(self, closed: str | None) -> None:
        self._closed = closed

    async def closed_everywhere(self, _shelf_count: int) -> str | None:
        return self._closed

    async def skipped(self, _up_to: str) -> set[str]:
        return set()

    async def canonical(self, _up_to: str) -> AsyncIterator[list[tuple[int, bytes]]]:
        yield []


@pytest.mark.parametrize(
    ("closed", "as_of", "expected", "verdict", "code", "says"),
    [
        ("2024-01-02", "2024-01-01", None, "not checked", 0, "up to 2024-01-01: "),
        ("2024-01-02", "2024-01-02", NOTHING, "holds", 0, "up to 2024-01-02: "),
        ("2024-01-02", None, NOTHING, "holds", 0, "up to 2024-01-02: "),
        ("2024-01-02", "2024-01-03", None, "not checked", 3, "2024-01-03 is not closed everywhere"),
        ("2024-01-02", "2024-01-03", NOTHING, "broken", 1, "2024-01-03 is not closed everywhere"),
        (None, "2024-01-03", NOTHING, "broken", 1, "the last day that is: none yet"),
    ],
)
async def test_a_day_that_is_not_closed_has_no_digest(
    closed: str | None, as_of: str | None, expected: str | None, verdict: str, code: int, says: str
) -> None:
    report = Report()
    wanted = check.Wanted(
        databases={},
        zone=ZoneInfo("UTC"),
        kafka={},
        rebuild=None,
        expected_digest=expected,
        as_of=as_of,
    )
    await check.judge_digest(wanted, cast("Tables", OneDay(closed)), report, lambda _line: None)
    law = report.laws[9]
    assert (law.verdict, report.exit_code) == (verdict, code)
    assert says in " ".join([*law.remarks, *(finding.text for finding in law.findings)])


def test_of_many_findings_the_first_are_named_and_all_counted() -> None:
    report = Report()
    for _ in range(NAMED_MAX + 5):
        report.say(1, Place("intake"), "broken")
    report.say(1, Place("contact"), "broken")
    assert len(report.laws[1].findings) == NAMED_MAX + 1
    assert report.laws[1].finding_count == NAMED_MAX + 6
    assert report.laws[1].verdict == "broken"
    assert not report.holds
