"""The generated feeds: same bytes, in order, and every figure known beforehand."""

import heapq
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from msgspec import convert

from arrears.cli.feed.dirty import KINDS, generate_dirty
from arrears.cli.feed.expected import expected
from arrears.cli.feed.generate import BadFeedSetting, generate
from arrears.cli.feed.special import SPECIAL
from arrears.shared.contracts.corebanking import (
    BORROWER_PROFILE,
    LOAN_CURED,
    LOAN_OVERDUE,
    REPAYMENT_RECEIVED,
    BorrowerProfile,
    LoanCured,
    LoanOverdue,
    RepaymentReceived,
)

CONTRACTS = {
    LOAN_OVERDUE: LoanOverdue,
    REPAYMENT_RECEIVED: RepaymentReceived,
    LOAN_CURED: LoanCured,
    BORROWER_PROFILE: BorrowerProfile,
}
ENVELOPE = [
    "specversion", "id", "source", "type", "time", "subject", "partitionkey", "datacontenttype",
    "data",
]  # fmt: skip
FEED = tuple(generate(7, 300))


def time_of(text: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(text)["time"])


class TestGenerate:
    def test_the_same_seed_gives_the_same_bytes(self) -> None:
        assert tuple(generate(7, 300)) == FEED
        assert tuple(generate(8, 300)) != FEED

    def test_lines_are_in_order_of_time_and_ids_are_unique(self) -> None:
        times = [time_of(text) for text in FEED]
        assert times == sorted(times)
        assert len({json.loads(text)["id"] for text in FEED}) == len(FEED)

    def test_within_one_instant_a_repayment_comes_first_and_a_cure_last(self) -> None:
        rank = {REPAYMENT_RECEIVED: 0, LOAN_OVERDUE: 1, LOAN_CURED: 2}
        last: dict[tuple[str, str], int] = {}
        for event in map(json.loads, FEED):
            if event["type"] in rank:
                place = (event["subject"], event["time"])
                assert last.get(place, 0) <= rank[event["type"]]
                last[place] = rank[event["type"]]

    def test_every_line_has_the_envelope_and_a_body_that_the_contract_decodes(self) -> None:
        seen = Counter[str]()
        for event in map(json.loads, FEED):
            assert list(event) == ENVELOPE
            assert event["time"].endswith("Z")
            convert(event["data"], CONTRACTS[event["type"]])
            seen[event["type"]] += 1
        assert set(seen) == set(CONTRACTS)

    def test_a_shorter_feed_is_the_beginning_of_a_longer_one(self) -> None:
        shorter = tuple(generate(7, 300, 9))
        assert 0 < len(shorter) < len(FEED)
        assert FEED[: len(shorter)] == shorter

    def test_the_months_end_on_the_day_before_the_same_day(self) -> None:
        last = max(time_of(text) for text in generate(7, 300, 1, date(2024, 1, 31)))
        assert last.date() <= date(2024, 2, 28)
        assert last.date() > date(2024, 2, 20)

    def test_no_fact_is_contradictory(self) -> None:
        figures = expected(FEED)
        assert figures["dirty_facts_to_park"] == 0
        assert figures["duplicates"] == 0
        assert figures["loans_seen"] == 300

    @pytest.mark.parametrize(
        ("seed", "loans", "months", "start_on", "field"),
        [
            (-1, 1, 1, date(2024, 1, 1), "seed"),
            (7, 0, 1, date(2024, 1, 1), "loans"),
            (7, 1, 0, date(2024, 1, 1), "months"),
            (7, 1, 1, date(9999, 1, 1), "start_on.year"),
        ],
    )
    def test_a_setting_without_sense_is_refused_at_the_call(
        self, seed: int, loans: int, months: int, start_on: date, field: str
    ) -> None:
        with pytest.raises(BadFeedSetting, match=field) as caught:
            generate(seed, loans, months, start_on)
        assert caught.value.field == field


class TestDirty:
    def test_each_line_is_refused_and_changes_nothing_else(self) -> None:
        dirty = tuple(generate_dirty(7, 300, dirty_every=10))
        clean = expected(FEED)
        merged = expected(heapq.merge(FEED, dirty, key=time_of))
        assert len(dirty) > len(KINDS)
        assert merged.pop("dirty_facts_to_park") == len(dirty)
        assert clean.pop("dirty_facts_to_park") == 0
        assert merged == clean

    def test_every_kind_occurs_and_no_id_is_taken(self) -> None:
        dirty = tuple(generate_dirty(7, 300, dirty_every=10))
        ids = {json.loads(text)["id"] for text in (*FEED, *dirty)}
        assert len(ids) == len(FEED) + len(dirty)
        assert len(dirty) >= len(KINDS)

    def test_each_comes_a_second_after_the_fact_that_it_spoils(self) -> None:
        second = timedelta(seconds=1)
        clean = {(json.loads(text)["subject"], time_of(text)) for text in FEED}
        for text in generate_dirty(7, 300, dirty_every=10):
            assert (json.loads(text)["subject"], time_of(text) - second) in clean

    def test_every_must_be_positive(self) -> None:
        with pytest.raises(BadFeedSetting, match="dirty_every"):
            generate_dirty(7, dirty_every=0)


class TestSpecial:
    @pytest.mark.parametrize("name", sorted(SPECIAL))
    def test_lines_are_in_order_and_clean(self, name: str) -> None:
        lines = tuple(SPECIAL[name]())
        times = [time_of(text) for text in lines]
        assert times == sorted(times)
        assert expected(lines)["dirty_facts_to_park"] == 0

    def test_one_loan_reaches_1800_days(self) -> None:
        figures = _figures("one-loan")
        assert (figures["loans_seen"], figures["max_dpd"]) == (1, 1_800)

    def test_repayments_alone_open_nothing(self) -> None:
        figures = _figures("repayments-only")
        assert figures["episodes_opened"] == 0
        assert figures["repayment_facts"] == 120

    def test_one_borrower_has_several_loans_and_half_are_cured(self) -> None:
        lines = tuple(SPECIAL["one-borrower"]())
        assert len({json.loads(text)["data"]["borrower_id"] for text in lines}) == 1
        assert expected(lines)["loans_ending_cured"] == 4

    def test_one_timestamp_holds_thousands_of_facts(self) -> None:
        assert Counter(map(time_of, SPECIAL["one-timestamp"]())).most_common(1)[0][1] == 5_000

    def test_currencies_keep_their_decimal_places(self) -> None:
        assert _figures("currencies")["total_repaid"] == {
            "JPY": "123456",
            "KWD": "123.456",
            "USD": "1234.56",
        }


def _figures(name: str) -> dict[str, int | str | dict[str, str]]:
    lines: Iterator[bytes] = SPECIAL[name]()
    return expected(lines)
