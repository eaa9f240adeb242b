"""Plain words for every event, in Chinese and English.

The words are data: `words/<service>.yaml` names for each wire name what happened (`what`) and,
where it helps, why (`why`), in both languages. In a text

    {field}            the field as it is; `a.b` looks inside
    {field|money}      minor units in the event's currency      {field|date}, {field|time}
    {field|code:list}  a coded value in words, from the list of that name in `words/codes.yaml`
    {field|codes:list} several coded values                     {field|flag:list}  true or false
    {field|plan}, {field|count}, {field|ordinal}, {field|clock}, {field|days}  instalments; how
                       many; an index counted from 1; the time of day of a local time; 1 day, 2 days
    {field|period}     a legal period such as 15d or 36m: 15 days, 36 months
    [[ ... ]]          left out where a field inside it is absent, null, empty, false or 0

A text that names a field which the event lacks shows a dash, never an error: a history must be
readable whatever it holds. `strict` raises instead, for the tests that own the words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from arrears.shared.kernel.money import MINOR_DIGITS, format_minor

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
NO_VALUE: Final = "—"
_OPTIONAL: Final = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_FIELD: Final = re.compile(r"\{([a-z0-9_.]+)(?:\|([a-z]+)(?::([a-z0-9_]+))?)?\}")


class NoWords(LookupError):
    """An event type, a field or a coded value has no words. Raised in strict mode only."""


class Phrase(Struct, frozen=True):
    what: Mapping[str, str]
    why: Mapping[str, str] | None = None

    def texts(self) -> list[str]:
        return [*self.what.values(), *(self.why or {}).values()]


class Said(Struct, frozen=True, kw_only=True):
    """One event in words. `known` is False where its type has none and a fallback stands here."""

    what: str
    why: str | None
    known: bool


class BadWords(ValueError):
    """A file of words is not what it must be; names the entry."""


class Words:
    """The words of all services. `zone` is the bank's, for times of day."""

    def __init__(
        self,
        phrases: Mapping[str, Phrase],
        codes: Mapping[str, Mapping[str, Mapping[str, str]]],
        *,
        zone: str = "Asia/Shanghai",
        strict: bool = False,
    ) -> None:
        self.phrases = phrases
        self._codes = codes
        self._zone = ZoneInfo(zone)
        self._strict = strict
        self._filters: dict[str, Callable[[Any, str, Language, Mapping[str, Any]], str]] = {
            "money": self._money,
            "date": lambda value, _list, _language, _fields: str(value)[:10],
            "time": self._time,
            "code": lambda value, name, language, _fields: self.coded(name, value, language),
            "codes": self._coded_list,
            "flag": lambda value, name, language, _fields: self.coded(
                name, str(value).lower(), language
            ),
            "count": lambda value, _list, _language, _fields: str(len(value)),
            "ordinal": lambda value, _list, _language, _fields: str(int(value) + 1),
            "clock": lambda value, _list, _language, _fields: str(value)[11:16],
            "days": lambda value, _list, language, _fields: _days(value, language),
            "period": lambda value, _list, language, _fields: _period(value, language),
            "plan": self._plan,
        }

    def say(
        self, wire_name: str, fields: Mapping[str, Any], language: Language, currency: str | None
    ) -> Said:
        """The event in words. `currency` stands in where the event itself names none."""
        phrase = self.phrases.get(wire_name)
        known = {**fields, "currency": fields.get("currency") or currency}
        if phrase is None:
            if self._strict:
                raise NoWords(wire_name)
            return Said(what=wire_name, why=self._policy(known, language), known=False)
        why = None if phrase.why is None else self._fill(phrase.why[language], known, language)
        parts = [part for part in (why, self._policy(known, language)) if part]
        joint = "；" if language == "zh" else "; "
        return Said(
            what=self._fill(phrase.what[language], known, language),
            why=joint.join(parts) or None,
            known=True,
        )

    def coded(self, name: str, value: Any, language: Language) -> str:
        """A code without words shows as itself: reasons that people give are free texts too."""
        found = self._codes.get(name, {}).get(str(value))
        if found is not None:
            return found[language]
        if self._strict:
            raise NoWords(f"{name}: {value}")
        return str(value).replace("_", " ")

    def lists(self) -> set[str]:
        return set(self._codes)

    def codes(self, name: str) -> list[str]:
        return list(self._codes[name])

    # --- Filling a text

    def _policy(self, fields: Mapping[str, Any], language: Language) -> str | None:
        policy, version = fields.get("policy_id"), fields.get("policy_version")
        if policy is None:
            return None
        if language == "zh":
            return f"政策 {policy} 第 {version} 版"
        return f"policy {policy} version {version}"

    def _fill(self, text: str, fields: Mapping[str, Any], language: Language) -> str:
        def optional(part: re.Match[str]) -> str:
            inside = part.group(1)
            names = [found.group(1) for found in _FIELD.finditer(inside)]
            return inside if all(_look(fields, name) not in _ABSENT for name in names) else ""

        def field(part: re.Match[str]) -> str:
            path, how, listed = part.groups()
            return self._show(path, how, listed or "", fields, language)

        return " ".join(_FIELD.sub(field, _OPTIONAL.sub(optional, text)).split())

    def _show(
        self, path: str, how: str | None, listed: str, fields: Mapping[str, Any], language: Language
    ) -> str:
        value = _look(fields, path)
        if value is None:
            if self._strict:
                raise NoWords(f"field {path}")
            return NO_VALUE
        if how is None:
            return str(value)
        try:
            return self._filters[how](value, listed, language, fields)
        except (ValueError, TypeError, KeyError, AttributeError):
            if self._strict:
                raise
            return str(value)

    def _money(self, value: Any, _list: str, _language: Language, fields: Mapping[str, Any]) -> str:
        currency = fields.get("currency")
        if not isinstance(value, int) or currency not in MINOR_DIGITS:
            if self._strict:
                raise NoWords(f"money {value!r} {currency!r}")
            return str(value)
        return money_text(value, currency)

    def _time(self, value: Any, _list: str, _language: Language, _fields: Mapping[str, Any]) -> str:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return at.astimezone(self._zone).strftime("%Y-%m-%d %H:%M")

    def _coded_list(
        self, value: Any, name: str, language: Language, _fields: Mapping[str, Any]
    ) -> str:
        joint = "、" if language == "zh" else ", "
        return joint.join(self.coded(name, one, language) for one in value) or NO_VALUE

    def _plan(self, value: Any, _list: str, language: Language, fields: Mapping[str, Any]) -> str:
        if not value:
            return NO_VALUE
        total = self._money(sum(one["amount_minor"] for one in value), "", language, fields)
        days = sorted(str(one["due_on"]) for one in value)
        if language == "zh":
            return f"{len(value)} 期共 {total}，{days[0]} 至 {days[-1]}"
        return f"{len(value)} instalments of {total} in all, {days[0]} to {days[-1]}"


_ABSENT: Final[tuple[object, ...]] = (None, "", [], False)


def _look(fields: Mapping[str, Any], path: str) -> Any:
    found: Any = fields
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _days(count: int, language: Language) -> str:
    if language == "zh":
        return f"{count} 天"
    return f"{count} day" if count == 1 else f"{count} days"


def _period(rule: str, language: Language) -> str:
    """Raises ValueError for what is no period."""
    count, unit = int(rule[:-1]), rule[-1]
    if unit == "d":
        return _days(count, language)
    if unit != "m":
        raise ValueError(rule)
    if language == "zh":
        return f"{count} 个月"
    return f"{count} month" if count == 1 else f"{count} months"


def money_text(amount_minor: int, currency: str) -> str:
    """117050 in CNY is `CNY 1,170.50`."""
    text = format_minor(abs(amount_minor), currency)
    whole, point, fraction = text.partition(".")
    sign = "-" if amount_minor < 0 else ""
    return f"{currency} {sign}{int(whole):,}{point}{fraction}"


def parse_phrases(name: str, entries: Any) -> dict[str, Phrase]:
    """The entries of one file of words, as read from YAML. Raises BadWords."""
    if not isinstance(entries, dict):
        raise BadWords(f"{name}: must name event types")
    phrases: dict[str, Phrase] = {}
    for wire_name, entry in entries.items():
        texts = entry if isinstance(entry, dict) else {}
        for part in ("what", "why"):
            if part in texts:
                _check_texts(f"{name}: {wire_name}: {part}", texts[part])
        if "what" not in texts or texts.keys() - {"what", "why"}:
            raise BadWords(f"{name}: {wire_name}: needs `what` and may have `why`, nothing else")
        phrases[wire_name] = Phrase(texts["what"], texts.get("why"))
    return phrases


_FILTER_NAMES: Final = frozenset(
    {
        None,
        "clock",
        "code",
        "codes",
        "count",
        "date",
        "days",
        "flag",
        "money",
        "ordinal",
        "period",
        "plan",
        "time",
    }
)


def _check_texts(where: str, texts: Any) -> None:
    if not isinstance(texts, dict) or set(texts) != set(LANGUAGES):
        raise BadWords(f"{where}: needs a text in each of {', '.join(LANGUAGES)}")
    for language, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise BadWords(f"{where}: {language}: must be a text")
        rest = _FIELD.sub("", _OPTIONAL.sub(r"\1", text))
        unknown = any(found.group(2) not in _FILTER_NAMES for found in _FIELD.finditer(text))
        if unknown or any(mark in rest for mark in "{}[]|"):
            raise BadWords(f"{where}: {language}: {text!r} has a field that cannot be read")


def fields_of(text: str) -> list[str]:
    """The fields that a text names."""
    return [found.group(1) for found in _FIELD.finditer(text)]


def coded_lists(texts: Sequence[str]) -> set[tuple[str, str]]:
    """The (field, list) pairs that these texts look up."""
    return {
        (found.group(1), found.group(3))
        for text in texts
        for found in _FIELD.finditer(text)
        if found.group(2) in {"code", "codes", "flag"}
    }


def parse_codes(name: str, lists: Any) -> dict[str, dict[str, dict[str, str]]]:
    """The lists of coded values: list -> code -> language -> words. Raises BadWords."""
    if not isinstance(lists, dict):
        raise BadWords(f"{name}: must name lists of codes")
    for listed, codes in lists.items():
        if not isinstance(codes, dict):
            raise BadWords(f"{name}: {listed}: must name codes")
        for code, texts in codes.items():
            if not isinstance(code, str):
                raise BadWords(f"{name}: {listed}: {code!r} must be quoted")
            _check_texts(f"{name}: {listed}: {code}", texts)
    return lists
