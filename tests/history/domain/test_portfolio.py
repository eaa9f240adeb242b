"""The figures of the feed and of the last page, one rule at a time."""

from collections.abc import Sequence
from datetime import date

import pytest

from arrears.history.domain.portfolio import Page, Portfolio, page_of
from arrears.history.domain.portfolio.page import feed_of
from arrears.history.domain.told import keep
from arrears.shared.testing.chronicle import Chronicle

JAN, FEB, MAR = date(2024, 1, 20), date(2024, 2, 20), date(2024, 3, 20)


def _portfolio(chronicle: Chronicle) -> Portfolio:
    portfolio = Portfolio()
    kept = (keep(*record) for record in chronicle.numbered())
    portfolio.hear((one.type, one.business_day, one.value) for one in kept)
    return portfolio


def _page(chronicle: Chronicle, as_of: date | None = None) -> Page:
    portfolio = _portfolio(chronicle)
    return page_of(portfolio, as_of or portfolio.last_day)


def _overdue(
    chronicle: Chronicle,
    on: date,
    *,
    loan: str = "l1",
    days: int = 30,
    minor: int = 10_000,
    currency: str = "CNY",
    bucket: str = "M1",
    outdated: bool = False,
) -> None:
    chronicle.tell(
        "intake.loan_overdue_recorded",
        {
            "case_id": f"case-{loan}",
            "loan_key": loan,
            "days_past_due": days,
            "overdue_minor": minor,
            "balance_minor": 2 * minor,
            "currency": currency,
            "bucket": bucket,
            "outdated": outdated,
        },
        stream=f"intake.loan-{loan}",
        on=on,
        borrower=loan,
    )


def _intake(chronicle: Chronicle, name: str, on: date, **data: object) -> None:
    _stage(chronicle, f"intake.{name}", on, **data)


def _stage(chronicle: Chronicle, name: str, on: date, **data: object) -> None:
    loan = data.pop("loan", "l1")
    case = {"case_id": f"case-{loan}", "loan_key": loan, **data}
    service = name.split(".", maxsplit=1)[0]
    chronicle.tell(name, case, stream=f"{service}.x-{loan}", on=on, borrower=str(loan))


class TestFeed:
    def test_a_feed_of_repayments_only_has_seen_its_loans(self) -> None:
        chronicle = Chronicle()
        _intake(chronicle, "repayment_recorded", JAN, amount_minor=150, currency="JPY")
        feed = feed_of(_portfolio(chronicle))
        assert (feed.loans_seen, feed.events, feed.total_repaid) == (1, 1, "150")
        assert feed.total_overdue_at_end == "0"

    def test_amounts_of_several_currencies_are_never_added(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN, loan="l1", minor=12_345, currency="CNY")
        _overdue(chronicle, JAN, loan="l2", minor=700, currency="KWD")
        feed = feed_of(_portfolio(chronicle))
        assert feed.total_overdue_at_end == {"CNY": "123.45", "KWD": "0.700"}
        assert feed.total_repaid == {"CNY": "0.00", "KWD": "0.000"}

    def test_an_outdated_fact_is_counted_and_changes_no_current_figure(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, FEB, days=60, minor=500)
        _overdue(chronicle, FEB, days=95, minor=900, outdated=True)
        feed = feed_of(_portfolio(chronicle))
        assert (feed.overdue_facts, feed.loans_reaching_90_plus_dpd) == (2, 1)
        assert (feed.loans_ending_90_plus_dpd, feed.total_overdue_at_end) == (0, "5.00")
        assert feed.dpd_decreases_without_cure == 0

    def test_a_threshold_is_reached_on_the_day_itself(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN, days=90)
        feed = feed_of(_portfolio(chronicle))
        assert (feed.loans_reaching_90_plus_dpd, feed.loans_ending_90_plus_dpd) == (1, 1)


def _rates(page: Page) -> dict[tuple[str, str], int]:
    return {(rate.from_bucket, rate.to_bucket): rate.loans for rate in page.roll_rates.rates}


class TestRollRates:
    def test_a_loan_is_where_it_stood_at_the_end_of_each_month(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN, bucket="M1")
        _overdue(chronicle, FEB, bucket="M1")
        _overdue(chronicle, FEB, bucket="M2")
        _intake(chronicle, "loan_cured_recorded", MAR)
        assert _rates(_page(chronicle)) == {
            ("new", "M1"): 1,
            ("M1", "M2"): 1,
            ("M2", "cured"): 1,
        }

    def test_a_month_without_a_word_leaves_it_in_its_bucket(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN, bucket="M1")
        assert _rates(_page(chronicle, as_of=MAR)) == {("new", "M1"): 1, ("M1", "M1"): 2}

    def test_a_cured_loan_that_stays_cured_rolls_no_more(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN, bucket="M1")
        _intake(chronicle, "loan_cured_recorded", JAN)
        assert _rates(_page(chronicle, as_of=MAR)) == {("new", "cured"): 1}

    def test_shares_are_of_all_that_left_the_bucket(self) -> None:
        chronicle = Chronicle()
        for loan, bucket in (("l1", "M2"), ("l2", "M2"), ("l3", "M1"), ("l4", "M1")):
            _overdue(chronicle, JAN, loan=loan, bucket="M1")
            _overdue(chronicle, FEB, loan=loan, bucket=bucket)
        shares = {
            (rate.from_bucket, rate.to_bucket): rate.share
            for rate in _page(chronicle).roll_rates.rates
        }
        assert shares == {("new", "M1"): 1.0, ("M1", "M1"): 0.5, ("M1", "M2"): 0.5}

    def test_they_are_listed_from_new_over_cured_to_the_buckets(self) -> None:
        chronicle = Chronicle()
        for loan in ("l1", "l2"):
            _overdue(chronicle, JAN, loan=loan, bucket="M1")
        _intake(chronicle, "loan_cured_recorded", FEB)
        _overdue(chronicle, MAR, bucket="M1")
        listed = [rate.from_bucket for rate in _page(chronicle).roll_rates.rates]
        assert listed == sorted(listed, key=["new", "cured", "M1"].index)


class TestStages:
    def test_promises_are_counted_at_contact_and_agreements_at_mediation(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN)
        counted = {
            (row.stage, row.promises_broken, row.agreements_breached)
            for row in _page(chronicle).stages
            if row.stage in {"intake", "contact", "mediation"}
        }
        assert counted == {("intake", None, None), ("contact", 0, None), ("mediation", None, 0)}

    def test_money_is_paid_in_at_the_stage_that_has_the_case(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN)
        _intake(chronicle, "repayment_recorded", JAN, amount_minor=100, currency="CNY")
        _intake(chronicle, "case_referred", JAN, stage="contact", treatment="remind")
        _intake(chronicle, "repayment_recorded", JAN, amount_minor=250, currency="CNY")
        rows = {row.stage: row for row in _page(chronicle).stages}
        assert (rows["intake"].paid_in, rows["contact"].paid_in) == ("1.00", "2.50")
        assert (rows["intake"].cases, rows["contact"].cases) == (0, 1)
        assert (rows["contact"].overdue, rows["contact"].balance) == ("100.00", "200.00")

    def test_a_case_given_back_waits_and_a_closed_one_is_gone(self) -> None:
        chronicle = Chronicle()
        for loan in ("l1", "l2"):
            _overdue(chronicle, JAN, loan=loan)
            _intake(chronicle, "case_referred", JAN, loan=loan, stage="contact", treatment="remind")
        _intake(chronicle, "case_returned", JAN, loan="l1", stage="contact", result="reached")
        _intake(chronicle, "case_closed", JAN, loan="l2", reason="cured")
        row = next(row for row in _page(chronicle).stages if row.stage == "contact")
        assert (row.cases, row.in_work, row.waiting) == (1, 0, 1)

    @pytest.mark.parametrize(
        ("referred", "completed", "in_work"),
        [((1,), (), 1), ((1,), (1,), 0), ((1, 2), (1,), 1), ((1, 2), (1, 2), 0)],
    )
    @pytest.mark.parametrize("contact_first", [False, True])
    def test_a_case_between_two_steps_of_contact_waits(
        self, referred: Sequence[int], completed: Sequence[int], in_work: int, contact_first: bool
    ) -> None:
        """Whichever topic is heard first: what contact is done with is told by the referral."""
        chronicle = Chronicle()
        said: list[tuple[str, dict[str, object]]] = [
            ("intake.case_referred", {"referral": one, "stage": "contact", "treatment": "call"})
            for one in referred
        ]
        done: list[tuple[str, dict[str, object]]] = [
            ("contact.treatment_completed", {"referral": one}) for one in completed
        ]
        for name, data in (*done, *said) if contact_first else (*said, *done):
            _stage(chronicle, name, JAN, **data)
        (row,) = [row for row in _page(chronicle).stages if row.stage == "contact"]
        assert (row.cases, row.in_work, row.waiting) == (1, in_work, 1 - in_work)


ATTEMPT = {"attempt_id": "case-l1/1"}


class TestAttempts:
    def test_one_that_was_permitted_and_receipted_is_made_once(self) -> None:
        chronicle = Chronicle()
        _stage(chronicle, "contact.attempt_requested", JAN, **ATTEMPT)
        _stage(chronicle, "contact.attempt_denied", JAN, **ATTEMPT, rule="quiet_hours")
        _stage(chronicle, "contact.attempt_permitted", JAN, **ATTEMPT)
        _stage(chronicle, "contact.attempt_receipted", JAN, **ATTEMPT, receipt_id="r1")
        _stage(chronicle, "contact.attempt_concluded", JAN, **ATTEMPT, outcome="connected")
        found = _page(chronicle).attempts
        assert (found.requested, found.made, found.refused_by_rule) == (1, 1, 1)
        assert found.refused_by == {"quiet_hours": 1}
        assert found.outcomes == {"connected": 1}
        assert (found.without_permit, found.made_twice, found.without_outcome) == (0, 0, 0)

    def test_one_that_was_withdrawn_and_permitted_again_is_made_once(self) -> None:
        chronicle = Chronicle()
        _stage(chronicle, "contact.attempt_permitted", JAN, **ATTEMPT)
        _stage(chronicle, "contact.attempt_withdrawn", JAN, **ATTEMPT, rule="quiet_hours")
        withdrawn = _page(chronicle).attempts
        assert (withdrawn.made, withdrawn.refused_by) == (0, {"quiet_hours": 1})
        assert (withdrawn.without_outcome, withdrawn.made_twice) == (0, 0)
        _stage(chronicle, "contact.attempt_permitted", JAN, **ATTEMPT)
        _stage(chronicle, "contact.attempt_receipted", JAN, **ATTEMPT, receipt_id="r1")
        found = _page(chronicle).attempts
        assert (found.made, found.made_twice, found.without_permit) == (1, 0, 0)

    def test_a_receipt_without_a_permit_is_named(self) -> None:
        chronicle = Chronicle()
        _stage(chronicle, "contact.attempt_receipted", JAN, **ATTEMPT, receipt_id="r1")
        found = _page(chronicle).attempts
        assert (found.without_permit, found.without_permit_ids) == (1, ["case-l1/1"])

    def test_an_outcome_without_permit_and_receipt_is_named_once(self) -> None:
        chronicle = Chronicle()
        _stage(chronicle, "contact.attempt_concluded", JAN, **ATTEMPT, outcome="met")
        assert _page(chronicle).attempts.without_permit == 1

    @pytest.mark.parametrize("second", [{"receipt_id": "r2"}, None])
    def test_two_receipts_or_two_permits_are_named(self, second: dict[str, str] | None) -> None:
        chronicle = Chronicle()
        _stage(chronicle, "contact.attempt_permitted", JAN, **ATTEMPT)
        _stage(chronicle, "contact.attempt_receipted", JAN, **ATTEMPT, receipt_id="r1")
        name = "contact.attempt_permitted" if second is None else "contact.attempt_receipted"
        _stage(chronicle, name, JAN, **ATTEMPT, **(second or {}))
        found = _page(chronicle).attempts
        assert (found.made_twice, found.made_twice_ids) == (1, ["case-l1/1"])


PROMISE = {"promise_id": "p1", "amount_minor": 100, "currency": "CNY"}


class TestTomorrow:
    def test_a_broken_promise_of_an_open_case_is_listed_until_something_follows(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN)
        _stage(chronicle, "contact.promise_made", JAN, **PROMISE)
        _stage(chronicle, "contact.promise_broken", FEB, promise_id="p1")
        listed = _page(chronicle).tomorrow.broken_promises
        assert [(todo.case_id, todo.since, todo.overdue) for todo in listed.cases] == [
            ("case-l1", FEB, "100.00")
        ]
        _intake(chronicle, "case_closed", MAR, reason="cured")
        assert _page(chronicle).tomorrow.broken_promises.count == 0

    def test_a_promise_that_lapsed_is_neither_broken_nor_kept(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN)
        _stage(chronicle, "contact.promise_made", JAN, **PROMISE)
        _stage(chronicle, "contact.promise_lapsed", FEB, promise_id="p1", reason="agreement")
        page = _page(chronicle)
        assert page.tomorrow.broken_promises.count == 0
        counts = {name: page.counts[f"promises_{name}"] for name in ("kept", "broken", "lapsed")}
        assert counts == {"kept": 0, "broken": 0, "lapsed": 1}

    def test_a_new_promise_takes_the_broken_one_off_the_list(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN)
        _stage(chronicle, "contact.promise_made", JAN, **PROMISE)
        _stage(chronicle, "contact.promise_broken", FEB, promise_id="p1")
        _stage(chronicle, "contact.promise_made", MAR, **{**PROMISE, "promise_id": "p2"})
        assert _page(chronicle).tomorrow.broken_promises.count == 0

    def test_a_step_after_the_break_takes_it_off_the_list_and_one_before_does_not(self) -> None:
        for referred_on, count in ((JAN, 1), (FEB, 1), (MAR, 0)):
            chronicle = Chronicle()
            _overdue(chronicle, JAN)
            _intake(chronicle, "case_referred", referred_on, stage="contact", treatment="call")
            _stage(chronicle, "contact.promise_made", JAN, **PROMISE)
            _stage(chronicle, "contact.promise_broken", FEB, promise_id="p1")
            assert _page(chronicle).tomorrow.broken_promises.count == count

    def test_a_returned_notice_is_listed_until_one_is_delivered(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN)
        _stage(chronicle, "contact.demand_returned", FEB)
        assert _page(chronicle).tomorrow.returned_notices.count == 1
        _stage(chronicle, "contact.demand_delivered", MAR)
        assert _page(chronicle).tomorrow.returned_notices.count == 0

    def test_facts_set_aside_are_the_callers_count(self) -> None:
        page = page_of(_portfolio(Chronicle()), None, facts_set_aside=130)
        assert page.tomorrow.facts_set_aside == 130


GRACE: tuple[str, dict[str, object]] = ("intake.grace_granted", {})
REMIND: tuple[str, dict[str, object]] = (
    "intake.case_referred",
    {"stage": "contact", "treatment": "remind"},
)
CALL: tuple[str, dict[str, object]] = (
    "intake.case_referred",
    {"stage": "contact", "treatment": "call"},
)
CURED: tuple[str, dict[str, object]] = ("intake.case_closed", {"reason": "cured"})
GIVEN_UP: tuple[str, dict[str, object]] = ("intake.case_closed", {"reason": "uncollectible"})
SETTLED: tuple[str, dict[str, object]] = ("intake.case_closed", {"reason": "settled"})
KEPT: tuple[str, dict[str, object]] = ("contact.promise_kept", {"promise_id": "p1"})
HARDSHIP: tuple[str, dict[str, object]] = ("contact.hardship_reported", {})
FULFILLED: tuple[str, dict[str, object]] = ("mediation.agreement_fulfilled", {})
BREACHED: tuple[str, dict[str, object]] = ("mediation.agreement_breached", {})
FILED: tuple[str, dict[str, object]] = ("legal.claim_filed", {})
OBEYED: tuple[str, dict[str, object]] = ("legal.judgment_obeyed", {})


def _enforced(result: str) -> tuple[str, dict[str, object]]:
    return (
        "legal.enforcement_closed",
        {"result": result, "recovered_minor": 100, "currency": "CNY"},
    )


class TestEndings:
    @pytest.mark.parametrize(
        ("ending", "happened"),
        [
            ("cured_in_grace", [GRACE, CURED]),
            ("cured_before_any_step", [CURED]),
            ("cured_after_reminder", [GRACE, REMIND, REMIND, CURED]),
            ("cured_after_call", [REMIND, CALL, CURED]),
            ("promise_kept", [REMIND, CALL, KEPT, CURED]),
            ("hardship_then_cured", [REMIND, HARDSHIP, CURED]),
            ("agreement_fulfilled", [CALL, FULFILLED, CURED]),
            ("agreement_fulfilled", [CALL, FULFILLED, SETTLED]),
            ("agreement_breached_then_sued", [CALL, BREACHED, FILED]),
            ("judgment_obeyed", [CALL, FILED, OBEYED, CURED]),
            ("enforced_in_full", [FILED, _enforced("recovered_in_full"), CURED]),
            ("enforced_in_part", [FILED, _enforced("recovered_in_part"), GIVEN_UP]),
            ("enforced_no_assets", [FILED, _enforced("no_assets"), GIVEN_UP]),
            ("closed_uncollectible", [CALL, GIVEN_UP]),
            ("still_open", [REMIND, KEPT]),
            ("still_open", [CALL, BREACHED]),
        ],
    )
    def test_each_ending_is_told_by_what_happened(
        self, ending: str, happened: list[tuple[str, dict[str, object]]]
    ) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN)
        for name, data in happened:
            if name.startswith("intake."):
                _intake(chronicle, name.removeprefix("intake."), FEB, **data)
            else:
                _stage(chronicle, name, FEB, **data)
        reached = [
            (one.ending, one.count, one.case_id) for one in _page(chronicle).endings if one.count
        ]
        assert reached == [(ending, 1, "case-l1")]

    def test_a_suit_after_a_breach_is_listed_there_and_under_its_outcome(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN)
        for name, data in (BREACHED, FILED, OBEYED):
            _stage(chronicle, name, FEB, **data)
        reached = [one.ending for one in _page(chronicle).endings if one.count]
        assert reached == ["agreement_breached_then_sued", "judgment_obeyed"]

    def test_whoever_is_heard_first_the_page_is_the_same(self) -> None:
        chronicle = Chronicle()
        _overdue(chronicle, JAN)
        _intake(chronicle, "case_opened", JAN, currency="CNY")
        _intake(chronicle, "case_referred", JAN, stage="contact", treatment="call")
        for name, data in (KEPT, BREACHED, FILED, _enforced("no_assets")):
            _stage(chronicle, name, FEB, **data)
        kept = [keep(*record) for record in chronicle.numbered()]
        rows = [(one.type, one.business_day, one.value) for one in kept]
        last_first = Portfolio()
        last_first.hear(rows[3:])
        last_first.hear(rows[:3])
        assert page_of(last_first, last_first.last_day) == _page(chronicle)

    def test_the_eleven_endings_are_always_listed(self) -> None:
        page = _page(Chronicle())
        assert [one.count for one in page.endings] == [0] * 11
