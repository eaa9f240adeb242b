"""What borrower, post, mediator, court and bailiff of the sandbox say, and that the feed agrees."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from arrears.shared.sandbox.answers import (
    PROMISE_DAYS_MAX,
    ContactAnswer,
    CourtAnswer,
    contact_answer,
    court_answer,
    enforcement_answer,
    mediation_answer,
    signing_answer,
)
from arrears.shared.sandbox.hours import BANK, day_of
from arrears.shared.sandbox.personas import Persona
from arrears.shared.sandbox.story import Episode, Story, story

SEED = 7
START = date(2024, 1, 1)
PORTFOLIO = tuple(story(SEED, START, index) for index in range(2_000))
FOREIGN = "tw-card-00400@/core-banking/uci-taiwan"
AT = datetime(2024, 5, 6, 3, 0, tzinfo=UTC)
OWED = 1_000_000

instants = st.integers(-20 * 365, 15 * 365).map(
    lambda days: AT + timedelta(days=days, minutes=days)
)
channels = st.sampled_from(["sms", "call", "letter", "visit"])
loan_keys = st.one_of(
    st.just(FOREIGN),
    st.integers(0, 5_000).map(lambda index: _key(story(SEED, START, index))),
)


def _key(told: Story) -> str:
    return f"{told.loan_id}@{told.source}"


def _told(persona: Persona) -> Iterator[tuple[Story, Episode]]:
    for told in PORTFOLIO:
        for episode in told.episodes:
            if episode.persona is persona:
                yield told, episode


def _on(episode: Episode, days: int, hour: int = 10) -> datetime:
    """A bank's hour so many days after the due date."""
    return datetime.combine(episode.due_on + timedelta(days=days), time(hour), BANK)


def _call(told: Story, episode: Episode, days: int, number: int) -> ContactAnswer:
    case = f"case-{told.loan_id}-{episode.due_on}"
    attempt = f"{case}/{number}"
    return contact_answer(
        SEED, _key(told), case, attempt, "call", "call", _on(episode, days), episode.owed_minor
    )


class TestEveryAnswer:
    @forall(loan_keys, channels, instants, st.integers(1, 9))
    def test_a_contact_is_receipted_after_it_was_asked_and_concluded_after_that(
        self, loan_key: str, channel: str, at: datetime, number: int
    ) -> None:
        ask = (SEED, loan_key, "case", f"case/{number}", channel, "step", at, OWED)
        answer = contact_answer(*ask)
        assert answer == contact_answer(*ask)
        assert at < answer.receipt_at < answer.concluded_at <= at + timedelta(days=5)
        assert answer.receipt_id.startswith("sandbox-")
        assert (answer.said.kind == "nothing") or answer.outcome in {"connected", "met"}
        if answer.said.kind == "promise":
            assert answer.said.amount_minor is not None
            assert answer.said.due_on is not None
            assert 0 < answer.said.amount_minor <= OWED
            assert 1 <= (answer.said.due_on - day_of(at)).days <= PROMISE_DAYS_MAX
        if answer.said.kind == "hardship":
            assert answer.said.review_on is not None
            assert answer.said.review_on > day_of(at)

    @forall(loan_keys, instants, st.integers(1, 10**9))
    def test_a_plan_adds_up_and_lies_ahead(
        self, loan_key: str, at: datetime, overdue_minor: int
    ) -> None:
        answer = mediation_answer(SEED, loan_key, "case", at, overdue_minor)
        assert at < answer.answered_at
        assert answer.accepted == bool(answer.instalments)
        if answer.accepted:
            days = [day for day, _ in answer.instalments]
            assert days == sorted(set(days))
            assert days[0] > day_of(answer.answered_at)
            assert all(amount > 0 for _, amount in answer.instalments)
            assert sum(amount for _, amount in answer.instalments) == overdue_minor

    @forall(loan_keys, instants)
    def test_the_bank_signs_after_the_borrower(self, loan_key: str, at: datetime) -> None:
        answer = signing_answer(SEED, loan_key, "case", at)
        assert at < answer.bank_signed_at
        if answer.borrower_signed_at is not None:
            assert at < answer.borrower_signed_at < answer.bank_signed_at

    @forall(loan_keys, instants, st.integers(1, 10**9))
    def test_a_court_registers_judges_and_gives_time_in_that_order(
        self, loan_key: str, at: datetime, claim_minor: int
    ) -> None:
        answer = court_answer(SEED, loan_key, "case", at, claim_minor)
        assert at < answer.registered_at < answer.judged_at
        assert answer.judged_at.astimezone(BANK).weekday() < 5
        assert 0 < answer.awarded_minor <= claim_minor
        assert answer.obey_by_on > day_of(answer.judged_at)

    @forall(loan_keys, instants, st.integers(1, 10**9))
    def test_assets_are_searched_before_enforcement_is_concluded(
        self, loan_key: str, at: datetime, judgment_minor: int
    ) -> None:
        answer = enforcement_answer(SEED, loan_key, "case", at, judgment_minor)
        assert at < answer.searched_at < answer.concluded_at
        assert answer.found in {"full", "part", "none"}


class TestTheBorrowerOfAStory:
    def test_a_promiser_promises_the_next_payment_to_the_day_and_the_cent(self) -> None:
        kept = 0
        for told, episode in _told(Persona.PROMISE_KEPT):
            answer = _call(told, episode, 16, 3)
            assert answer.outcome == "connected"
            assert answer.said.kind == "promise"
            pay = episode.payments[0]
            assert (answer.said.due_on, answer.said.amount_minor) == (pay.on, pay.amount_minor)
            kept += 1
        assert kept > 100

    @pytest.mark.parametrize("days", [16, 17, 18, 19, 20])
    def test_a_promise_at_any_delay_of_the_call_is_paid(self, days: int) -> None:
        for told, episode in _told(Persona.PROMISE_KEPT):
            said = _call(told, episode, days, 3).said
            assert any(
                (pay.on, pay.amount_minor) == (said.due_on, said.amount_minor)
                for pay in episode.payments
            )

    def test_a_promise_lies_ahead_even_on_the_day_of_a_payment(self) -> None:
        for told, episode in _told(Persona.PROMISE_KEPT):
            first, last = episode.payments[0], episode.payments[-1]
            said = _call(told, episode, (first.on - episode.due_on).days, 3).said
            assert (said.kind == "promise") == (first is not last)
            assert said.due_on in {None, last.on}

    def test_nobody_promises_more_than_is_asked_for(self) -> None:
        told, episode = next(_told(Persona.PROMISE_KEPT))
        at = _on(episode, 16)
        ask = (SEED, _key(told), "case", "case/3", "call", "call", at)
        assert contact_answer(*ask, 7).said.amount_minor == 7
        assert contact_answer(*ask, 0).said.kind == "nothing"

    def test_a_talker_is_reached_by_the_second_call_at_the_latest(self) -> None:
        first = Counter(
            _call(told, episode, 16, 2).outcome for told, episode in _told(Persona.PROMISE_KEPT)
        )
        assert first["no_answer"] > 10
        assert first["connected"] > first["no_answer"]

    def test_hardship_is_claimed_until_after_the_cure(self) -> None:
        for told, episode in _told(Persona.HARDSHIP_THEN_CURED):
            answer = _call(told, episode, 17, 3)
            assert answer.said.kind == "hardship"
            assert answer.said.review_on is not None
            assert episode.cured_on is not None
            assert answer.said.review_on > episode.cured_on

    def test_only_some_personas_ever_promise_what_does_not_come(self) -> None:
        liars = Counter[Persona]()
        for told in PORTFOLIO:
            for episode in told.episodes:
                said = _call(told, episode, 16, 3).said
                due = {(pay.on, pay.amount_minor) for pay in episode.payments}
                if said.kind == "promise" and (said.due_on, said.amount_minor) not in due:
                    liars[episode.persona] += 1
        assert Persona.NO_ASSETS in liars
        assert set(liars) <= {
            Persona.AGREEMENT_BREACHED,
            Persona.ENFORCED_IN_FULL,
            Persona.ENFORCED_IN_PART,
            Persona.NO_ASSETS,
            Persona.STILL_OPEN,
        }

    def test_a_demand_reaches_everyone_who_will_be_sued_to_the_end(self) -> None:
        for told in PORTFOLIO:
            for episode in told.episodes:
                case = told.loan_id
                answer = contact_answer(
                    SEED, _key(told), case, f"{case}/4", "letter", "demand", _on(episode, 31), OWED
                )
                if episode.persona is not Persona.STILL_OPEN:
                    assert answer.outcome == "delivered"
                assert 2 <= (day_of(answer.concluded_at) - day_of(_on(episode, 31))).days <= 4


class TestTheAgreementOfAStory:
    @pytest.mark.parametrize("days", [60, 62, 66, 70, 74])
    def test_who_fulfils_it_agrees_to_what_the_feed_pays(self, days: int) -> None:
        for told, episode in _told(Persona.AGREEMENT_FULFILLED):
            answer = mediation_answer(
                SEED, _key(told), "case", _on(episode, days, 23), episode.owed_minor
            )
            paid = tuple((pay.on, pay.amount_minor) for pay in episode.payments)
            assert answer.instalments == paid
            assert episode.cured_on is not None

    def test_late_talks_plan_what_is_still_to_come_and_all_of_it(self) -> None:
        for told, episode in _told(Persona.AGREEMENT_FULFILLED):
            late = (episode.payments[0].on - episode.due_on).days + 1
            answer = mediation_answer(
                SEED, _key(told), "case", _on(episode, late), episode.owed_minor
            )
            assert [day for day, _ in answer.instalments] == [
                pay.on for pay in episode.payments[1:]
            ]
            assert sum(amount for _, amount in answer.instalments) == episode.owed_minor

    def test_both_have_signed_days_before_the_first_instalment(self) -> None:
        for told, episode in _told(Persona.AGREEMENT_FULFILLED):
            ask = mediation_answer(SEED, _key(told), "case", _on(episode, 70), episode.owed_minor)
            signed = signing_answer(SEED, _key(told), "case", ask.answered_at)
            assert signed.borrower_signed_at is not None
            assert day_of(signed.bank_signed_at) < ask.instalments[0][0]

    def test_who_breaches_it_pays_the_first_instalment_and_not_the_second(self) -> None:
        for told, episode in _told(Persona.AGREEMENT_BREACHED):
            plan = mediation_answer(
                SEED, _key(told), "case", _on(episode, 60, 23), episode.owed_minor
            ).instalments
            paid = {pay.on for pay in episode.payments}
            assert len(plan) >= 4
            assert plan[0][0] in paid
            assert not any(plan[1][0] <= day <= plan[1][0] + timedelta(days=30) for day in paid)

    @pytest.mark.parametrize(
        "persona",
        [
            Persona.JUDGMENT_OBEYED,
            Persona.ENFORCED_IN_FULL,
            Persona.ENFORCED_IN_PART,
            Persona.NO_ASSETS,
            Persona.STILL_OPEN,
        ],
    )
    def test_the_others_decline(self, persona: Persona) -> None:
        for told, episode in _told(persona):
            assert not mediation_answer(SEED, _key(told), "case", _on(episode, 61), OWED).accepted


class TestTheCourtOfAStory:
    @pytest.mark.parametrize("filed", [90, 95, 105, 120])
    def test_who_obeys_has_paid_the_award_in_time(self, filed: int) -> None:
        for told, episode in _told(Persona.JUDGMENT_OBEYED):
            answer = _judged(told, episode, filed)
            judged_on = day_of(answer.judged_at)
            in_time = [p for p in episode.payments if judged_on < p.on <= answer.obey_by_on]
            assert sum(pay.amount_minor for pay in in_time) >= answer.awarded_minor > 0

    @pytest.mark.parametrize("persona", [Persona.JUDGMENT_OBEYED, Persona.ENFORCED_IN_FULL])
    def test_no_more_is_awarded_than_the_feed_pays_before_it_says_cured(
        self, persona: Persona
    ) -> None:
        for told, episode in _told(persona):
            whole = _judged(told, episode, 91, episode.balance_minor * 2)
            assert whole.awarded_minor == episode.owed_minor

    @pytest.mark.parametrize("filed", [125, 132, 137, 151])
    def test_half_of_those_who_breached_obey(self, filed: int) -> None:
        obeyed = Counter[bool]()
        for told, episode in _told(Persona.AGREEMENT_BREACHED):
            answer = _judged(told, episode, filed, episode.owed_minor * 3 // 4)
            judged_on = day_of(answer.judged_at)
            paid = sum(
                p.amount_minor for p in episode.payments if judged_on < p.on <= answer.obey_by_on
            )
            obeyed[paid >= answer.awarded_minor] += 1
            assert (paid >= answer.awarded_minor) == (episode.cured_on is not None)
        assert min(obeyed[True], obeyed[False]) > 15

    def test_a_late_suit_is_judged_a_month_after_registration(self) -> None:
        told, episode = next(_told(Persona.NO_ASSETS))
        answer = _judged(told, episode, 140)
        days = (day_of(answer.judged_at) - day_of(_on(episode, 140))).days
        assert 31 <= days <= 36

    @pytest.mark.parametrize(
        ("persona", "found"),
        [
            (Persona.ENFORCED_IN_FULL, "full"),
            (Persona.ENFORCED_IN_PART, "part"),
            (Persona.NO_ASSETS, "none"),
        ],
    )
    @pytest.mark.parametrize("filed", [90, 95, 105, 120])
    def test_who_does_not_obey_is_enforced_as_the_feed_pays(
        self, persona: Persona, found: str, filed: int
    ) -> None:
        for told, episode in _told(persona):
            judgment = _judged(told, episode, filed)
            assert not any(pay.on <= judgment.obey_by_on for pay in episode.payments)
            applied = datetime.combine(judgment.obey_by_on + timedelta(days=12), time(10), BANK)
            answer = enforcement_answer(SEED, _key(told), "case", applied, judgment.awarded_minor)
            coming = [pay for pay in episode.payments if pay.on > day_of(applied)]
            assert coming == list(episode.payments)
            assert answer.found == found
            assert all(pay.on < day_of(answer.concluded_at) for pay in coming)
            if episode.cured_on is not None:
                assert day_of(answer.concluded_at) < episode.cured_on
                assert judgment.awarded_minor == sum(pay.amount_minor for pay in coming)


def _judged(
    told: Story, episode: Episode, filed: int, claim_minor: int | None = None
) -> CourtAnswer:
    claim = episode.owed_minor if claim_minor is None else claim_minor
    return court_answer(SEED, _key(told), "case", _on(episode, filed, 23), claim)


class TestStrangers:
    def _said(self, channel: str, seed: int = SEED) -> Counter[str]:
        answers = [
            contact_answer(seed, FOREIGN, "case", f"case/{n}", channel, "step", AT, OWED)
            for n in range(2_000)
        ]
        count = Counter(answer.outcome for answer in answers)
        count.update(f"said {answer.said.kind}" for answer in answers)
        return count

    def test_six_in_ten_calls_connect_and_some_promise(self) -> None:
        count = self._said("call")
        assert 1_100 < count["connected"] < 1_300
        assert count["connected"] + count["no_answer"] == 2_000
        assert 300 < count["said promise"] < 600
        assert 10 < count["said hardship"] < 50
        assert count["said refusal"] > 100

    def test_letters_mostly_arrive_and_half_of_the_visits_meet_someone(self) -> None:
        letters, visits = self._said("letter"), self._said("visit")
        assert 1_700 < letters["delivered"] < 1_900
        assert letters["delivered"] + letters["returned"] == 2_000
        assert 900 < visits["met"] < 1_100
        assert visits["met"] + visits["not_home"] == 2_000

    def test_another_seed_says_other_things(self) -> None:
        assert self._said("call") != self._said("call", seed=SEED + 1)

    def test_a_third_agrees_to_six_equal_months(self) -> None:
        plans = [
            mediation_answer(SEED, FOREIGN, f"case-{n}", AT, 1_000_003).instalments
            for n in range(1_000)
        ]
        agreed = [plan for plan in plans if plan]
        assert 300 < len(agreed) < 400
        for plan in agreed:
            assert [amount for _, amount in plan] == [166_667] * 5 + [166_668]
            days = [day for day, _ in plan]
            assert {(b - a).days for a, b in pairwise(days)} == {30}

    def test_a_suit_takes_a_month_and_its_enforcement_two_and_finds_nothing(self) -> None:
        court = court_answer(SEED, FOREIGN, "case", AT, OWED)
        assert court.awarded_minor == OWED
        assert 30 <= (court.judged_at - court.registered_at).days <= 33
        assert (court.obey_by_on - day_of(court.judged_at)).days == 15
        bailiff = enforcement_answer(SEED, FOREIGN, "case", AT, OWED)
        assert bailiff.found == "none"
        assert 58 <= (bailiff.concluded_at - AT).days <= 63

    def test_a_story_of_another_seed_is_a_stranger(self) -> None:
        told = next(iter(_told(Persona.AGREEMENT_FULFILLED)))[0]
        plans = [
            mediation_answer(SEED + 1, _key(told), f"case-{n}", AT, OWED).instalments
            for n in range(50)
        ]
        assert any(len(plan) == 6 for plan in plans)
        assert any(not plan for plan in plans)
