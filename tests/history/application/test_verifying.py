"""The proof over copies: a copy may lag behind its source, and nothing else."""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from arrears.history.application.verifying import Copies, breaks_of, named, verification
from arrears.history.domain.proof import Break, Found, Witness
from arrears.shared.testing.chronicle import Chronicle

DAY = date(2024, 3, 1)


def _records() -> list[Found]:
    chronicle = Chronicle()
    for _ in range(4):
        chronicle.tell(
            "legal.claim_paused",
            {"case_id": "c1", "loan_key": "l1"},
            stream="legal.claim-c1",
            on=DAY,
            shard=5,
        )
    return [Found(*record) for record in chronicle.numbered()]


def _copies(
    *,
    store: Sequence[Found] | None = None,
    topic: Sequence[Found] | None = None,
    history: Sequence[Found] | None = None,
) -> Copies:
    witnesses = []
    for place, records in (("the store", store), ("the topic", topic), ("the history", history)):
        seen = Witness(place)
        seen.reads(_records() if records is None else records)
        witnesses.append(seen)
    return Copies(service="legal", store=witnesses[0], topic=witnesses[1], history=witnesses[2])


def _changed(records: list[Found], seq: int) -> list[Found]:
    old = records[seq - 1]
    records[seq - 1] = replace(old, value=old.value.replace(b'"l1"', b'"l2"'))
    return records


def _places(breaks: Sequence[Break]) -> list[tuple[str, str, int]]:
    return [(one.kind, one.place, one.seq) for one in breaks]


class TestBreaksOf:
    def test_equal_copies_hold(self) -> None:
        copies = _copies()
        found = verification([copies], breaks_of(copies))
        assert (found.holds, found.event_count, found.stream_count) == (True, 4, 1)
        assert [place.behind for place in found.places] == [0, 0, 0]

    def test_a_copy_that_lags_is_no_break_and_is_counted(self) -> None:
        copies = _copies(topic=_records()[:3], history=_records()[:1])
        found = verification([copies], breaks_of(copies))
        assert found.holds
        assert [place.behind for place in found.places] == [0, 1, 3]

    def test_a_copy_ahead_of_its_source_is_a_break(self) -> None:
        found = breaks_of(_copies(store=_records()[:3]))
        assert _places(found) == [("only_in", "the store", 4)]

    def test_the_last_byte_of_the_last_event_is_seen_beside_the_copies(self) -> None:
        found = breaks_of(_copies(store=_changed(_records(), 4)))
        assert _places(found) == [("differs", "the topic", 4)]
        found = breaks_of(_copies(history=_changed(_records(), 4)))
        assert _places(found) == [("differs", "the history", 4)]

    def test_a_row_missing_in_the_middle_of_the_history_is_named(self) -> None:
        records = _records()
        found = _places(breaks_of(_copies(history=[*records[:1], *records[2:]])))
        assert ("missing", "the history", 2) in found
        assert ("only_in", "the history", 2) in found

    def test_only_so_many_breaks_are_named_and_all_are_counted(self) -> None:
        (broken,) = breaks_of(_copies(store=_records()[:3]))
        found = verification([], [broken] * 500)
        assert (found.break_count, len(found.breaks), found.holds) == (500, 200, False)


class TestNamed:
    def test_a_number_without_a_name_gets_it_from_another_place(self) -> None:
        (broken,) = breaks_of(_copies(store=_records()[:3]))
        found = named(broken, {("legal", 5, 4): ("legal.claim-c1", 4)})
        assert (found.stream, found.version) == ("legal.claim-c1", 4)
        assert named(broken, {}) == broken
