"""The last page: every figure of the report in both languages, and the story that is chosen."""

from typing import Any, get_args

import pytest
from rich.console import Console

from arrears.cli.demo.page import print_page, story_of
from arrears.cli.demo.story import story_table
from arrears.cli.demo.words import LABELS, Language, say
from arrears.contact.domain import permit
from arrears.contact.domain import values as contact
from arrears.history.domain.portfolio.cases import ENDINGS, STAGES
from arrears.intake.domain.loan.state import SETTLED, UNCOLLECTIBLE

NO_TODO: dict[str, Any] = {"count": 0, "cases": []}
DUE = {"case_id": "c-9", "loan_key": "l@s", "since": "2024-06-01", "overdue": "12.34"}


def page(**changed: Any) -> dict[str, Any]:
    stage = {
        "stage": "contact",
        "cases": 1234,
        "in_work": 1200,
        "waiting": 34,
        "overdue": "1234567.89",
        "balance": "98765.00",
        "paid_in": "55.10",
        "promises_kept": 61,
        "promises_broken": 17,
        "agreements_kept": None,
        "agreements_breached": None,
    }
    return {
        "as_of": "2024-06-30",
        "event_count": 4567,
        "case_count": 321,
        "currency": "CNY",
        "feed": {"loans_seen": 300, "total_repaid": "1.00"},
        "stages": [stage],
        "counts": {"promises_made": 78, "judgments": 9},
        "awarded": "7.00",
        "recovered": "3.00",
        "roll_rates": {
            "first_month": "2024-01",
            "last_month": "2024-06",
            "rates": [
                {"from": "new", "to": "M1", "loans": 3, "share": 0.75},
                {"from": "new", "to": "cured", "loans": 1, "share": 0.25},
            ],
        },
        "attempts": {
            "requested": 500,
            "made": 470,
            "refused_by_rule": 31,
            "refused_by": {"quiet_hours": 30, "some_new_rule": 1},
            "outcomes": {"connected": 200},
            "without_outcome": 0,
            "without_permit": 0,
            "made_twice": 0,
        },
        "tomorrow": {
            "broken_promises": {"count": 5, "cases": [DUE] * 5},
            "returned_notices": NO_TODO,
            "facts_set_aside": 13,
        },
        "endings": [{"ending": "enforced_in_full", "count": 8, "case_id": "c-1"}],
        **changed,
    }


def printed(found: dict[str, Any], language: Language) -> str:
    shown = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    print_page(shown, found, language)
    return shown.export_text()


class TestPrintPage:
    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_every_figure_is_on_it(self, language: Language) -> None:
        text = printed(page(), language)
        for figure in (
            "2024-06-30",
            "321",
            "1,234,567.89",
            "61 / 17",
            "75.0%",
            "25.0%",
            "c-9",
            "12.34",
            "c-1",
            "13",
            "470",
            "some new rule 1",
        ):
            assert figure in text, figure

    @pytest.mark.parametrize(("currency", "said"), [("USD", "USD"), (None, "not known")])
    def test_a_currency_that_no_case_names_is_not_guessed(
        self, currency: str | None, said: str
    ) -> None:
        assert f"amounts in {said}" in printed(page(currency=currency), "en")

    def test_several_currencies_stand_one_under_the_other(self) -> None:
        found = page(awarded={"CNY": "1.00", "JPY": "7"})
        assert "1.00 CNY\n7 JPY" in printed(found, "en")

    def test_a_count_of_attempts_without_permit_is_shown_when_it_is_not_0(self) -> None:
        attempts = {**page()["attempts"], "without_permit": 2}
        assert "made without permit 2" in printed(page(attempts=attempts), "en")

    def test_a_portfolio_of_nothing_has_a_page_too(self) -> None:
        rolls: dict[str, Any] = {"first_month": None, "last_month": None, "rates": []}
        assert "not known" in printed(
            page(
                stages=[],
                endings=[],
                roll_rates=rolls,
                currency=None,
                tomorrow={
                    "broken_promises": NO_TODO,
                    "returned_notices": NO_TODO,
                    "facts_set_aside": None,
                },
            ),
            "en",
        )


class TestStoryOf:
    def test_a_case_that_was_enforced_comes_first(self) -> None:
        endings: list[dict[str, Any]] = [
            {"ending": "still_open", "case_id": "open"},
            {"ending": "promise_kept", "case_id": "kept"},
            {"ending": "enforced_in_part", "case_id": "part"},
            {"ending": "enforced_in_full", "case_id": None},
        ]
        assert story_of(endings) == "part"
        assert story_of(endings[:1]) == "open"
        assert story_of([]) is None


class TestStory:
    def test_a_day_and_a_service_are_said_once(self) -> None:
        lines: list[dict[str, Any]] = [
            {"on": "2024-05-01", "service": "intake", "what": "one [a]", "why": "because"},
            {"on": "2024-05-01", "service": "intake", "what": "two", "why": None},
            {"on": "2024-05-01", "service": "legal", "what": "three", "why": None},
        ]
        shown = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
        shown.print(story_table(lines, "zh"))
        text = shown.export_text()
        assert text.count("2024-05-01") == 1
        assert text.count("受理") == 1
        assert "法务" in text
        assert "one [a]" in text


class TestWords:
    def test_every_label_has_both_languages_and_the_same_values(self) -> None:
        for key, (english, chinese) in LABELS.items():
            assert english, key
            assert chinese, key
            assert fields(english) == fields(chinese), key

    def test_every_rule_outcome_and_ending_has_one(self) -> None:
        rules = (*permit.RULES, permit.PERMIT_ENDED)
        closed = (f"closed_{reason}" for reason in (UNCOLLECTIBLE, SETTLED))
        found = {*rules, *get_args(contact.Outcome), *ENDINGS, *closed, *STAGES}
        assert found - LABELS.keys() == set()

    def test_a_code_without_a_label_is_shown_as_words(self) -> None:
        assert say("some_new_rule", "zh") == "some new rule"


def fields(text: str) -> set[str]:
    return {part.split("}")[0] for part in text.split("{")[1:]}
