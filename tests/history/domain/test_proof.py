"""The proof sees every kind of damage and names the place; undamaged, it holds."""

from collections.abc import Sequence
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.history.domain.proof import Break, Difference, Found, Witness, differences
from arrears.shared.testing.chronicle import Chronicle

DAY = date(2024, 3, 1)
SHARD = 3


def _records() -> list[Found]:
    """Two streams interleaved on one shard: a1 b1 a2 b2 a3 b3."""
    chronicle = Chronicle()
    for _ in range(3):
        for name in ("a", "b"):
            chronicle.tell(
                "contact.refusal_reported",
                {"case_id": name, "loan_key": name},
                stream=f"contact.borrower-{name}",
                on=DAY,
                borrower=name,
                shard=SHARD,
            )
    return [Found(*record) for record in chronicle.numbered()]


def _breaks(records: Sequence[Found]) -> Sequence[Break]:
    witness = Witness("store")
    witness.reads(records)
    witness.expects({("contact", SHARD): 6})
    return witness.verdict().breaks


def _kinds(records: Sequence[Found]) -> list[str]:
    return [found.kind for found in _breaks(records)]


class TestWitness:
    def test_what_was_not_touched_holds(self) -> None:
        witness = Witness("store")
        witness.reads(_records())
        verdict = witness.verdict()
        assert (verdict.holds, verdict.event_count, verdict.stream_count) == (True, 6, 2)

    def test_a_deleted_row_is_named_by_shard_number_stream_and_version(self) -> None:
        records = _records()
        del records[2]
        missing, version = _breaks(records)
        assert (missing.kind, missing.shard, missing.seq) == ("missing", SHARD, 3)
        assert (version.kind, version.stream) == ("version_missing", "contact.borrower-a")
        assert "version 2 is missing" in version.says

    def test_the_last_row_deleted_is_seen_by_the_last_number(self) -> None:
        found = _breaks(_records()[:-1])
        assert [(one.kind, one.shard, one.seq) for one in found] == [("missing", SHARD, 6)]

    def test_a_changed_byte_names_the_event_whose_bytes_changed(self) -> None:
        records = _records()
        value = records[1].value.replace(b'"loan_key":"b"', b'"loan_key":"z"')
        records[1] = replace(records[1], value=value)
        (found,) = _breaks(records)
        assert (found.kind, found.shard, found.seq) == ("bytes_changed", SHARD, 2)
        assert (found.stream, found.version) == ("contact.borrower-b", 1)

    def test_a_number_may_repeat_with_the_same_bytes_only(self) -> None:
        records = _records()
        assert _kinds([*records[:3], *records[1:]]) == []
        other = replace(records[1], value=records[1].value.replace(b'"loan_key"', b'"loan_kex"'))
        assert _kinds([*records, other]) == ["repeated_with_other_bytes"]

    def test_a_number_that_comes_after_a_higher_one_is_out_of_order(self) -> None:
        records = _records()
        records[2], records[3] = records[3], records[2]
        assert "out_of_order" in _kinds(records)

    def test_columns_that_differ_from_the_bytes_are_named(self) -> None:
        records = _records()
        records[0] = replace(records[0], stream="contact.borrower-x", version=1)
        (found,) = _breaks(records)
        assert (found.kind, found.seq) == ("column_differs", 1)

    def test_bytes_that_are_no_event_are_named(self) -> None:
        records = _records()
        records[5] = replace(records[5], value=b"{")
        assert _kinds(records) == ["unreadable"]

    def test_a_first_version_has_no_past(self) -> None:
        records = _records()
        value = records[0].value.replace(b'"prevhash":""', b'"prevhash":"ff"')
        records[0] = replace(records[0], value=value)
        assert "first_has_a_past" in _kinds(records)

    @given(st.integers(0, 5), st.data())
    def test_any_flipped_byte_is_seen_in_the_store_or_beside_another_copy(
        self, index: int, data: st.DataObject
    ) -> None:
        records = _records()
        value = bytearray(records[index].value)
        at = data.draw(st.integers(0, len(value) - 1))
        value[at] ^= data.draw(st.integers(1, 255))
        damaged = [*records]
        damaged[index] = replace(records[index], value=bytes(value))
        assert [one.seq for one in _differences(records, damaged)] == [index + 1]


class TestDifferences:
    def test_equal_places_do_not_differ(self) -> None:
        assert _differences(_records(), _records()) == []

    def test_what_only_one_place_has_is_named_with_the_place(self) -> None:
        (found,) = _differences(_records(), _records()[:-1])
        assert (found.service, found.shard, found.seq, found.only_in) == (
            "contact",
            SHARD,
            6,
            "one",
        )

    def test_a_hole_in_the_middle_is_named(self) -> None:
        records = _records()
        (found,) = _differences([*records[:2], *records[3:]], records)
        assert (found.seq, found.only_in) == (3, "other")


def _differences(one: Sequence[Found], other: Sequence[Found]) -> list[Difference]:
    first, second = Witness("one"), Witness("other")
    first.reads(one)
    second.reads(other)
    return list(differences(first, second))
