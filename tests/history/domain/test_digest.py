"""The digest: what it covers, and what it must not depend on."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import sha256

from msgspec.json import decode

from arrears.history.domain.digest import Canonical, Digest, Row
from arrears.history.domain.told import keep
from arrears.shared.testing.chronicle import Chronicle

DAY = date(2024, 3, 1)


def _rows(chronicle: Chronicle) -> list[Row]:
    kept = [keep(*record) for record in chronicle.numbered()]
    return sorted((k.subject, k.service, k.stream, k.version, k.type, k.value) for k in kept)


def _digest(chronicle: Chronicle, skipped: Sequence[str] = ()) -> Digest:
    canonical = Canonical(skipped=frozenset(skipped), up_to=DAY)
    for _ in canonical.chunks(_rows(chronicle)):
        pass
    return canonical.result()


def _written(chronicle: Chronicle) -> bytes:
    return b"".join(Canonical(up_to=DAY).chunks(_rows(chronicle)))


def _two_cases(
    chronicle: Chronicle, *, shards: tuple[int, int] = (0, 1), sealed: str = "k1"
) -> None:
    for case, shard in zip(("c1", "c2"), shards, strict=True):
        data = {"case_id": case, "loan_key": case}
        stream = f"intake.loan-{case}"
        chronicle.tell(
            "intake.case_opened", data, stream=stream, on=DAY, shard=shard, borrower=f"b-{case}"
        )
        point = {"kind": "phone", "sealed": f"{sealed}{case}"}
        chronicle.tell(
            "contact.attempt_permitted",
            {**data, "point": point, "points": [point]},
            stream=f"contact.borrower-{case}",
            on=DAY,
            shard=shard,
            borrower=f"b-{case}",
        )


def _plain() -> Chronicle:
    chronicle = Chronicle()
    _two_cases(chronicle)
    return chronicle


class TestDigest:
    def test_it_counts_cases_and_events_and_is_the_hash_of_the_file(self) -> None:
        canonical = Canonical(up_to=DAY)
        written = b"".join(canonical.chunks(_rows(_plain())))
        found = canonical.result()
        assert (found.case_count, found.event_count, found.up_to) == (2, 4, DAY)
        assert found.sha256 == sha256(written).hexdigest()
        assert written.count(b"\n") == 4

    def test_shards_do_not_matter(self) -> None:
        moved = Chronicle()
        _two_cases(moved, shards=(7, 2))
        assert _digest(moved) == _digest(_plain())

    def test_keys_made_by_chance_do_not_matter(self) -> None:
        other = Chronicle()
        _two_cases(other, sealed="k2")
        assert _digest(other) == _digest(_plain())

    def test_closings_of_days_do_not_matter(self) -> None:
        closed = _plain()
        closed.close_day(DAY)
        assert _digest(closed) == _digest(_plain())

    def test_commands_of_people_are_outside(self) -> None:
        commanded = _plain()
        commanded.tell(
            "intake.case_held",
            {"case_id": "c1", "loan_key": "c1"},
            stream="intake.loan-c1",
            on=DAY,
            actor="staff-1",
        )
        assert _digest(commanded) == _digest(_plain())

    def test_a_command_leaves_the_lines_after_it_as_they_are(self) -> None:
        def told(*, held: bool) -> Chronicle:
            chronicle = _plain()
            data = {"case_id": "c1", "loan_key": "c1"}
            if held:
                chronicle.tell(
                    "intake.case_held", data, stream="intake.loan-c1", on=DAY, actor="staff-1"
                )
            chronicle.tell(
                "intake.repayment_received",
                data,
                stream="intake.loan-c1",
                on=DAY,
                event_id="repayment-1",
            )
            return chronicle

        assert _written(told(held=True)) == _written(told(held=False))

    def test_lines_of_a_case_are_numbered_within_each_stream(self) -> None:
        chronicle = _plain()
        chronicle.tell(
            "intake.case_closed",
            {"case_id": "c2", "loan_key": "c2"},
            stream="intake.loan-c2",
            on=DAY,
        )
        lines = [decode(line) for line in _written(chronicle).splitlines()]
        assert [(line["stream"], line["place"]) for line in lines] == [
            ("intake.loan-c1", 1),
            ("contact.borrower-c1", 1),
            ("intake.loan-c2", 1),
            ("intake.loan-c2", 2),
            ("contact.borrower-c2", 1),
        ]

    def test_every_case_of_a_borrower_whose_input_was_skipped_is_outside(self) -> None:
        found = _digest(_plain(), skipped=["b-c1"])
        assert (found.case_count, found.event_count) == (1, 2)

    def test_any_change_of_what_happened_changes_it(self) -> None:
        base = _digest(_plain()).sha256
        changes: list[dict[str, object]] = [
            {"data": {"case_id": "c1", "loan_key": "c1", "more": 1}},
            {"at": datetime(2024, 3, 1, 9, tzinfo=UTC)},
            {"cause": "another"},
            {"on": date(2024, 2, 29)},
        ]
        found = {base}
        for change in changes:
            chronicle = Chronicle()
            arguments = {
                "data": {"case_id": "c1", "loan_key": "c1"},
                "on": DAY,
                "stream": "intake.loan-c1",
                **change,
            }
            chronicle.tell("intake.case_opened", **arguments)  # type: ignore[arg-type]
            found.add(_digest(chronicle).sha256)
        assert len(found) == 1 + len(changes)

    def test_many_chunks_are_one_file(self) -> None:
        rows = _rows(_plain())
        whole, parts = Canonical(up_to=DAY), Canonical(up_to=DAY)
        for _ in whole.chunks(rows):
            pass
        for row in rows:
            for _ in parts.chunks([row]):
                pass
        assert whole.result() == parts.result()
