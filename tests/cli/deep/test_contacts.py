"""Law 10: no permit, a permit that had ended, twice, while stopped, at night, too often."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from arrears.cli.deep.contacts import CONNECTED_MAX, UNANSWERED_MAX, Contacts, Invitations
from arrears.cli.deep.findings import Finding, Report
from arrears.cli.deep.reading import read_event

SHANGHAI = ZoneInfo("Asia/Shanghai")
Found = Callable[[Report], dict[int, list[Finding]]]


class World:
    """One borrower in Shanghai, eight hours ahead of UTC, on 5 March 2024."""

    def __init__(self, shelf: Any) -> None:
        self.shelf = shelf
        self.has("one", "two")

    def has(self, *numbers: str, zone: str | None = "Asia/Shanghai") -> None:
        """The bank's profile: each number under the seal of this time, and an address."""
        points = [{"kind": "phone", "sealed": number} for number in numbers]
        points.append({"kind": "address", "sealed": "home"})
        self.says("contact_points_recorded", zone=zone, points=points)

    def says(self, noun: str, **data: Any) -> None:
        self.shelf.says(noun, data)

    def permits(self, number: int = 1, *, case: str = "case-1", **changes: Any) -> None:
        self.says(
            "attempt_permitted",
            **{
                "attempt_id": f"{case}/{number}",
                "case_id": case,
                "channel": "call",
                "point": {"kind": "phone", "sealed": "one"},
                "inputs": {"zone": "Asia/Shanghai"},
                "overdue_minor": 100_000,
                "permitted_at": "2024-03-05T02:00:00Z",
                "valid_until": "2024-03-05T12:30:00Z",
                **changes,
            },
        )

    def makes(self, number: int = 1, at: str = "2024-03-05T02:05:00Z") -> None:
        self.says("attempt_receipted", attempt_id=f"case-1/{number}", receipted_at=at)

    def ends(self, outcome: str, number: int = 1) -> None:
        self.says("attempt_concluded", attempt_id=f"case-1/{number}", outcome=outcome)

    def stops(self, noun: str = "contact_stopped", **changes: Any) -> None:
        stop = {"case_id": "case-1", "kind": "hold", "scope": "case", "reason": "dispute"}
        self.says(noun, **{**stop, **changes})

    def report(self) -> Report:
        report = Report()
        contacts = Contacts(report, SHANGHAI)
        for row in self.shelf.rows:
            contacts.event(row, read_event(row.value))
        return report


@pytest.fixture
def world(blank: Any) -> World:
    return World(blank)


def test_a_permitted_call_that_was_made(world: World, found: Found) -> None:
    world.permits()
    world.makes()
    world.ends("connected")
    report = world.report()
    assert not found(report)
    assert report.laws[10].counts == {"permits": 1, "contacts made": 1}


@pytest.mark.parametrize(
    ("at", "channel", "is_wrong"),
    [
        ("2024-03-04T23:59:00Z", "call", True),
        ("2024-03-05T00:00:00Z", "call", False),
        ("2024-03-05T13:59:00Z", "sms", False),
        ("2024-03-05T14:00:00Z", "sms", True),
        ("2024-03-05T14:00:00Z", "visit", True),
        ("2024-03-05T14:00:00Z", "letter", False),
    ],
)
def test_the_hours_are_those_of_the_law(
    world: World, found: Found, at: str, channel: str, *, is_wrong: bool
) -> None:
    world.permits(permitted_at=at, channel=channel)
    assert (10 in found(world.report())) is is_wrong


def test_the_clock_is_the_borrowers_whatever_the_permit_says(world: World, found: Found) -> None:
    world.has("one", zone="Europe/London")
    world.permits()
    [late] = found(world.report())[10]
    assert "at 02:00 of the borrower's clock" in late.text


@pytest.mark.parametrize("zone", [None, "", "Asia", "localtime", "Atlantis/Capital"])
@pytest.mark.parametrize(("at", "is_wrong"), [("02:00", False), ("15:00", True)])
def test_where_no_zone_is_known_the_banks_clock_counts_whatever_the_permit_says(
    world: World, found: Found, zone: str | None, at: str, *, is_wrong: bool
) -> None:
    world.has("one", zone=zone)
    world.permits(permitted_at=f"2024-03-05T{at}:00Z", inputs={"zone": "America/New_York"})
    assert (10 in found(world.report())) is is_wrong


@pytest.mark.parametrize("outcome", ["connected", "unknown", None])
def test_one_contact_more_than_the_law_allows(
    world: World, found: Found, outcome: str | None
) -> None:
    """Where nobody knows how it ended, it counts."""
    for number in range(CONNECTED_MAX + 1):
        world.permits(number)
        if outcome is not None:
            world.ends(outcome, number)
    [over] = found(world.report())[10]
    assert f"after {CONNECTED_MAX} contacts of the person on 2024-03-05" in over.text


def test_the_next_day_counts_anew(world: World, found: Found) -> None:
    for number in range(CONNECTED_MAX):
        world.permits(number)
    world.permits(9, permitted_at="2024-03-06T01:00:00Z", valid_until="2024-03-06T12:00:00Z")
    assert not found(world.report())


@pytest.mark.parametrize(
    ("zone", "at", "is_wrong"),
    [
        ("Asia/Shanghai", "2024-03-05T03:00:00Z", True),
        ("Asia/Shanghai", "2024-03-06T00:30:00Z", False),
        (None, "2024-03-05T03:00:00Z", True),
        ("Europe/London", "2024-03-05T09:00:00Z", True),
        # Both are the 4th by the new clock, though the first were made on the 5th by the old one.
        ("America/New_York", "2024-03-05T02:30:00Z", True),
        # The 5th by either clock, though by the new one the first were made on the 4th.
        ("America/New_York", "2024-03-05T15:00:00Z", False),
    ],
)
@pytest.mark.parametrize(
    ("outcome", "most"), [("connected", CONNECTED_MAX), ("no_answer", UNANSWERED_MAX)]
)
def test_after_a_new_profile_the_day_is_that_of_its_clock(
    world: World, found: Found, outcome: str, most: int, zone: str, at: str, *, is_wrong: bool
) -> None:
    for number in range(most):
        world.permits(number)
        world.ends(outcome, number)
    world.has("one", zone=zone)
    world.permits(9, permitted_at=at)
    texts = [finding.text for finding in found(world.report()).get(10, [])]
    assert [f"after {most} " in text for text in texts] == ([True] if is_wrong else [])


@pytest.mark.parametrize(("other", "is_wrong"), [("one", True), ("two", False)])
def test_one_unanswered_dial_more_than_the_law_allows(
    world: World, found: Found, other: str, *, is_wrong: bool
) -> None:
    for number in range(UNANSWERED_MAX):
        world.permits(number)
        world.ends("no_answer", number)
    world.permits(9, point={"kind": "phone", "sealed": other})
    assert (10 in found(world.report())) is is_wrong


@pytest.mark.parametrize(
    ("numbers", "is_wrong"),
    [(["anew"], True), (["anew", "two"], True), (["anew", "one"], False)],
)
def test_a_number_that_was_sealed_anew_is_no_other_number(
    world: World, found: Found, numbers: list[str], *, is_wrong: bool
) -> None:
    """Only what stands beside ours in the last profile is surely another."""
    for number in range(UNANSWERED_MAX):
        world.permits(number)
        world.ends("no_answer", number)
    world.has(*numbers)
    world.permits(9, point={"kind": "phone", "sealed": "anew"})
    assert (10 in found(world.report())) is is_wrong


def test_every_dial_after_a_profile_of_its_own(world: World, found: Found) -> None:
    for number in range(UNANSWERED_MAX + 1):
        world.has(f"seal {number}")
        world.permits(number, point={"kind": "phone", "sealed": f"seal {number}"})
        world.ends("no_answer", number)
    [over] = found(world.report())[10]
    assert f"after {UNANSWERED_MAX} unanswered dials of the number" in over.text


def test_letters_that_nobody_answered_are_no_dials(world: World, found: Found) -> None:
    for number in range(UNANSWERED_MAX):
        world.permits(number, channel="letter", point={"kind": "address", "sealed": "home"})
        world.ends("no_answer", number)
    world.permits(9)
    assert not found(world.report())


@pytest.mark.parametrize(
    ("stop", "case", "is_wrong"),
    [
        ({}, "case-1", True),
        ({}, "case-2", False),
        ({"scope": "person"}, "case-2", True),
        ({"scope": "person", "case_id": None}, "case-1", True),
    ],
)
def test_a_permit_while_a_stop_stands(
    world: World, found: Found, stop: dict[str, Any], case: str, *, is_wrong: bool
) -> None:
    world.stops(**stop)
    world.permits(case=case)
    assert (10 in found(world.report())) is is_wrong


@pytest.mark.parametrize(
    ("lifted", "is_wrong"),
    [
        ({}, False),
        ({"kind": "staff"}, True),
        ({"case_id": "case-2"}, True),
        ({"scope": "person"}, True),
        ({"stop_reason": "dispute"}, False),
        ({"stop_reason": "complaint"}, True),
    ],
)
def test_only_its_own_end_lifts_a_stop(
    world: World, found: Found, lifted: dict[str, Any], *, is_wrong: bool
) -> None:
    world.stops()
    world.stops("contact_resumed", **lifted)
    world.permits()
    assert (10 in found(world.report())) is is_wrong


def test_a_hold_that_ends_without_a_reason_takes_all_holds_of_the_case_with_it(
    world: World, found: Found
) -> None:
    """So contact wrote it before its reasons told holds apart."""
    for reason in ("dispute", "complaint"):
        world.stops(reason=reason)
    world.stops("contact_resumed")
    world.permits()
    assert not found(world.report())


_STAFF: dict[str, Any] = {"kind": "staff", "scope": "person", "case_id": None, "reason": "asked"}
_BY_ITSELF: dict[str, Any] = {"reason": "time_is_over", "stop_reason": "asked"}
_BY_STAFF: dict[str, Any] = {"reason": "agreed", "stop_reason": "asked", "recorded_by": "s-1"}


@pytest.mark.parametrize(
    ("ends", "lifted", "is_wrong"),
    [
        ([None, "2024-03-04T16:00:00Z"], _BY_ITSELF, True),
        (["2024-03-06T16:00:00Z", "2024-03-04T16:00:00Z"], _BY_ITSELF, True),
        (["2024-03-05T01:00:00Z", "2024-03-04T16:00:00Z"], _BY_ITSELF, False),
        (["2024-03-04T16:00:00Z", "2024-03-05T01:00:00Z"], _BY_ITSELF, False),
        (["2024-03-04T16:00:00Z", None], _BY_STAFF, False),
        ([None, "2024-03-04T16:00:00Z"], _BY_STAFF, False),
    ],
)
def test_a_stop_of_staff_that_was_cut_short_binds_to_its_own_end(
    world: World, found: Found, ends: list[str | None], lifted: dict[str, Any], *, is_wrong: bool
) -> None:
    for end in ends:
        world.stops(**_STAFF, lifts_at=end)
    world.stops("contact_resumed", **{**_STAFF, **lifted})
    world.permits()
    assert (10 in found(world.report())) is is_wrong


def test_intake_may_end_its_hold_earlier_than_it_said(world: World, found: Found) -> None:
    for end in (None, "2024-03-04T16:00:00Z"):
        world.stops(lifts_at=end)
    world.stops("contact_resumed", **{**_BY_ITSELF, "stop_reason": "dispute"})
    world.permits()
    assert not found(world.report())


@pytest.mark.parametrize(("service", "is_wrong"), [("intake", False), ("legal", True)])
def test_parked_input_is_lifted_by_the_service_where_it_waited(
    world: World, found: Found, service: str, *, is_wrong: bool
) -> None:
    parked: dict[str, Any] = {"kind": "parked", "scope": "person", "case_id": None}
    world.stops(**parked, reason="intake")
    world.stops("contact_resumed", **parked, reason=service)
    world.permits()
    assert (10 in found(world.report())) is is_wrong


@pytest.mark.parametrize(("asked", "is_wrong"), [(60_000, False), (60_001, True)])
def test_what_was_paid_is_not_asked_for_again(
    world: World, found: Found, asked: int, *, is_wrong: bool
) -> None:
    world.says("treatment_started", case_id="case-1", overdue_minor=100_000)
    world.says("repayment_counted", case_id="case-1", owed_minor=60_000)
    world.permits(overdue_minor=asked)
    assert (10 in found(world.report())) is is_wrong


def test_a_permit_for_a_closed_case(world: World, found: Found) -> None:
    world.says("contact_ended", case_id="case-1")
    world.permits()
    [late] = found(world.report())[10]
    assert "after its case was closed" in late.text
    assert late.place.stream == "contact.borrower-1"


def test_permitted_twice(world: World, found: Found) -> None:
    world.permits()
    world.permits()
    assert "a second time" in found(world.report())[10][0].text


@pytest.mark.parametrize("at", ["2024-03-05T01:59:59Z", "2024-03-05T12:30:00Z"])
def test_made_when_the_permit_was_not_good(world: World, found: Found, at: str) -> None:
    world.permits()
    world.makes(at=at)
    assert "when its permit was not good" in found(world.report())[10][0].text


def test_made_twice(world: World, found: Found) -> None:
    world.permits()
    world.makes()
    world.makes()
    assert "was made a second time" in found(world.report())[10][0].text


@pytest.mark.parametrize("withdrawn", [True, False])
def test_made_without_a_permit(world: World, found: Found, *, withdrawn: bool) -> None:
    if withdrawn:
        world.permits()
        world.says("attempt_withdrawn", attempt_id="case-1/1")
    world.makes()
    world.ends("connected")
    texts = [finding.text for finding in found(world.report())[10]]
    assert texts == [
        "case-1/1 was made without a permit",
        "case-1/1 has an outcome, but no permit",
    ]


def test_a_withdrawal_of_nothing(world: World, found: Found) -> None:
    world.says("attempt_withdrawn", attempt_id="case-1/1")
    assert "nobody has given" in found(world.report())[10][0].text


@pytest.mark.parametrize(
    ("at", "is_wrong"),
    [
        ("2024-03-04T23:59:00Z", True),
        ("2024-03-05T00:00:00Z", False),
        ("2024-03-05T13:59:00Z", False),
        ("2024-03-05T15:59:00Z", True),
    ],
)
def test_mediation_invites_by_day(blank: Any, found: Found, at: str, *, is_wrong: bool) -> None:
    blank.says("mediation_taken", time=at)
    blank.says("borrower_invited", time=at)
    report = Report()
    invitations = Invitations(report, SHANGHAI)
    for row in blank.rows:
        invitations.event(row, read_event(row.value))
    assert (10 in found(report)) is is_wrong
    assert report.laws[10].counts == {"invitations to talks": 1}


def test_what_cannot_be_judged_is_said(world: World, found: Found) -> None:
    world.permits(permitted_at="soon")
    assert "attempt_permitted cannot be judged" in found(world.report())[10][0].text
