"""What a story of the synthetic portfolio may and may not tell."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from arrears.shared.sandbox.facts import MoneyCame, PaidUp, ProfileKnown, StillOverdue, facts
from arrears.shared.sandbox.personas import MAY_RELAPSE, WEIGHTS, Persona, persona_of
from arrears.shared.sandbox.story import (
    SPAN_DAYS,
    Story,
    episode_at,
    first_due_on,
    source_of,
    story,
    story_of,
)

SEED = 7
START = date(2024, 1, 1)
END = START + timedelta(days=SPAN_DAYS)
PORTFOLIO = tuple(story(SEED, START, index) for index in range(2_000))

seeds = st.integers(0, 10**18 - 1)
starts = st.dates(date(1990, 1, 1), date(2090, 1, 1))
stories = st.builds(story, seeds, starts, st.integers(0, 10**6))


class TestOneStory:
    @forall(seeds, starts, st.integers(0, 10**6))
    def test_the_same_seed_start_and_number_tell_the_same(
        self, seed: int, start_on: date, index: int
    ) -> None:
        first = story.__wrapped__(seed, start_on, index)
        assert first == story.__wrapped__(seed, start_on, index)
        assert first == story_of(seed, f"{first.loan_id}@{first.source}")

    @forall(seeds, starts, st.integers(0, 10**6))
    def test_its_beginning_is_known_before_it_is_told(
        self, seed: int, start_on: date, index: int
    ) -> None:
        told = story(seed, start_on, index)
        assert first_due_on(seed, start_on, index) == told.episodes[0].due_on >= start_on

    def test_another_seed_tells_another(self) -> None:
        others = [story(SEED + 1, START, index) for index in range(100)]
        assert all(a.episodes != b.episodes for a, b in zip(PORTFOLIO, others, strict=False))

    @forall(stories)
    def test_episodes_follow_each_other_and_only_the_last_may_stay_open(self, told: Story) -> None:
        for before, after in pairwise(told.episodes):
            assert before.cured_on is not None
            assert before.cured_on < after.due_on
            assert before.persona in MAY_RELAPSE

    @forall(stories)
    def test_money_paid_never_exceeds_what_is_owed_and_a_cure_needs_all_of_it(
        self, told: Story
    ) -> None:
        for episode in told.episodes:
            paid = sum(payment.amount_minor for payment in episode.payments)
            assert all(payment.amount_minor > 0 for payment in episode.payments)
            assert paid <= episode.owed_minor <= episode.balance_minor
            assert (paid == episode.owed_minor) == (episode.cured_on is not None)
            assert sum(plan.amount_minor for plan in episode.planned) in {0, episode.owed_minor}

    @forall(stories)
    def test_all_but_those_who_stay_open_end_within_the_months(self, told: Story) -> None:
        last = told.episodes[-1]
        if last.persona is Persona.STILL_OPEN:
            assert last.cured_on is None
            return
        happenings = [last.due_on, *(payment.on for payment in last.payments)]
        happenings += [day for day in (last.cured_on, last.judged_on) if day is not None]
        assert max(happenings) <= told.start_on + timedelta(days=SPAN_DAYS)

    def test_a_day_between_two_episodes_belongs_to_the_first(self) -> None:
        told = next(one for one in PORTFOLIO if len(one.episodes) == 2)
        first, second = told.episodes
        assert episode_at(told, second.due_on - timedelta(days=1)) is first
        assert episode_at(told, second.due_on) is second
        assert episode_at(told, first.due_on - timedelta(days=9)) is first


class TestStoryOf:
    @pytest.mark.parametrize(
        "loan_key",
        [
            "tw-card-00400@/core-banking/uci-taiwan",
            f"syn-00001@{source_of(8, START)}",
            f"syn-00001@{source_of(SEED, START)}/more",
            f"syn-1@{source_of(SEED, START)}",
            f"other-00001@{source_of(SEED, START)}",
            "syn-00001@/core-banking/synthetic/seed-7/2024-13-01",
            "syn-00001",
            "",
        ],
    )
    def test_is_none_for_any_loan_that_is_not_of_this_seed(self, loan_key: str) -> None:
        assert story_of(SEED, loan_key) is None


class TestPortfolio:
    def test_holds_every_ending_many_times_and_the_early_cures_most_often(self) -> None:
        count = Counter(told.persona for told in PORTFOLIO)
        assert set(count) == set(Persona)
        assert min(count.values()) >= 30
        most = {persona for persona, _ in count.most_common(2)}
        assert most == {Persona.CURED_IN_GRACE, Persona.AFTER_A_REMINDER}

    @forall(seeds, st.integers(0, 1000))
    def test_each_hundred_loans_holds_each_persona_by_its_weight(
        self, seed: int, block: int
    ) -> None:
        count = Counter(persona_of(seed, 100 * block + place) for place in range(100))
        assert count == Counter(dict(WEIGHTS))

    def test_some_loans_fall_behind_again(self) -> None:
        assert 100 < sum(len(told.episodes) == 2 for told in PORTFOLIO) < 400

    def test_every_twentieth_borrower_has_two_loans_and_one_profile(self) -> None:
        loans = Counter(told.borrower_id for told in PORTFOLIO)
        assert Counter(loans.values()) == {1: 1_800, 2: 100}
        profiles = {(t.borrower_id, t.zone, t.language, t.contact_points) for t in PORTFOLIO}
        assert len(profiles) == len(loans)

    def test_a_few_live_elsewhere_and_some_speak_english(self) -> None:
        zones = Counter(told.zone for told in PORTFOLIO)
        assert zones["Asia/Shanghai"] > 1_700
        assert sum(zones.values()) - zones["Asia/Shanghai"] > 80
        assert {told.language for told in PORTFOLIO} == {"zh", "en"}

    def test_loans_fall_due_all_over_the_months(self) -> None:
        days = [(told.episodes[0].due_on - START).days for told in PORTFOLIO]
        by_quarter = Counter(day // 91 for day in days)
        assert len(set(days)) > 500
        assert all(by_quarter[quarter] > 200 for quarter in range(6))

    def test_a_fifth_of_the_loans_rolls_on_past_ninety_days(self) -> None:
        reached = Counter[int]()
        for told in PORTFOLIO:
            days = [f.days_past_due for f in facts(told, END) if isinstance(f, StillOverdue)]
            reached.update(limit for limit in (1, 30, 60, 90) if max(days, default=0) >= limit)
        assert reached[1] == len(PORTFOLIO)
        assert 0.2 < reached[30] / reached[1] < 0.4
        assert 0.6 < reached[60] / reached[30] < 0.95
        assert 0.6 < reached[90] / reached[60] < 0.95


class TestFacts:
    @forall(stories, st.integers(0, 900))
    def test_come_in_order_of_time_and_none_lies_after_the_last_day(
        self, told: Story, days: int
    ) -> None:
        until_on = told.start_on + timedelta(days=days)
        times = [fact.at for fact in facts(told, until_on)]
        assert times == sorted(times)
        assert all(at.date() <= until_on for at in times)

    @forall(stories)
    def test_a_later_last_day_only_adds_facts(self, told: Story) -> None:
        early = tuple(facts(told, told.start_on + timedelta(days=200)))
        late = tuple(facts(told, told.start_on + timedelta(days=500)))
        assert late[: len(early)] == early

    @forall(stories)
    def test_overdue_facts_agree_with_the_money_that_came(self, told: Story) -> None:
        paid = 0
        owed = None
        for fact in facts(told, told.start_on + timedelta(days=SPAN_DAYS)):
            match fact:
                case MoneyCame():
                    paid += fact.amount_minor
                case StillOverdue():
                    episode = episode_at(told, fact.as_of_on)
                    total = fact.principal_minor + fact.interest_minor + fact.fees_minor
                    assert fact.days_past_due == (fact.as_of_on - fact.due_on).days >= 1
                    assert min(fact.principal_minor, fact.interest_minor, fact.fees_minor) >= 0
                    assert 0 < total == episode.owed_minor - paid <= fact.balance_minor
                    assert fact.fees_minor == max(episode.fees_minor - paid, 0)
                    assert fact.interest_minor == 0 or fact.principal_minor == (
                        episode.principal_minor
                    )
                    owed = total
                case PaidUp():
                    assert paid == episode_at(told, fact.as_of_on).owed_minor
                    paid, owed = 0, None
                case ProfileKnown():
                    assert owed is None

    def test_who_pays_the_oldest_instalment_has_fewer_days_past_due(self) -> None:
        rolled = 0
        for told in PORTFOLIO:
            if len(told.episodes) > 1:
                continue
            days = [f.days_past_due for f in facts(told, END) if isinstance(f, StillOverdue)]
            pays = sum(payment.rolls_days > 0 for payment in told.episodes[0].payments)
            assert sum(b < a for a, b in pairwise(days)) == pays
            rolled += pays
        assert rolled > 300

    @forall(stories)
    def test_the_bank_reports_on_its_days_and_after_each_repayment_only(self, told: Story) -> None:
        every = tuple(facts(told, told.start_on + timedelta(days=SPAN_DAYS)))
        paid_on = {fact.value_on for fact in every if isinstance(fact, MoneyCame)}
        for fact in every:
            if isinstance(fact, StillOverdue) and fact.as_of_on not in paid_on:
                assert fact.days_past_due in {1, 5, 15} or fact.days_past_due % 15 == 0

    @forall(stories)
    def test_the_profile_comes_before_the_first_overdue_fact(self, told: Story) -> None:
        first, second, *_ = facts(told, told.start_on + timedelta(days=SPAN_DAYS))
        assert isinstance(first, ProfileKnown)
        assert isinstance(second, StillOverdue)
        assert second.days_past_due == 1
        assert first.at < second.at
