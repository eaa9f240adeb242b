"""The store suite: memory and PostgreSQL keep, refuse and answer alike."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import TypeVar

import asyncpg
import pytest
from msgspec.structs import replace

from arrears.history.adapters.memory import MemoryHistory
from arrears.history.adapters.postgres import PostgresHistory
from arrears.history.adapters.tables import history_events
from arrears.history.adapters.terminal import rebuild_lines
from arrears.history.application.hearing import Changed, Heard, Place, hear, last_closed_day
from arrears.history.application.ports import CaseFilter, HistoryStore, Moved
from arrears.history.application.rebuilding import Comparison, compare, hear_again, witness
from arrears.history.domain.portfolio import READS
from arrears.history.domain.told import Kept
from arrears.shared.runtime.bus import Record
from arrears.shared.testing.chronicle import Chronicle

DAY, NEXT = date(2024, 3, 1), date(2024, 3, 2)
Item = TypeVar("Item")


def _chronicle() -> Chronicle:
    chronicle = Chronicle()
    for number in range(6):
        case = {"case_id": f"c{number}", "loan_key": f"l{number}"}
        borrower = f"b{number}"
        chronicle.tell(
            "intake.case_opened",
            {**case, "opened_on": DAY, "currency": "CNY"},
            stream=f"intake.loan-l{number}",
            on=DAY,
            borrower=borrower,
        )
        chronicle.tell(
            "contact.refusal_reported",
            case,
            stream=f"contact.borrower-{borrower}",
            on=NEXT,
            borrower=borrower,
        )
    return chronicle


def _records(chronicle: Chronicle, place: Place) -> list[Record]:
    values = chronicle.shelves.get((place.service, place.shard), [])
    records = [Record(offset=i, key=b"", value=v, seq=i + 1) for i, v in enumerate(values)]
    return records[place.position :]


async def _hear_all(store: HistoryStore, chronicle: Chronicle) -> Sequence[Heard]:
    heard = [hear(place, _records(chronicle, place)) for place in await store.places()]
    batches = [one for one in heard if one.after != one.before]
    await store.hear(batches)
    return batches


async def _flat(pages: AsyncIterator[Sequence[Item]]) -> list[Item]:
    return [item async for page in pages for item in page]


def test_a_row_has_the_columns_of_its_table() -> None:
    assert Kept.__struct_fields__ == tuple(column.name for column in history_events.columns)


class TestHear:
    async def test_every_event_is_kept_byte_for_byte_and_in_order(
        self, store: HistoryStore
    ) -> None:
        chronicle = _chronicle()
        await _hear_all(store, chronicle)
        kept = await _flat(store.scan())
        assert [one.value for one in kept] == [value for *_, value in chronicle.numbered()]
        assert await store.counts() == {"intake": 6, "contact": 6, "mediation": 0, "legal": 0}
        assert (await witness(store, "here")).verdict().holds

    async def test_the_places_move_with_the_events(self, store: HistoryStore) -> None:
        chronicle = _chronicle()
        chronicle.close_day(DAY)
        batches = await _hear_all(store, chronicle)
        places = {(place.service, place.shard): place for place in await store.places()}
        assert len(places) == 64
        for heard in batches:
            assert places[(heard.after.service, heard.after.shard)] == heard.after
        assert last_closed_day(list(places.values())) == DAY

    async def test_a_batch_that_begins_elsewhere_keeps_nothing(self, store: HistoryStore) -> None:
        chronicle = _chronicle()
        batches = await _hear_all(store, chronicle)
        with pytest.raises(Moved):
            await store.hear(batches)
        chronicle.tell("intake.case_opened", {"case_id": "c9"}, stream="intake.loan-9", on=DAY)
        new = next(
            hear(place, _records(chronicle, place))
            for place in await store.places()
            if place.service == "intake" and _records(chronicle, place)
        )
        with pytest.raises(Moved):
            await store.hear([new, batches[0]])
        assert (await store.counts())["intake"] == 6

    async def test_a_repeated_number_passes_with_its_bytes_and_stops_with_others(
        self, store: HistoryStore
    ) -> None:
        batches = await _hear_all(store, _chronicle())
        place = batches[0].after
        first = batches[0].events[0]
        again = Record(offset=place.position, key=b"", value=first.value, seq=1)
        await store.hear([hear(place, [again])])
        moved = next(p for p in await store.places() if p.position == place.position + 1)
        other = replace(again, offset=moved.position, value=first.value + b" ")
        with pytest.raises(Changed, match="seq 1"):
            await store.hear([hear(moved, [other])])
        assert sum((await store.counts()).values()) == 12


class TestQuestions:
    async def test_events_of_a_case_come_from_all_services(self, store: HistoryStore) -> None:
        await _hear_all(store, _chronicle())
        found = await store.events_of(["c3"])
        assert [one.type for one in found] == [
            "arrears.intake.case_opened.v1",
            "arrears.contact.refusal_reported.v1",
        ]

    async def test_a_day_bounds_every_question(self, store: HistoryStore) -> None:
        await _hear_all(store, _chronicle())
        assert len(await _flat(store.scan(DAY))) == 6
        assert len(await _flat(store.scan(NEXT))) == 12
        assert [one.business_day for one in await store.events_of(["c3"], DAY)] == [DAY]
        figures = [page async for page in store.figures(READS, None)]
        assert sum(len(rows) for *_, rows in figures) == 6
        assert len(await _flat(store.canonical(DAY))) == 6
        nobody = {"mediation": 0, "legal": 0}
        assert await store.counts(DAY) == {"intake": 6, "contact": 0, **nobody}
        assert await store.counts(NEXT) == await store.counts() == await store.counts(date.max)

    async def test_canonical_rows_are_sorted(self, store: HistoryStore) -> None:
        await _hear_all(store, _chronicle())
        rows = await _flat(store.canonical(NEXT))
        assert len(rows) == 12
        assert rows == sorted(rows)

    async def test_skipped_inputs_name_their_borrower(self, store: HistoryStore) -> None:
        chronicle = _chronicle()
        chronicle.tell(
            "contact.input_skipped",
            {"origin": "arrears.intake.v1/0/1", "reason": "broken"},
            stream="contact.parked-b-9",
            on=NEXT,
            borrower="b-9",
        )
        await _hear_all(store, chronicle)
        assert await store.skipped(NEXT) == {"b-9"}
        assert await store.skipped(DAY) == frozenset()

    async def test_cases_are_filtered_and_paged_by_id(self, store: HistoryStore) -> None:
        await _hear_all(store, _chronicle())
        first = await store.cases(CaseFilter(limit=4))
        rest = await store.cases(CaseFilter(after=first[-1].case_id, limit=4))
        assert [row.case_id for row in (*first, *rest)] == [f"c{n}" for n in range(6)]
        (own,) = await store.cases(CaseFilter(loan_key="l2"))
        assert (own.case_id, own.borrower_id, own.event_count) == ("c2", "b2", 2)
        assert await store.cases(CaseFilter(status="closed")) == []

    async def test_cases_of_a_loan_are_found_by_its_id_in_every_source(
        self, store: HistoryStore
    ) -> None:
        chronicle = Chronicle()
        for number, key in enumerate(["l1@/bank", "l1@/card", "l1", "l12@/bank", "l1é@/bank"]):
            data = {"case_id": f"c{number}", "loan_key": key}
            chronicle.tell("intake.case_opened", data, stream=f"intake.loan-{key}", on=DAY)
        await _hear_all(store, chronicle)
        found = await store.cases(CaseFilter(loan_id="l1"))
        assert [row.loan_key for row in found] == ["l1@/bank", "l1@/card"]
        assert await store.cases(CaseFilter(loan_id="l1", after="c1")) == []
        assert await store.cases(CaseFilter(loan_id="l%")) == []

    async def test_a_loan_has_a_borrower(self, store: HistoryStore) -> None:
        await _hear_all(store, _chronicle())
        assert await store.borrower_of("l2") == "b2"
        assert await store.borrower_of("nobody") is None

    async def test_figures_since_a_number_are_those_that_follow(self, store: HistoryStore) -> None:
        chronicle = _chronicle()
        await _hear_all(store, chronicle)
        since = {shelf: seq async for shelf, seq, _ in store.figures(READS, None)}
        assert [page async for page in store.figures(READS, None, since)] == []
        chronicle.tell(
            "intake.case_opened",
            {"case_id": "c3", "loan_key": "l3"},
            stream="intake.loan-l3",
            on=NEXT,
            borrower="b3",
        )
        await _hear_all(store, chronicle)
        (page,) = [page async for page in store.figures(READS, None, since)]
        assert len(page[2]) == 1
        assert [page async for page in store.figures(READS, DAY, since)] == []

    async def test_cases_are_counted_by_status_and_stage(self, store: HistoryStore) -> None:
        chronicle = _chronicle()
        case = {"case_id": "c1", "loan_key": "l1", "stage": "contact", "treatment": "call"}
        for name in ("case_referred", "case_held"):
            chronicle.tell(f"intake.{name}", case, stream="intake.loan-l1", on=DAY, borrower="b1")
        await _hear_all(store, chronicle)
        assert await store.case_counts() == {("open", "intake"): 5, ("held", "contact"): 1}


class TestRebuild:
    async def test_rows_folded_again_are_the_same(self, store: HistoryStore) -> None:
        chronicle = _chronicle()
        await _hear_all(store, chronicle)
        before = await store.cases(CaseFilter())
        assert await store.rebuild_case_list() == []
        assert await store.cases(CaseFilter()) == before

    async def test_a_history_heard_again_from_its_own_events_is_equal(
        self, store: HistoryStore
    ) -> None:
        await _hear_all(store, _chronicle())
        again = MemoryHistory()
        assert await hear_again(store, again) == 12
        found = await compare(store, again)
        assert (found.equal, found.event_count, found.case_count) == (True, 12, 6)

    async def test_a_history_that_lacks_an_event_differs_and_says_where(
        self, store: HistoryStore
    ) -> None:
        chronicle = _chronicle()
        shorter = MemoryHistory()
        await _hear_all(shorter, chronicle)
        chronicle.tell("intake.case_opened", {"case_id": "c9"}, stream="intake.loan-9", on=DAY)
        await _hear_all(store, chronicle)
        found = await compare(store, shorter)
        assert not found.equal
        assert [one.only_in for one in found.events] == ["live"]
        assert found.cases == ["c9"]


@pytest.mark.live
class TestDamage:
    @pytest.mark.parametrize(
        "damage",
        [
            "update case_list set loan_key = 'l9' where case_id = 'c1'",
            "update case_list set borrower_id = 'b9' where case_id = 'c1'",
            "update case_list set status = 'closed' where case_id = 'c1'",
            "update case_list set stage = 'legal' where case_id = 'c1'",
            "update case_list set bucket = 'M3' where case_id = 'c1'",
            "delete from case_list where case_id = 'c1'",
        ],
    )
    async def test_a_case_that_is_not_found_by_what_it_says(self, dsn: str, damage: str) -> None:
        found = await _compared_after(dsn, damage)
        assert not found.equal
        assert (found.cases, found.loans) == (["c1"], [])

    @pytest.mark.parametrize(
        ("damage", "loan"),
        [
            ("update loans set borrower_id = 'b9' where loan_key = 'l1'", "l1"),
            ("delete from loans where loan_key = 'l1'", "l1"),
            ("insert into loans (loan_key, borrower_id) values ('l9', 'b1')", "l9"),
        ],
    )
    async def test_a_loan_of_another_borrower(self, dsn: str, damage: str, loan: str) -> None:
        found = await _compared_after(dsn, damage)
        assert not found.equal
        assert (found.cases, found.loans) == ([], [loan])
        assert f"  loan {loan}: its borrower differs" in rebuild_lines(found, None)


async def _compared_after(dsn: str, damage: str) -> Comparison:
    store, again = await PostgresHistory.connect(dsn), MemoryHistory()
    connection = await asyncpg.connect(dsn)
    try:
        await _hear_all(store, _chronicle())
        await hear_again(store, again)
        assert (await compare(store, again)).equal
        await connection.execute(damage)
        return await compare(store, again)
    finally:
        await connection.close()
        await store.close()
