"""The order of a story: cause before effect, version before version, then time."""

from datetime import UTC, date, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.history.domain.story import in_order, known_on
from arrears.history.domain.told import Told, keep, tell
from arrears.shared.testing.chronicle import Chronicle

DAY = date(2024, 3, 1)
NEXT = date(2024, 3, 2)
NOON = datetime(2024, 3, 1, 4, tzinfo=UTC)


def _told(chronicle: Chronicle) -> list[Told]:
    return [tell(keep(*record)) for record in chronicle.numbered()]


def _case(chronicle: Chronicle) -> list[str]:
    """Intake opens and refers; contact starts and completes; intake hears it: one instant."""
    loan, person = "intake.loan-l1", "contact.borrower-b-1"
    data = {"case_id": "c1", "loan_key": "l1"}
    opened = chronicle.tell("intake.case_opened", data, stream=loan, on=DAY, at=NOON)
    referred = chronicle.tell(
        "intake.case_referred", data, stream=loan, on=DAY, at=NOON, cause=opened
    )
    started = chronicle.tell(
        "contact.treatment_started", data, stream=person, on=DAY, at=NOON, cause=referred
    )
    completed = chronicle.tell(
        "contact.treatment_completed", data, stream=person, on=DAY, at=NOON, cause=started
    )
    reported = chronicle.tell(
        "intake.stage_reported", data, stream=loan, on=NEXT, at=NOON, cause=completed
    )
    return [opened, referred, started, completed, reported]


class TestInOrder:
    def test_causes_come_before_effects_within_one_instant(self) -> None:
        chronicle = Chronicle()
        expected = _case(chronicle)
        assert [told.id for told in in_order(_told(chronicle))] == expected

    @given(st.integers())
    def test_the_order_of_hearing_changes_nothing(self, seed: int) -> None:
        chronicle = Chronicle()
        expected = _case(chronicle)
        told = _told(chronicle)
        Random(seed).shuffle(told)
        assert [one.id for one in in_order(told)] == expected

    def test_free_events_come_by_time_then_by_service(self) -> None:
        chronicle = Chronicle()
        later = NOON.replace(hour=5)
        data = {"case_id": "c1", "loan_key": "l1"}
        third = chronicle.tell("legal.claim_taken", data, stream="legal.claim-c1", on=DAY, at=later)
        second = chronicle.tell(
            "mediation.mediation_taken", data, stream="mediation.mediation-c1", on=DAY, at=NOON
        )
        first = chronicle.tell(
            "contact.treatment_started", data, stream="contact.borrower-b", on=DAY, at=NOON
        )
        assert [told.id for told in in_order(_told(chronicle))] == [first, second, third]

    def test_a_version_never_comes_before_an_earlier_one_even_if_its_time_does(self) -> None:
        chronicle = Chronicle()
        data = {"case_id": "c1", "loan_key": "l1"}
        loan = "intake.loan-l1"
        first = chronicle.tell("intake.case_opened", data, stream=loan, on=DAY, at=NOON)
        second = chronicle.tell(
            "intake.case_assessed", data, stream=loan, on=DAY, at=NOON.replace(hour=1)
        )
        assert [told.id for told in in_order(_told(chronicle))] == [first, second]

    def test_an_event_heard_twice_stands_once(self) -> None:
        chronicle = Chronicle()
        expected = _case(chronicle)
        told = _told(chronicle)
        assert [one.id for one in in_order([*told, *told])] == expected

    def test_causes_in_a_circle_are_still_shown(self) -> None:
        chronicle = Chronicle()
        data = {"case_id": "c1", "loan_key": "l1"}
        chronicle.tell("intake.case_opened", data, stream="intake.loan-l1", on=DAY, cause="x")
        chronicle.tell("contact.treatment_started", data, stream="contact.borrower-b", on=DAY)
        one, other = _told(chronicle)
        circle = [_caused(one, other.id), _caused(other, one.id)]
        assert len(in_order(circle)) == 2


def _caused(told: Told, cause: str) -> Told:
    return replace(told, causation_id=cause)


class TestKnownOn:
    def test_what_was_learnt_later_is_not_known(self) -> None:
        chronicle = Chronicle()
        ids = _case(chronicle)
        assert [told.id for told in in_order(known_on(_told(chronicle), DAY))] == ids[:-1]

    def test_without_a_day_everything_is_known(self) -> None:
        chronicle = Chronicle()
        _case(chronicle)
        assert len(known_on(_told(chronicle), None)) == 5
