"""The permit: each rule, its boundaries, its order, and when it lets go. Each row is a case."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import replace

from arrears.contact.adapters.policies import load_policies
from arrears.contact.domain.permit import (
    RULES,
    Denied,
    PermitRequest,
    Permitted,
    Standing,
    StopSignal,
    Verdict,
    permit,
)
from arrears.contact.domain.policy import PolicyBook
from arrears.contact.domain.values import (
    CHANNELS,
    AttemptId,
    Channel,
    Contact,
    ContactPoint,
    Outcome,
    StopKind,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
BOOK = PolicyBook(load_policies())
PHONE = ContactPoint(kind="phone", sealed="sealed-phone")
ADDRESS = ContactPoint(kind="address", sealed="sealed-address")
FREE = Standing(market_zone=SHANGHAI, zone="Asia/Shanghai", points=(PHONE, ADDRESS))
ONE_MICROSECOND = timedelta(microseconds=1)


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


TEN = shanghai("2026-03-02T10:00:00")
MIDNIGHT = shanghai("2026-03-03T00:00:00")


def ask(standing: Standing, channel: Channel = "call", at: datetime = TEN) -> Verdict:
    request = PermitRequest(attempt_id=AttemptId("case/9"), channel=channel, at=at)
    return permit(request, standing, BOOK)


def made(
    at: datetime,
    outcome: Outcome | None = None,
    channel: Channel = "call",
    number: str = "sealed-phone",
) -> Contact:
    return Contact(
        attempt_id=AttemptId(f"case/{at.isoformat()}"),
        channel=channel,
        at=at,
        number=number,
        outcome=outcome,
    )


def many(count: int, outcome: Outcome | None, **more: str) -> tuple[Contact, ...]:
    number = more.get("number", "sealed-phone")
    return tuple(made(TEN - timedelta(minutes=n), outcome, "call", number) for n in range(count))


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_free_borrower_may_be_contacted_in_the_day(channel: Channel) -> None:
    assert isinstance(ask(FREE, channel), Permitted)


@pytest.mark.parametrize(
    ("standing", "channel", "rule", "next_allowed_at"),
    [
        (replace(FREE, case_closed=True), "letter", "case_closed", None),
        (
            replace(FREE, stops=(StopSignal(kind="agreement"),)),
            "letter",
            "agreement",
            None,
        ),
        (
            replace(FREE, stops=(StopSignal(kind="hardship", lifts_at=MIDNIGHT),)),
            "sms",
            "hardship",
            MIDNIGHT,
        ),
        (replace(FREE, stops=(StopSignal(kind="hold"),)), "visit", "hold", None),
        (replace(FREE, stops=(StopSignal(kind="parked"),)), "sms", "parked", None),
        (replace(FREE, stops=(StopSignal(kind="staff"),)), "sms", "staff", None),
        # A stop whose end has passed and that nobody has lifted still stops: closed on doubt.
        (
            replace(FREE, stops=(StopSignal(kind="hold", lifts_at=TEN),)),
            "sms",
            "hold",
            None,
        ),
        (
            replace(
                FREE,
                stops=(
                    StopSignal(kind="hold", lifts_at=TEN + timedelta(days=1)),
                    StopSignal(kind="hold", lifts_at=TEN + timedelta(days=9)),
                ),
            ),
            "sms",
            "hold",
            TEN + timedelta(days=9),
        ),
        (
            replace(FREE, promise_judged_at=MIDNIGHT),
            "call",
            "promise_pending",
            MIDNIGHT,
        ),
        (replace(FREE, promise_judged_at=MIDNIGHT), "visit", "promise_pending", MIDNIGHT),
        (replace(FREE, points=()), "sms", "contact_point", None),
        (replace(FREE, points=(ADDRESS,)), "call", "contact_point", None),
        (replace(FREE, points=(PHONE,)), "letter", "contact_point", None),
        (replace(FREE, points=(PHONE,)), "visit", "contact_point", None),
        (replace(FREE, contacts=many(3, "connected")), "call", "connected_per_day", MIDNIGHT),
        (replace(FREE, contacts=many(3, "connected")), "sms", "connected_per_day", MIDNIGHT),
        (replace(FREE, contacts=many(3, "connected")), "letter", "connected_per_day", MIDNIGHT),
        # Without an outcome, or with one that never came, it counts as connected.
        (replace(FREE, contacts=many(3, None)), "visit", "connected_per_day", MIDNIGHT),
        (replace(FREE, contacts=many(3, "unknown")), "call", "connected_per_day", MIDNIGHT),
        (
            replace(FREE, contacts=many(6, "no_answer")),
            "call",
            "unanswered_per_number",
            MIDNIGHT,
        ),
        # A number that is not in the profile any more may be ours, sealed anew.
        (
            replace(FREE, contacts=many(6, "no_answer", number="sealed-before")),
            "call",
            "unanswered_per_number",
            MIDNIGHT,
        ),
    ],
)
def test_what_denies_says_when_it_no_longer_does(
    standing: Standing, channel: Channel, rule: str, next_allowed_at: datetime | None
) -> None:
    verdict = ask(standing, channel)
    assert isinstance(verdict, Denied)
    assert (verdict.rule, verdict.next_allowed_at) == (rule, next_allowed_at)
    assert (verdict.policy_id, verdict.policy_version) == ("cn-bank", 1)
    assert verdict.reason


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("borrower_changed", "the_bank_names_another_borrower"),
        ("agreement", "an_agreement_is_being_kept"),
        ("hardship", "the_borrower_is_shielded_for_hardship"),
        ("hold", "the_case_is_held"),
        ("parked", "an_input_of_the_borrower_waits_for_staff"),
        ("staff", "staff_stopped_the_contact"),
    ],
)
def test_a_stop_says_why(kind: StopKind, reason: str) -> None:
    verdict = ask(replace(FREE, stops=(StopSignal(kind=kind),)))
    assert isinstance(verdict, Denied)
    assert (verdict.rule, verdict.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("standing", "channel"),
    [
        (replace(FREE, promise_judged_at=MIDNIGHT), "sms"),
        (replace(FREE, promise_judged_at=MIDNIGHT), "letter"),
        (replace(FREE, contacts=many(2, "connected")), "call"),
        (replace(FREE, contacts=(*many(2, None), *many(5, "no_answer"))), "call"),
        (replace(FREE, contacts=many(6, "no_answer")), "sms"),
        (
            replace(
                FREE,
                points=(PHONE, ContactPoint(kind="phone", sealed="other")),
                contacts=many(6, "no_answer", number="other"),
            ),
            "call",
        ),
        # Yesterday's contacts are over at midnight of the borrower's clock.
        (
            replace(FREE, contacts=(made(shanghai("2026-03-01T23:59:59"), "connected"),) * 3),
            "call",
        ),
    ],
)
def test_what_does_not_deny(standing: Standing, channel: Channel) -> None:
    assert isinstance(ask(standing, channel), Permitted)


@pytest.mark.parametrize(
    ("clock", "allowed"),
    [
        ("07:59:59", False),
        ("08:00:00", True),
        ("20:59:59", True),
        ("21:00:00", False),
        ("23:30:00", False),
        ("00:00:00", False),
    ],
)
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/London", None, "No/Where"])
@pytest.mark.parametrize("channel", ["sms", "call", "visit"])
def test_quiet_hours_on_the_borrowers_clock(
    clock: str, allowed: bool, zone: str | None, channel: Channel
) -> None:
    """Where the zone is unknown or no zone, the bank's market stands in."""
    local = ZoneInfo("Europe/London") if zone == "Europe/London" else SHANGHAI
    at = datetime.fromisoformat(f"2026-06-10T{clock}").replace(tzinfo=local).astimezone(UTC)
    verdict = ask(replace(FREE, zone=zone), channel, at)
    assert isinstance(verdict, Permitted) is allowed
    assert verdict.inputs.zone == local.key
    assert verdict.inputs.zone_from == ("borrower" if zone == local.key else "market")
    if isinstance(verdict, Denied):
        opening = datetime.fromisoformat("2026-06-10T08:00:00").replace(tzinfo=local)
        if clock >= "21":
            opening += timedelta(days=1)
        assert (verdict.rule, verdict.next_allowed_at) == ("quiet_hours", opening)


@pytest.mark.parametrize("clock", ["00:00:00", "07:59:59", "21:00:00", "23:59:59"])
def test_letters_have_no_quiet_hours(clock: str) -> None:
    assert isinstance(ask(FREE, "letter", shanghai(f"2026-03-02T{clock}")), Permitted)


def test_a_permit_ends_before_the_quiet_hours_begin_and_a_letters_with_the_day() -> None:
    call, letter = ask(FREE, "call"), ask(FREE, "letter")
    assert isinstance(call, Permitted)
    assert isinstance(letter, Permitted)
    assert call.valid_until == shanghai("2026-03-02T21:00:00")
    assert letter.valid_until == MIDNIGHT


@pytest.mark.parametrize(
    ("kinds", "said"),
    [((), ()), (("staff",), ("staff",)), (("staff", "hold", "staff"), ("hold", "staff"))],
)
def test_the_stops_that_stood_are_among_the_inputs(
    kinds: tuple[StopKind, ...], said: tuple[StopKind, ...]
) -> None:
    stops = tuple(StopSignal(kind=kind) for kind in kinds)
    assert ask(replace(FREE, stops=stops)).inputs.stops == said


def test_the_rules_are_asked_in_their_order() -> None:
    """All rules deny at once; each is taken away in turn, and the next one speaks."""
    kinds: list[StopKind] = [
        "borrower_changed",
        "agreement",
        "hardship",
        "hold",
        "parked",
        "staff",
    ]
    standing = Standing(
        market_zone=SHANGHAI,
        case_closed=True,
        stops=tuple(StopSignal(kind=kind) for kind in reversed(kinds)),
        promise_judged_at=MIDNIGHT,
        owed_minor=0,
        contacts=(
            *many(3, "connected"),
            *many(6, "no_answer"),
            *(made(shanghai("2026-03-02T23:00:00"), "connected"),) * 3,
        ),
    )
    night = shanghai("2026-03-02T23:30:00")
    ladder = [standing, replace(standing, case_closed=False)]
    for lifted in range(1, 7):
        stops = tuple(StopSignal(kind=kind) for kind in kinds[lifted:])
        ladder.append(replace(ladder[-1], stops=stops))
    ladder.append(replace(ladder[-1], promise_judged_at=None))
    ladder.append(replace(ladder[-1], owed_minor=1))
    free = replace(ladder[-1], points=(PHONE, ADDRESS))
    asked = [
        *((step, night) for step in ladder),
        (free, night),
        (free, TEN),
        (replace(free, contacts=many(6, "no_answer")), TEN),
    ]
    heard = []
    for step, at in asked:
        verdict = ask(step, "call", at)
        assert isinstance(verdict, Denied)
        heard.append(verdict.rule)
    assert ("policy_in_force", *heard) == RULES


def test_without_a_policy_in_force_nobody_is_contacted() -> None:
    policy = load_policies()[0]
    ended = replace(policy, valid_until=TEN.date() - timedelta(days=1))
    later = replace(policy, version=2, valid_from=TEN.date() + timedelta(days=30))
    request = PermitRequest(attempt_id=AttemptId("case/1"), channel="letter", at=TEN)
    verdict = permit(request, FREE, PolicyBook([ended, later]))
    assert isinstance(verdict, Denied)
    assert verdict.rule == "policy_in_force"
    assert verdict.next_allowed_at == shanghai("2026-04-01T00:00:00")
    verdict = permit(request, FREE, PolicyBook([ended]))
    assert isinstance(verdict, Denied)
    assert verdict.next_allowed_at == TEN + timedelta(days=1)


TIMES = st.integers(0, 72 * 60).map(lambda minutes: TEN + timedelta(minutes=minutes))
OUTCOMES = st.sampled_from([None, "connected", "no_answer", "unknown"])
STANDINGS = st.builds(
    Standing,
    market_zone=st.just(SHANGHAI),
    zone=st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Auckland", None, "x"]),
    stops=st.lists(
        st.builds(
            StopSignal,
            kind=st.sampled_from(["hold", "hardship"]),
            lifts_at=st.none() | TIMES,
        ),
        max_size=2,
    ).map(tuple),
    promise_judged_at=st.none() | TIMES,
    points=st.just((PHONE, ADDRESS)),
    contacts=st.lists(st.builds(made, TIMES, OUTCOMES), max_size=9).map(tuple),
)


@forall(standing=STANDINGS, at=TIMES, channel=st.sampled_from(CHANNELS))
def test_the_next_allowed_time_is_the_first_at_which_the_rule_lets_go(
    standing: Standing, at: datetime, channel: Channel
) -> None:
    """The caller lifts stops and judges promises at their time; the clock does the rest."""
    standing = replace(standing, contacts=tuple(c for c in standing.contacts if c.at <= at))
    verdict = ask(standing, channel, at)
    if isinstance(verdict, Permitted):
        assert at < verdict.valid_until
        return
    then = verdict.next_allowed_at
    if then is None:
        return
    assert then > at
    before = ask(standing, channel, then - ONE_MICROSECOND)
    assert isinstance(before, Denied)
    # At night the quiet hours speak before the limits do; only a letter hears the limit itself.
    assert RULES.index(before.rule) <= RULES.index(verdict.rule)
    assert channel != "letter" or before.rule == verdict.rule
    lifted = replace(
        standing,
        stops=tuple(s for s in standing.stops if s.lifts_at is None or s.lifts_at > then),
        promise_judged_at=None
        if standing.promise_judged_at is None or standing.promise_judged_at <= then
        else standing.promise_judged_at,
    )
    after = ask(lifted, channel, then)
    assert isinstance(after, Permitted) or after.rule != verdict.rule
