"""Reads the words that lie in the package as YAML, and parses them."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from arrears.history.domain.told import SERVICES
from arrears.history.domain.words import Phrase, Words, parse_codes, parse_phrases

FILES: Final = (*SERVICES, "kernel")


@cache
def load_words(*, zone: str = "Asia/Shanghai", strict: bool = False) -> Words:
    """The words of every service. Raises BadWords where a file is not what it must be."""
    phrases: dict[str, Phrase] = {}
    for name in FILES:
        phrases |= parse_phrases(name, _read(f"{name}.yaml"))
    codes = parse_codes("codes", _read("codes.yaml"))
    return Words(phrases, codes, zone=zone, strict=strict)


def _read(name: str) -> Any:
    text = files("arrears.history").joinpath("words", name).read_text(encoding="utf-8")
    return yaml.safe_load(text)
