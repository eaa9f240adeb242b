"""The borrower's profile: recorded as it comes, and an older one never passes for the newest."""

from datetime import UTC, datetime, timedelta

from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.intake.domain.borrower import (
    BorrowerEvent,
    BorrowerProfileRecorded,
    OldBorrowerProfileRecorded,
    RecordProfile,
    SealedPoint,
    borrower_decider,
)
from arrears.shared.kernel.ids import BorrowerId
from arrears.shared.testing.decider_spec import DeciderSpec

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(days=9), NOW + timedelta(days=9)
POINTS = (SealedPoint(kind="phone", sealed="c2VhbGVk"),)
PERSON = BorrowerId("person-1")
given = DeciderSpec(borrower_decider).given

RECORD = RecordProfile(
    borrower_id=PERSON,
    fact_id="profile-1",
    stated_at=NOW,
    contact_points=POINTS,
    zone="Asia/Urumqi",
    language="zh",
    now=NOW,
)
RECORDED = BorrowerProfileRecorded(
    borrower_id=PERSON,
    contact_points=POINTS,
    zone="Asia/Urumqi",
    language="zh",
    fact_id="profile-1",
    stated_at=NOW,
    late=False,
)
OLD = OldBorrowerProfileRecorded(
    borrower_id=PERSON,
    contact_points=POINTS,
    zone="Asia/Urumqi",
    language="zh",
    fact_id="profile-0",
    stated_at=EARLIER,
)


class TestRecordProfile:
    def test_is_recorded_with_sealed_points(self) -> None:
        given().when(RECORD).then(RECORDED)

    def test_says_that_it_was_late(self) -> None:
        given().when(replace(RECORD, late=True)).then(replace(RECORDED, late=True))

    def test_the_same_profile_twice_counts_once(self) -> None:
        given(RECORDED).when(RECORD).then_nothing_happens()

    def test_a_newer_one_takes_its_place(self) -> None:
        newer = replace(RECORD, fact_id="profile-2", stated_at=LATER, zone=None)
        given(RECORDED).when(newer).then(
            replace(RECORDED, fact_id="profile-2", stated_at=LATER, zone=None)
        )

    def test_one_of_the_same_instant_takes_its_place_too(self) -> None:
        given(RECORDED).when(replace(RECORD, fact_id="profile-2")).then(
            replace(RECORDED, fact_id="profile-2")
        )

    def test_an_older_one_is_kept_under_another_name(self) -> None:
        older = replace(RECORD, fact_id="profile-0", stated_at=EARLIER)
        given(RECORDED).when(older).then(OLD)
        given(RECORDED, OLD).when(replace(older, fact_id="profile-00")).then(
            replace(OLD, fact_id="profile-00")
        )


HISTORIES: list[tuple[BorrowerEvent, ...]] = [(), (RECORDED,), (RECORDED, OLD)]


@forall(
    history=st.sampled_from(HISTORIES),
    fact_id=st.sampled_from(["profile-0", "profile-1", "profile-2"]),
    stated_at=st.sampled_from([EARLIER, NOW, LATER]),
)
def test_a_command_delivered_twice_has_the_effect_of_once(
    history: tuple[BorrowerEvent, ...], fact_id: str, stated_at: datetime
) -> None:
    command = replace(RECORD, fact_id=fact_id, stated_at=stated_at)
    events = borrower_decider.decide(command, borrower_decider.fold(history))
    after = borrower_decider.fold((*history, *events))
    assert tuple(borrower_decider.decide(command, after)) == ()
