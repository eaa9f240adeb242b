"""Words: every event of every service has them, and they say what the event really carries."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from inspect import getsource
from itertools import chain
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
import pytest
from msgspec.inspect import type_info

import arrears.contact.application.publish as contact
import arrears.intake.application.publish as intake
import arrears.legal.application.publish as legal
import arrears.mediation.application.publish as mediation
from arrears.contact.domain import permit
from arrears.contact.domain import values as contact_values
from arrears.history.adapters.words import load_words
from arrears.history.domain.told import SERVICES
from arrears.history.domain.words import (
    LANGUAGES,
    BadWords,
    Language,
    NoWords,
    Words,
    coded_lists,
    fields_of,
    money_text,
    parse_codes,
    parse_phrases,
)
from arrears.intake.domain import policy as intake_policy
from arrears.intake.domain.loan.holds import HOLD_REASONS
from arrears.intake.domain.loan.state import BORROWER_CHANGED, CURED, SETTLED, UNCOLLECTIBLE
from arrears.legal.application.react import ELSEWHERE
from arrears.legal.domain import gate
from arrears.legal.domain.claim.endings import SUIT_RESULTS
from arrears.legal.domain.claim.state import SETTLED as SETTLED_BY_AGREEMENT
from arrears.shared.runtime.stage import OWN_EVENTS

STRICT: Final = load_words(strict=True)
GOLDEN: Final = Path(__file__).resolve().parents[2] / "tidy" / "wire_names.txt"
EVENTS: Final[dict[str, type]] = {
    wire_name: event
    for names in (intake, contact, mediation, legal)
    for event, wire_name in names.WIRE_NAMES.items()
}
KERNEL: Final = {
    f"arrears.{service}.{noun}.v1"
    for service in SERVICES
    for noun in (
        "business_day_closed",
        "input_parked",
        "input_released",
        "input_skipped",
        "doubt_settled",
        "personal_data_read",
        "personal_data_erased",
    )
}


class TestEveryEvent:
    def test_every_event_that_is_published_has_words_and_nothing_else_has(self) -> None:
        assert set(STRICT.phrases) == EVENTS.keys() | KERNEL

    def test_every_name_ever_shipped_has_words(self) -> None:
        lines = GOLDEN.read_text(encoding="utf-8").split()
        shipped = {line for line in lines if line.startswith("arrears.")}
        assert shipped - set(STRICT.phrases) == set()

    @pytest.mark.parametrize("wire_name", sorted(EVENTS))
    def test_the_words_name_only_fields_that_the_event_has(self, wire_name: str) -> None:
        unknown = [path for path in _paths(wire_name) if not _has(EVENTS[wire_name], path)]
        assert unknown == []

    @pytest.mark.parametrize("event", OWN_EVENTS)
    def test_the_words_of_the_kernel_name_its_fields_and_whoever_asked(self, event: type) -> None:
        known = {"staff", *event.__struct_fields__}  # type: ignore[attr-defined]
        noun = re.sub(r"(?<!^)(?=[A-Z])", "_", event.__name__).lower()
        for service in SERVICES:
            assert set(_paths(f"arrears.{service}.{noun}.v1")) <= known

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
    @pytest.mark.parametrize("wire_name", sorted(EVENTS))
    def test_the_words_are_whole_with_and_without_what_may_be_absent(
        self, wire_name: str, full: bool, language: Language
    ) -> None:
        said = STRICT.say(wire_name, _sample(wire_name, full=full), language, "CNY")
        for text in (said.what, said.why or ""):
            assert not set(text) & set("{}[]|—_"), text

    def test_a_type_without_words_falls_back_to_its_name_and_says_so(self) -> None:
        lenient = Words(STRICT.phrases, {})
        said = lenient.say("arrears.contact.new_thing.v1", {}, "en", None)
        assert (said.what, said.known) == ("arrears.contact.new_thing.v1", False)

    def test_in_the_tests_it_is_loud(self) -> None:
        with pytest.raises(NoWords, match="new_thing"):
            STRICT.say("arrears.contact.new_thing.v1", {}, "en", None)


class TestCodes:
    @pytest.mark.parametrize(
        ("listed", "codes"),
        [
            ("channel", get_args(contact_values.Channel)),
            ("outcome", get_args(contact_values.Outcome)),
            ("said", get_args(contact_values.SaidKind)),
            ("result", get_args(contact_values.Result)),
            ("stop", get_args(contact_values.StopKind)),
            ("reason", get_args(contact_values.StopKind)),
            ("scope", get_args(contact_values.Scope)),
            ("permit_rule", (*permit.RULES, permit.PERMIT_ENDED)),
            ("reason", (*permit.STOP_REASONS.values(), permit.PERSON_HELD)),
            ("reason", (*HOLD_REASONS, CURED, UNCOLLECTIBLE, SETTLED)),
            ("five_tier_class", get_args(intake_policy.Tier)),
            ("risk", get_args(intake_policy.Risk)),
            ("stage", (*get_args(intake_policy.Stage), "intake")),
            ("claim_end", (*SUIT_RESULTS, SETTLED_BY_AGREEMENT)),
            ("result", (*SUIT_RESULTS, SETTLED_BY_AGREEMENT, ELSEWHERE)),
            ("result", tuple(chain.from_iterable(intake_policy.RESULTS.values()))),
            (
                "gate",
                (
                    gate.DEMAND_DELIVERED,
                    gate.TOTAL_KNOWN,
                    gate.LIMITATION_ALIVE,
                    gate.APPROVAL,
                    gate.NO_AGREEMENT,
                    gate.NOT_HELD,
                ),
            ),
        ],
    )
    def test_every_code_that_a_service_knows_has_words(
        self, listed: str, codes: tuple[str, ...]
    ) -> None:
        for language in LANGUAGES:
            assert all(STRICT.coded(listed, code, language) for code in codes)

    @pytest.mark.parametrize("wire_name", sorted(EVENTS))
    def test_every_value_that_a_field_allows_has_words(self, wire_name: str) -> None:
        event = EVENTS[wire_name]
        looked_up = coded_lists(STRICT.phrases[wire_name].texts())
        allowed = {(listed, code) for path, listed in looked_up for code in _allowed(event, path)}
        assert {one for one in allowed if one[1] not in STRICT.codes(one[0])} == set()

    @pytest.mark.parametrize(
        ("field", "one"), [("result", BORROWER_CHANGED), ("reason", UNCOLLECTIBLE)]
    )
    def test_every_constant_that_a_service_says_in_a_field_has_words(
        self, field: str, one: str
    ) -> None:
        """Where a field is a text, no table of codes by hand knows what the next constant is."""
        said = {code for service in SERVICES for code in _constants(service, field)}
        assert one in said
        assert said - set(STRICT.codes(field)) == set()

    def test_every_list_that_a_text_looks_up_exists(self) -> None:
        texts = [text for phrase in STRICT.phrases.values() for text in phrase.texts()]
        lists = {listed for _, listed in coded_lists(texts)}
        assert lists - STRICT.lists() == set()

    def test_what_a_person_wrote_as_a_reason_shows_as_it_is(self) -> None:
        assert load_words().coded("reason", "called in sick", "en") == "called in sick"


class TestText:
    def test_money_has_its_currency_and_groups_of_three(self) -> None:
        assert money_text(117_167_00, "TWD") == "TWD 117,167.00"
        assert money_text(-1_234, "JPY") == "JPY -1,234"
        assert money_text(5, "KWD") == "KWD 0.005"

    def test_times_of_day_are_the_banks(self) -> None:
        words = load_words(zone="Asia/Shanghai")
        fields = {"delivered_at": "2024-03-01T20:30:00Z", "total_minor": 100, "currency": "CNY"}
        said = words.say("arrears.contact.demand_delivered.v1", fields, "en", None)
        assert "2024-03-02 04:30" in said.what

    def test_the_cases_currency_stands_in_where_the_event_has_none(self) -> None:
        said = STRICT.say("arrears.contact.promise_kept.v1", {"paid_minor": 100}, "en", "EUR")
        assert "EUR 1.00" in said.what

    @pytest.mark.parametrize(
        ("paid_minor", "en", "zh"),
        [
            (0, "CNY 6.00 overdue", "逾期 CNY 6.00"),
            (
                400,
                "CNY 6.00 overdue (the figure of 2026-03-01 less CNY 4.00 paid since)",
                "逾期 CNY 6.00（2026-03-01 的数字，已扣除其后所还 CNY 4.00）",
            ),
        ],
    )
    def test_a_referral_says_what_was_taken_off_the_banks_figure(
        self, paid_minor: int, en: str, zh: str
    ) -> None:
        fields = {
            **_sample("arrears.intake.case_referred.v1", full=True),
            "overdue_minor": 600,
            "currency": "CNY",
            "as_of_on": "2026-03-01",
            "paid_since_minor": paid_minor,
        }
        wanted: list[tuple[Language, str]] = [("en", en), ("zh", zh)]
        for language, words in wanted:
            said = STRICT.say("arrears.intake.case_referred.v1", fields, language, None)
            assert said.what.endswith(words)

    def test_policy_and_version_are_part_of_the_why(self) -> None:
        fields = {
            **_sample("arrears.intake.grace_granted.v1", full=True),
            "policy_id": "cn-default",
            "policy_version": 3,
        }
        zh = STRICT.say("arrears.intake.grace_granted.v1", fields, "zh", None)
        en = STRICT.say("arrears.intake.grace_granted.v1", fields, "en", None)
        assert (zh.why or "").endswith("政策 cn-default 第 3 版")
        assert (en.why or "").endswith("policy cn-default version 3")

    @pytest.mark.parametrize(
        ("moved_from_on", "provisional", "en", "zh"),
        [
            (None, False, "", ""),
            ("2027-05-01", False, ", moved from 2027-05-01 because no working day", "顺延"),
            (None, True, " (provisional: the holidays of that year", "暂定"),
        ],
    )
    def test_a_legal_deadline_says_how_it_was_counted(
        self, moved_from_on: str | None, provisional: bool, en: str, zh: str
    ) -> None:
        fields = {
            **_sample("arrears.legal.judgment_entered.v1", full=True),
            "derivation": {
                "rule": "24m",
                "start_on": "2025-05-01",
                "moved_from_on": moved_from_on,
                "provisional": provisional,
            },
        }
        said = STRICT.say("arrears.legal.judgment_entered.v1", fields, "en", None).why or ""
        assert f"; counted from 2025-05-01 by 24 months{en}" in said
        assert ("moved" in said, "provisional" in said) == (moved_from_on is not None, provisional)
        said = STRICT.say("arrears.legal.judgment_entered.v1", fields, "zh", None).why or ""
        assert "自 2025-05-01 起算 24 个月" in said
        assert zh in said

    @pytest.mark.parametrize(
        ("rule", "en"), [("1m", "1 month"), ("15d", "15 days"), ("soon", "soon")]
    )
    def test_a_period_is_said_in_words(self, rule: str, en: str) -> None:
        words = Words(parse_phrases("x", {"x": {"what": {"zh": "a", "en": "{rule|period}"}}}), {})
        assert words.say("x", {"rule": rule}, "en", None).what == en

    def test_odd_values_never_stop_a_story(self) -> None:
        odd = {"delivered_at": "soon", "total_minor": "many", "currency": 3}
        said = load_words().say("arrears.contact.demand_delivered.v1", odd, "en", None)
        assert "soon" in said.what


class TestFiles:
    @pytest.mark.parametrize(
        "entries",
        [
            ["not", "a", "mapping"],
            {"arrears.x.y.v1": "just a text"},
            {"arrears.x.y.v1": {"why": {"zh": "a", "en": "b"}}},
            {"arrears.x.y.v1": {"what": {"zh": "a"}}},
            {"arrears.x.y.v1": {"what": {"zh": "a", "en": ""}}},
            {"arrears.x.y.v1": {"what": {"zh": "a {b", "en": "b"}}},
            {"arrears.x.y.v1": {"what": {"zh": "a [[b", "en": "b"}}},
            {"arrears.x.y.v1": {"what": {"zh": "{a|upper}", "en": "b"}}},
            {"arrears.x.y.v1": {"what": {"zh": "a", "en": "b"}, "who": {"zh": "a", "en": "b"}}},
        ],
    )
    def test_a_bad_file_of_words_is_refused_with_its_entry(self, entries: object) -> None:
        with pytest.raises(BadWords, match=r"contact"):
            parse_phrases("contact", entries)

    @pytest.mark.parametrize("lists", [[], {"a": []}, {"a": {True: {"zh": "a", "en": "b"}}}])
    def test_a_bad_list_of_codes_is_refused(self, lists: object) -> None:
        with pytest.raises(BadWords, match="codes"):
            parse_codes("codes", lists)


# --- Samples made from the events' own types


def _paths(wire_name: str) -> Iterator[str]:
    for text in STRICT.phrases[wire_name].texts():
        yield from fields_of(text)


def _has(event: type, path: str) -> bool:
    name, _, rest = path.partition(".")
    if name == "currency":
        return True
    for field in msgspec.structs.fields(event):
        if field.name == name:
            return not rest or any(_has(inner, rest) for inner in _structs(field.type))
    return False


def _allowed(event: type, path: str) -> Iterator[str]:
    """The codes that a field's own type names; none where it is any text."""
    name, _, rest = path.partition(".")
    for field in msgspec.structs.fields(event):
        if field.name != name:
            continue
        if rest:
            for inner in _structs(field.type):
                yield from _allowed(inner, rest)
        for one in (field.type, *get_args(field.type)):
            if get_origin(one) is Literal:
                yield from get_args(one)


def _constants(service: str, field: str) -> Iterator[str]:
    """What the rules of a service pass by this name, where it is a constant."""
    for room in ("domain", "application"):
        package = import_module(f"arrears.{service}.{room}")
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            module = import_module(found.name)
            for given in ast.walk(ast.parse(getsource(module))):
                if not isinstance(given, ast.keyword) or given.arg != field:
                    continue
                code = getattr(given.value, "value", None)
                if isinstance(given.value, ast.Name):
                    code = getattr(module, given.value.id, None)
                if isinstance(code, str):
                    yield code


def _structs(annotation: Any) -> list[type]:
    found = [annotation, *get_args(annotation)]
    return [one for one in found if isinstance(one, type) and issubclass(one, msgspec.Struct)]


def _sample(wire_name: str, *, full: bool) -> dict[str, Any]:
    """An event with every field, or with only those that are never null."""
    texts = STRICT.phrases[wire_name].texts()
    codes = dict(coded_lists(texts))
    sample = _value(type_info(EVENTS[wire_name]), full=full, path="", codes=codes)
    assert isinstance(sample, dict)
    return sample


def _value(info: Any, *, full: bool, path: str, codes: dict[str, str]) -> Any:
    if isinstance(info, msgspec.inspect.UnionType):
        options = [one for one in info.types if not isinstance(one, msgspec.inspect.NoneType)]
        if len(options) < len(info.types) and not full:
            return None
        return _value(options[0], full=full, path=path, codes=codes)
    if isinstance(info, msgspec.inspect.StructType):
        return {
            field.name: _value(
                field.type, full=full, path=f"{path}.{field.name}".lstrip("."), codes=codes
            )
            for field in info.fields
        }
    code = STRICT.codes(codes[path])[0] if path in codes else None
    if isinstance(info, msgspec.inspect.VarTupleType):
        inner = code or _value(info.item_type, full=full, path=path, codes={})
        return [inner] if full or code else []
    if isinstance(info, msgspec.inspect.LiteralType):
        return info.values[0]
    plain = {**_PLAIN, msgspec.inspect.BoolType: full}
    return code or _NAMED.get(path.rpartition(".")[2]) or plain[type(info)]


_NAMED: Final = {"currency": "CNY", "rule": "36m", "local_time": "2024-03-01T17:00:00+08:00"}
_PLAIN: Final[dict[type, Any]] = {
    msgspec.inspect.StrType: "text",
    msgspec.inspect.IntType: 7,
    msgspec.inspect.DateType: "2024-03-01",
    msgspec.inspect.DateTimeType: "2024-03-01T09:00:00Z",
}
