"""The reference reading of a feed, against the published figures of a real one."""

import gzip
import heapq
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from arrears.cli.feed.expected import expected

DATA = Path(__file__).parents[4] / "shared" / "data" / "uci-taiwan"
NOT_OF_THE_FEED = {"source_rows"}
FEEDS = ["taiwan_every20", "taiwan"]

needs_data = pytest.mark.skipif(
    not (DATA / "taiwan.jsonl.gz").is_file(), reason=f"needs the feed of 2005 in {DATA}"
)


@needs_data
@pytest.mark.parametrize("name", FEEDS)
class TestTheFeedOf2005:
    def test_every_figure_is_the_published_one(self, name: str) -> None:
        got = expected(_lines(name))
        assert {key: got[key] for key in _published(name)} == {
            **_published(name),
            "dirty_facts_to_park": 0,
        }

    def test_with_the_dirty_file_merged_in_only_its_facts_are_refused(self, name: str) -> None:
        merged = heapq.merge(_lines(name), _lines(f"{name}_dirty"), key=_time)
        got = expected(merged)
        assert {key: got[key] for key in _published(name)} == _published(name)


class TestReading:
    def test_a_line_that_comes_twice_counts_once(self) -> None:
        fact = _overdue("2024-01-02", 1, "10.00")
        figures = expected([fact, fact])
        assert (figures["overdue_facts"], figures["duplicates"]) == (1, 1)

    def test_an_overdue_fact_replaces_and_never_adds(self) -> None:
        facts = [_overdue("2024-01-02", 1, "10.00"), _overdue("2024-01-06", 5, "7.50")]
        assert expected(facts)["total_overdue_at_end"] == "7.50"

    @pytest.mark.parametrize(("second_due", "falls"), [("2024-01-01", 0), ("2024-01-05", 1)])
    def test_only_fewer_days_than_before_are_a_decrease(self, second_due: str, falls: int) -> None:
        facts = [
            _overdue("2024-01-06", 5, "9.00"),
            _overdue("2024-01-06", 5, "8.00", ident="corrected"),
            _overdue("2024-01-07", 6 if falls == 0 else 2, "7.00", due=second_due),
        ]
        assert expected(facts)["dpd_decreases_without_cure"] == falls

    def test_a_repayment_id_with_another_amount_is_refused(self) -> None:
        figures = expected([_repayment("a", "5.00"), _repayment("b", "6.00")])
        assert figures["total_repaid"] == "5.00"
        assert figures["dirty_facts_to_park"] == 1

    @pytest.mark.parametrize("total", ["0.00", "-1.00", "1.005", "a lot", "NaN", ""])
    def test_what_cannot_be_owed_is_refused(self, total: str) -> None:
        figures = expected([_overdue("2024-01-02", 1, total)])
        assert (figures["dirty_facts_to_park"], figures["loans_seen"]) == (1, 0)

    def test_days_that_do_not_add_up_are_refused(self) -> None:
        assert expected([_overdue("2024-01-02", 2, "1.00")])["dirty_facts_to_park"] == 1

    def test_an_empty_feed_has_figures_of_zero(self) -> None:
        figures = expected([b"\n"])
        assert (figures["events"], figures["total_repaid"]) == (0, "0.00")


def _lines(name: str) -> Iterator[bytes]:
    with gzip.open(DATA / f"{name}.jsonl.gz") as lines:
        yield from lines


def _published(name: str) -> dict[str, int | str]:
    figures: dict[str, int | str] = json.loads((DATA / f"{name}_expected.json").read_text())
    return {key: value for key, value in figures.items() if key not in NOT_OF_THE_FEED}


def _time(text: bytes) -> str:
    return str(json.loads(text)["time"])


def _overdue(
    as_of: str, dpd: int, total: str, *, due: str = "2024-01-01", ident: str = "overdue"
) -> bytes:
    body: dict[str, object] = {
        "loan_id": "l1", "as_of_date": as_of, "days_past_due": dpd, "due_date": due,
        "currency": "CNY", "outstanding_balance": total, "overdue": {"total": total},
    }  # fmt: skip
    return _event(f"{ident}-{as_of}", "corebanking.loan.overdue.v1", f"{as_of}T15:30:00Z", body)


def _repayment(ident: str, amount: str) -> bytes:
    body: dict[str, object] = {
        "loan_id": "l1", "repayment_id": "r1", "amount": amount, "currency": "CNY",
        "value_date": "2024-01-02",
    }  # fmt: skip
    kind = "corebanking.loan.repayment_received.v1"
    return _event(ident, kind, "2024-01-02T04:00:00Z", body)


def _event(ident: str, kind: str, at: str, body: dict[str, object]) -> bytes:
    event = {"id": ident, "source": "/bank", "type": kind, "time": at, "data": body}
    return json.dumps(event).encode()
